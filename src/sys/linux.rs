//! Linux alone.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering};

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

/// Whether stdout was closed when the process began: what is written there must not seem to have
/// arrived.
pub(crate) fn stdout_was_closed() -> bool {
    STDOUT_WAS_CLOSED.load(Ordering::Relaxed)
}

static STDOUT_WAS_CLOSED: AtomicBool = AtomicBool::new(false);

/// Looks before Rust's runtime does: it puts `/dev/null` in the place of a closed descriptor
/// (`library/std/src/sys/pal/unix/mod.rs`, `sanitize_standard_fds`), so that later nobody can tell.
// SAFETY: the loader calls what stands in this section once, before `main` and any other thread
// (System V ABI, "Initialization and Termination Functions").
#[used]
#[unsafe(link_section = ".init_array")]
static LOOK: extern "C" fn() = {
    extern "C" fn look() {
        // SAFETY: F_GETFD asks for the flags of a number, open or not.
        let closed = unsafe { libc::fcntl(libc::STDOUT_FILENO, libc::F_GETFD) } == -1;
        STDOUT_WAS_CLOSED.store(closed, Ordering::Relaxed);
    }
    look
};
