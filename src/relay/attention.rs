//! How a blocking thread is told what to do while it waits for something else.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::sys;

/// How many descriptors a thread watches at most, beside its orders.
const MOST: usize = 4;

/// What a thread is to do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub(super) enum Mode {
    /// Move bytes.
    Run,
    /// Up: read no more input, send what is read. Down: drop what comes.
    Drop,
    /// Down: read what the system still holds, write it, close stdout.
    Rescue,
    /// End.
    Stop,
}

/// The end of whoever gives orders.
pub(super) struct Control {
    mode: Arc<AtomicU8>,
    waker: OwnedFd,
}

/// The end of the thread.
pub(super) struct Attention {
    mode: Arc<AtomicU8>,
    wake: OwnedFd,
}

/// Both ends.
pub(super) fn pair(mode: Mode) -> io::Result<(Control, Attention)> {
    let (waker, wake) = sys::alarm()?;
    let mode = Arc::new(AtomicU8::new(mode as u8));
    let control = Control {
        mode: Arc::clone(&mode),
        waker,
    };
    Ok((control, Attention { mode, wake }))
}

impl Control {
    /// Gives an order; the last one counts, and none comes after `Stop`.
    pub(super) fn command(&self, mode: Mode) {
        if self.mode() != Mode::Stop {
            self.mode.store(mode as u8, Ordering::Release);
            self.wake();
        }
    }

    /// Ends the wait of the thread, if it waits.
    pub(super) fn wake(&self) {
        // What is full wakes as well as one more does.
        let _ = rustix::io::write(&self.waker, &1_u64.to_ne_bytes());
    }

    /// The last order.
    pub(super) fn mode(&self) -> Mode {
        load(&self.mode)
    }
}

impl Drop for Control {
    /// Nobody is left to give another order.
    fn drop(&mut self) {
        self.command(Mode::Stop);
    }
}

impl Attention {
    /// The last order.
    pub(super) fn mode(&self) -> Mode {
        load(&self.mode)
    }

    /// What an order wakes, for whoever waits for more than this thread does.
    pub(super) fn waker(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }

    /// Waits until one of these, four at most, is ready, an order came, or this long; what each
    /// showed is returned in their order, empty where nothing.
    pub(super) fn wait<const N: usize>(
        &self,
        watched: [(BorrowedFd<'_>, PollFlags); N],
        patience: Option<Duration>,
    ) -> io::Result<[PollFlags; N]> {
        const { assert!(N <= MOST, "no place for more") };
        let orders = |_| PollFd::from_borrowed_fd(self.wake.as_fd(), PollFlags::IN);
        // Where fewer are watched, the places that are left are not shown to the system.
        let mut polled: [_; MOST + 1] = std::array::from_fn(orders);
        let (_, places) = polled.split_at_mut(MOST - N);
        for (place, (fd, events)) in places.iter_mut().zip(watched) {
            *place = PollFd::from_borrowed_fd(fd, events);
        }
        let patience = patience.and_then(|patience| Timespec::try_from(patience).ok());
        match poll(places, patience.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let mut shown = places.iter().map(PollFd::revents);
        let answers = std::array::from_fn(|_| shown.next().unwrap_or(PollFlags::empty()));
        if shown.next().is_some_and(|order| !order.is_empty()) {
            let _ = rustix::io::read(&self.wake, &mut [0; 64]);
        }
        Ok(answers)
    }
}

/// Reads an order.
fn load(mode: &AtomicU8) -> Mode {
    match mode.load(Ordering::Acquire) {
        0 => Mode::Run,
        1 => Mode::Drop,
        2 => Mode::Rescue,
        _ => Mode::Stop,
    }
}
