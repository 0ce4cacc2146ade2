//! What became of a connection attempt.

use super::Attempt;
use crate::probe::network::{Outcome, Sender};
use crate::probe::report::Icmp;
use crate::sys::{IcmpError, next_icmp_error};
use socket2::Socket;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd;
use std::time::Duration;

impl Attempt {
    /// How the attempt ended, if it has.
    ///
    /// `SO_ERROR` is read before the error queue, since reading the queue clears it, and 0 is an open
    /// port only with a peer: an ICMP message may come while the socket is still connecting.
    pub(in crate::probe) fn outcome(&self) -> Option<Outcome> {
        match self.socket.take_error() {
            Ok(Some(error)) | Err(error) => {
                let errno = error.raw_os_error().unwrap_or(libc::EIO);
                Some(failed(&self.socket, self.to, errno))
            }
            Ok(None) if self.socket.peer_addr().is_ok() => Some(connected(&self.socket)),
            Ok(None) => {
                let error = next_icmp_error(self.socket.as_fd())?;
                Some(rejected(&self.socket, self.to, error))
            }
        }
    }
}

/// Calls connect(2), with the error as its number.
pub(in crate::probe) fn connect(socket: &Socket, to: SocketAddr) -> Result<(), i32> {
    let result = socket.connect(&to.into());
    result.map_err(|error| error.raw_os_error().unwrap_or(libc::EIO))
}

/// Our own system refused.
pub(in crate::probe) fn local(error: &io::Error) -> Outcome {
    Outcome::Local(error.raw_os_error().unwrap_or(libc::EIO))
}

/// A connection stands: with somebody else, or with itself. It is reset when it is closed, which
/// leaves no `TIME_WAIT` that a server about to bind could trip over.
pub(super) fn connected(socket: &Socket) -> Outcome {
    // Without it the port is as open; only the end of the connection differs.
    let _ = socket.set_linger(Some(Duration::ZERO));
    let ends = (socket.local_addr(), socket.peer_addr());
    match (
        ends.0.map(|end| end.as_socket()),
        ends.1.map(|end| end.as_socket()),
    ) {
        (Ok(Some(local)), Ok(peer)) if Some(local) == peer => Outcome::SelfConnected,
        _ => Outcome::Connected,
    }
}

/// An attempt failed with `errno`, perhaps because of an ICMP message.
pub(super) fn failed(socket: &Socket, to: SocketAddr, errno: i32) -> Outcome {
    match next_icmp_error(socket.as_fd()) {
        Some(error) => rejected(socket, to, IcmpError { errno, ..error }),
        None => Outcome::Remote(errno),
    }
}

/// An ICMP message ended an attempt.
pub(in crate::probe) fn rejected(socket: &Socket, to: SocketAddr, error: IcmpError) -> Outcome {
    let own = socket.local_addr().ok().and_then(|own| own.as_socket());
    rejected_at(own.map(|own| own.ip()), to, error)
}

/// The same where our own address is known.
pub(in crate::probe) fn rejected_at(
    own: Option<IpAddr>,
    to: SocketAddr,
    error: IcmpError,
) -> Outcome {
    let sender = match error.from {
        Some(from) if from == to.ip() => Sender::Target,
        Some(from) if own == Some(from) => Sender::Ourselves,
        _ => Sender::Path,
    };
    Outcome::Icmp {
        errno: error.errno,
        icmp: Icmp {
            kind: error.kind,
            code: error.code,
            from: error.from,
        },
        sender,
    }
}
