//! Those who have sent us something, and which of them hear from us.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::net::Correspondent;

/// As many are remembered at most; then the one that was silent for the longest is forgotten.
const MOST: usize = 1024;

/// For how long somebody silent is remembered (RFC 4787, REQ-5 recommends it for such tables).
const PATIENCE: Duration = Duration::from_secs(300);

/// Who of those that have sent something hears what we send.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Audience {
    /// Whoever was heard first.
    First,
    /// Whoever was heard last.
    #[default]
    Last,
    /// Each of them.
    All,
}

/// Somebody, and the socket that reaches them.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Target {
    pub(super) socket: usize,
    pub(super) peer: Correspondent,
}

/// When somebody came, in order, and was last heard.
#[derive(Clone, Copy, Debug)]
struct Entry {
    number: u64,
    heard: Instant,
}

/// The table.
#[derive(Debug)]
pub(super) struct Peers {
    audience: Audience,
    known: HashMap<Target, Entry>,
    last: Option<Target>,
    /// There is one, whom everything goes to, whoever is heard.
    fixed: bool,
    count: u64,
}

impl Peers {
    /// Nobody yet.
    pub(super) fn new(audience: Audience) -> Self {
        Self {
            audience,
            known: HashMap::new(),
            last: None,
            fixed: false,
            count: 0,
        }
    }

    /// This one alone.
    pub(super) fn only(target: Target) -> Self {
        Self {
            last: Some(target),
            fixed: true,
            ..Self::new(Audience::Last)
        }
    }

    /// Whether nobody would hear us.
    pub(super) fn is_empty(&self) -> bool {
        self.last.is_none()
    }

    /// The one that was heard last, or the only one.
    pub(super) fn last(&self) -> Option<&Target> {
        self.last.as_ref()
    }

    /// Somebody was heard: their number if they are new.
    pub(super) fn heard(&mut self, target: &Target, now: Instant) -> Option<u64> {
        if self.fixed {
            return None;
        }
        let known = self.known.get_mut(target);
        let is_new = known.is_none();
        if let Some(entry) = known {
            entry.heard = now;
        } else {
            self.make_room(now);
            self.count = self.count.saturating_add(1);
            let entry = Entry {
                number: self.count,
                heard: now,
            };
            self.known.insert(target.clone(), entry);
        }
        // The address of ours that was spoken to may be another one than before.
        self.last = Some(target.clone());
        is_new.then_some(self.count)
    }

    /// Forgets somebody who cannot be reached.
    pub(super) fn forget(&mut self, target: &Target) {
        if self.fixed {
            return;
        }
        self.known.remove(target);
        if self.last.as_ref() == Some(target) {
            let latest = self.known.iter().max_by_key(|(_, entry)| entry.heard);
            self.last = latest.map(|(target, _)| target.clone());
        }
    }

    /// Who hears what is sent now.
    pub(super) fn audience(&mut self, now: Instant) -> Vec<Target> {
        if self.audience == Audience::Last || self.fixed {
            return self.last.iter().cloned().collect();
        }
        self.expire(now);
        let mut all: Vec<_> = self.known.iter().collect();
        all.sort_unstable_by_key(|(_, entry)| entry.number);
        let wanted = if self.audience == Audience::First {
            1
        } else {
            MOST
        };
        let wanted = all.into_iter().take(wanted);
        wanted.map(|(target, _)| target.clone()).collect()
    }

    /// Forgets who was silent for too long; whoever was heard last stays.
    fn expire(&mut self, now: Instant) {
        let last = self.last.clone();
        self.known.retain(|target, entry| {
            now.duration_since(entry.heard) < PATIENCE || Some(target) == last.as_ref()
        });
    }

    /// Forgets somebody if the table is full.
    fn make_room(&mut self, now: Instant) {
        if self.known.len() < MOST {
            return;
        }
        self.expire(now);
        if self.known.len() >= MOST {
            let silent = self.known.iter().min_by_key(|(_, entry)| entry.heard);
            if let Some(target) = silent.map(|(target, _)| target.clone()) {
                self.known.remove(&target);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;

    fn target(port: u16) -> Target {
        Target {
            socket: 0,
            peer: SocketAddr::from(([127, 0, 0, 1], port)).into(),
        }
    }

    fn ports(targets: &[Target]) -> Vec<u16> {
        let port = |target: &Target| target.peer.address().ip().unwrap().port();
        targets.iter().map(port).collect()
    }

    #[test]
    fn the_audience_is_first_last_or_all() {
        let expected: [(_, &[u16]); 3] = [
            (Audience::First, &[1]),
            (Audience::Last, &[2]),
            (Audience::All, &[1, 3, 2]),
        ];
        for (audience, expected) in expected {
            let now = Instant::now();
            let mut peers = Peers::new(audience);
            assert!(peers.is_empty());
            let numbers = [1, 3, 2, 2].map(|port| peers.heard(&target(port), now));
            assert_eq!(numbers, [Some(1), Some(2), Some(3), None]);
            assert_eq!(ports(&peers.audience(now)), expected);
        }
    }

    #[test]
    fn the_silent_are_forgotten() {
        let start = Instant::now();
        let mut peers = Peers::new(Audience::All);
        peers.heard(&target(1), start);
        peers.heard(&target(2), start);
        let later = start + PATIENCE / 2;
        peers.heard(&target(1), later);
        assert_eq!(ports(&peers.audience(later)), [1, 2]);
        assert_eq!(ports(&peers.audience(start + PATIENCE)), [1]);
        // The only one is never forgotten.
        assert_eq!(ports(&peers.audience(start + PATIENCE * 3)), [1]);
    }

    #[test]
    fn the_table_is_bounded_and_shuts_nobody_out() {
        let start = Instant::now();
        let mut peers = Peers::new(Audience::All);
        let most = u16::try_from(MOST).unwrap();
        for port in 1..=most + 10 {
            let now = start + Duration::from_millis(port.into());
            assert!(peers.heard(&target(port), now).is_some());
        }
        let heard = ports(&peers.audience(start));
        assert_eq!(heard.len(), MOST);
        assert_eq!((heard[0], heard[MOST - 1]), (11, most + 10));
    }

    #[test]
    fn who_cannot_be_reached_is_forgotten() {
        let now = Instant::now();
        let mut peers = Peers::new(Audience::Last);
        peers.heard(&target(1), now);
        peers.heard(&target(2), now + Duration::from_millis(1));
        peers.forget(&target(2));
        assert_eq!(ports(&peers.audience(now)), [1]);
        peers.forget(&target(1));
        assert!(peers.is_empty());
    }
}
