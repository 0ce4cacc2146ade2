//! A pair of sockets of our own.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use socket2::{Domain, Socket, Type};

use crate::buffers::Transport;
use crate::net::Family;

/// Sizes that buffers are given; without one a buffer is as the system makes it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Sizes {
    /// Of the sender's send buffer.
    pub send: Option<u64>,
    /// Of the peer's receive buffer.
    pub receive: Option<u64>,
}

impl Sizes {
    /// Gives it to the sender.
    pub(super) fn set_send(self, socket: &Socket) -> io::Result<()> {
        match self.send {
            Some(size) => socket.set_send_buffer_size(whole(size)?),
            None => Ok(()),
        }
    }

    /// Gives it to the receiver.
    fn set_receive(self, socket: &Socket) -> io::Result<()> {
        match self.receive {
            Some(size) => socket.set_recv_buffer_size(whole(size)?),
            None => Ok(()),
        }
    }
}

/// A size as the option wants it.
fn whole(size: u64) -> io::Result<usize> {
    usize::try_from(size).map_err(io::Error::other)
}

/// Two ends, the first of which sends.
pub(in crate::buffers) fn connected(
    transport: Transport,
    family: Family,
    sizes: Sizes,
) -> io::Result<(Socket, Socket)> {
    match transport {
        Transport::Tcp => tcp(family, sizes),
        Transport::Udp => udp(family, sizes),
        Transport::UnixStream => unix(Type::STREAM, sizes),
        Transport::UnixDatagram => unix(Type::DGRAM, sizes),
    }
}

/// A Unix pair.
fn unix(kind: Type, sizes: Sizes) -> io::Result<(Socket, Socket)> {
    let (sender, receiver) = Socket::pair(Domain::UNIX, kind, None)?;
    sizes.set_send(&sender)?;
    sizes.set_receive(&receiver)?;
    Ok((sender, receiver))
}

/// A TCP pair. A size counts from the handshake on, and an accepted socket has its listener's.
fn tcp(family: Family, sizes: Sizes) -> io::Result<(Socket, Socket)> {
    let (domain, loopback) = loopback(family);
    let listener = Socket::new(domain, Type::STREAM, None)?;
    sizes.set_receive(&listener)?;
    listener.bind(&loopback.into())?;
    listener.listen(1)?;
    let sender = Socket::new(domain, Type::STREAM, None)?;
    sizes.set_send(&sender)?;
    sender.connect(&listener.local_addr()?)?;
    let own = sender.local_addr()?;
    loop {
        let (receiver, client) = listener.accept()?;
        // Anybody on this machine can connect to a port.
        if client.as_socket() == own.as_socket() {
            return Ok((sender, receiver));
        }
    }
}

/// A UDP pair, each connected to the other, so that nobody else's datagrams count.
fn udp(family: Family, sizes: Sizes) -> io::Result<(Socket, Socket)> {
    let (domain, loopback) = loopback(family);
    let [sender, receiver] = [
        Socket::new(domain, Type::DGRAM, None)?,
        Socket::new(domain, Type::DGRAM, None)?,
    ];
    sizes.set_send(&sender)?;
    sizes.set_receive(&receiver)?;
    for socket in [&sender, &receiver] {
        socket.bind(&loopback.into())?;
    }
    sender.connect(&receiver.local_addr()?)?;
    receiver.connect(&sender.local_addr()?)?;
    Ok((sender, receiver))
}

/// Where a pair is made.
fn loopback(family: Family) -> (Domain, SocketAddr) {
    match family {
        Family::V6 => (Domain::IPV6, (Ipv6Addr::LOCALHOST, 0).into()),
        Family::Any | Family::V4 => (Domain::IPV4, (Ipv4Addr::LOCALHOST, 0).into()),
    }
}
