//! Connections to addresses of this machine.

use super::outcome::{connect, connected, failed, local};
use super::{Attempt, Sockets};
use crate::probe::network::{Outcome, ProbeId};
use crate::sys::{limit_connect, next_icmp_error};
use socket2::Socket;
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::time::Duration;

/// How long connect(2) to this machine may wait, and how often it may do so in vain.
const STALL: Duration = Duration::from_millis(1);
const MOST_STALLS: u32 = 4;

impl Sockets {
    /// Connects to an address of this machine, where the answer is there before the call returns.
    ///
    /// It waits for the outcome, since a call that does not says `EINPROGRESS` nevertheless and it
    /// takes a second one to learn how it went. Both leave a refused socket as new (Linux:
    /// `__inet_stream_connect`). Where local packets are dropped, waiting is soon given up.
    pub(super) fn start_here(&mut self, probe: ProbeId, to: SocketAddr) -> Option<Outcome> {
        let socket = match self.socket_here(to) {
            Ok(socket) => socket,
            Err(error) => return Some(local(&error)),
        };
        let mut result = connect(&socket, to);
        if matches!(result, Err(libc::EINPROGRESS | libc::EINTR)) {
            self.stalls = self.stalls.saturating_add(u32::from(self.waits()));
            if let Err(error) = socket.set_nonblocking(true) {
                return Some(local(&error));
            }
            result = connect(&socket, to);
        }
        match result {
            Ok(()) => Some(connected(&socket)),
            Err(libc::EALREADY | libc::EINPROGRESS) => self.watch(probe, Attempt { socket, to }),
            Err(errno) => {
                let outcome = self.binding.blamed(failed(&socket, to, errno), to);
                if errno == libc::ECONNREFUSED
                    && let Some(spare) = self.spare.get_mut(usize::from(to.is_ipv6()))
                {
                    *spare = Some(socket);
                }
                Some(outcome)
            }
        }
    }

    /// Whether connections to this machine are waited for.
    pub(in crate::probe) const fn waits(&self) -> bool {
        self.stalls < MOST_STALLS
    }

    /// Forgets one connection that was waited for in vain.
    pub(in crate::probe) const fn forgive_stall(&mut self) {
        self.stalls = self.stalls.saturating_sub(1);
    }

    /// A socket for an address of this machine: the last one that was refused, or a new one.
    fn socket_here(&mut self, to: SocketAddr) -> io::Result<Socket> {
        let spare = self.spare.get_mut(usize::from(to.is_ipv6()));
        if let Some(socket) = spare.and_then(Option::take) {
            return Ok(socket);
        }
        let socket = self.open(to)?;
        if self.waits() && !limit_connect(&socket, STALL) {
            self.stalls = MOST_STALLS;
        }
        Ok(socket)
    }

    /// Asks a port of this machine with a single call, if that is enough; nothing if another way
    /// must be found. Whether a refusal came from the port, [`Self::met_icmp`] tells later, for
    /// many at once.
    pub(in crate::probe) fn ask_here(&mut self, to: SocketAddr) -> Option<Outcome> {
        let socket = self.socket_here(to).ok()?;
        let result = connect(&socket, to);
        let outcome = match result {
            Err(libc::ECONNREFUSED) => {
                if let Some(spare) = self.spare.get_mut(usize::from(to.is_ipv6())) {
                    *spare = Some(socket);
                }
                return Some(Outcome::Remote(libc::ECONNREFUSED));
            }
            Ok(()) => Some(connected(&socket)),
            Err(libc::EINPROGRESS | libc::EINTR) => {
                self.stalls = self.stalls.saturating_add(1);
                None
            }
            Err(_) => None,
        };
        self.has_met_icmp |= next_icmp_error(socket.as_fd()).is_some();
        outcome
    }

    /// Whether any port met an ICMP message since this was last asked: the error queue of a socket
    /// outlives its connections.
    pub(in crate::probe) fn met_icmp(&mut self) -> bool {
        let met = |spare: &Socket| next_icmp_error(spare.as_fd()).is_some();
        for spare in &mut self.spare {
            if spare.as_ref().is_some_and(met) {
                // More may be queued.
                *spare = None;
                self.has_met_icmp = true;
            }
        }
        std::mem::take(&mut self.has_met_icmp)
    }
}
