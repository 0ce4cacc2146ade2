//! What clients are sent: an answer each, or what the others say.

use std::io;

use super::Server;
use super::peers::Place;
use super::post::Handed;
use crate::relay::End;

impl Server {
    /// Whether this answer may go there.
    pub(super) fn may_hear(&mut self, answer: &[u8], datagram: &[u8], place: &Place) -> bool {
        if answer.len() <= datagram.len() || self.trusts(&place.address()) {
            return true;
        }
        self.tell_withheld(&place.address());
        false
    }

    /// Whether a datagram claims to come from one of our own sockets.
    pub(super) fn is_from_ourselves(&self, place: &Place) -> bool {
        let source = place.address();
        self.posts.iter().any(|post| post.is_at(&source))
    }

    /// Sends the client of this number an answer, from the address that was spoken to.
    pub(super) async fn answer(&mut self, number: u64, answer: &[u8], place: &Place) {
        let (Some(from), Some(post)) = (&place.from, self.posts.get(place.socket)) else {
            return self.tell_unnamed();
        };
        let Some(answer) = self.sendable(answer) else {
            return;
        };
        let handed = post.send(answer, from).await;
        let sent = self.account(handed, answer.len());
        if let Some(peer) = self.client(number, place) {
            peer.note_sent(sent);
        }
    }

    /// As much of a datagram as may still be sent, unless as much as may has been.
    pub(super) fn sendable<'a>(&self, datagram: &'a [u8]) -> Option<&'a [u8]> {
        let sent = self.totals.sent;
        let is_full = self.service.most.is_some_and(|most| sent >= most);
        (!is_full).then(|| self.within_limit(datagram, sent))
    }

    /// Sends what a client said to all others. One that takes nothing now does without.
    pub(super) async fn pass_on(&mut self, datagram: &[u8], speaker: &Place) {
        let others: Vec<_> = self
            .peers
            .audience()
            .map(|(place, _)| place)
            .filter(|place| *place != speaker)
            .cloned()
            .collect();
        for place in others {
            let trusted = self.trusts(&place.address()) && !self.is_from_ourselves(&place);
            let (Some(from), Some(post)) = (&place.from, self.posts.get(place.socket)) else {
                continue;
            };
            if !trusted {
                continue;
            }
            let Some(datagram) = self.sendable(datagram) else {
                return;
            };
            let handed = post.send(datagram, from).await;
            if matches!(&handed, Handed::Gone) {
                if let Some(forgotten) = self.peers.forget(&place) {
                    self.tell_gone(&forgotten, End::Peer);
                }
                continue;
            }
            let sent = self.account(handed, datagram.len());
            if let Some(peer) = self.peers.get(&place) {
                peer.note_sent(sent);
            }
        }
    }

    /// Takes account of what became of a datagram; how many bytes were sent, if it was.
    pub(super) fn account(&mut self, handed: Handed, length: usize) -> Option<u64> {
        let error = match handed {
            Handed::Over => {
                let length = length as u64;
                self.totals.sent = self.totals.sent.saturating_add(length);
                return Some(length);
            }
            Handed::Gone => io::Error::from_raw_os_error(libc::ECONNREFUSED),
            Handed::Failed(error) => error,
        };
        self.totals.datagrams_unsent = self.totals.datagrams_unsent.saturating_add(1);
        self.tell_unsent(&error);
        None
    }
}
