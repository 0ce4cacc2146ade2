//! Counts that the engine moves, and whoever likes reads.

use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::digest::{Digest, Digests, Tallies};
use crate::net::{Line, Proto};

/// What a conversation has moved so far, in bytes, and when it last did.
#[derive(Debug)]
pub struct Meter {
    began: Instant,
    sent: AtomicU64,
    received: AtomicU64,
    /// Microseconds from the beginning to the last byte in either direction, and to the last input.
    moved: AtomicU64,
    input: AtomicU64,
    /// Microseconds from the beginning to that of the conversation.
    started: AtomicU64,
    /// Told when a conversation begins.
    begun: Notify,
    /// The write half is shut down: the FIN is queued, too, and carries nothing.
    is_shut_down: AtomicBool,
    /// Somebody else moves the bytes, and nobody counts them.
    is_uncounted: AtomicBool,
    /// The connection, while it is there.
    socket: Mutex<Option<(Proto, Weak<Socket>)>>,
    tallies: Option<Tallies>,
}

/// A connection, whoever owns it.
type Socket = dyn AsFd + Send + Sync;

impl Default for Meter {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
            moved: AtomicU64::new(0),
            input: AtomicU64::new(NEVER),
            started: AtomicU64::new(NEVER),
            begun: Notify::new(),
            is_shut_down: AtomicBool::new(false),
            is_uncounted: AtomicBool::new(false),
            socket: Mutex::default(),
            tallies: None,
        }
    }
}

/// Stands for what has not happened yet.
const NEVER: u64 = u64::MAX;

impl Meter {
    /// A meter that also makes a checksum each way. Somebody then has to look at the bytes: they
    /// take the event loop.
    #[must_use]
    pub fn with_digests(begin: impl Fn() -> Box<dyn Digest>) -> Self {
        Self {
            tallies: Some(Tallies::new(begin)),
            ..Self::default()
        }
    }

    /// Waits until a conversation begins.
    pub async fn begun(&self) {
        self.begun.notified().await;
    }

    /// For how long there has been somebody to talk with; `None` before.
    #[must_use]
    pub fn elapsed(&self) -> Option<Duration> {
        let started = self.started.load(Ordering::Relaxed);
        (started != NEVER).then(|| self.moment(started).elapsed())
    }

    /// Of the bytes given to the system those that the peer's kernel acknowledged; `None` where
    /// that is not known, and when the connection is gone.
    #[must_use]
    pub fn acknowledged(&self) -> Option<u64> {
        // First what was counted: what is sent meanwhile must not seem to be acknowledged.
        let sent = self.sent();
        Some(sent.saturating_sub(self.queued()?))
    }

    /// Bytes given to the system that the peer's kernel has not acknowledged; `None` as above.
    #[must_use]
    pub fn queued(&self) -> Option<u64> {
        let socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner);
        let (proto, socket) = socket.as_ref()?;
        let socket = socket.upgrade()?;
        let queued = Line::new(*proto, socket.as_fd()).unacknowledged()?;
        Some(self.data_of(queued))
    }

    /// Of so many bytes that wait for their acknowledgement those that are data: once the write half
    /// is shut down the last one is the FIN, which counts as one.
    pub(crate) fn data_of(&self, queued: u64) -> u64 {
        queued.saturating_sub(self.is_shut_down.load(Ordering::Relaxed).into())
    }

    /// The checksums so far, where they are made.
    #[must_use]
    pub fn digests(&self) -> Option<Digests> {
        self.tallies.as_ref().map(Tallies::digests)
    }

    /// Whether somebody has to show it the bytes.
    pub(super) fn has_digests(&self) -> bool {
        self.tallies.is_some()
    }

    /// Shows it bytes that were counted as sent.
    pub(super) fn tally_sent(&self, bytes: &[u8]) {
        if let Some(tallies) = &self.tallies {
            tallies.sent(bytes);
        }
    }

    /// Shows it bytes that were counted as received.
    pub(super) fn tally_received(&self, bytes: &[u8]) {
        if let Some(tallies) = &self.tallies {
            tallies.received(bytes);
        }
    }

    /// Takes note that a conversation begins.
    pub(crate) fn begin(&self) {
        self.is_shut_down.store(false, Ordering::Relaxed);
        self.started.store(self.now(), Ordering::Relaxed);
        self.begun.notify_one();
    }

    /// Takes note that whoever it began with was nobody to talk with.
    pub(crate) fn forget(&self) {
        self.started.store(NEVER, Ordering::Relaxed);
    }

    /// Takes note of its connection.
    pub(super) fn watch(&self, proto: Proto, socket: Weak<Socket>) {
        *self.socket.lock().unwrap_or_else(PoisonError::into_inner) = Some((proto, socket));
    }

    /// Takes note that the write half is shut down.
    pub(crate) fn note_shut_down(&self) {
        self.is_shut_down.store(true, Ordering::Relaxed);
    }

    /// Takes note that somebody else moves the bytes, and nobody counts them.
    pub(crate) fn note_uncounted(&self) {
        self.is_uncounted.store(true, Ordering::Relaxed);
    }

    /// Whether the counts say what was moved.
    #[must_use]
    pub fn is_counted(&self) -> bool {
        !self.is_uncounted.load(Ordering::Relaxed)
    }

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

    /// Takes note of what somebody else has moved so far, at least: it was no less before.
    pub(crate) fn observe(&self, sent: u64, received: u64) {
        let sent_before = self.sent.fetch_max(sent, Ordering::Relaxed);
        let received_before = self.received.fetch_max(received, Ordering::Relaxed);
        if sent > sent_before || received > received_before {
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::Meter;

    #[test]
    fn counts_never_fall_and_what_is_no_more_than_before_is_no_move() {
        let meter = Meter::default();
        meter.observe(10, 20);
        let moved = meter.last_move();
        while meter.now() == meter.moved.load(Ordering::Relaxed) {
            std::hint::spin_loop();
        }
        for (sent, received) in [(9, 20), (10, 0), (10, 20)] {
            meter.observe(sent, received);
            assert_eq!((meter.sent(), meter.received()), (10, 20));
        }
        assert_eq!(meter.last_move(), moved);
        meter.observe(9, 21);
        assert_eq!((meter.sent(), meter.received()), (10, 21));
    }
}
