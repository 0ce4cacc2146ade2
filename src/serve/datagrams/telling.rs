//! What whoever observes is told.

use std::io;

use super::Server;
use super::peers::{Forgotten, Place};
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

    /// Tells of a datagram that was longer than the room for it.
    pub(super) fn tell_truncated(&self, place: &Place, length: u64, kept: u64) {
        let cause = Cause::Truncated { length, kept };
        let error = &Error::new(Action::Receive, place.address(), cause);
        self.tell(&Event::DatagramTruncated { error });
    }

    /// Tells of a client that is forgotten.
    pub(super) fn tell_gone(&self, (place, peer): &Forgotten, end: End) {
        if peer.refusal.is_some() {
            return;
        }
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
                error: None,
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
