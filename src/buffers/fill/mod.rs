//! Filling: sending to a peer that does not read until nothing more is accepted, and looking where
//! the bytes are. Every number is asked of the kernel on its own.

mod datagrams;
pub(super) mod pair;
mod receiver;

pub use datagrams::{Kept, fill_datagrams};
pub use pair::Sizes;

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::Socket;

use super::{Transport, connected};
use crate::error::{Action, Cause, Error, Progress, Result};
use crate::net::Family;
use crate::sys;
use receiver::{Arrived, Receiver};

/// What one send is given.
static CHUNK: [u8; 64 * 1024] = [0; 64 * 1024];

/// How long nothing more must be accepted before a peer on this machine counts as full: acknowledgements
/// and window probes make room for some time (up to 250 ms were measured).
const QUIET_HERE: Duration = Duration::from_millis(300);
/// The same for a peer that may be far away.
const QUIET_ELSEWHERE: Duration = Duration::from_millis(1500);

/// How long the numbers may take to stand still once nothing is accepted any more.
const SETTLING: Duration = Duration::from_secs(2);
/// Between two looks at a queue that another program empties.
const STEP: Duration = Duration::from_millis(100);
/// Between two looks at them.
const LOOK: Duration = Duration::from_millis(10);

/// Two connected sockets, the first of which is being filled.
#[derive(Debug)]
pub struct Filling {
    transport: Transport,
    sender: Socket,
    receiver: Receiver,
    accepted: u64,
    read: u64,
    blocked: bool,
}

/// Where the bytes are. What the system does not tell is `None`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Fill {
    /// What carries them.
    pub transport: Transport,
    /// Whom they are for, over IP.
    pub peer: Option<SocketAddr>,
    /// How many send took.
    pub accepted: u64,
    /// How many of them have not left yet.
    pub unsent: Option<u64>,
    /// How many have left and are not acknowledged.
    pub in_flight: Option<u64>,
    /// How many wait in the peer's receive buffer.
    pub peer_queue: Option<u64>,
    /// How many the peer has read, where that is known: the peer is ours, or on this machine.
    pub read: Option<u64>,
    /// The size of the send buffer.
    pub send_buffer: Option<u64>,
    /// The size of the peer's receive buffer.
    pub peer_receive_buffer: Option<u64>,
    /// Whether send would have blocked.
    pub blocked: bool,
    /// Whether the numbers stood still: while bytes travel some are counted at both ends.
    pub at_rest: bool,
}

/// One look at the queues.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Queues {
    unacknowledged: Option<u64>,
    unsent: Option<u64>,
    peer: Arrived,
}

impl Queues {
    /// Whether nothing waits anywhere, as far as that is known.
    fn is_empty(self) -> bool {
        self.unacknowledged.unwrap_or(0) == 0 && self.peer.queue.unwrap_or(0) == 0
    }
}

impl Filling {
    /// A pair of our own, TCP or Unix.
    ///
    /// # Errors
    /// The sockets cannot be made.
    pub fn pair(transport: Transport, family: Family, sizes: Sizes) -> Result<Self> {
        let failed = |error: io::Error| {
            let target = format!("a pair of {} sockets", transport.name());
            Error::new(Action::Connect, target, error)
        };
        let (sender, ours) = pair::connected(transport, family, sizes).map_err(failed)?;
        Self::new(transport, sender, Receiver::Ours(ours)).map_err(failed)
    }

    /// A connection to the first of these addresses that answers.
    ///
    /// # Errors
    /// None answers in time; the error names each.
    pub fn connect(
        target: &str,
        addresses: &[SocketAddr],
        sizes: Sizes,
        limit: Duration,
    ) -> Result<Self> {
        let mut attempts = Vec::new();
        for address in addresses {
            let filling = connected(address, limit).and_then(|stream| {
                let (local, peer) = (stream.local_addr()?, stream.peer_addr()?);
                let sender = Socket::from(stream);
                sizes.set_send(&sender)?;
                Self::new(Transport::Tcp, sender, Receiver::Elsewhere { local, peer })
            });
            match filling {
                Ok(filling) => return Ok(filling),
                Err(error) => attempts.push((address.to_string(), error)),
            }
        }
        Err(Error::new(
            Action::Connect,
            target,
            Cause::Attempts(attempts),
        ))
    }

    /// Nothing sent yet.
    fn new(transport: Transport, sender: Socket, receiver: Receiver) -> io::Result<Self> {
        sender.set_nonblocking(true)?;
        Ok(Self {
            transport,
            sender,
            receiver,
            accepted: 0,
            read: 0,
            blocked: false,
        })
    }

    /// Sends until nothing more is accepted for a while, or the time is over.
    ///
    /// # Errors
    /// The connection fails.
    pub fn fill(&mut self, limit: Option<Duration>) -> Result<Fill> {
        let end = limit.and_then(|limit| Instant::now().checked_add(limit));
        self.send_all(end)
            .and_then(|()| self.look())
            .map_err(|error| self.failure(Action::Send, error))
    }

    /// Reads some at the peer's end of our own pair and looks again; `None` once all is read.
    ///
    /// # Errors
    /// The connection fails.
    pub fn drain(&mut self, bytes: u64) -> Result<Option<Fill>> {
        let Receiver::Ours(receiver) = &self.receiver else {
            return Ok(None);
        };
        let left = self.accepted.saturating_sub(self.read).min(bytes);
        if left == 0 {
            return Ok(None);
        }
        let read = io::copy(&mut Read::take(receiver, left), &mut io::sink());
        let read = read.map_err(|error| self.failure(Action::Receive, error))?;
        self.read = self.read.saturating_add(read);
        let fill = self.look();
        fill.map(Some)
            .map_err(|error| self.failure(Action::Receive, error))
    }

    /// Waits until another program has read more, and looks again; `None` once nothing is left that
    /// the system tells of.
    ///
    /// # Errors
    /// The connection fails, or nobody reads until the end of the time.
    pub fn leave(&mut self, end: Option<Instant>) -> Result<Option<Fill>> {
        let failed = |error| self.failure(Action::Send, error);
        let before = self.queues().map_err(failed)?;
        if before.is_empty() {
            return Ok(None);
        }
        loop {
            thread::sleep(STEP);
            if let Some(error) = self.sender.take_error().map_err(failed)? {
                return Err(failed(error));
            }
            let queues = self.queues().map_err(failed)?;
            if queues != before {
                return self.report(queues, false).map(Some).map_err(failed);
            }
            if end.is_some_and(|end| Instant::now() >= end) {
                let cause = "it has not read everything".to_owned();
                return Err(self.error(Action::Send, Cause::Other(cause)));
            }
        }
    }

    /// Sends until nothing more is accepted, or until the end of the time.
    fn send_all(&mut self, end: Option<Instant>) -> io::Result<()> {
        let quiet = match self.receiver {
            Receiver::Elsewhere { .. } if self.receiver.look()?.queue.is_none() => QUIET_ELSEWHERE,
            _ => QUIET_HERE,
        };
        let mut waited = false;
        while end.is_none_or(|end| Instant::now() < end) {
            match (&self.sender).write(&CHUNK) {
                Ok(sent) => {
                    self.accepted = self.accepted.saturating_add(sent as u64);
                    waited = false;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
                // Less room than makes a socket writable is found by trying once more.
                Err(_) if waited => {
                    self.blocked = true;
                    return Ok(());
                }
                Err(_) => waited = !writable(&self.sender, patience(quiet, end))?,
            }
        }
        Ok(())
    }

    /// Looks until the numbers stand still and add up, or for as long as they may take.
    fn look(&self) -> io::Result<Fill> {
        let deadline = Instant::now().checked_add(SETTLING);
        let mut last = self.queues()?;
        loop {
            thread::sleep(LOOK);
            let queues = self.queues()?;
            let at_rest = queues == last && self.adds_up(queues);
            let over = deadline.is_none_or(|deadline| Instant::now() >= deadline);
            if at_rest || over || !self.blocked {
                return self.report(queues, at_rest && self.blocked);
            }
            last = queues;
        }
    }

    /// Whether every byte is in one place, as far as that is known.
    fn adds_up(&self, queues: Queues) -> bool {
        let read = self.read_of(queues).unwrap_or(0);
        let known = queues.peer.queue.map(|peer| {
            let places = [queues.unacknowledged.unwrap_or(0), peer, read];
            places.into_iter().fold(0_u64, u64::saturating_add)
        });
        known.is_none_or(|sum| sum == self.accepted)
    }

    /// How many bytes the peer has read.
    fn read_of(&self, queues: Queues) -> Option<u64> {
        match self.receiver {
            Receiver::Ours(_) => Some(self.read),
            Receiver::Elsewhere { .. } => queues.peer.read,
        }
    }

    /// Asks the kernel.
    fn queues(&self) -> io::Result<Queues> {
        let (mut unacknowledged, mut unsent) = (None, None);
        if self.transport == Transport::Tcp {
            unacknowledged = sys::unacknowledged(self.sender.as_fd())?;
            unsent = sys::unsent(self.sender.as_fd())?;
        }
        Ok(Queues {
            unacknowledged,
            unsent,
            peer: self.receiver.look()?,
        })
    }

    /// The numbers with what else is known.
    fn report(&self, queues: Queues, at_rest: bool) -> io::Result<Fill> {
        let both = queues.unacknowledged.zip(queues.unsent);
        let size = self.sender.send_buffer_size()?;
        Ok(Fill {
            transport: self.transport,
            peer: self.peer(),
            accepted: self.accepted,
            unsent: queues.unsent,
            in_flight: both.map(|(all, unsent)| all.saturating_sub(unsent)),
            peer_queue: queues.peer.queue,
            read: self.read_of(queues),
            send_buffer: u64::try_from(size).ok(),
            peer_receive_buffer: self.receiver.buffer()?,
            blocked: self.blocked,
            at_rest,
        })
    }

    /// The peer's address. A socket whose connection is gone does not know it any more.
    fn peer(&self) -> Option<SocketAddr> {
        match self.receiver {
            Receiver::Elsewhere { peer, .. } => Some(peer),
            Receiver::Ours(_) => self.sender.peer_addr().ok()?.as_socket(),
        }
    }

    /// What went wrong with the connection.
    fn failure(&self, action: Action, error: io::Error) -> Error {
        self.error(action, error.into())
    }

    /// The same, whatever went wrong.
    fn error(&self, action: Action, cause: Cause) -> Error {
        let peer = self.peer().map(|peer| peer.to_string());
        let target = peer.unwrap_or_else(|| "our own pair".to_owned());
        Error::new(action, target, cause).after(Progress {
            sent: self.accepted,
            ..Progress::default()
        })
    }
}

impl Fill {
    /// How many bytes the peer's system has acknowledged, where acknowledgements exist.
    #[must_use]
    pub fn acknowledged(&self) -> Option<u64> {
        let queued = self.unsent?.checked_add(self.in_flight?)?;
        self.accepted.checked_sub(queued)
    }
}

/// How long to wait: until it counts as full, and not beyond the end.
fn patience(quiet: Duration, end: Option<Instant>) -> Duration {
    let left = end.map(|end| end.saturating_duration_since(Instant::now()));
    left.map_or(quiet, |left| left.min(quiet))
}

/// Whether it takes more within this time.
fn writable(socket: &Socket, patience: Duration) -> io::Result<bool> {
    let mut polled = [PollFd::new(socket, PollFlags::OUT)];
    let patience = Timespec::try_from(patience).map_err(io::Error::other)?;
    match poll(&mut polled, Some(&patience)) {
        Ok(ready) => Ok(ready > 0),
        Err(rustix::io::Errno::INTR) => Ok(true),
        Err(error) => Err(error.into()),
    }
}
