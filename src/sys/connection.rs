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
const NOTSENT_BYTES: usize = 144;
const BYTES_SENT: usize = 200;
const BYTES_RETRANS: usize = 208;

/// The state of a connection that is over, in whatever way (`include/net/tcp_states.h`).
const CLOSE: u8 = 7;

/// The states in which a FIN has come: `TIME_WAIT`, `CLOSE_WAIT`, `LAST_ACK` and `CLOSING`.
const PEER_ENDED: [u8; 4] = [6, 8, 9, 11];

/// Those in which we have one on its way, or behind us: `FIN_WAIT1`, `FIN_WAIT2`, `TIME_WAIT`,
/// `LAST_ACK` and `CLOSING`.
const WE_ENDED: [u8; 5] = [4, 5, 6, 9, 11];

/// What the system knows of a TCP connection (tcp(7), `TCP_INFO`).
struct TcpInfo {
    known: [u8; BYTES_RETRANS + 8],
    /// How much of it the system knows.
    length: usize,
}

impl TcpInfo {
    /// That of this socket; `None` if it is of another kind, or the system does not count.
    fn of(socket: BorrowedFd<'_>) -> Option<Self> {
        let mut known = [0; BYTES_RETRANS + 8];
        let length = sockopt::get(socket, libc::IPPROTO_TCP, libc::TCP_INFO, &mut known).ok()?;
        (length >= BYTES_RECEIVED + 8).then_some(Self { known, length })
    }

    /// Whether nothing came, was acknowledged or ended since.
    fn is_as_before(&self, before: &Self) -> bool {
        let told = |info: &Self| [BYTES_ACKED, BYTES_RECEIVED].map(|at| info.number(at));
        self.state() == before.state() && told(self) == told(before)
    }

    /// The state of the connection.
    fn state(&self) -> u8 {
        self.known.get(STATE).copied().unwrap_or(CLOSE)
    }

    /// A number of eight bytes, if the system knows it.
    fn number(&self, at: usize) -> Option<u64> {
        let known = self.known.get(at..self.length)?;
        known.first_chunk().copied().map(u64::from_ne_bytes)
    }

    /// Bytes of data that were sent at least once (Linux 4.19 and later).
    fn sent(&self) -> Option<u64> {
        let again = self.number(BYTES_RETRANS)?;
        Some(self.number(BYTES_SENT)?.saturating_sub(again))
    }

    /// Bytes that were not sent even once.
    fn not_sent(&self) -> Option<u64> {
        let known = self.known.get(NOTSENT_BYTES..self.length)?;
        known
            .first_chunk()
            .map(|number| u32::from_ne_bytes(*number).into())
    }
}

/// What a TCP connection has carried; `None` where the system does not count. A FIN counts as a byte
/// in those figures that are made of sequence numbers (`tcp_snd_una_update` and `tcp_rcv_nxt_update`,
/// `net/ipv4/tcp_input.c`), and is none here. Where bytes move without a pause these are less than
/// what it has carried, and never more.
pub(crate) fn carried(socket: BorrowedFd<'_>) -> Option<Carried> {
    let (before, queues, info) = settled(
        || TcpInfo::of(socket),
        || Queues::of(socket),
        TcpInfo::is_as_before,
    )?;
    let written = before.number(BYTES_ACKED)?.saturating_add(queues.sent);
    let is_over = info.state() == CLOSE;
    let exceeds = |count: u64, data: Option<u64>| data.is_some_and(|data| count > data);
    let all_data = info.sent().zip(info.not_sent());
    let all_data = all_data.map(|(sent, not_sent)| sent.saturating_add(not_sent));
    let we_ended = WE_ENDED.contains(&info.state()) || (is_over && exceeds(written, all_data));
    let peer_ended = has_peer_ended(socket, &info);
    Some(Carried {
        written: written.saturating_sub(we_ended.into()),
        taken: (before.number(BYTES_RECEIVED)?)
            .saturating_sub(queues.received)
            .saturating_sub(peer_ended.into()),
        we_ended,
        is_finished: is_over && peer_ended && exceeds(info.number(BYTES_ACKED)?, info.sent()),
    })
}

/// Bytes that wait at a TCP socket.
struct Queues {
    /// For the peer's acknowledgement.
    sent: u64,
    /// For whoever reads.
    received: u64,
}

impl Queues {
    /// Those of this socket.
    fn of(socket: BorrowedFd<'_>) -> Self {
        Self {
            sent: super::unacknowledged(socket).ok().flatten().unwrap_or(0),
            received: rustix::io::ioctl_fionread(socket).unwrap_or(0),
        }
    }
}

/// Asks for counts, for queues, and for the counts again, which no call tells together: until the
/// counts are as before, and so belong to the queues, or it has been tried often. The counts never
/// fall, so that those from before and the queues are not too much even then.
fn settled<C, Q>(
    counts: impl Fn() -> Option<C>,
    queues: impl Fn() -> Q,
    is_as_before: impl Fn(&C, &C) -> bool,
) -> Option<(C, Q, C)> {
    const TRIES: usize = 16;
    let mut before = counts()?;
    let mut tries = 1;
    loop {
        let queues = queues();
        let after = counts()?;
        if tries == TRIES || is_as_before(&after, &before) {
            return Some((before, queues, after));
        }
        before = after;
        tries += 1;
    }
}

/// Whether a FIN came. A connection that is over does not say how that came to be.
fn has_peer_ended(socket: BorrowedFd<'_>, info: &TcpInfo) -> bool {
    if info.state() != CLOSE {
        return PEER_ENDED.contains(&info.state());
    }
    if rustix::io::ioctl_fionread(socket).unwrap_or(0) == 0 {
        return is_at_end(socket);
    }
    // Who reads finds the data before the error of a reset: that is still there.
    !poll_now(socket, PollFlags::empty()).is_ok_and(|seen| seen.contains(PollFlags::ERR))
}

/// Whether a TCP socket that has nothing to read has had the peer's FIN: it is asked to map what came
/// into memory, nothing, and refuses with EIO if no more can come (`tcp_zerocopy_receive`,
/// net/ipv4/tcp.c). Unlike recv(2) it leaves the error of a reset for whoever reads.
fn is_at_end(socket: BorrowedFd<'_>) -> bool {
    const TCP_ZEROCOPY_RECEIVE: libc::c_int = 35;
    // An address and two lengths, without the fields that would take the error.
    let mut nothing = [0; 16];
    let level = libc::IPPROTO_TCP;
    let asked = sockopt::get(socket, level, TCP_ZEROCOPY_RECEIVE, &mut nothing);
    asked.is_err_and(|error| error.raw_os_error() == Some(libc::EIO))
}

/// How a connection looks; no error is taken from it. Over TCP what whoever has it shut down on our
/// side is not taken for the peer's doing.
pub(crate) fn peer_state(socket: BorrowedFd<'_>) -> PeerState {
    let seen = poll_now(socket, PollFlags::RDHUP).unwrap_or(PollFlags::empty());
    let failed = seen.contains(PollFlags::ERR);
    match TcpInfo::of(socket) {
        Some(info) => PeerState {
            ended: has_peer_ended(socket, &info),
            failed,
            over: info.state() == CLOSE,
        },
        None => PeerState {
            ended: seen.contains(PollFlags::RDHUP),
            failed,
            over: seen.contains(PollFlags::HUP),
        },
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

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::settled;

    /// Of a thousand bytes all were read. More come while it is asked, as often as given.
    fn taken(arrivals: u32) -> u64 {
        let (received, left) = (Cell::new(1000), Cell::new(arrivals));
        let queue = || {
            if left.get() > 0 {
                left.set(left.get() - 1);
                received.set(received.get() + 10);
            }
            received.get() - 1000
        };
        let asked = settled(|| Some(received.get()), queue, u64::eq);
        let (before, queue, _) = asked.expect("it counts");
        before.saturating_sub(queue)
    }

    #[test]
    fn what_comes_while_it_is_asked_is_not_taken_from_what_was_read() {
        for arrivals in [0, 1, 15] {
            assert_eq!(taken(arrivals), 1000, "{arrivals}");
        }
        assert!(taken(u32::MAX) < 1000);
    }
}
