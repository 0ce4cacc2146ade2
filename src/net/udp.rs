//! UDP sockets.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use socket2::Type;
use tokio::net::UdpSocket;

use super::listen::{every_address, on_one_port};
use super::{Family, Proto};
use crate::error::{Action, Error, Result};
use crate::event::{Event, Observer};

/// Binds these addresses to one port, or that port on every address of this machine.
///
/// # Errors
/// An address is in use, not ours, or privileged; the error names it.
pub fn bind_udp(
    addresses: &[SocketAddr],
    port: u16,
    family: Family,
    observer: &dyn Observer,
) -> Result<Vec<UdpSocket>> {
    let everywhere;
    let addresses = if addresses.is_empty() {
        everywhere = every_address(port, family, observer);
        &everywhere
    } else {
        addresses
    };
    let mut sockets = Vec::with_capacity(addresses.len());
    for (asked, socket) in on_one_port(addresses, Type::DGRAM)? {
        let failed = |error| Error::new(Action::Bind, asked, error);
        let socket = UdpSocket::from_std(socket.into()).map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?.into();
        observer.notice(&Event::Listening {
            proto: Proto::Udp,
            address: &address,
        });
        sockets.push(socket);
    }
    Ok(sockets)
}

/// A socket that talks with the first of these addresses that there is a route to. Nothing is
/// sent: whether anybody is there shows when datagrams go.
///
/// # Errors
/// There is a route to none of them: the error names each one.
pub async fn connect_udp(target: &str, addresses: &[SocketAddr]) -> Result<UdpSocket> {
    let mut attempts = Vec::new();
    for &address in addresses {
        match connected(address).await {
            Ok(socket) => return Ok(socket),
            Err(error) => attempts.push((address.to_string(), error)),
        }
    }
    Err(Error::new(
        Action::Connect,
        target,
        crate::error::Cause::Attempts(attempts),
    ))
}

/// A socket of its own for one address.
async fn connected(address: SocketAddr) -> std::io::Result<UdpSocket> {
    let any = match address {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(address).await?;
    Ok(socket)
}
