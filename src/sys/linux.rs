//! Linux alone.
#![allow(unsafe_code)]

use std::ffi::OsStr;
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::{EventfdFlags, eventfd};
use rustix::io::{Errno, ReadWriteFlags, preadv2, pwritev2};
use rustix::pipe::{PipeFlags, SpliceFlags};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use super::{Splice, sockopt};

/// Whether a second connect(2) tells how the first one went, and leaves a refused socket as new
/// (`__inet_stream_connect` in `net/ipv4/af_inet.c`).
pub(crate) const CONNECTS_AGAIN: bool = true;

/// Bytes of a TCP socket that the peer's kernel has not acknowledged, sent or not: SIOCOUTQ is
/// `write_seq - snd_una` (net/ipv4/tcp.c, `tcp_ioctl`), and a FIN counts as one.
pub(crate) fn unacknowledged(socket: BorrowedFd<'_>) -> io::Result<Option<u64>> {
    // libc knows this number by another name.
    queue(socket, libc::TIOCOUTQ)
}

/// Bytes of a TCP socket that have not been sent even once: SIOCOUTQNSD is `write_seq - snd_nxt`
/// (net/ipv4/tcp.c, `tcp_ioctl`).
pub(crate) fn unsent(socket: BorrowedFd<'_>) -> io::Result<Option<u64>> {
    queue(socket, libc::SIOCOUTQNSD as _)
}

/// What one of these two requests tells.
fn queue(socket: BorrowedFd<'_>, request: libc::Ioctl) -> io::Result<Option<u64>> {
    let mut queued: libc::c_int = 0;
    // SAFETY: both requests write one int to the address given.
    let answer = unsafe { libc::ioctl(socket.as_raw_fd(), request, &raw mut queued) };
    if answer < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(u64::try_from(queued).ok())
}

/// How many packets a socket had no room for: the last number of `SO_MEMINFO`, which
/// `SO_RXQ_OVFL` tells too, but with the next packet alone (`include/uapi/linux/sock_diag.h`).
pub(crate) fn receive_drops(socket: BorrowedFd<'_>) -> io::Result<Option<u64>> {
    const SO_MEMINFO: libc::c_int = 55;
    /// Where the ninth number of four bytes begins.
    const DROPS: usize = 32;
    let mut numbers = [0; DROPS + 4];
    let length = sockopt::get(socket, libc::SOL_SOCKET, SO_MEMINFO, &mut numbers)?;
    let drops = numbers.get(..length).and_then(|known| known.get(DROPS..));
    let drops = drops.and_then(|drops| drops.first_chunk());
    Ok(drops.map(|drops| u32::from_ne_bytes(*drops).into()))
}

/// Which of stdin, stdout and stderr were closed when the process began, and are nothing since: what
/// is written there must not seem to have arrived.
pub(crate) fn closed_at_start() -> impl Iterator<Item = RawFd> {
    let closed = WERE_CLOSED.iter().zip(0..);
    closed.filter_map(|(closed, number)| closed.load(Ordering::Relaxed).then_some(number))
}

/// This number is something now.
pub(crate) fn forget_closed(number: RawFd) {
    let was_closed = usize::try_from(number).ok();
    if let Some(was_closed) = was_closed.and_then(|number| WERE_CLOSED.get(number)) {
        was_closed.store(false, Ordering::Relaxed);
    }
}

static WERE_CLOSED: [AtomicBool; 3] = [const { AtomicBool::new(false) }; 3];

/// Whether SIGPIPE was ignored when the process began: Rust's runtime has ignored it since.
pub(crate) fn sigpipe_was_ignored() -> bool {
    SIGPIPE_WAS_IGNORED.load(Ordering::Relaxed)
}

static SIGPIPE_WAS_IGNORED: AtomicBool = AtomicBool::new(false);

/// Looks before Rust's runtime does: it puts `/dev/null` in the place of a closed descriptor
/// (`library/std/src/sys/pal/unix/mod.rs`, `sanitize_standard_fds`), so that later nobody can tell.
// SAFETY: the loader calls what stands in this section once, before `main` and any other thread
// (System V ABI, "Initialization and Termination Functions").
#[used]
#[unsafe(link_section = ".init_array")]
static LOOK: extern "C" fn() = {
    extern "C" fn look() {
        for (was_closed, number) in WERE_CLOSED.iter().zip(0..) {
            // SAFETY: F_GETFD asks for the flags of a number, open or not.
            let closed = unsafe { libc::fcntl(number, libc::F_GETFD) } == -1;
            was_closed.store(closed, Ordering::Relaxed);
        }
        SIGPIPE_WAS_IGNORED.store(super::ignored(libc::SIGPIPE), Ordering::Relaxed);
    }
    look
};

/// The address of a Unix socket: a name that begins with `@` is an abstract one, as ss(8) writes it
/// (unix(7)), and no file.
pub(crate) fn unix_address(name: &Path) -> io::Result<SockAddr> {
    match name.as_os_str().as_bytes().strip_prefix(b"@") {
        Some(rest) => SockAddr::unix(OsStr::from_bytes(&[b"\0", rest].concat())),
        None => SockAddr::unix(name),
    }
}

/// A new socket that never waits.
pub(crate) fn nonblocking_socket(
    domain: Domain,
    kind: Type,
    protocol: Option<Protocol>,
) -> io::Result<Socket> {
    Socket::new(domain, kind.nonblocking(), protocol)
}

/// Lets a socket use this interface alone.
pub(crate) fn bind_to_interface(socket: &Socket, name: &str) -> io::Result<()> {
    socket.bind_device(Some(name.as_bytes()))
}

/// How much a pipe may hold at most for an unprivileged user (`/proc/sys/fs/pipe-max-size`).
const WIDE: usize = 1024 * 1024;

/// Moves at most so many bytes between a pipe and a socket without copying them here. Only the
/// socket may be waited for, if it is one that waits. With `more` it may hold back the end of them.
pub(crate) fn splice(from: BorrowedFd<'_>, to: BorrowedFd<'_>, most: usize, more: bool) -> Splice {
    let mut flags = SpliceFlags::NONBLOCK;
    flags.set(SpliceFlags::MORE, more);
    outcome(rustix::pipe::splice(from, None, to, None, most, flags))
}

/// Moves at most so many bytes of a file to a socket that waits, without copying them here.
pub(crate) fn send_file(from: BorrowedFd<'_>, to: BorrowedFd<'_>, most: usize) -> Splice {
    outcome(rustix::fs::sendfile(to, from, None, most))
}

/// What a call that moves bytes in the kernel came to.
fn outcome(moved: Result<usize, Errno>) -> Splice {
    match moved {
        Ok(length) => Splice::Moved(length),
        Err(Errno::AGAIN | Errno::INTR) => Splice::NotNow,
        Err(Errno::INVAL | Errno::NOSYS | Errno::PERM | Errno::OPNOTSUPP) => Splice::NotHere,
        Err(error) => Splice::Failed(error.into()),
    }
}

/// Whether this is a pipe; if so it is made as wide as is allowed.
pub(crate) fn widen_pipe(pipe: BorrowedFd<'_>) -> bool {
    match rustix::pipe::fcntl_getpipe_size(pipe) {
        Err(_) => false,
        Ok(size) => {
            if size < WIDE {
                // Refused, it stays as wide as it is.
                let _ = rustix::pipe::fcntl_setpipe_size(pipe, WIDE);
            }
            true
        }
    }
}

/// A pipe of our own, as wide as is allowed: what is read from, and what is written to.
pub(crate) fn wide_pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (reader, writer) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
    widen_pipe(writer.as_fd());
    Ok((reader, writer))
}

/// Writes what a pipe or socket takes at once, without the flag that belongs to everybody.
pub(crate) fn write_now(to: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
    // An offset of -1 means none (pwritev2(2)).
    match pwritev2(to, &[IoSlice::new(bytes)], u64::MAX, ReadWriteFlags::NOWAIT) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => super::write_piece(to, bytes),
        result => Ok(result?),
    }
}

/// Reads what a pipe or socket holds now, without the flag that belongs to everybody.
pub(crate) fn read_now(from: BorrowedFd<'_>, bytes: &mut [u8]) -> io::Result<usize> {
    // An offset of -1 means none (preadv2(2)).
    let mut parts = [IoSliceMut::new(bytes)];
    Ok(preadv2(from, &mut parts, u64::MAX, ReadWriteFlags::NOWAIT)?)
}

/// Has poll and recv wait for this many bytes; false if the system will not.
pub(crate) fn set_receive_low_water(socket: BorrowedFd<'_>, bytes: usize) -> bool {
    let Ok(bytes) = libc::c_int::try_from(bytes) else {
        return false;
    };
    sockopt::set(socket, libc::SOL_SOCKET, libc::SO_RCVLOWAT, bytes)
}

/// What is written to the first, eight bytes at once, makes the second readable. Neither waits, and
/// a write needs no memory, as one to a socket would: it cannot be lost (eventfd(2)).
pub(crate) fn alarm() -> io::Result<(OwnedFd, OwnedFd)> {
    let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
    Ok((event.try_clone()?, event))
}
