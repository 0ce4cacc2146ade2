//! What one listener has yet to hear, and for how long others wait for it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::Piece;

/// What may wait for one listener, in bytes; each piece counts as some more than it holds.
pub(super) const ROOM: usize = 256 * 1024;
pub(super) const PIECE: usize = 64;

/// For how long altogether one whose queue is full, and whose connection takes nothing, may keep
/// others waiting whose queues are empty.
/// Once its own queue has been empty, or it has taken as much as a queue holds, it has that time
/// again.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// For so long after somebody took what they had still to hear, nobody is blamed for waiting: it is
/// the machine that is busy with many.
pub(super) const BUSY: Duration = Duration::from_millis(20);

/// What one listener has yet to hear.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) pieces: VecDeque<Piece>,
    pub(super) size: usize,
    /// What was taken since its patience was whole.
    pub(super) taken: usize,
    pub(super) fate: Fate,
    /// How long it may still keep others waiting.
    pub(super) patience: Duration,
    /// Since when it does.
    pub(super) since: Option<Instant>,
    /// Since when its connection has taken nothing; nothing if that is not known.
    pub(super) blocked: Option<Instant>,
    pub(super) wake: Arc<Notify>,
}

/// What is to become of a listener.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fate {
    /// It hears whatever is said.
    Listens,
    /// It hears what is in its queue, and no more.
    Finishes,
    /// It was too slow.
    Dropped,
}

impl Queue {
    /// That of a listener who hears everything from now on, and is woken by `wake`.
    pub(super) fn new(wake: Arc<Notify>) -> Self {
        Self {
            pieces: VecDeque::new(),
            size: 0,
            taken: 0,
            fate: Fate::Listens,
            patience: PATIENCE,
            since: None,
            blocked: None,
            wake,
        }
    }

    /// Whether it takes no more.
    pub(super) fn is_full(&self) -> bool {
        self.size >= ROOM
    }

    /// Adds a piece.
    pub(super) fn push(&mut self, piece: Piece) {
        self.size = self.size.saturating_add(piece.len()).saturating_add(PIECE);
        self.pieces.push_back(piece);
        self.wake.notify_one();
    }

    /// Takes account of the time for which it has kept others waiting. While we have yet to offer
    /// it something that is not its fault, nor while others, who last did so then, are served.
    pub(super) fn settle(&mut self, now: Instant, taken: Option<Instant>) {
        let Some(since) = self.since else {
            return;
        };
        self.since = self.is_full().then_some(now);
        let Some(blocked) = self.blocked else {
            return;
        };
        let since = since.max(blocked);
        let busy = taken.and_then(|taken| taken.checked_add(BUSY));
        let since = busy.map_or(since, |busy| busy.max(since));
        let waited = now.saturating_duration_since(since);
        self.patience = self.patience.saturating_sub(waited);
    }

    /// Takes the first piece away; whether it was full before.
    pub(super) fn take(&mut self, now: Instant, others: Option<Instant>) -> bool {
        let was_full = self.is_full();
        self.settle(now, others);
        self.blocked = None;
        if let Some(piece) = self.pieces.pop_front() {
            let size = piece.len().saturating_add(PIECE);
            self.size = self.size.saturating_sub(size);
            self.taken = self.taken.saturating_add(size);
        }
        self.since = self.since.filter(|_| self.is_full());
        if self.pieces.is_empty() || self.taken >= ROOM {
            (self.patience, self.taken) = (PATIENCE, 0);
        }
        was_full
    }

    /// Takes account of somebody starving because this one is full, or not; until when it may go
    /// on. Past that it is dropped.
    pub(super) fn keeps_waiting(&mut self, starves: bool, now: Instant) -> Option<Instant> {
        if !starves {
            self.since = None;
            return None;
        }
        if self.patience.is_zero() {
            self.fate = Fate::Dropped;
            self.wake.notify_one();
            return None;
        }
        self.since = Some(now);
        now.checked_add(self.patience)
    }

    /// Bytes that were not heard.
    pub(super) fn left(&self) -> u64 {
        let left = self.pieces.iter().map(|piece| piece.len() as u64);
        left.fold(0, u64::saturating_add)
    }
}
