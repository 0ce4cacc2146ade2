//! Every wait ends: the limit, waiting for a descriptor, and the one loop that polls a condition.

use std::os::fd::BorrowedFd;
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// The longest any single wait may take unless a test says otherwise.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

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
