//! Descriptors that the event loop watches.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use socket2::Socket;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A descriptor that stays open, and the one that it is, for as long as this is there.
pub(crate) trait Steady: AsRawFd {}

impl Steady for OwnedFd {}
impl Steady for BorrowedFd<'_> {}
impl Steady for Socket {}

/// Has the event loop watch a descriptor for this. Needs a runtime.
pub(crate) fn watched<T: Steady>(source: T, interest: Interest) -> io::Result<AsyncFd<T>> {
    // SAFETY: it stays open and the same (`Steady`), and the event loop forgets it before it is
    // dropped; nobody here takes it out or replaces it.
    #[allow(
        unsafe_code,
        reason = "the constructors that are safe to call are deprecated"
    )]
    let watched = unsafe { AsyncFd::register_with_interest(source, interest) };
    Ok(watched?)
}
