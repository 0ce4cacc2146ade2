//! What is said where only Linux knows.

use std::io;
use std::os::fd::BorrowedFd;

use super::Splice;
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

/// Not here.
pub(crate) fn splice(_from: BorrowedFd<'_>, _to: BorrowedFd<'_>) -> Splice {
    Splice::NotHere
}

/// A pipe is as wide as it is.
pub(crate) fn widen_pipe(_pipe: BorrowedFd<'_>) -> bool {
    false
}

/// Writes what a pipe or socket takes at once.
pub(crate) fn write_now(to: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
    super::write_piece(to, bytes)
}

/// Not everywhere: there is no bulk phase.
pub(crate) fn set_receive_low_water(_socket: BorrowedFd<'_>, _bytes: usize) -> bool {
    false
}
