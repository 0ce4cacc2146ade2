//! Those who send datagrams: a table that is bounded, whoever pretends to send from where.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use crate::error::Cause;
use crate::net::{Address, Correspondent};
use crate::serve::Refusal;

/// As many are remembered at most; then the one that was silent for the longest is forgotten.
const MOST: usize = 1024;

/// For how long somebody silent is remembered (RFC 4787, REQ-5 recommends it for such tables).
pub(super) const PATIENCE: Duration = Duration::from_secs(300);

/// How many different datagrams of a peer are known again.
const KNOWN: usize = 256;

/// After so many answers to what had been answered before, one is left out.
const REPEATS: u32 = 256;

/// Where somebody was heard: on which socket, and who sent it. Those without a name are one.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Place {
    /// The socket, by its number.
    pub(super) socket: usize,
    /// Who can be answered there.
    pub(super) from: Option<Correspondent>,
}

impl Place {
    /// The address of whoever it is.
    pub(super) fn address(&self) -> Address {
        let from = self.from.as_ref();
        from.map_or(Address::Unix(None), Correspondent::address)
    }
}

/// A datagram of which a part was lost, and the reason.
#[derive(Clone, Copy, Debug)]
pub(super) enum Short {
    /// There was no room for the rest.
    Truncated { length: u64, kept: u64 },
    /// The rest was not wanted any more.
    Curtailed { length: u64, kept: u64 },
}

impl Short {
    /// The same as the cause of an error.
    pub(super) fn cause(self) -> Cause {
        match self {
            Self::Truncated { length, kept } => Cause::Truncated { length, kept },
            Self::Curtailed { length, kept } => Cause::Curtailed { length, kept },
        }
    }
}

/// Somebody who was heard.
#[derive(Debug)]
pub(super) struct Peer {
    /// Their number, from 1.
    pub(super) number: u64,
    /// When they were first heard.
    pub(super) since: Instant,
    /// When they were last heard.
    pub(super) heard: Instant,
    /// Bytes that came from them.
    pub(super) received: u64,
    /// Bytes that were sent to them.
    pub(super) sent: u64,
    /// Datagrams that were for them, and that the system did not take.
    pub(super) unsent: u64,
    /// The last datagram of theirs that did not come whole.
    pub(super) short: Option<Short>,
    /// Why they are none of our clients, if they are not.
    pub(super) refusal: Option<Refusal>,
    /// What was answered lately, as hashes, in a ring.
    answered: Vec<u64>,
    next: usize,
    repeats: u32,
}

/// Everybody who was heard lately.
#[derive(Debug, Default)]
pub(super) struct Peers {
    known: HashMap<Place, Peer>,
    /// How many of them are clients.
    clients: usize,
    hasher: RandomState,
}

/// Somebody who is forgotten.
pub(super) type Forgotten = (Place, Peer);

impl Peers {
    /// How many are remembered who are clients.
    pub(super) fn clients(&self) -> usize {
        self.clients
    }

    /// Whoever sends from there, if that is known.
    pub(super) fn get(&mut self, place: &Place) -> Option<&mut Peer> {
        self.known.get_mut(place)
    }

    /// Everybody who is a client and can be sent something.
    pub(super) fn audience(&mut self) -> impl Iterator<Item = (&Place, &mut Peer)> {
        let hears =
            |(place, peer): &(&Place, &mut Peer)| place.from.is_some() && peer.refusal.is_none();
        self.known.iter_mut().filter(hears)
    }

    /// Takes in somebody new; who had to be forgotten for that? Those who are no clients go first.
    pub(super) fn add(&mut self, place: Place, peer: Peer) -> Option<Forgotten> {
        let mut forgotten = None;
        if self.known.len() >= MOST {
            let rank = |peer: &Peer| (peer.refusal.is_none(), peer.heard);
            let idlest = self.known.iter().min_by_key(|(_, peer)| rank(peer));
            let idlest = idlest.map(|(place, _)| place.clone());
            forgotten = idlest.and_then(|place| self.forget(&place));
        }
        self.clients = self.clients.saturating_add(peer.counts());
        self.known.insert(place, peer);
        forgotten
    }

    /// Forgets somebody.
    pub(super) fn forget(&mut self, place: &Place) -> Option<Forgotten> {
        let forgotten = self.known.remove_entry(place)?;
        self.clients = self.clients.saturating_sub(forgotten.1.counts());
        Some(forgotten)
    }

    /// Forgets those who were silent for so long.
    pub(super) fn expire(&mut self, now: Instant, patience: Duration) -> Vec<Forgotten> {
        let silent = |_: &Place, peer: &mut Peer| now.duration_since(peer.heard) >= patience;
        let forgotten: Vec<_> = self.known.extract_if(silent).collect();
        let clients = forgotten.iter().map(|(_, peer)| peer.counts()).sum();
        self.clients = self.clients.saturating_sub(clients);
        forgotten
    }

    /// Forgets everybody.
    pub(super) fn drain(&mut self) -> Vec<Forgotten> {
        self.clients = 0;
        self.known.drain().collect()
    }

    /// A datagram, as it is remembered.
    pub(super) fn hash(&self, datagram: &[u8]) -> u64 {
        self.hasher.hash_one(datagram)
    }
}

impl Peer {
    /// Somebody who is heard for the first time.
    pub(super) fn new(number: u64, refusal: Option<Refusal>, now: Instant) -> Self {
        Self {
            number,
            since: now,
            heard: now,
            received: 0,
            sent: 0,
            unsent: 0,
            short: None,
            refusal,
            answered: Vec::new(),
            next: 0,
            repeats: 0,
        }
    }

    /// Takes account of a datagram for them: of so many bytes, or one that was not sent.
    pub(super) fn note_sent(&mut self, sent: Option<u64>) {
        match sent {
            Some(length) => self.sent = self.sent.saturating_add(length),
            None => self.unsent = self.unsent.saturating_add(1),
        }
    }

    /// As how many clients it counts.
    fn counts(&self) -> usize {
        usize::from(self.refusal.is_none())
    }

    /// Whether this datagram is to be answered. Two servers that answer each other would never
    /// cease, once somebody had sent a datagram to the one in the name of the other; from here it
    /// looks like a client who says the same again and again. One answer in some hundreds of such
    /// is left out: a client may lose it like any datagram, and the two servers fall silent.
    pub(super) fn deserves_answer(&mut self, hash: u64) -> bool {
        if !self.answered.contains(&hash) {
            match self.answered.get_mut(self.next) {
                Some(oldest) => *oldest = hash,
                None => self.answered.push(hash),
            }
            self.next = self.next.saturating_add(1) % KNOWN;
            return true;
        }
        self.repeats = self.repeats.saturating_add(1) % REPEATS;
        self.repeats != 0
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    fn address(port: usize) -> Place {
        let address = SocketAddr::from(([192, 0, 2, 1], u16::try_from(port).unwrap()));
        Place {
            socket: 0,
            from: Some(address.into()),
        }
    }

    #[test]
    fn the_table_is_bounded_and_forgets_the_idlest() {
        let mut peers = Peers::default();
        let start = Instant::now();
        for port in 0..5000 {
            let now = start + Duration::from_millis(port as u64);
            let forgotten = peers.add(address(port), Peer::new(1, None, now));
            let expected = port.checked_sub(MOST).map(address);
            assert_eq!(forgotten.map(|(address, _)| address), expected);
        }
        assert_eq!(peers.clients(), MOST);
        let later = start + Duration::from_millis(4500) + PATIENCE;
        assert_eq!(peers.expire(later, PATIENCE).len(), MOST - 499);
        assert_eq!((peers.clients(), peers.drain().len()), (499, 499));
        assert_eq!(peers.clients(), 0);
    }

    #[test]
    fn who_is_refused_takes_nobody_s_place() {
        let mut peers = Peers::default();
        let start = Instant::now();
        peers.add(address(0), Peer::new(1, None, start));
        for port in 1..5000 {
            let now = start + Duration::from_millis(port as u64);
            peers.add(address(port), Peer::new(1, Some(Refusal::Denied), now));
        }
        assert_eq!(peers.clients(), 1);
        assert!(peers.get(&address(0)).is_some());
        assert_eq!(peers.audience().count(), 1);
    }

    #[test]
    fn what_differs_is_always_answered() {
        let mut peer = Peer::new(1, None, Instant::now());
        assert!((0..100_000).all(|number| peer.deserves_answer(number)));
        assert!(peer.answered.len() <= KNOWN);
    }

    #[test]
    fn a_loop_of_any_length_that_is_known_ends() {
        for length in [1, 2, KNOWN] {
            let mut peer = Peer::new(1, None, Instant::now());
            let mut flying: Vec<u64> = (0..length as u64).collect();
            let mut rounds = 0;
            while !flying.is_empty() && rounds < 100_000 {
                flying.retain(|hash| peer.deserves_answer(*hash));
                rounds += 1;
            }
            assert!(flying.is_empty(), "{length}");
        }
    }
}
