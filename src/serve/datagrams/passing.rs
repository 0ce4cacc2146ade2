//! What clients say is passed on to sessions, and what these say to clients.

use std::sync::Arc;

use super::Server;
use super::peers::{Forgotten, Peer, Place};
use super::sessions::News;
use crate::event::Event;
use crate::relay::{End, wait_patiently};
use crate::serve::caller::Caller;
use crate::serve::one::GRACE;
use crate::serve::{Behaviour, Totals};

/// As much of what sessions say is heard at once, before clients have their turn again.
const AT_ONCE: usize = 64;

impl Server {
    /// Whether clients are answered by somebody else.
    pub(super) fn has_sessions(&self) -> bool {
        let behaviour = &self.service.behaviour;
        matches!(behaviour, Behaviour::Exec(_) | Behaviour::Forward(_))
    }

    /// Whether a datagram comes from a session of ours: what is forwarded leads back here.
    pub(super) fn leads_back(&mut self, place: &Place) -> bool {
        let source = place.address().ip();
        if !source.is_some_and(|source| self.sessions.have_end_at(source)) {
            return false;
        }
        self.tell_leads_back();
        true
    }

    /// Gives a client's datagram to its session.
    pub(super) async fn hand_over(&mut self, datagram: &[u8], place: &Place) {
        if self.is_from_ourselves(place) {
            return;
        }
        let Some(number) = self.peers.get(place).map(|peer| peer.number) else {
            return;
        };
        let caller = Caller {
            number,
            proto: self.proto(place),
            local: self.local(place),
            peer: place.address(),
        };
        self.sessions.hand_over(caller, place, datagram).await;
    }

    /// Heeds what sessions have said already.
    pub(super) async fn heed_all(&mut self) {
        for _ in 0..AT_ONCE {
            match self.sessions.said() {
                Some(news) => self.heed(news).await,
                None => return,
            }
        }
    }

    /// Heeds what a session says.
    pub(super) async fn heed(&mut self, news: News) {
        let over = match news {
            News::Answer(number, answer) => return self.pass_back(number, &answer).await,
            News::Over(over) => over,
        };
        let aftermath = self.sessions.conclude(over);
        if let Some((caller, error)) = &aftermath.failed {
            self.tell(&Event::SessionFailed {
                client: caller.number,
                peer: &caller.peer,
                error,
            });
        }
        if let Some((forgotten, end)) = aftermath.gone {
            self.tell_gone(&forgotten, end);
            self.sessions.forget(forgotten.1.number);
        }
    }

    /// Sends a client what its session says.
    async fn pass_back(&mut self, number: u64, answer: &[u8]) {
        let Some(place) = self.sessions.place(number) else {
            return;
        };
        if !self.may_be_told(number, answer, &place) {
            return self.tell_withheld(&place.address());
        }
        self.answer(number, answer, &place).await;
    }

    /// Whether that may go there. What a command says is like a reply: in all no longer than what
    /// the client sent, unless somebody vouches for the address. An upstream is a server of its own
    /// that decides what it answers, and whoever is forwarded to it was asked for.
    fn may_be_told(&mut self, number: u64, answer: &[u8], place: &Place) -> bool {
        if matches!(self.service.behaviour, Behaviour::Forward(_)) {
            return true;
        }
        if self.trusts(&place.address()) {
            return true;
        }
        let length = answer.len() as u64;
        self.client(number, place)
            .is_some_and(|peer| peer.sent.saturating_add(length) <= peer.received)
    }

    /// A client, even one that is forgotten while a session is still there for it.
    pub(super) fn client(&mut self, number: u64, place: &Place) -> Option<&mut Peer> {
        if let Some((_, peer)) = self.sessions.leaving(number) {
            return Some(peer);
        }
        let peer = self.peers.get(place)?;
        (peer.number == number).then_some(peer)
    }

    /// Parts with a client: it is told of when its session is over.
    pub(super) fn part(&mut self, forgotten: Forgotten, end: End) {
        if let Some(forgotten) = self.sessions.part(forgotten, end) {
            self.tell_gone(&forgotten, end);
            self.sessions.forget(forgotten.1.number);
        }
    }

    /// It is over, for this reason: sessions end, and have some time for it.
    pub(super) async fn close(mut self, end: End) -> Totals {
        for forgotten in self.peers.drain() {
            self.part(forgotten, end);
        }
        let stop = self.service.stop.clone();
        let in_time = tokio::select! {
            biased;
            () = self.finish() => true,
            () = wait_patiently(GRACE) => false,
        };
        if !in_time {
            stop.now();
            self.finish().await;
        }
        self.totals_now()
    }

    /// Waits for the end of all sessions.
    async fn finish(&mut self) {
        let service = Arc::clone(&self.service);
        loop {
            tokio::select! {
                news = self.sessions.next_until_over() => match news {
                    Some(news) => self.heed(news).await,
                    None => return,
                },
                () = service.inquiry.asked() => self.tell_standing(),
            }
        }
    }
}
