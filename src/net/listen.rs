//! Waiting for clients: one socket an address, all of one port.

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use socket2::{Domain, Socket, Type};
use tokio::net::{TcpListener, UnixListener, UnixStream};

use super::own_path::{OwnPath, bind_unix};
use super::{Address, Family, ListenOptions, Proto, SocketOptions, Stream};
use crate::error::{Action, Error, Result};
use crate::event::{Event, Observer};
use crate::sys;

/// Clients that may wait for us; the system cuts it to its own limit (`net.core.somaxconn`).
const BACKLOG: i32 = 4096;

/// How often a port that the system picked for one family is tried in the other.
const SAME_PORT_TRIES: usize = 32;

/// A client, and where it comes from.
pub type Accepted = (Stream, Address);

/// Listening sockets that serve as one.
#[derive(Debug)]
pub struct Listener {
    sockets: Vec<Listening>,
    /// Which of them is asked first.
    turn: AtomicUsize,
    options: SocketOptions,
}

/// One of them.
#[derive(Debug)]
enum Listening {
    /// With the address that the system says it has.
    Tcp(TcpListener, SocketAddr),
    Unix(UnixListener, OwnPath),
    Seqpacket(UnixListener, OwnPath),
}

/// Where to wait for clients.
#[derive(Clone, Debug)]
pub enum Binding {
    /// On a TCP port.
    Tcp(Vec<SocketAddr>),
    /// On the path of a Unix stream socket.
    Unix(PathBuf),
    /// On the path of a Unix socket that carries messages.
    Seqpacket(PathBuf),
}

impl Binding {
    /// Binds and listens: from now on clients can connect. Port 0 lets the system pick one port
    /// for all addresses. A path is for ourselves alone (mode 0600) unless told otherwise; a socket
    /// that nobody answers on is taken over, anything else in its place is an error.
    ///
    /// # Errors
    /// An address is in use, not ours, or privileged, or an option cannot be had; the error names
    /// it.
    pub fn listen(&self, options: &ListenOptions) -> Result<Listener> {
        let sockets = match self {
            Self::Tcp(addresses) => {
                let bound = on_one_port(addresses, Type::STREAM, options)?;
                let listen = |(asked, socket)| {
                    let listening = listen(socket, options.backlog);
                    listening.map_err(|error| Error::new(Action::Bind, asked, error))
                };
                bound.into_iter().map(listen).collect::<Result<_>>()?
            }
            Self::Unix(path) | Self::Seqpacket(path) => {
                let socket = listen_unix(self, path, options)
                    .map_err(|error| Error::new(Action::Bind, path.display(), error))?;
                options.socket.size_buffers(&socket, path.display())?;
                vec![socket]
            }
        };
        Ok(Listener {
            sockets,
            turn: AtomicUsize::new(0),
            options: options.socket.clone(),
        })
    }
}

/// This port on every address of this machine: IPv4 and IPv6, or IPv4 alone where there is no IPv6.
#[must_use]
pub fn every_address(port: u16, family: Family, observer: &dyn Observer) -> Vec<SocketAddr> {
    let (v4, v6) = (Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into());
    both_families(v4, v6, port, family, observer)
}

/// This port on the loopback addresses, which this machine alone reaches; likewise.
#[must_use]
pub fn loopback_addresses(port: u16, family: Family, observer: &dyn Observer) -> Vec<SocketAddr> {
    let (v4, v6) = (Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into());
    both_families(v4, v6, port, family, observer)
}

/// This port on an address of each family that is wanted, or of IPv4 alone where there is no IPv6.
fn both_families(
    v4: IpAddr,
    v6: IpAddr,
    port: u16,
    family: Family,
    observer: &dyn Observer,
) -> Vec<SocketAddr> {
    let [v4, v6] = [v4, v6].map(|address| SocketAddr::new(address, port));
    match family {
        Family::V4 => vec![v4],
        Family::V6 => vec![v6],
        Family::Any if has_ipv6(v6.ip()) => vec![v4, v6],
        Family::Any => {
            observer.notice(&Event::NoIpv6);
            vec![v4]
        }
    }
}

/// Listens on a path.
fn listen_unix(binding: &Binding, path: &Path, options: &ListenOptions) -> io::Result<Listening> {
    let (kind, listening): (_, fn(_, _) -> _) = match binding {
        Binding::Seqpacket(_) => (Type::SEQPACKET, Listening::Seqpacket),
        _ => (Type::STREAM, Listening::Unix),
    };
    let (socket, own) = bind_unix(path, kind, options.mode)?;
    socket.listen(options.backlog.unwrap_or(BACKLOG))?;
    Ok(listening(UnixListener::from_std(socket.into())?, own))
}

impl Listener {
    /// Where clients can connect: an address a socket, with the real port.
    pub fn addresses(&self) -> Vec<(Proto, Address)> {
        self.sockets.iter().map(Listening::address).collect()
    }

    /// The same addresses again, now with the port that the system picked.
    pub(crate) fn binding(&self) -> Binding {
        let mut ips = Vec::new();
        for (proto, address) in self.addresses() {
            match (address, proto) {
                (Address::Ip(address), _) => ips.push(address),
                (Address::Unix(path), Proto::UnixSeqpacket) => {
                    return Binding::Seqpacket(path.unwrap_or_default());
                }
                (Address::Unix(path), _) => return Binding::Unix(path.unwrap_or_default()),
            }
        }
        Binding::Tcp(ips)
    }

    /// Tells where clients can connect: the file of the port first, then whoever listens to us.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn publish(&self, options: &ListenOptions, observer: &dyn Observer) -> Result<()> {
        let mut addresses = self.addresses().into_iter();
        if let Some(address) = addresses.find_map(|(_, address)| address.ip()) {
            options.tell_port(address.port())?;
        }
        self.announce(observer);
        Ok(())
    }

    /// Tells where clients can connect.
    fn announce(&self, observer: &dyn Observer) {
        for (proto, address) in self.addresses() {
            observer.notice(&Event::Listening {
                proto,
                address: &address,
            });
        }
        if let Some(socket) = self.sockets.first() {
            self.options.report_buffers(socket, observer);
        }
    }

    /// Takes the next client.
    ///
    /// # Errors
    /// What `accept(2)` says: of one client, or of our own limits.
    pub async fn accept(&self) -> io::Result<Accepted> {
        let (stream, peer) = poll_fn(|context| self.poll_accept(context)).await?;
        if stream.proto() != Proto::Tcp {
            // Unlike those of TCP it has none of what its listener was told (net/unix/af_unix.c,
            // unix_create1). One that refuses keeps the buffers that it has.
            let _ = self.options.size_buffers(&stream, "");
        }
        Ok((stream, peer))
    }

    /// Asks one socket after the other, and begins with another one each time: a crowd at one does
    /// not shut those at the others out.
    fn poll_accept(&self, context: &mut Context<'_>) -> Poll<io::Result<Accepted>> {
        let first = self.turn.fetch_add(1, Ordering::Relaxed) % self.sockets.len().max(1);
        let (before, from) = self.sockets.split_at(first);
        let mut ready = from
            .iter()
            .chain(before)
            .map(|socket| socket.poll_accept(context));
        ready.find(Poll::is_ready).unwrap_or(Poll::Pending)
    }
}

impl AsFd for Listening {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(listener, _) => listener.as_fd(),
            Self::Unix(listener, _) | Self::Seqpacket(listener, _) => listener.as_fd(),
        }
    }
}

impl Listening {
    fn address(&self) -> (Proto, Address) {
        match self {
            Self::Tcp(_, address) => (Proto::Tcp, (*address).into()),
            Self::Unix(_, own) => (Proto::Unix, Address::Unix(Some(own.path.clone()))),
            Self::Seqpacket(_, own) => {
                (Proto::UnixSeqpacket, Address::Unix(Some(own.path.clone())))
            }
        }
    }

    fn poll_accept(&self, context: &mut Context<'_>) -> Poll<io::Result<Accepted>> {
        match self {
            Self::Tcp(listener, _) => listener.poll_accept(context).map_ok(|(stream, address)| {
                let stream = Stream::Tcp(stream);
                stream.prepare();
                (stream, address.into())
            }),
            Self::Unix(listener, _) => poll_accept_unix(listener, Stream::Unix, context),
            Self::Seqpacket(listener, _) => poll_accept_unix(listener, Stream::Seqpacket, context),
        }
    }
}

/// A client of a Unix socket, as this kind of stream.
fn poll_accept_unix(
    listener: &UnixListener,
    stream: fn(UnixStream) -> Stream,
    context: &mut Context<'_>,
) -> Poll<io::Result<Accepted>> {
    listener.poll_accept(context).map_ok(|(client, address)| {
        let address = Address::Unix(address.as_pathname().map(Into::into));
        (stream(client), address)
    })
}

/// Whether this machine speaks IPv6 at all: whether it has this address.
fn has_ipv6(address: IpAddr) -> bool {
    let any = SocketAddr::new(address, 0);
    open(any, Type::STREAM, false, false).is_ok_and(|socket| socket.bind(&any.into()).is_ok())
}

/// A bound socket, and the address that was asked for.
type Bound = (SocketAddr, Socket);

/// Binds every address to the same port. A port that the system picked for the first one may be
/// taken for the next: then it picks another.
pub(super) fn on_one_port(
    addresses: &[SocketAddr],
    kind: Type,
    options: &ListenOptions,
) -> Result<Vec<Bound>> {
    let picks = addresses.iter().any(|asked| asked.port() == 0);
    let mut tries = if picks { SAME_PORT_TRIES } else { 0 };
    loop {
        match bind_all(addresses, kind, options) {
            Err(error) if tries > 0 && error.errno() == Some(libc::EADDRINUSE) => tries -= 1,
            result => return result,
        }
    }
}

/// Binds all of them to the port of the first.
fn bind_all(addresses: &[SocketAddr], kind: Type, options: &ListenOptions) -> Result<Vec<Bound>> {
    let mut port = None;
    let mut bound = Vec::with_capacity(addresses.len());
    for &asked in addresses {
        let mut address = asked;
        address.set_port(port.unwrap_or(asked.port()));
        let failed = |error| Error::new(Action::Bind, asked, error);
        let shares = !options.socket.groups.is_empty();
        let socket = open(address, kind, options.reuse_port, shares).map_err(failed)?;
        options.socket.apply(&socket, asked)?;
        socket.bind(&address.into()).map_err(failed)?;
        port = Some(local(&socket).map_err(failed)?.port());
        bound.push((asked, socket));
    }
    Ok(bound)
}

/// Where a socket is bound.
pub(super) fn local(socket: &Socket) -> io::Result<SocketAddr> {
    let address = socket.local_addr()?.as_socket();
    address.ok_or_else(|| io::ErrorKind::AddrNotAvailable.into())
}

/// A socket for this address; of IPv6 one that leaves IPv4 to its own socket.
fn open(address: SocketAddr, kind: Type, reuse_port: bool, shares: bool) -> io::Result<Socket> {
    let socket = sys::nonblocking_socket(Domain::for_address(address), kind, None)?;
    if kind == Type::STREAM || shares {
        // Without it a port stays taken for a minute after its last connection, and nobody else can
        // listen to the same group (socket(7), ip(7)).
        socket.set_reuse_address(true)?;
    }
    if reuse_port {
        socket.set_reuse_port(true)?;
    }
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    Ok(socket)
}

/// Lets clients in.
fn listen(socket: Socket, backlog: Option<i32>) -> io::Result<Listening> {
    socket.listen(backlog.unwrap_or(BACKLOG))?;
    let address = local(&socket)?;
    Ok(Listening::Tcp(
        TcpListener::from_std(socket.into())?,
        address,
    ))
}
