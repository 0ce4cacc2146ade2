//! Who talks to whom, in words that a person can paste back.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

/// How bytes are carried.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Proto {
    /// A stream of bytes over IP.
    Tcp,
    /// Datagrams over IP.
    Udp,
    /// A stream of bytes inside this machine.
    Unix,
    /// Datagrams inside this machine.
    UnixDatagram,
    /// A connection inside this machine that carries messages.
    UnixSeqpacket,
}

impl Proto {
    /// The word for it in messages and records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Unix => "unix",
            Self::UnixDatagram => "unix-datagram",
            Self::UnixSeqpacket => "unix-seqpacket",
        }
    }
}

/// Which addresses of a name are wanted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Family {
    /// Whatever there is.
    #[default]
    Any,
    /// IPv4 alone.
    V4,
    /// IPv6 alone.
    V6,
}

impl Family {
    /// Whether this address is one of them.
    #[must_use]
    pub fn includes(self, address: IpAddr) -> bool {
        match self {
            Self::Any => true,
            Self::V4 => address.is_ipv4(),
            Self::V6 => address.is_ipv6(),
        }
    }
}

/// One end of a conversation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Address {
    /// An address and a port.
    Ip(SocketAddr),
    /// A path; most Unix clients have none.
    Unix(Option<PathBuf>),
}

impl Address {
    /// The address and port, where there are any. An IPv4 address that arrived in IPv6's clothes
    /// is an IPv4 address.
    #[must_use]
    pub fn ip(&self) -> Option<SocketAddr> {
        match self {
            Self::Ip(address) => Some(SocketAddr::new(address.ip().to_canonical(), address.port())),
            Self::Unix(_) => None,
        }
    }

    /// The path, where there is one.
    #[must_use]
    pub fn path(&self) -> Option<&PathBuf> {
        match self {
            Self::Unix(path) => path.as_ref(),
            Self::Ip(_) => None,
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self::Ip(address)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(SocketAddr::V6(address)) if is_link_local(*address.ip()) => address.fmt(f),
            Self::Ip(address) => {
                SocketAddr::new(address.ip().to_canonical(), address.port()).fmt(f)
            }
            Self::Unix(Some(path)) => path.display().fmt(f),
            Self::Unix(None) => f.write_str("(unnamed)"),
        }
    }
}

/// Whether the address means nothing without an interface (RFC 4007).
pub(crate) fn is_link_local(address: Ipv6Addr) -> bool {
    address.is_unicast_link_local() || (address.is_multicast() && address.octets()[1] & 0x0f <= 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_read_as_they_are_written() {
        let text =
            |address: &str| Address::from(address.parse::<SocketAddr>().unwrap()).to_string();
        assert_eq!(text("127.0.0.1:80"), "127.0.0.1:80");
        assert_eq!(text("[::1]:80"), "[::1]:80");
        assert_eq!(text("[::ffff:127.0.0.1]:80"), "127.0.0.1:80");
        assert_eq!(text("[fe80::1%2]:80"), "[fe80::1%2]:80");
        assert_eq!(Address::Unix(Some("/a/b".into())).to_string(), "/a/b");
    }
}
