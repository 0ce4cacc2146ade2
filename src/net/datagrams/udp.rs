//! UDP sockets.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd;

use socket2::{Domain, Socket, Type};

use super::DatagramSocket;
use crate::error::{Action, Cause, Error, Result};
use crate::event::{Event, Observer};
use crate::net::groups::join;
use crate::net::listen::{local, on_one_port};
use crate::net::{Connecting, ListenOptions, Proto, SocketOptions};
use crate::sys;

/// Binds these addresses to one port.
///
/// # Errors
/// An address is in use, not ours, or privileged, or a group cannot be joined; the error names it.
pub fn bind_udp(
    addresses: &[SocketAddr],
    options: &ListenOptions,
    observer: &dyn Observer,
) -> Result<Vec<DatagramSocket>> {
    let mut sockets = Vec::with_capacity(addresses.len());
    let bound = on_one_port(addresses, Type::DGRAM, options)?;
    if let Some((asked, socket)) = bound.first() {
        let address = local(socket).map_err(|error| Error::new(Action::Bind, asked, error))?;
        options.tell_port(address.port())?;
    }
    for (asked, socket) in bound {
        let failed = |error| Error::new(Action::Bind, asked, error);
        join(&socket, asked, &options.socket)?;
        if asked.ip().is_unspecified() {
            // Refused, an answer leaves from the address that the route to the peer begins at.
            sys::request_arrival_address(socket.as_fd(), asked.is_ipv6());
        }
        let address = local(&socket).map_err(failed)?;
        let socket = DatagramSocket::bound(socket, Proto::Udp, None).map_err(failed)?;
        observer.notice(&Event::Listening {
            proto: Proto::Udp,
            address: &address.into(),
        });
        if sockets.is_empty() {
            options.socket.report_buffers(&socket, observer);
        }
        sockets.push(socket);
    }
    Ok(sockets)
}

/// A socket that talks with the first of these addresses that there is a route to. Nothing is
/// sent: whether anybody is there shows when datagrams go. Of a group, or of everybody, whoever
/// answers is heard.
///
/// # Errors
/// An option cannot be had, or there is a route to none of them: the error names each one.
pub async fn connect_udp(
    wanted: &Connecting<'_>,
    observer: &dyn Observer,
) -> Result<DatagramSocket> {
    let mut attempts = Vec::new();
    for address in wanted.resolve().await? {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, None);
        if let Ok(socket) = &socket {
            wanted.options.prepare(socket, address)?;
            join(socket, address, wanted.options)?;
        }
        match socket.and_then(|socket| towards(socket, address, wanted.options)) {
            Ok(socket) => {
                wanted.options.report_buffers(&socket, observer);
                return Ok(socket);
            }
            Err(error) => attempts.push((address.to_string(), error)),
        }
    }
    Err(Error::new(
        Action::Connect,
        wanted.target(),
        Cause::Attempts(attempts),
    ))
}

/// The socket with this address as its peer.
fn towards(
    socket: Socket,
    address: SocketAddr,
    options: &SocketOptions,
) -> io::Result<DatagramSocket> {
    let is_one = !options.broadcast && !is_of_many(address.ip());
    if is_one {
        socket.connect(&address.into())?;
    }
    let socket = DatagramSocket::bound(socket, Proto::Udp, None)?;
    Ok(socket.towards(address.into(), is_one))
}

/// Whether many may answer from addresses of their own.
fn is_of_many(address: IpAddr) -> bool {
    address.is_multicast() || matches!(address, IpAddr::V4(address) if address.is_broadcast())
}
