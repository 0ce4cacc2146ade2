//! UDP sockets.

use std::io;
use std::net::SocketAddr;

use socket2::{Domain, Socket, Type};
use tokio::net::UdpSocket;

use super::listen::{local, on_one_port};
use super::{Connecting, ListenOptions, Proto};
use crate::error::{Action, Cause, Error, Result};
use crate::event::{Event, Observer};

/// Binds these addresses to one port.
///
/// # Errors
/// An address is in use, not ours, or privileged; the error names it.
pub fn bind_udp(
    addresses: &[SocketAddr],
    options: &ListenOptions,
    observer: &dyn Observer,
) -> Result<Vec<UdpSocket>> {
    let mut sockets = Vec::with_capacity(addresses.len());
    let bound = on_one_port(addresses, Type::DGRAM, options)?;
    if let Some(address) = bound.first().and_then(|(_, socket)| local(socket)) {
        options.tell_port(address.port())?;
    }
    for (asked, socket) in bound {
        let failed = |error| Error::new(Action::Bind, asked, error);
        let socket = UdpSocket::from_std(socket.into()).map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?.into();
        observer.notice(&Event::Listening {
            proto: Proto::Udp,
            address: &address,
        });
        if sockets.is_empty() {
            options.socket.report_buffers(&socket, observer);
        }
        sockets.push(socket);
    }
    Ok(sockets)
}

/// A socket that talks with the first of these addresses that there is a route to. Nothing is
/// sent: whether anybody is there shows when datagrams go.
///
/// # Errors
/// An option cannot be had, or there is a route to none of them: the error names each one.
pub async fn connect_udp(wanted: &Connecting<'_>, observer: &dyn Observer) -> Result<UdpSocket> {
    let mut attempts = Vec::new();
    for address in wanted.resolve().await? {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, None);
        if let Ok(socket) = &socket {
            wanted.options.prepare(socket, address)?;
        }
        match socket.and_then(|socket| connected(socket, address)) {
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
fn connected(socket: Socket, address: SocketAddr) -> io::Result<UdpSocket> {
    socket.set_nonblocking(true)?;
    socket.connect(&address.into())?;
    UdpSocket::from_std(socket.into())
}
