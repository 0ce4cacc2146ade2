//! Every wait ends: the limit, waiting for a descriptor, and the one loop that polls a condition.

use std::io;
use std::os::fd::BorrowedFd;
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::stopwatch::Stopwatch;

/// The longest any single wait may take unless a test says otherwise: a machine may have little time
/// for us, or none for a while.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// Makes a call until nothing interrupts it: where there is a limit to its time the system does not
/// itself begin it anew when we were stopped.
pub(crate) fn again<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// How often something is tried that says nothing when somebody was too late for it.
pub(crate) const TRIES: u32 = 10;

/// Tries what can only be told where nobody is held up: `told` says whether it came in time. A try
/// in which it did not is made again only if the machine stood still meanwhile, and so says nothing.
///
/// Only for what has to happen before a time that is itself what is tested.
#[track_caller]
pub(crate) fn in_some_try(mut told: impl FnMut() -> bool) {
    for _ in 0..TRIES {
        let watch = Stopwatch::start();
        if told() {
            return;
        }
        let stood_still = watch.stood_still();
        assert!(!stood_still.is_zero(), "it did not come in time");
    }
    panic!("in none of {TRIES} tries it came in time");
}

/// Likewise where the test itself sees that it was too late, and so cannot tell: a machine where it
/// always is tells nothing.
pub(crate) fn unless_late(mut told: impl FnMut() -> bool) {
    (0..TRIES).any(|_| told());
}

/// Whether `fd` became ready for `events` before `deadline`.
pub(crate) fn ready(fd: BorrowedFd<'_>, events: PollFlags, deadline: Instant) -> bool {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).expect("a timeout of seconds");
        match poll(&mut [PollFd::from_borrowed_fd(fd, events)], Some(&timeout)) {
            Err(Errno::INTR) => {}
            Err(error) => panic!("poll: {error}"),
            Ok(count) => return count > 0,
        }
    }
}

/// Waits for a condition that nobody announces; panics with `what` when it does not come within [`LIMIT`].
///
/// Only for what the kernel or a foreign program does silently (a socket that begins to listen):
/// what `nettool` does is announced.
pub(crate) fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !condition() {
        assert!(Instant::now() < deadline, "not within {LIMIT:?}: {what}");
        thread::park_timeout(Duration::from_millis(5));
    }
}

/// Lets time pass, for peers and networks whose slowness is what is tested.
pub(super) fn linger(until: Instant) {
    while let Some(left) = until
        .checked_duration_since(Instant::now())
        .filter(|left| !left.is_zero())
    {
        thread::park_timeout(left);
    }
}
