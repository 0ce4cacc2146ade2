//! What is waited for or measured, each on its own.

use crate::value::{Endpoint, Host};
use std::fmt::{self, Display, Formatter};

/// One target.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Sought {
    /// A port or a Unix socket.
    Port(Endpoint),
    /// A host, by whatever it answers.
    Host(Host),
}

impl Sought {
    /// The host, unless it is a path.
    #[must_use]
    pub const fn host(&self) -> Option<&Host> {
        match self {
            Self::Port(Endpoint::Tcp(host, _) | Endpoint::Udp(host, _)) | Self::Host(host) => {
                Some(host)
            }
            Self::Port(Endpoint::Unix(_)) => None,
        }
    }

    /// The port, if it has one.
    #[must_use]
    pub const fn port(&self) -> Option<u16> {
        match self {
            Self::Port(Endpoint::Tcp(_, port) | Endpoint::Udp(_, port)) => Some(*port),
            Self::Port(Endpoint::Unix(_)) | Self::Host(_) => None,
        }
    }

    /// Whether it is a UDP port, of which silence says nothing.
    pub(super) const fn is_udp(&self) -> bool {
        matches!(self, Self::Port(Endpoint::Udp(..)))
    }
}

impl Display for Sought {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port(endpoint) => endpoint.fmt(f),
            Self::Host(host) => host.fmt(f),
        }
    }
}
