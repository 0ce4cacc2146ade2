//! What whoever observes is told.

use std::io;

use super::Server;
use super::peers::{Forgotten, Place, Short};
use crate::error::{Action, Cause, Error};
use crate::event::Event;
use crate::net::Address;
use crate::relay::{End, Transfer};
use crate::serve::Standing;

/// What is told once, however often it happens.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Once {
    /// What is forwarded comes back to us.
    LeadsBack,
    /// Those without a name cannot be answered.
    Unnamed,
    /// The system did not send a datagram.
    Unsent,
    /// Somebody is not sent what could be used against others.
    Withheld,
}

impl Server {
    /// Tells what is done, since somebody asked.
    pub(super) fn tell_standing(&self) {
        let standing = Standing {
            present: self.peers.clients() as u64,
            totals: self.totals_now(),
        };
        self.tell(&Event::Standing(&standing));
    }

    /// Tells, once, that what is forwarded comes back to us.
    pub(super) fn tell_leads_back(&mut self) {
        self.tell_once(Once::LeadsBack, &Event::ForwardLeadsBack);
    }

    /// Tells, once, that the system did not send a datagram, and why.
    pub(super) fn tell_unsent(&mut self, error: &io::Error) {
        self.tell_once(Once::Unsent, &Event::DatagramRefused { error });
    }

    /// Tells, once, that somebody is not sent what could be used against others.
    pub(super) fn tell_withheld(&mut self, peer: &Address) {
        self.tell_once(Once::Withheld, &Event::AnswerWithheld { peer });
    }

    /// Tells, once, that those without a name cannot be answered.
    pub(super) fn tell_unnamed(&mut self) {
        self.tell_once(Once::Unnamed, &Event::UnnamedSender);
    }

    /// Tells of a datagram that did not come whole, and remembers it of who sent it.
    pub(super) fn tell_short(&mut self, place: &Place, short: Short) {
        let error = &Error::new(Action::Receive, place.address(), short.cause());
        self.tell(&Event::DatagramTruncated { error });
        if let Some(peer) = self.peers.get(place) {
            peer.short = Some(short);
        }
    }

    /// What was lost of a client's datagrams, or was to be sent to it and was not, as an error.
    fn loss_of(&self, (place, peer): &Forgotten) -> Option<Error> {
        let lost = self.sessions.lost_of(peer.number);
        let (action, cause) = match (lost, peer.short) {
            (Some(lost @ 1..), _) => (Action::Session, Cause::Lost(lost)),
            (_, Some(short)) => (Action::Receive, short.cause()),
            _ if peer.unsent > 0 => (Action::Send, Cause::Unsent(peer.unsent)),
            _ => return None,
        };
        Some(Error::new(action, place.address(), cause))
    }

    /// Tells of a client that is forgotten.
    pub(super) fn tell_gone(&mut self, forgotten: &Forgotten, end: End) {
        let (place, peer) = forgotten;
        if peer.refusal.is_some() {
            return;
        }
        let error = self.loss_of(forgotten);
        let failed = u64::from(error.is_some());
        self.totals.failed = self.totals.failed.saturating_add(failed);
        self.tell(&Event::ClientGone {
            client: peer.number,
            transfer: &Transfer {
                proto: self.proto(place),
                local: self.local(place),
                peer: Some(place.address()),
                sent: peer.sent,
                acknowledged: None,
                received: peer.received,
                datagrams_lost: self.sessions.lost_of(peer.number),
                digests: None,
                elapsed: peer.heard.duration_since(peer.since),
                untouched: false,
                end,
                at_rest: false,
                error,
            },
        });
    }

    /// Tells whoever observes, unless they were told of the like before.
    fn tell_once(&mut self, what: Once, event: &Event<'_>) {
        if self.told.insert(what) {
            self.tell(event);
        }
    }

    /// Tells whoever observes.
    pub(super) fn tell(&self, event: &Event<'_>) {
        self.service.observer.notice(event);
    }
}
