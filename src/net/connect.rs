//! Reaching a peer: all addresses of a name raced, as RFC 8305 has it.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use socket2::{Domain, SockAddr, Socket, Type};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::{Address, Family, Proto, SocketOptions, Stream, resolve};
use crate::error::{Action, Cause, Error, Result};
use crate::event::{Event, Observer};
use crate::sys;
use crate::value::Host;

/// How long an address is given before the next one is tried beside it (RFC 8305, section 5).
const STAGGER: Duration = Duration::from_millis(250);

/// How often a full backlog is tried.
const BACKLOG_LOOK: Duration = Duration::from_millis(10);

/// Whom to reach, and how long that may take.
#[derive(Clone, Copy, Debug)]
pub struct Connecting<'a> {
    /// The peer's name or address.
    pub host: &'a Host,
    /// The peer's port.
    pub port: u16,
    /// Which of its addresses.
    pub family: Family,
    /// For everything, the resolving of the name included; `None` is for ever.
    pub limit: Option<Duration>,
    /// What its sockets are told.
    pub options: &'a SocketOptions,
}

/// A peer that was reached.
#[derive(Debug)]
pub struct Reached {
    /// The connection.
    pub stream: Stream,
    /// The address that answered.
    pub peer: Address,
    /// What broke the connection again before we came to look. It took the error from the socket,
    /// which reads like an ended one from then on.
    pub failure: Option<io::Error>,
}

impl Connecting<'_> {
    /// `host:port`, as the user wrote it.
    #[must_use]
    pub fn target(&self) -> String {
        format!("{}:{}", self.host.bracketed(), self.port)
    }

    /// The moment when patience ends.
    fn deadline(&self) -> Option<Instant> {
        self.limit
            .and_then(|limit| Instant::now().checked_add(limit))
    }

    /// The addresses of the name, in time.
    ///
    /// # Errors
    /// As [`resolve()`], or the time is over.
    pub async fn resolve(&self) -> Result<Vec<SocketAddr>> {
        let found = resolve(self.host, self.port, self.family);
        match (self.deadline(), self.limit) {
            (Some(deadline), Some(limit)) => {
                timeout_at(deadline, found).await.unwrap_or_else(|_| {
                    Err(Error::new(
                        Action::Resolve,
                        self.host,
                        Cause::TimedOut(limit),
                    ))
                })
            }
            _ => found.await,
        }
    }
}

/// Connects to the first address that answers.
///
/// # Errors
/// The name cannot be resolved, an option cannot be had, or no address was reached: the error names
/// each one tried.
pub async fn connect_tcp(wanted: &Connecting<'_>, observer: &dyn Observer) -> Result<Reached> {
    connect_tcp_if(wanted, observer, |_| Ok(())).await
}

/// Likewise, if that is right with the addresses that were found.
///
/// # Errors
/// As with [`connect_tcp`], or it is not right.
pub(crate) async fn connect_tcp_if(
    wanted: &Connecting<'_>,
    observer: &dyn Observer,
    check: impl FnOnce(&[SocketAddr]) -> Result<()>,
) -> Result<Reached> {
    let deadline = wanted.deadline();
    let addresses = wanted.resolve().await?;
    check(&addresses)?;
    let mut race = Race {
        waiting: interleaved(&addresses).into(),
        running: JoinSet::new(),
        started: Vec::new(),
        failed: Vec::new(),
        options: wanted.options,
        observer,
    };
    match race.run(deadline).await? {
        Some(reached) => {
            reached.stream.prepare();
            wanted.options.report_buffers(&reached.stream, observer);
            Ok(reached)
        }
        None => Err(race.into_error(wanted)),
    }
}

/// Connects to a Unix socket, of a stream or of messages. A server with a full backlog is waited
/// for, as TCP does.
///
/// # Errors
/// Nobody listens there, the path is no socket, or the time is over; `None` is for ever.
pub async fn connect_unix(
    path: &Path,
    proto: Proto,
    limit: Option<Duration>,
    options: &SocketOptions,
    observer: &dyn Observer,
) -> Result<Reached> {
    let failed = |cause: Cause| Error::new(Action::Connect, path.display(), cause);
    let connected = connect_when_there_is_room(path, proto);
    let connected = match limit {
        None => connected.await,
        Some(limit) => tokio::time::timeout(limit, connected)
            .await
            .map_err(|_| failed(Cause::TimedOut(limit)))?,
    };
    let stream = connected.map_err(|error| failed(error.into()))?;
    options.size_buffers(&stream, path.display())?;
    options.report_buffers(&stream, observer);
    let peer = Address::Unix(Some(path.to_owned()));
    Ok(Reached {
        stream,
        peer,
        failure: None,
    })
}

/// Asks again while the backlog is full: no event tells of room in it (unix(7), connect(2)).
async fn connect_when_there_is_room(path: &Path, proto: Proto) -> io::Result<Stream> {
    loop {
        match connected_unix(path, proto) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                tokio::time::sleep(BACKLOG_LOOK).await;
            }
            result => return result,
        }
    }
}

/// A connection to a Unix socket, which comes about at once or not at all.
fn connected_unix(path: &Path, proto: Proto) -> io::Result<Stream> {
    let (kind, stream): (_, fn(_) -> _) = match proto {
        Proto::UnixSeqpacket => (Type::SEQPACKET, Stream::Seqpacket),
        _ => (Type::STREAM, Stream::Unix),
    };
    let socket = sys::nonblocking_socket(Domain::UNIX, kind, None)?;
    socket.connect(&SockAddr::unix(path)?)?;
    Ok(stream(UnixStream::from_std(socket.into())?))
}

/// The addresses so that the families take turns, the system's first choice first (RFC 8305,
/// section 4).
fn interleaved(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let first_is_v4 = addresses.first().is_some_and(SocketAddr::is_ipv4);
    let (preferred, others): (Vec<_>, Vec<_>) = addresses
        .iter()
        .partition(|address| address.is_ipv4() == first_is_v4);
    let mut others = others.into_iter();
    let mut order = Vec::with_capacity(addresses.len());
    for address in preferred {
        order.push(address);
        order.extend(others.next());
    }
    order.extend(others);
    order
}

/// What one address answered.
type Answer = (SocketAddr, io::Result<Reached>);

/// Attempts side by side.
struct Race<'a> {
    waiting: VecDeque<SocketAddr>,
    running: JoinSet<Answer>,
    started: Vec<SocketAddr>,
    failed: Vec<(SocketAddr, io::Error)>,
    options: &'a SocketOptions,
    observer: &'a dyn Observer,
}

impl Race<'_> {
    /// The first connection, or `None` when no address is left or the time is over.
    async fn run(&mut self, deadline: Option<Instant>) -> Result<Option<Reached>> {
        loop {
            if !self.start_next()? && self.running.is_empty() {
                return Ok(None);
            }
            let next = (!self.waiting.is_empty()).then(|| Instant::now() + STAGGER);
            tokio::select! {
                Some(answer) = self.running.join_next() => {
                    match answer {
                        Ok((_, Ok(reached))) => return Ok(Some(reached)),
                        Ok((address, Err(error))) => self.failed.push((address, error)),
                        Err(_) => return Ok(None),
                    }
                }
                () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {}
                () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {
                    return Ok(None);
                }
            }
        }
    }

    /// Begins an attempt on the next address, if there is one.
    fn start_next(&mut self) -> Result<bool> {
        let Some(address) = self.waiting.pop_front() else {
            return Ok(false);
        };
        self.observer.notice(&Event::Trying {
            address: &address.into(),
        });
        self.started.push(address);
        let domain = Domain::for_address(address);
        let socket = sys::nonblocking_socket(domain, Type::STREAM, None);
        if let Ok(socket) = &socket {
            self.options.prepare(socket, address)?;
        }
        self.running
            .spawn(async move { (address, attempt(socket, address).await) });
        Ok(true)
    }

    /// What every address answered, in the order in which they were tried.
    fn into_error(mut self, wanted: &Connecting<'_>) -> Error {
        let late = wanted.limit.unwrap_or_default();
        let mut attempts: Vec<(String, io::Error)> = Vec::new();
        for address in &self.started {
            let position = self.failed.iter().position(|(failed, _)| failed == address);
            let error =
                position.map_or_else(|| timed_out(late), |at| self.failed.swap_remove(at).1);
            attempts.push((address.to_string(), error));
        }
        let target = match attempts.as_slice() {
            [(address, _)] if *address != wanted.target() => {
                format!("{} ({address})", wanted.target())
            }
            _ => wanted.target(),
        };
        Error::new(Action::Connect, target, Cause::Attempts(attempts))
    }
}

/// The error of an address that did not answer in the time allowed.
fn timed_out(limit: Duration) -> io::Error {
    let limit = crate::value::Duration::new(limit);
    io::Error::new(io::ErrorKind::TimedOut, format!("timed out after {limit}"))
}

/// One attempt on one address.
async fn attempt(socket: io::Result<Socket>, address: SocketAddr) -> io::Result<Reached> {
    let socket = socket?;
    match socket.connect(&address.into()) {
        Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => return Err(error),
        _ => {}
    }
    // What fails here from now on may find a connection made already, which must not seem to end
    // well. Unless all is well, closing resets it.
    socket.set_linger(Some(Duration::ZERO))?;
    let stream = TcpStream::from_std(socket.into())?;
    stream.writable().await?;
    let failure = match stream.take_error()? {
        // A connection that never was is refused; what is reset was there, and may have brought
        // something (net/ipv4/tcp_input.c, `tcp_reset`).
        Some(error) if error.kind() == io::ErrorKind::ConnectionReset => Some(error),
        Some(error) => return Err(error),
        None => None,
    };
    if stream.local_addr()? == address {
        // A closed port of this machine that the system picked as our own port too: a
        // simultaneous open with ourselves (RFC 9293, section 3.5). Nobody listens there.
        return Err(io::Error::from_raw_os_error(libc::ECONNREFUSED));
    }
    socket2::SockRef::from(&stream).set_linger(None)?;
    let stream = Stream::Tcp(stream);
    Ok(Reached {
        stream,
        peer: address.into(),
        failure,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_take_turns() {
        let addresses: Vec<SocketAddr> =
            ["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1", "2.2.2.2:1"]
                .iter()
                .map(|address| address.parse().unwrap())
                .collect();
        let order: Vec<String> = interleaved(&addresses)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            order,
            ["[::1]:1", "1.1.1.1:1", "[::2]:1", "2.2.2.2:1", "[::3]:1"]
        );
        assert!(interleaved(&[]).is_empty());
    }
}
