//! Linux alone.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Bytes of a TCP socket that the peer's kernel has not acknowledged, sent or not: SIOCOUTQ is
/// `write_seq - snd_una` (net/ipv4/tcp.c, `tcp_ioctl`), and a FIN counts as one.
pub(crate) fn unacknowledged(socket: BorrowedFd<'_>) -> io::Result<Option<u64>> {
    let mut queued: libc::c_int = 0;
    // SAFETY: TIOCOUTQ, the same number as SIOCOUTQ, writes one int to the address given.
    let answer = unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut queued) };
    if answer < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(u64::try_from(queued).ok())
}
