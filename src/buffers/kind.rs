//! Which socket, and which of its buffers.

use socket2::{Domain, Type};

/// A kind of socket.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Transport {
    /// A stream over IP.
    Tcp,
    /// Datagrams over IP.
    Udp,
    /// A stream inside this machine.
    UnixStream,
    /// Datagrams inside this machine.
    UnixDatagram,
}

impl Transport {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Tcp, Self::Udp, Self::UnixStream, Self::UnixDatagram];

    /// The word for it in reports and records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::UnixStream => "unix",
            Self::UnixDatagram => "unix-datagram",
        }
    }

    /// What socket(2) makes it of; over IP either version will do.
    pub(super) fn makings(self) -> (&'static [Domain], Type) {
        const IP: &[Domain] = &[Domain::IPV4, Domain::IPV6];
        const UNIX: &[Domain] = &[Domain::UNIX];
        match self {
            Self::Tcp => (IP, Type::STREAM),
            Self::Udp => (IP, Type::DGRAM),
            Self::UnixStream => (UNIX, Type::STREAM),
            Self::UnixDatagram => (UNIX, Type::DGRAM),
        }
    }
}

/// One of the two buffers of a socket.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Direction {
    /// What was sent and is not yet taken over by the peer's system.
    Send,
    /// What came and is not yet read.
    Receive,
}

impl Direction {
    /// Each of the two.
    pub const BOTH: [Self; 2] = [Self::Send, Self::Receive];

    /// The word for it in reports and records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Receive => "receive",
        }
    }
}
