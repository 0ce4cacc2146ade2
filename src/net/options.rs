//! What a socket is told before it connects or listens.

use std::fmt::Display;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::time::Duration;

use socket2::{SockRef, Socket, TcpKeepalive, Type};

use super::interface;
use super::port_file::write_port;
use crate::buffers::Direction;
use crate::error::{Action, Cause, Error, Result};
use crate::event::{Event, Observer};
use crate::sys;
use crate::value::{Dscp, Group};

/// Options of a socket; by default the system's own.
#[derive(Clone, Debug, Default)]
pub struct SocketOptions {
    /// The address to connect from; its port counts as none.
    pub source: Option<SocketAddr>,
    /// The port to connect from; 0 lets the system pick.
    pub source_port: u16,
    /// The interface that everything goes through.
    pub interface: Option<String>,
    /// After how many hops a packet is dropped.
    pub ttl: Option<u8>,
    /// What routers are asked to make of the packets.
    pub dscp: Option<Dscp>,
    /// How a silent peer is asked whether it is still there.
    pub keepalive: Keepalive,
    /// Datagrams may go to everybody of a network.
    pub broadcast: bool,
    /// The groups whose datagrams are wanted.
    pub groups: Vec<Group>,
    /// Bytes of the send buffer; the system's own tuning ends with it.
    pub send_buffer: Option<u64>,
    /// Bytes of the receive buffer, likewise.
    pub receive_buffer: Option<u64>,
}

/// How a silent peer is asked whether it is still there.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Keepalive {
    /// At the times that the system has for it.
    #[default]
    System,
    /// After this long, and again this often.
    Every(Duration),
    /// Not at all.
    Never,
}

/// Options of a listening socket.
#[derive(Clone, Debug, Default)]
pub struct ListenOptions {
    /// What clients' sockets get, too.
    pub socket: SocketOptions,
    /// Clients that may wait for us; the system cuts it to its own limit.
    pub backlog: Option<i32>,
    /// Share the port with others that also say so.
    pub reuse_port: bool,
    /// Who may use the path of a Unix socket (chmod(2)); `None`: we ourselves alone, 0600.
    pub mode: Option<u16>,
    /// A file that gets the port once a client can connect.
    pub port_file: Option<PathBuf>,
}

impl ListenOptions {
    /// Writes the port into its file, if there is to be one: a client can connect.
    pub(super) fn tell_port(&self, port: u16) -> Result<()> {
        let path = self.port_file.as_deref();
        path.map_or(Ok(()), |path| write_port(path, port))
    }
}

impl SocketOptions {
    /// Tells a new socket everything that is to be said before it goes to this address, and gives
    /// it its own.
    pub(super) fn prepare(&self, socket: &Socket, peer: SocketAddr) -> Result<()> {
        self.apply(socket, peer)?;
        let Some(own) = self.own_address(peer) else {
            return Ok(());
        };
        let bind = || {
            if self.source_port != 0 && socket.r#type()? == Type::STREAM {
                // The port may still be that of a connection that ended a moment ago.
                socket.set_reuse_address(true)?;
            }
            socket.bind(&own.into())
        };
        let failed = |error| match own.port() {
            0 => Error::new(Action::Bind, own.ip(), error),
            _ => Error::new(Action::Bind, own, error),
        };
        bind().map_err(failed)
    }

    /// Our own end of a connection to this address, where it was said what that is to be.
    fn own_address(&self, peer: SocketAddr) -> Option<SocketAddr> {
        let any = || match peer {
            SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
            SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
        };
        let mut own = match (self.source, self.source_port) {
            (None, 0) => return None,
            (source, _) => source.unwrap_or_else(any),
        };
        own.set_port(self.source_port);
        Some(own)
    }

    /// Tells a new socket of this address, our own or the peer's, everything but where it is.
    pub(super) fn apply(&self, socket: &Socket, address: SocketAddr) -> Result<()> {
        let failed = |what: &str| {
            let target = format!("{what} for {address}");
            move |error| Error::new(Action::Set, target, error)
        };
        if let Some(name) = &self.interface {
            bind_to_interface(socket, name, address)?;
        }
        if let Some(ttl) = self.ttl {
            set_ttl(socket, address, ttl.into()).map_err(failed("the TTL"))?;
        }
        if let Some(dscp) = self.dscp {
            set_class(socket, address, dscp).map_err(failed("the class of traffic"))?;
        }
        if self.broadcast {
            socket.set_broadcast(true).map_err(failed("broadcast"))?;
        }
        if matches!(socket.r#type(), Ok(Type::STREAM)) {
            self.keep_alive(socket).map_err(failed("keepalive"))?;
        }
        self.size_buffers(socket, address)
    }

    /// Has the system ask a silent peer whether it is still there.
    fn keep_alive(&self, socket: &Socket) -> io::Result<()> {
        match self.keepalive {
            Keepalive::System => socket.set_keepalive(true),
            Keepalive::Never => socket.set_keepalive(false),
            Keepalive::Every(time) => {
                let times = TcpKeepalive::new().with_time(time).with_interval(time);
                socket.set_tcp_keepalive(&times)
            }
        }
    }

    /// Gives a socket the buffers that were asked for.
    pub(super) fn size_buffers(&self, socket: &impl AsFd, target: impl Display) -> Result<()> {
        let socket = SockRef::from(socket);
        for (direction, bytes) in self.sizes() {
            let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
            let set = match direction {
                Direction::Send => socket.set_send_buffer_size(bytes),
                Direction::Receive => socket.set_recv_buffer_size(bytes),
            };
            set.map_err(|error| {
                let target = format!("the {} buffer for {target}", direction.name());
                Error::new(Action::Set, target, error)
            })?;
        }
        Ok(())
    }

    /// Tells what the system made of the sizes that were asked for.
    pub(super) fn report_buffers(&self, socket: &impl AsFd, observer: &dyn Observer) {
        let socket = SockRef::from(socket);
        for (direction, requested) in self.sizes() {
            let granted = match direction {
                Direction::Send => socket.send_buffer_size(),
                Direction::Receive => socket.recv_buffer_size(),
            };
            if let Ok(granted) = granted {
                let granted = u64::try_from(granted).unwrap_or(u64::MAX);
                observer.notice(&Event::BufferGranted {
                    direction,
                    requested,
                    granted,
                });
            }
        }
    }

    /// The sizes that were asked for.
    fn sizes(&self) -> impl Iterator<Item = (Direction, u64)> {
        let send = self.send_buffer.map(|bytes| (Direction::Send, bytes));
        let receive = self.receive_buffer.map(|bytes| (Direction::Receive, bytes));
        send.into_iter().chain(receive)
    }
}

/// Lets a socket use this interface alone.
fn bind_to_interface(socket: &Socket, name: &str, address: SocketAddr) -> Result<()> {
    let failed = |cause: Cause| {
        let target = format!("the interface for {address}");
        Error::new(Action::Set, target, cause)
    };
    // The kernel takes the first 15 letters of a longer name, and an empty one for none at all
    // (net/core/sock.c, sock_setbindtodevice).
    if sys::interface_index(name).is_none() {
        return Err(failed(interface::no_such(name).into()));
    }
    sys::bind_to_interface(socket, name).map_err(|error| failed(error.into()))
}

/// After how many hops a packet is dropped; to a group it is a setting of its own.
fn set_ttl(socket: &Socket, address: SocketAddr, ttl: u32) -> io::Result<()> {
    let datagrams = socket.r#type()? == Type::DGRAM;
    match address {
        SocketAddr::V4(_) if datagrams => socket.set_multicast_ttl_v4(ttl)?,
        SocketAddr::V6(_) if datagrams => socket.set_multicast_hops_v6(ttl)?,
        _ => {}
    }
    match address {
        SocketAddr::V4(_) => socket.set_ttl_v4(ttl),
        SocketAddr::V6(_) => socket.set_unicast_hops_v6(ttl),
    }
}

/// What routers are asked to make of the packets.
fn set_class(socket: &Socket, address: SocketAddr, class: Dscp) -> io::Result<()> {
    match address {
        SocketAddr::V4(_) => socket.set_tos_v4(class.octet().into()),
        SocketAddr::V6(_) => socket.set_tclass_v6(class.octet().into()),
    }
}
