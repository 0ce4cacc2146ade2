//! Counts that the engine moves, and whoever likes reads.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What a conversation has moved so far, in bytes, and when it last did.
#[derive(Debug)]
pub struct Meter {
    began: Instant,
    sent: AtomicU64,
    received: AtomicU64,
    /// Microseconds from the beginning to the last byte in either direction, and to the last input.
    moved: AtomicU64,
    input: AtomicU64,
}

impl Default for Meter {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
            moved: AtomicU64::new(0),
            input: AtomicU64::new(NEVER),
        }
    }
}

/// Stands for no input yet.
const NEVER: u64 = u64::MAX;

impl Meter {
    /// Bytes given to the system for the peer.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Bytes taken from the peer.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// When a byte last moved in either direction, or the conversation began.
    pub(crate) fn last_move(&self) -> Instant {
        self.moment(self.moved.load(Ordering::Relaxed))
    }

    /// When input was last read, if any was.
    pub(crate) fn last_input(&self) -> Option<Instant> {
        let input = self.input.load(Ordering::Relaxed);
        (input != NEVER).then(|| self.moment(input))
    }

    /// Counts bytes given to the system.
    pub(crate) fn count_sent(&self, bytes: usize) {
        self.sent.fetch_add(bytes as u64, Ordering::Relaxed);
        self.note_move();
    }

    /// Counts bytes that came.
    pub(crate) fn count_received(&self, bytes: usize) {
        self.received.fetch_add(bytes as u64, Ordering::Relaxed);
        self.note_move();
    }

    /// Takes note of what somebody else has moved so far.
    pub(crate) fn observe(&self, sent: u64, received: u64) {
        let sent_before = self.sent.swap(sent, Ordering::Relaxed);
        let received_before = self.received.swap(received, Ordering::Relaxed);
        if (sent_before, received_before) != (sent, received) {
            self.note_move();
        }
    }

    /// Takes note of input.
    pub(crate) fn note_input(&self) {
        self.input.store(self.now(), Ordering::Relaxed);
    }

    /// Takes note that something moved now.
    pub(crate) fn note_move(&self) {
        self.moved.store(self.now(), Ordering::Relaxed);
    }

    /// Microseconds since the beginning.
    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(NEVER - 1)
    }

    /// The moment that lies so many microseconds after the beginning.
    fn moment(&self, microseconds: u64) -> Instant {
        self.began
            .checked_add(Duration::from_micros(microseconds))
            .unwrap_or(self.began)
    }
}
