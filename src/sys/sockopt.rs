//! Options of sockets that the safe crates do not have: setsockopt(2), getsockopt(2).
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use libc::{c_int, socklen_t};

/// Sets an option that is an int. False if the system will not.
pub(super) fn set(socket: BorrowedFd<'_>, level: c_int, option: c_int, value: c_int) -> bool {
    let length = socklen_t::try_from(size_of_val(&value)).unwrap_or_default();
    // SAFETY: the kernel reads `length` bytes of `value`, which lives until the call is over.
    let answer = unsafe {
        let value = (&raw const value).cast();
        libc::setsockopt(socket.as_raw_fd(), level, option, value, length)
    };
    answer == 0
}

/// Reads an option into `room`: how many bytes of it the system wrote.
pub(super) fn get(
    socket: BorrowedFd<'_>,
    level: c_int,
    option: c_int,
    room: &mut [u8],
) -> io::Result<usize> {
    let mut length = socklen_t::try_from(room.len()).unwrap_or(socklen_t::MAX);
    // SAFETY: the kernel writes at most `length` bytes to `room`, which is no shorter, and any
    // bytes are valid there.
    let answer = unsafe {
        let room = room.as_mut_ptr().cast();
        libc::getsockopt(socket.as_raw_fd(), level, option, room, &raw mut length)
    };
    if answer < 0 {
        return Err(io::Error::last_os_error());
    }
    usize::try_from(length).map_err(io::Error::other)
}
