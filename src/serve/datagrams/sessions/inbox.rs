//! What waits for a session: datagrams in their order, as many as there is room for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;

/// So many bytes wait at most, or a single datagram that is longer.
const ROOM: usize = 256 * 1024;

/// What a datagram takes besides its bytes, so that empty ones are not for nothing.
const OVERHEAD: usize = 64;

/// The end where datagrams go in. Dropping it says that no more will come.
#[derive(Debug)]
pub(super) struct Feed {
    sender: UnboundedSender<Vec<u8>>,
    waiting: Arc<AtomicUsize>,
    _open: watch::Sender<()>,
}

/// The end where they are taken, each of which stays until it is done with.
#[derive(Debug)]
pub(super) struct Inbox {
    receiver: UnboundedReceiver<Vec<u8>>,
    waiting: Arc<AtomicUsize>,
    open: watch::Receiver<()>,
    first: Option<Vec<u8>>,
    done: u64,
}

/// Both ends of a queue.
pub(super) fn queue() -> (Feed, Inbox) {
    let (sender, receiver) = unbounded_channel();
    let (opened, open) = watch::channel(());
    let waiting = Arc::new(AtomicUsize::new(0));
    let feed = Feed {
        sender,
        waiting: Arc::clone(&waiting),
        _open: opened,
    };
    let inbox = Inbox {
        receiver,
        waiting,
        open,
        first: None,
        done: 0,
    };
    (feed, inbox)
}

impl Feed {
    /// Whether there is room for one of this length.
    pub(super) fn has_room(&self, length: usize) -> bool {
        let waiting = self.waiting.load(Ordering::Relaxed);
        waiting == 0 || waiting.saturating_add(taken_by(length)) <= ROOM
    }

    /// Takes a datagram, unless there is no room for it.
    pub(super) fn put(&self, datagram: &[u8]) -> bool {
        if !self.has_room(datagram.len()) {
            return false;
        }
        self.waiting
            .fetch_add(taken_by(datagram.len()), Ordering::Relaxed);
        self.sender.send(datagram.to_vec()).is_ok()
    }
}

impl Inbox {
    /// Waits for a datagram, the same one until it is done with; `None` when no more will come.
    pub(super) async fn next(&mut self) -> Option<&[u8]> {
        if self.first.is_none() {
            self.first = self.receiver.recv().await;
        }
        self.first.as_deref()
    }

    /// That datagram is done with.
    pub(super) fn done(&mut self) {
        if let Some(first) = self.first.take() {
            self.done = self.done.saturating_add(1);
            self.waiting
                .fetch_sub(taken_by(first.len()), Ordering::Relaxed);
        }
    }

    /// Nothing will be done with the first one that is left, asked for or not.
    pub(super) fn give_up_first(&mut self) {
        self.first = self.first.take().or_else(|| self.receiver.try_recv().ok());
        self.done();
    }

    /// How many were done with.
    pub(super) fn count_done(&self) -> u64 {
        self.done
    }

    /// How many are left.
    pub(super) fn count_left(&self) -> u64 {
        let first = usize::from(self.first.is_some());
        self.receiver.len().saturating_add(first) as u64
    }

    /// Waits until no more will come, whatever is left.
    pub(super) fn ending(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut open = self.open.clone();
        async move { while open.changed().await.is_ok() {} }
    }
}

/// How much room one of this length takes.
fn taken_by(length: usize) -> usize {
    length.saturating_add(OVERHEAD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_is_bounded_for_long_and_for_empty_ones() {
        for length in [0, 1400, 65_507] {
            let (feed, inbox) = queue();
            let taken = (0..100_000).filter(|_| feed.put(&vec![0; length])).count();
            assert_eq!(taken, ROOM / (length + OVERHEAD));
            assert_eq!(inbox.count_left(), taken as u64);
        }
    }

    #[test]
    fn a_long_one_finds_room_where_nothing_waits() {
        let (feed, mut inbox) = queue();
        let long = vec![0; 2 * ROOM];
        assert!(feed.put(&long) && !feed.put(b""));
        inbox.give_up_first();
        assert!(feed.put(b"") && !feed.put(&long));
    }

    #[tokio::test]
    async fn one_that_is_given_up_is_gone() {
        let (feed, mut inbox) = queue();
        assert!(feed.put(b"one") && feed.put(b"two") && feed.put(b"three"));
        inbox.give_up_first();
        assert_eq!(inbox.count_left(), 2);
        assert_eq!(inbox.next().await, Some(&b"two"[..]));
        inbox.give_up_first();
        assert_eq!(inbox.next().await, Some(&b"three"[..]));
        assert_eq!((inbox.count_left(), inbox.count_done()), (1, 2));
    }

    #[tokio::test]
    async fn one_that_is_not_done_with_stays() {
        let (feed, mut inbox) = queue();
        assert!(feed.put(b"one") && feed.put(b"two"));
        drop(feed);
        inbox.ending().await;
        assert_eq!(inbox.next().await, Some(&b"one"[..]));
        assert_eq!(inbox.next().await, Some(&b"one"[..]));
        assert_eq!((inbox.count_left(), inbox.count_done()), (2, 0));
        inbox.done();
        assert_eq!(inbox.next().await, Some(&b"two"[..]));
        inbox.done();
        inbox.done();
        assert_eq!(inbox.next().await, None);
        assert_eq!((inbox.count_left(), inbox.count_done()), (0, 2));
    }
}
