//! The real network: non-blocking connects, epoll or what the system has for it, and the monotonic
//! clock.

mod here;
pub(super) mod outcome;
mod seats;

use super::binding::Binding;
use super::datagram::{Datagrams, Kind};
use super::neighbourhood::Neighbourhood;
use super::network::{Answer, Network, Outcome, ProbeId, Sender};
use super::target::Target;
use crate::sys::{nonblocking_socket, request_icmp_errors};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use outcome::connected;
use rustix::process::{Resource, getrlimit};
use seats::Seats;
use socket2::{Domain, Protocol, Socket, Type};
use std::collections::HashSet;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(super) use outcome::{connect, local};

/// The most sockets at once, whatever the limit on open files: each costs the kernel a few KiB.
const MOST: usize = 20_000;
/// Open files that are left to others in this process.
const RESERVE: usize = 16;
/// How many answers are taken at once.
pub(super) const BATCH: usize = 1024;

/// TCP connections of this machine.
#[derive(Debug)]
pub struct Sockets {
    poll: Poll,
    events: Events,
    clock: Instant,
    seats: Seats,
    /// As many sockets at once as the limit on open files lets us have, and as are wanted for now.
    most: usize,
    capacity: usize,
    own: Own,
    neighbourhood: Neighbourhood,
    /// What every socket is bound to.
    binding: Binding,
    /// A socket whose last connection was refused, of IPv4 and of IPv6.
    spare: [Option<Socket>; 2],
    /// How often a connection to this machine was waited for in vain.
    stalls: u32,
    /// Whether a socket that is gone had met an ICMP message.
    has_met_icmp: bool,
}

/// The addresses of this machine.
#[derive(Clone, Debug, Default)]
pub(super) struct Own(Arc<HashSet<IpAddr>>);

impl Own {
    /// Asks the system for them.
    pub(super) fn look() -> Self {
        let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
        Self(Arc::new(
            interfaces.iter().map(if_addrs::Interface::ip).collect(),
        ))
    }

    /// The same outcome: a message from one of them is our own, which a socket that is as new again
    /// cannot tell.
    fn recognised(&self, outcome: Outcome) -> Outcome {
        match outcome {
            Outcome::Icmp {
                errno,
                icmp,
                sender: Sender::Path,
            } if icmp.from.is_some_and(|from| self.has(from)) => Outcome::Icmp {
                errno,
                icmp,
                sender: Sender::Ourselves,
            },
            outcome => outcome,
        }
    }

    /// Whether this is one of them.
    pub(super) fn has(&self, address: IpAddr) -> bool {
        address.is_loopback() || self.0.contains(&address)
    }
}

/// A connection attempt without an outcome.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) socket: Socket,
    pub(super) to: SocketAddr,
}

impl Sockets {
    /// Ready to connect, as often at once as the limit on open files lets us.
    pub fn new() -> io::Result<Self> {
        Self::bound(Binding::default())
    }

    /// The same, with every socket bound.
    pub fn bound(binding: Binding) -> io::Result<Self> {
        Self::of(Own::look(), binding, 1)
    }

    /// As many more of the same kind, which share the limit on open files.
    pub(super) fn crew(&self, size: usize) -> io::Result<Vec<Self>> {
        (0..size)
            .map(|_| Self::of(self.own.clone(), self.binding.clone(), size))
            .collect()
    }

    /// Sockets of a machine with these addresses, with one of `parts` equal parts of the limit.
    fn of(own: Own, binding: Binding, parts: usize) -> io::Result<Self> {
        let poll = Poll::new()?;
        let most = capacity(&poll).checked_div(parts).unwrap_or(1).max(1);
        Ok(Self {
            most,
            capacity: most,
            poll,
            events: Events::with_capacity(BATCH),
            clock: Instant::now(),
            seats: Seats::new(),
            own,
            neighbourhood: Neighbourhood::default(),
            binding,
            spare: [None, None],
            stalls: 0,
            has_met_icmp: false,
        })
    }

    /// Whether this is an address of this machine.
    pub(super) fn is_here(&self, address: IpAddr) -> bool {
        self.own.has(address)
    }

    /// These are to be probed: fewer sockets at once, if they are too many neighbours.
    pub(super) fn expect(&mut self, targets: &[Target]) {
        self.capacity = self.neighbourhood.room(targets, self.most);
    }

    /// What every socket is bound to.
    #[must_use]
    pub const fn binding(&self) -> &Binding {
        &self.binding
    }

    /// What asks over UDP, or for an echo, from the same place.
    pub(super) fn datagrams(&self, kind: Kind) -> io::Result<Datagrams> {
        Datagrams::new(kind, self.own.clone(), self.binding.clone())
    }

    /// Connects to another machine.
    fn start_there(&mut self, probe: ProbeId, to: SocketAddr) -> Option<Outcome> {
        if let Some(unfit) = self.binding.unfit_for(to) {
            return Some(unfit);
        }
        self.neighbourhood.seek(to.ip(), self.clock.elapsed());
        if let Some(seat) = self.seats.take(to) {
            return self.start_again(probe, seat);
        }
        let socket = match self.open_in_place(to) {
            Ok(socket) => socket,
            Err(error) => return Some(local(&error)),
        };
        match connect(&socket, to) {
            Ok(()) => Some(connected(&socket)),
            Err(libc::EINPROGRESS | libc::EINTR) => self.watch(probe, Attempt { socket, to }),
            Err(errno) => Some(self.binding.blamed(Outcome::Local(errno), to)),
        }
    }

    /// The same with a socket that was there.
    fn start_again(&mut self, probe: ProbeId, seat: usize) -> Option<Outcome> {
        let Attempt { socket, to } = self.seats.attempt(seat)?;
        let outcome = match connect(socket, *to) {
            Err(libc::EINPROGRESS | libc::EINTR) => {
                self.seats.seat(seat, probe);
                return None;
            }
            Ok(()) => connected(socket),
            Err(errno) => self.binding.blamed(Outcome::Local(errno), *to),
        };
        self.seats.close(seat);
        Some(outcome)
    }

    /// A socket for this destination, in place of those without a use if there is no room.
    fn open_in_place(&mut self, to: SocketAddr) -> io::Result<Socket> {
        if self.seats.len() >= self.capacity {
            self.seats.close_idle();
        }
        match self.open(to) {
            Err(error) if matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE)) => {
                self.seats.close_idle();
                self.open(to)
            }
            opened => opened,
        }
    }

    /// A socket for this destination that keeps ICMP messages.
    fn open(&self, to: SocketAddr) -> io::Result<Socket> {
        let domain = Domain::for_address(to);
        let socket = nonblocking_socket(domain, Type::STREAM, Some(Protocol::TCP))?;
        // Without it an answer is the same, only without the message behind it.
        request_icmp_errors(socket.as_fd(), to.is_ipv6());
        self.binding.apply(&socket, to.is_ipv6())?;
        Ok(socket)
    }

    /// Waits for the outcome of an attempt from now on.
    fn watch(&mut self, probe: ProbeId, attempt: Attempt) -> Option<Outcome> {
        let descriptor = attempt.socket.as_raw_fd();
        let registry = self.poll.registry();
        let seat = self.seats.add(attempt);
        let registered =
            registry.register(&mut SourceFd(&descriptor), Token(seat), Interest::WRITABLE);
        if let Err(error) = registered {
            self.seats.close(seat);
            return Some(local(&error));
        }
        self.seats.seat(seat, probe);
        None
    }

    /// Takes the outcomes that the events tell of.
    fn collect(&mut self, answers: &mut Vec<Answer>) {
        let at = self.clock.elapsed();
        for event in &self.events {
            if let Some((probe, outcome)) = self.seats.ended(event.token().0) {
                let outcome = self.own.recognised(outcome);
                answers.push(Answer { probe, at, outcome });
            }
        }
    }
}

impl Network for Sockets {
    fn now(&self) -> Duration {
        self.clock.elapsed()
    }

    fn capacity(&self) -> usize {
        self.capacity
    }

    fn start(&mut self, probe: ProbeId, to: SocketAddr) -> Option<Outcome> {
        if self.is_here(to.ip()) {
            self.start_here(probe, to)
        } else {
            self.start_there(probe, to)
        }
    }

    fn explain(&mut self, host: IpAddr) -> Option<Outcome> {
        // No table of neighbours has our own addresses.
        if self.own.has(host) {
            return None;
        }
        self.neighbourhood.explain(host, self.clock.elapsed())
    }

    fn abandon(&mut self, probe: ProbeId) {
        self.seats.abandon(probe);
    }

    fn wait(&mut self, until: Duration, answers: &mut Vec<Answer>) -> io::Result<()> {
        self.seats.tidy();
        let mut timeout = until.saturating_sub(self.now());
        while look(&mut self.poll, &mut self.events, timeout)? {
            self.collect(answers);
            timeout = Duration::ZERO;
        }
        self.collect(answers);
        self.neighbourhood.watch(self.clock.elapsed());
        Ok(())
    }
}

/// Takes a batch of events. Returns whether there may be more: what is there must be seen before
/// anything is called silent.
pub(super) fn look(poll: &mut Poll, events: &mut Events, timeout: Duration) -> io::Result<bool> {
    let mut looked = poll.poll(events, Some(timeout));
    if matches!(&looked, Err(error) if error.kind() == io::ErrorKind::Interrupted) {
        looked = poll.poll(events, Some(Duration::ZERO));
    }
    match looked {
        Err(error) if error.kind() != io::ErrorKind::Interrupted => Err(error),
        _ => Ok(events.iter().count() >= BATCH),
    }
}

/// How many sockets we may open: the limit, without what is open already. Descriptors are given
/// out from the lowest, so the newest one tells.
pub(super) fn capacity(newest: &impl AsRawFd) -> usize {
    let limit = getrlimit(Resource::Nofile).current;
    let limit = limit.map_or(MOST, |limit| usize::try_from(limit).unwrap_or(MOST));
    let used = usize::try_from(newest.as_raw_fd()).unwrap_or_default();
    limit
        .saturating_sub(used)
        .saturating_sub(RESERVE)
        .clamp(1, MOST)
}

#[cfg(test)]
mod tests;
