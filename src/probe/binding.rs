//! What every socket of a probe is bound to.

use super::network::Outcome;
use super::sockets::local;
use crate::sys::{bind_to_interface, bind_without_port, interface_name};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::sync::Arc;

/// Where the connections come from, if that is not left to the system.
#[derive(Clone, Debug, Default)]
pub struct Binding {
    /// The source address; only addresses of its family can be probed.
    pub source: Option<IpAddr>,
    /// The interface that everything leaves by.
    pub interface: Option<Arc<str>>,
}

impl Binding {
    /// Binds a socket that is to connect.
    pub(super) fn apply(&self, socket: &Socket, ipv6: bool) -> io::Result<()> {
        self.apply_interface(socket)?;
        let Some(source) = self.source.filter(|source| source.is_ipv6() == ipv6) else {
            return Ok(());
        };
        // Without it the same port is not given out for two destinations.
        bind_without_port(socket.as_fd());
        socket.bind(&SocketAddr::new(source, 0).into())
    }

    /// Binds a socket to the interface alone.
    pub(super) fn apply_interface(&self, socket: &Socket) -> io::Result<()> {
        match &self.interface {
            Some(interface) => bind_to_interface(socket, interface),
            None => Ok(()),
        }
    }

    /// Whether addresses of a zone, which is named as its interface or by its number, can be probed
    /// so.
    #[must_use]
    pub fn reaches(&self, zone: &str) -> bool {
        let Some(interface) = &self.interface else {
            return true;
        };
        let numbered = zone.parse().ok().and_then(interface_name);
        **interface == *zone || numbered.is_some_and(|name| **interface == *name)
    }

    /// Fails if sockets cannot be bound so.
    pub fn check(&self) -> io::Result<()> {
        let ipv6 = self.source.is_some_and(|source| source.is_ipv6());
        let domain = if ipv6 { Domain::IPV6 } else { Domain::IPV4 };
        let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
        self.apply(&socket, ipv6)?;
        // Linux binds to the address of a group or a broadcast, and then sends from another.
        match self.source {
            Some(source) if source.is_multicast() || is_broadcast(source) => {
                Err(io::Error::from_raw_os_error(libc::EADDRNOTAVAIL))
            }
            _ => Ok(()),
        }
    }

    /// Why nothing can be asked there from our source address: `::1` never leaves this machine
    /// (RFC 4291, 2.5.3), but Linux sends from it, and no answer ever comes. For 127.0.0.0/8 it says
    /// so itself.
    pub(super) fn unfit_for(&self, to: SocketAddr) -> Option<Outcome> {
        let is_loopback_v6 = |source: IpAddr| source.is_ipv6() && source.is_loopback();
        if !to.is_ipv6() || !self.source.is_some_and(is_loopback_v6) {
            return None;
        }
        let mut here = to;
        here.set_port(0);
        match UdpSocket::bind(here) {
            Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => {
                Some(Outcome::UnfitSource(libc::EINVAL))
            }
            Err(error) if is_want(&error) => Some(local(&error)),
            _ => None,
        }
    }

    /// The same outcome, or that our source address is to blame for it: without it our system knows a
    /// way. Where it cannot be asked for want of something, nothing is known.
    pub(super) fn blamed(&self, outcome: Outcome, to: SocketAddr) -> Outcome {
        let (Outcome::Local(errno) | Outcome::Remote(errno)) = outcome else {
            return outcome;
        };
        let has_no_way = matches!(errno, libc::EINVAL | libc::ENETUNREACH | libc::EHOSTUNREACH);
        let has_source = self
            .source
            .is_some_and(|source| source.is_ipv6() == to.is_ipv6());
        if !has_no_way || !has_source {
            return outcome;
        }
        match self.knows_way(to) {
            Ok(()) => Outcome::UnfitSource(errno),
            Err(error) if is_want(&error) => local(&error),
            Err(_) => outcome,
        }
    }

    /// Fails if our system knows no way from whatever address it chooses. Nothing is sent.
    fn knows_way(&self, to: SocketAddr) -> io::Result<()> {
        let socket = Socket::new(Domain::for_address(to), Type::DGRAM, Some(Protocol::UDP))?;
        self.apply_interface(&socket)?;
        socket.connect(&to.into())
    }
}

/// Whether our system could not say for want of files, ports or memory.
fn is_want(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EMFILE | libc::ENFILE | libc::EAGAIN | libc::ENOBUFS | libc::ENOMEM)
    )
}

/// Whether an address that sockets can be bound to is a broadcast.
fn is_broadcast(source: IpAddr) -> bool {
    let connected = UdpSocket::bind((source, 0)).and_then(|socket| socket.connect((source, 9)));
    let is_refused = |error: io::Error| error.kind() == io::ErrorKind::PermissionDenied;
    source.is_ipv4() && connected.is_err_and(is_refused)
}
