//! What is said where only Linux knows.

use std::io;
use std::os::fd::BorrowedFd;

use crate::interfaces::Interface;

/// Unknown here: no count of acknowledged bytes.
pub(crate) fn unacknowledged(_socket: BorrowedFd<'_>) -> io::Result<Option<u64>> {
    Ok(None)
}

/// Unknown here: getifaddrs(3) is asked instead.
pub(crate) fn interfaces() -> io::Result<Option<Vec<Interface>>> {
    Ok(None)
}

/// Unknown here: Rust's runtime has put `/dev/null` in the place of a closed stdout.
pub(crate) fn stdout_was_closed() -> bool {
    false
}

/// What getsockopt reports of a buffer is what was asked for.
pub(crate) const BUFFER_FACTOR: u64 = 1;

/// Unknown here: whether TCP buffers grow.
pub(crate) const TUNES_TCP: bool = false;

/// Unknown here: settings have other names.
pub(crate) fn setting(_name: &str) -> io::Result<Option<Vec<u64>>> {
    Ok(None)
}
