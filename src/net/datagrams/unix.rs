//! Unix datagram sockets.

use std::io;
use std::path::Path;

use socket2::{Domain, SockAddr, Socket, Type};

use super::{Correspondent, DatagramSocket};
use crate::error::{Action, Error, Result};
use crate::event::{Event, Observer};
use crate::net::own_path::{OwnPath, bind_unix};
use crate::net::{Address, ListenOptions, Proto, SocketOptions};
use crate::sys;

/// Binds a path that anybody can send to who may write to it: ourselves alone (mode 0600) unless
/// told otherwise. A socket that nobody answers on is taken over, anything else in its place is an
/// error.
///
/// # Errors
/// The path is taken, or cannot be made.
pub fn bind_unix_datagram(
    path: &Path,
    options: &ListenOptions,
    observer: &dyn Observer,
) -> Result<DatagramSocket> {
    let failed = |error| Error::new(Action::Bind, path.display(), error);
    let (socket, own) = bind_unix(path, Type::DGRAM, options.mode).map_err(failed)?;
    let options = &options.socket;
    options.size_buffers(&socket, path.display())?;
    let socket = DatagramSocket::bound(socket, Proto::UnixDatagram, Some(own)).map_err(failed)?;
    observer.notice(&Event::Listening {
        proto: Proto::UnixDatagram,
        address: &Address::Unix(Some(path.to_owned())),
    });
    options.report_buffers(&socket, observer);
    Ok(socket)
}

/// A socket that talks with whoever is bound to this path, with a name of its own, so that it can
/// be answered.
///
/// # Errors
/// Nobody is bound to it, or the path is no socket of datagrams.
pub fn connect_unix_datagram(
    path: &Path,
    options: &SocketOptions,
    observer: &dyn Observer,
) -> Result<DatagramSocket> {
    let failed = |error| Error::new(Action::Connect, path.display(), error);
    let socket = Socket::new(Domain::UNIX, Type::DGRAM, None).map_err(failed)?;
    options.size_buffers(&socket, path.display())?;
    let connected = connected(socket, path).map_err(failed)?;
    options.report_buffers(&connected, observer);
    Ok(connected)
}

/// The socket with a name of its own and this path as its peer.
fn connected(socket: Socket, path: &Path) -> io::Result<DatagramSocket> {
    let own = sys::bind_own_name(&socket)?;
    let own = own.as_deref().map(OwnPath::of).transpose()?;
    let peer = SockAddr::unix(path)?;
    socket.connect(&peer)?;
    let socket = DatagramSocket::bound(socket, Proto::UnixDatagram, own)?;
    Ok(socket.towards(Correspondent::new(peer, None), true))
}
