//! What every socket of a probe is bound to.

use crate::sys::{bind_to_interface, bind_without_port, interface_name};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{IpAddr, SocketAddr};
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
        self.apply(&socket, ipv6)
    }
}
