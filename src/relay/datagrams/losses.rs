//! Datagrams that came, and that the system had no room for.

use std::time::{Duration, Instant};

use crate::net::DatagramSocket;

/// How often the system is asked.
const LOOK: Duration = Duration::from_millis(250);

/// What is known of them.
#[derive(Debug)]
pub(super) struct Losses {
    count: Option<u64>,
    bundles: bool,
    told: bool,
    looked: Instant,
    /// Something came since.
    stale: bool,
}

impl Losses {
    /// None yet.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            count: Some(0),
            bundles: false,
            told: false,
            looked: now,
            stale: false,
        }
    }

    /// Something came, maybe as a bundle.
    pub(super) fn came(&mut self, bundle: bool) {
        self.stale = true;
        self.bundles |= bundle;
    }

    /// When to look again, if there is a reason to.
    pub(super) fn next_look(&self) -> Option<Instant> {
        let wanted = self.stale && !self.told;
        wanted.then(|| self.looked.checked_add(LOOK)).flatten()
    }

    /// Asks the system if it is time to; true when the first loss is found.
    pub(super) fn look(&mut self, sockets: &[DatagramSocket], now: Instant) -> bool {
        if self.next_look().is_none_or(|look| now < look) {
            return false;
        }
        self.looked = now;
        self.settle(sockets) && !std::mem::replace(&mut self.told, true)
    }

    /// Asks the system; whether anything was lost.
    pub(super) fn settle(&mut self, sockets: &[DatagramSocket]) -> bool {
        self.stale = false;
        self.count = sockets
            .iter()
            .map(DatagramSocket::dropped)
            .try_fold(0_u64, |sum, count| Some(sum.saturating_add(count?)));
        self.count.is_some_and(|count| count > 0)
    }

    /// How many, where that is known; of bundles it is the bundles that the system counts.
    pub(super) fn count(&self) -> Option<u64> {
        self.count
    }

    /// Whether the system may have counted several as one.
    pub(super) fn may_be_more(&self) -> bool {
        self.bundles
    }
}
