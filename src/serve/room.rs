//! Passing on what one says to all others: a queue each, and nobody waits for the slowest.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// What may wait for one listener, in bytes; each piece counts as some more than it holds.
const ROOM: usize = 256 * 1024;
const PIECE: usize = 64;

/// For how long altogether one whose queue is full, and whose connection takes nothing, may keep
/// others waiting whose queues are empty.
/// Once its own queue has been empty, or it has taken as much as a queue holds, it has that time
/// again.
const PATIENCE: Duration = Duration::from_secs(1);

/// For so long after somebody took what they had still to hear, nobody is blamed for waiting: it is
/// the machine that is busy with many.
const BUSY: Duration = Duration::from_millis(20);

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

/// What one listener has yet to hear.
#[derive(Debug)]
struct Queue {
    pieces: VecDeque<Piece>,
    size: usize,
    /// What was taken since its patience was whole.
    taken: usize,
    fate: Fate,
    /// How long it may still keep others waiting.
    patience: Duration,
    /// Since when it does.
    since: Option<Instant>,
    /// Since when its connection has taken nothing; nothing if that is not known.
    blocked: Option<Instant>,
    wake: Arc<Notify>,
}

/// What is to become of a listener.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fate {
    /// It hears whatever is said.
    Listens,
    /// It hears what is in its queue, and no more.
    Finishes,
    /// It was too slow.
    Dropped,
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
        let queue = Queue {
            pieces: VecDeque::new(),
            size: 0,
            taken: 0,
            fate: Fate::Listens,
            patience: PATIENCE,
            since: None,
            blocked: None,
            wake: Arc::clone(&wake),
        };
        self.lock().queues.insert(number, queue);
        self.news.notify_waiters();
        Hearing {
            room: self,
            number,
            wake,
        }
    }

    /// Passes something on to everybody but the speaker, as soon as there is room for it; nobody
    /// need be there.
    pub(super) async fn say(&self, speaker: u64, piece: Piece) {
        self.pass_on(Some(speaker), &piece, false).await;
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

impl Queue {
    /// Whether it takes no more.
    fn is_full(&self) -> bool {
        self.size >= ROOM
    }

    /// Adds a piece.
    fn push(&mut self, piece: Piece) {
        self.size = self.size.saturating_add(piece.len()).saturating_add(PIECE);
        self.pieces.push_back(piece);
        self.wake.notify_one();
    }

    /// Takes account of the time for which it has kept others waiting. While we have yet to offer
    /// it something that is not its fault, nor while others, who last did so then, are served.
    fn settle(&mut self, now: Instant, taken: Option<Instant>) {
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
    fn take(&mut self, now: Instant, others: Option<Instant>) -> bool {
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
    fn keeps_waiting(&mut self, starves: bool, now: Instant) -> Option<Instant> {
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
    fn left(&self) -> u64 {
        let left = self.pieces.iter().map(|piece| piece.len() as u64);
        left.fold(0, u64::saturating_add)
    }
}

/// The ears of one listener, who leaves with them.
#[derive(Debug)]
pub(super) struct Hearing<'a> {
    room: &'a Room,
    number: u64,
    wake: Arc<Notify>,
}

impl Hearing<'_> {
    /// Waits for the next thing that is said; `None` is the end. It stays the next one until it is
    /// done with.
    pub(super) async fn next(&self) -> Result<Option<Piece>, TooSlow> {
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
    pub(super) fn waits(&self, took_some: bool) {
        self.waits_at(took_some, Instant::now());
    }

    fn waits_at(&self, took_some: bool, now: Instant) {
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
    pub(super) fn done(&self) {
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
    pub(super) async fn dropped(&self) -> TooSlow {
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
    pub(super) fn finish(&self) {
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

#[cfg(test)]
mod tests;
