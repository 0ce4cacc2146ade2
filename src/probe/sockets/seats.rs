//! Sockets that connect to other machines, and are used again where the system lets us.
//!
//! On Linux a second connect(2) tells how the first one went, and leaves a refused socket as new
//! (`__inet_stream_connect`): a closed port costs two calls then, and no socket of its own.

use super::Attempt;
use super::outcome::{connect, connected, failed, rejected};
use crate::probe::network::{Outcome, ProbeId};
use crate::probe::slab::Slab;
use crate::sys::{CONNECTS_AGAIN, next_icmp_error};
use std::net::SocketAddr;
use std::os::fd::AsFd;

/// The sockets, by the numbers that events name them by.
#[derive(Debug)]
pub(super) struct Seats {
    all: Slab<Seat>,
    /// Where each probe sits.
    places: Vec<Option<usize>>,
    /// Sockets that nobody uses, of IPv4 and of IPv6.
    idle: [Vec<usize>; 2],
    /// Whether one of them was taken of late.
    is_wanted: bool,
}

/// A socket, and who uses it.
#[derive(Debug)]
struct Seat {
    attempt: Attempt,
    probe: Option<ProbeId>,
}

impl Seats {
    /// No socket.
    pub(super) const fn new() -> Self {
        Self {
            all: Slab::new(),
            places: Vec::new(),
            idle: [Vec::new(), Vec::new()],
            is_wanted: false,
        }
    }

    /// How many sockets there are.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// A socket that can connect there and has no use, if there is one.
    pub(super) fn take(&mut self, to: SocketAddr) -> Option<usize> {
        if !is_plain(to) {
            return None;
        }
        let number = self.idle.get_mut(usize::from(to.is_ipv6()))?.pop()?;
        self.is_wanted = true;
        self.all.get_mut(number)?.attempt.to = to;
        Some(number)
    }

    /// Adds a socket and returns its number.
    pub(super) fn add(&mut self, attempt: Attempt) -> usize {
        self.all.insert(Seat {
            attempt,
            probe: None,
        })
    }

    /// What a socket is to do.
    pub(super) fn attempt(&self, number: usize) -> Option<&Attempt> {
        self.all.get(number).map(|seat| &seat.attempt)
    }

    /// A socket is connecting for this probe.
    pub(super) fn seat(&mut self, number: usize, probe: ProbeId) {
        if self.places.len() <= probe.0 {
            self.places.resize(probe.0.saturating_add(1), None);
        }
        if let Some(place) = self.places.get_mut(probe.0) {
            *place = Some(number);
        }
        if let Some(seat) = self.all.get_mut(number) {
            seat.probe = Some(probe);
        }
    }

    /// Closes a socket.
    pub(super) fn close(&mut self, number: usize) {
        self.all.remove(number);
    }

    /// Closes the socket of a probe.
    pub(super) fn abandon(&mut self, probe: ProbeId) {
        if let Some(number) = self.places.get_mut(probe.0).and_then(Option::take) {
            self.close(number);
        }
    }

    /// Whose connection ended on this socket, and how, if one has.
    pub(super) fn ended(&mut self, number: usize) -> Option<(ProbeId, Outcome)> {
        let seat = self.all.get_mut(number)?;
        let probe = seat.probe?;
        let outcome = if CONNECTS_AGAIN {
            seat.attempt.connect_again()?
        } else {
            seat.attempt.outcome()?
        };
        let is_as_new = CONNECTS_AGAIN && outcome == REFUSED && is_plain(seat.attempt.to);
        let is_ipv6 = seat.attempt.to.is_ipv6();
        seat.probe = None;
        if let Some(place) = self.places.get_mut(probe.0) {
            *place = None;
        }
        match self.idle.get_mut(usize::from(is_ipv6)) {
            Some(idle) if is_as_new => idle.push(number),
            _ => self.close(number),
        }
        Some((probe, outcome))
    }

    /// Closes the sockets without a use, unless one was taken since this was last called.
    pub(super) fn tidy(&mut self) {
        if !std::mem::take(&mut self.is_wanted) {
            self.close_idle();
        }
    }

    /// Closes the sockets without a use.
    pub(super) fn close_idle(&mut self) {
        for number in self.idle.iter_mut().flat_map(|idle| idle.drain(..)) {
            self.all.remove(number);
        }
    }
}

/// What a closed port answers.
const REFUSED: Outcome = Outcome::Remote(libc::ECONNREFUSED);

/// Whether a socket that was there can go anywhere: a zone binds it to a link, and an IPv4-mapped
/// address makes it one of IPv4.
const fn is_plain(to: SocketAddr) -> bool {
    match to {
        SocketAddr::V4(_) => true,
        SocketAddr::V6(to) => to.scope_id() == 0 && to.ip().to_ipv4_mapped().is_none(),
    }
}

impl Attempt {
    /// How the attempt ended, if it has; a refused socket can be used again.
    fn connect_again(&self) -> Option<Outcome> {
        match connect(&self.socket, self.to) {
            Ok(()) | Err(libc::EISCONN) => Some(connected(&self.socket)),
            Err(libc::EALREADY | libc::EINPROGRESS | libc::EINTR) => {
                // An ICMP message may come while the socket is still connecting.
                let error = next_icmp_error(self.socket.as_fd())?;
                Some(rejected(&self.socket, self.to, error))
            }
            Err(errno) => Some(failed(&self.socket, self.to, errno)),
        }
    }
}
