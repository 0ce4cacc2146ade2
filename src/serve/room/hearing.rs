//! Listening to what is said.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Notify;

use super::queue::{Fate, ROOM};
use super::{Piece, Room, TooSlow};

/// The ears of one listener, who leaves with them.
#[derive(Debug)]
pub(in crate::serve) struct Hearing<'a> {
    room: &'a Room,
    number: u64,
    wake: Arc<Notify>,
}

impl<'a> Hearing<'a> {
    /// Those of the listener of this number in a room, who is woken by `wake`.
    pub(super) fn new(room: &'a Room, number: u64, wake: Arc<Notify>) -> Self {
        Self { room, number, wake }
    }

    /// Waits for the next thing that is said; `None` is the end. It stays the next one until it is
    /// done with.
    pub(in crate::serve) async fn next(&self) -> Result<Option<Piece>, TooSlow> {
        loop {
            {
                let listeners = self.room.lock();
                let Some(queue) = listeners.queues.get(&self.number) else {
                    return Ok(None);
                };
                let piece = queue.pieces.front();
                match queue.fate {
                    Fate::Dropped => return Err(TooSlow(queue.left())),
                    _ if piece.is_some() => return Ok(piece.cloned()),
                    Fate::Finishes => return Ok(None),
                    Fate::Listens if listeners.closed => return Ok(None),
                    Fate::Listens => {}
                }
            }
            self.wake.notified().await;
        }
    }

    /// The connection takes no more of what came next for now; whether it took some of it.
    pub(in crate::serve) fn waits(&self, took_some: bool) {
        self.waits_at(took_some, Instant::now());
    }

    /// Likewise, at this moment.
    pub(super) fn waits_at(&self, took_some: bool, now: Instant) {
        let mut guard = self.room.lock();
        let listeners = &mut *guard;
        if let Some(queue) = listeners.queues.get_mut(&self.number)
            && (took_some || queue.blocked.is_none())
        {
            queue.settle(now, listeners.taken);
            queue.blocked = Some(now);
        }
    }

    /// Is done with what came next.
    pub(in crate::serve) fn done(&self) {
        let now = Instant::now();
        let mut guard = self.room.lock();
        let listeners = &mut *guard;
        let Some(queue) = listeners.queues.get_mut(&self.number) else {
            return;
        };
        let was_full = queue.take(now, listeners.taken);
        let is_empty = queue.pieces.is_empty();
        if !is_empty && queue.size <= ROOM / 2 {
            listeners.taken = Some(now);
        }
        if was_full || is_empty {
            drop(guard);
            self.room.news.notify_waiters();
        }
    }

    /// Waits until it is dropped for being too slow.
    pub(in crate::serve) async fn dropped(&self) -> TooSlow {
        loop {
            {
                let listeners = self.room.lock();
                let queue = listeners.queues.get(&self.number);
                if let Some(queue) = queue.filter(|queue| queue.fate == Fate::Dropped) {
                    return TooSlow(queue.left());
                }
            }
            self.wake.notified().await;
        }
    }

    /// Hears what is in the queue, and nothing that is said later.
    pub(in crate::serve) fn finish(&self) {
        if let Some(queue) = self.room.lock().queues.get_mut(&self.number)
            && queue.fate == Fate::Listens
        {
            queue.fate = Fate::Finishes;
            queue.wake.notify_one();
        }
        self.room.news.notify_waiters();
    }
}

impl Drop for Hearing<'_> {
    fn drop(&mut self) {
        self.room.lock().queues.remove(&self.number);
        self.room.news.notify_waiters();
    }
}
