//! Passing on what one says to all others: a queue each, and nobody waits for the slowest.

mod hearing;
mod queue;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

use self::queue::{Fate, Queue};
use super::client::Client;

pub(super) use self::hearing::Hearing;

/// What becomes of a client that takes what it is sent more slowly than others do.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Slow {
    /// It is dropped: its connection is reset.
    #[default]
    Drop,
    /// Everybody waits for it.
    Wait,
}

/// Something that was said.
pub(super) type Piece = Arc<[u8]>;

/// A listener did not keep up: so many bytes were not sent to it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct TooSlow(pub(super) u64);

/// Where everybody hears what the others say.
#[derive(Debug)]
pub(super) struct Room {
    slow: Slow,
    listeners: Mutex<Listeners>,
    /// Somebody came or went, has room again, or has nothing left to hear.
    news: Notify,
}

/// Who listens, by number.
#[derive(Debug, Default)]
struct Listeners {
    queues: BTreeMap<u64, Queue>,
    /// When somebody whose queue is no longer than half, and not empty, last took something.
    taken: Option<Instant>,
    /// Nothing more will be said.
    closed: bool,
}

/// What saying something came to.
enum Said {
    /// Everybody has it in their queue.
    Passed,
    /// Somebody has no room; worth trying again after news, or at this moment.
    Full(Option<Instant>),
    /// Nobody is there.
    Alone,
}

impl Room {
    /// An empty room.
    pub(super) fn new(slow: Slow) -> Self {
        Self {
            slow,
            listeners: Mutex::default(),
            news: Notify::new(),
        }
    }

    /// Lets somebody in, who hears everything that is said from now on.
    pub(super) fn enter(&self, number: u64) -> Hearing<'_> {
        let wake = Arc::new(Notify::new());
        let queue = Queue::new(Arc::clone(&wake));
        self.lock().queues.insert(number, queue);
        self.news.notify_waiters();
        Hearing::new(self, number, wake)
    }

    /// Passes something on to everybody but the speaker, as soon as there is room for it; nobody
    /// need be there.
    pub(super) async fn say(&self, speaker: u64, piece: Piece) {
        self.pass_on(Some(speaker), &piece, false).await;
    }

    /// Likewise what is held of a client, which is then no longer held.
    pub(super) async fn say_held(&self, client: &Client) {
        if let Some(piece) = client.held.piece() {
            self.say(client.number, piece).await;
            client.held.note_passed_on();
        }
    }

    /// Likewise to everybody, of whom there must be one.
    pub(super) async fn announce(&self, piece: Piece) {
        self.pass_on(None, &piece, true).await;
    }

    /// Puts something into one queue, even if there is no room.
    pub(super) fn whisper(&self, number: u64, piece: Piece) {
        if let Some(queue) = self.lock().queues.get_mut(&number) {
            queue.push(piece);
        }
    }

    /// Puts something into every queue, even where there is no room.
    pub(super) fn proclaim(&self, piece: &Piece) {
        let mut listeners = self.lock();
        let queues = listeners.queues.values_mut();
        for queue in queues.filter(|queue| queue.fate == Fate::Listens) {
            queue.push(Arc::clone(piece));
        }
    }

    /// Who is there.
    pub(super) fn numbers(&self) -> Vec<u64> {
        self.lock().queues.keys().copied().collect()
    }

    /// Waits until somebody is there.
    pub(super) async fn occupied(&self) {
        loop {
            let mut news = std::pin::pin!(self.news.notified());
            news.as_mut().enable();
            if !self.lock().queues.is_empty() {
                return;
            }
            news.await;
        }
    }

    /// Nothing more will be said.
    pub(super) fn close(&self) {
        let mut listeners = self.lock();
        listeners.closed = true;
        for queue in listeners.queues.values() {
            queue.wake.notify_one();
        }
        drop(listeners);
        self.news.notify_waiters();
    }

    /// Waits until nothing more will be said.
    pub(super) async fn closed(&self) {
        loop {
            let mut news = std::pin::pin!(self.news.notified());
            news.as_mut().enable();
            if self.lock().closed {
                return;
            }
            news.await;
        }
    }

    /// Tries until it is passed on.
    async fn pass_on(&self, speaker: Option<u64>, piece: &Piece, needs_listeners: bool) {
        loop {
            let mut news = std::pin::pin!(self.news.notified());
            news.as_mut().enable();
            let now = Instant::now();
            let said = self.lock().pass_on(speaker, piece, self.slow, now);
            match said {
                Said::Passed => return,
                Said::Alone if !needs_listeners => return,
                Said::Alone | Said::Full(None) => news.await,
                Said::Full(Some(moment)) => {
                    // Either is a reason to look again.
                    let _ = tokio::time::timeout_at(moment.into(), news).await;
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Listeners> {
        self.listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listeners {
    /// Puts a piece into everybody's queue but the speaker's, if all have room. Whoever has none
    /// while another has nothing left to hear uses up its patience, and then is dropped.
    fn pass_on(&mut self, speaker: Option<u64>, piece: &Piece, slow: Slow, now: Instant) -> Said {
        let mut others: Vec<&mut Queue> = self
            .queues
            .iter_mut()
            .filter(|(number, queue)| Some(**number) != speaker && queue.fate == Fate::Listens)
            .map(|(_, queue)| queue)
            .collect();
        if others.is_empty() {
            return Said::Alone;
        }
        let somebody_starves = others.iter().any(|queue| queue.pieces.is_empty());
        let mut wait = None;
        let mut full = false;
        for queue in others.iter_mut().filter(|queue| queue.is_full()) {
            queue.settle(now, self.taken);
            let end = queue.keeps_waiting(somebody_starves && slow == Slow::Drop, now);
            full |= queue.fate == Fate::Listens;
            wait = crate::relay::earliest(wait, end);
        }
        if full {
            return Said::Full(wait);
        }
        for queue in others
            .iter_mut()
            .filter(|queue| queue.fate == Fate::Listens)
        {
            queue.push(Arc::clone(piece));
        }
        Said::Passed
    }
}

#[cfg(test)]
mod tests;
