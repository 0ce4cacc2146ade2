//! What the kernel knows of a connection that somebody else reads from and writes to.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::buffer::spare_capacity;
use rustix::event::{PollFlags, Timespec, epoll};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::{Carried, PeerState, poll_now, sockopt, watched};

/// Where `struct tcp_info` keeps what we ask for (`include/uapi/linux/tcp.h`); libc does not have
/// all of it for every target.
const STATE: usize = 0;
const BYTES_ACKED: usize = 120;
const BYTES_RECEIVED: usize = 128;

/// The states in which a FIN has come (`include/net/tcp_states.h`): `TIME_WAIT`,
/// `CLOSE_WAIT`, `LAST_ACK` and `CLOSING`.
const PEER_ENDED: [u8; 4] = [6, 8, 9, 11];

/// What a TCP connection has carried (tcp(7), `TCP_INFO`); `None` where the system does not count.
pub(crate) fn carried(socket: BorrowedFd<'_>) -> Option<Carried> {
    let mut known = [0_u8; BYTES_RECEIVED + 8];
    let length = sockopt::get(socket, libc::IPPROTO_TCP, libc::TCP_INFO, &mut known).ok()?;
    if length < known.len() {
        return None;
    }
    let number = |at: usize| Some(u64::from_ne_bytes(known.get(at..)?.first_chunk().copied()?));
    Some(Carried {
        acknowledged: number(BYTES_ACKED)?,
        received: number(BYTES_RECEIVED)?,
        peer_ended: PEER_ENDED.contains(known.get(STATE)?),
    })
}

/// How a connection looks; no error is taken from it.
pub(crate) fn peer_state(socket: BorrowedFd<'_>) -> PeerState {
    let seen = poll_now(socket, PollFlags::RDHUP).unwrap_or(PollFlags::empty());
    PeerState {
        ended: seen.contains(PollFlags::RDHUP),
        failed: seen.contains(PollFlags::ERR),
        over: seen.contains(PollFlags::HUP),
    }
}

/// A descriptor that can be read from when the peer of a stream ends or resets it, and never
/// because it sends: whoever has the connection is not slowed down by our watching.
pub(crate) fn watch_for_end(socket: BorrowedFd<'_>) -> io::Result<AsyncFd<OwnedFd>> {
    let watch = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    let news = epoll::EventFlags::RDHUP | epoll::EventFlags::ET;
    epoll::add(&watch, socket, epoll::EventData::new_u64(0), news)?;
    watched(watch, Interest::READABLE)
}

/// Takes the news from such a descriptor: it can be read from again when there is more.
pub(crate) fn forget_news(watch: BorrowedFd<'_>) {
    let mut events: Vec<epoll::Event> = Vec::with_capacity(1);
    let _ = epoll::wait(
        watch,
        spare_capacity(&mut events),
        Some(&Timespec::default()),
    );
}
