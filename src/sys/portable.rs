//! What is said where only Linux knows.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::path::Path;

use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use tokio::io::unix::AsyncFd;

use super::{SocketList, Splice};
use crate::buffers::{self, Process, SocketKind};
use crate::interfaces::{Hardware, Interface, Route};
use crate::net::Family;

/// A socket that was refused is of no more use here.
pub(crate) const CONNECTS_AGAIN: bool = false;

/// Unknown here: no count of acknowledged bytes.
pub(crate) fn unacknowledged(_socket: BorrowedFd<'_>) -> io::Result<Option<u64>> {
    Ok(None)
}

/// Unknown here: getifaddrs(3) is asked instead.
pub(crate) fn interfaces() -> io::Result<Option<Vec<Interface>>> {
    Ok(None)
}

/// Unknown here: a socket is asked instead.
pub(crate) fn route_to(_address: IpAddr, _zone: Option<u32>) -> io::Result<Option<Route>> {
    Ok(None)
}

/// Unknown here.
pub(crate) fn neighbours() -> io::Result<Option<Vec<(IpAddr, bool)>>> {
    Ok(None)
}

/// Unknown here.
pub(crate) fn default_routes(_family: Family) -> io::Result<Option<Vec<Route>>> {
    Ok(None)
}

/// Unknown here.
pub(crate) fn hardware(_index: u32) -> Option<Hardware> {
    None
}

/// Unknown here.
pub(crate) fn unsent(_socket: BorrowedFd<'_>) -> io::Result<Option<u64>> {
    Ok(None)
}

/// Unknown here.
pub(crate) fn receive_drops(_socket: BorrowedFd<'_>) -> io::Result<Option<u64>> {
    Ok(None)
}

/// Unknown here.
pub(crate) fn sockets(_kind: SocketKind, _tcp: bool) -> io::Result<Option<SocketList>> {
    Ok(None)
}

/// Unknown here.
pub(crate) fn tcp_socket(
    _local: SocketAddr,
    _peer: SocketAddr,
) -> io::Result<Option<buffers::Socket>> {
    Ok(None)
}

/// Unknown here.
pub(crate) fn process_sockets() -> Vec<(u64, Process)> {
    Vec::new()
}

/// The address of a Unix socket: names are paths here.
pub(crate) fn unix_address(name: &Path) -> io::Result<SockAddr> {
    SockAddr::unix(name)
}

/// Unknown here: Rust's runtime has put `/dev/null` in the place of what was closed.
pub(crate) fn closed_at_start() -> impl Iterator<Item = RawFd> {
    std::iter::empty()
}

/// Unknown here: Rust's runtime ignores it before anybody can look.
pub(crate) fn sigpipe_was_ignored() -> bool {
    false
}

/// Nothing to forget.
pub(crate) fn forget_closed(_number: RawFd) {}

/// Not here.
pub(crate) fn splice(
    _from: BorrowedFd<'_>,
    _to: BorrowedFd<'_>,
    _most: usize,
    _more: bool,
) -> Splice {
    Splice::NotHere
}

/// Not here.
pub(crate) fn send_file(_from: BorrowedFd<'_>, _to: BorrowedFd<'_>, _most: usize) -> Splice {
    Splice::NotHere
}

/// A new socket that never waits.
pub(crate) fn nonblocking_socket(
    domain: Domain,
    kind: Type,
    protocol: Option<Protocol>,
) -> io::Result<Socket> {
    let socket = Socket::new(domain, kind, protocol)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// Not here: there is no such option, or it wants another form.
pub(crate) fn bind_to_interface(_socket: &Socket, _name: &str) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Not here: nothing is spliced through it.
pub(crate) fn wide_pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    Err(io::ErrorKind::Unsupported.into())
}

/// A pipe is as wide as it is.
pub(crate) fn widen_pipe(_pipe: BorrowedFd<'_>) -> bool {
    false
}

/// Writes what a pipe or socket takes at once.
pub(crate) fn write_now(to: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
    super::write_piece(to, bytes)
}

/// Not here: nothing says whether a read would wait.
pub(crate) fn read_now(_from: BorrowedFd<'_>, _bytes: &mut [u8]) -> io::Result<usize> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Not everywhere: there is no bulk phase.
pub(crate) fn set_receive_low_water(_socket: BorrowedFd<'_>, _bytes: usize) -> bool {
    false
}

/// Unknown here.
pub(crate) fn carried(_socket: BorrowedFd<'_>) -> Option<super::Carried> {
    None
}

/// Unknown here: the child learns of it by itself.
pub(crate) fn peer_state(_socket: BorrowedFd<'_>) -> super::PeerState {
    super::PeerState::default()
}

/// Not here: who wants to know looks from time to time.
pub(crate) fn watch_for_end(_socket: BorrowedFd<'_>) -> io::Result<AsyncFd<OwnedFd>> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Nobody watches.
pub(crate) fn forget_news(_watch: BorrowedFd<'_>) {}

/// What is written to the first makes the second readable. Neither waits.
pub(crate) fn alarm() -> io::Result<(OwnedFd, OwnedFd)> {
    let (rings, hears) = UnixStream::pair()?;
    rings.set_nonblocking(true)?;
    hears.set_nonblocking(true)?;
    Ok((rings.into(), hears.into()))
}
