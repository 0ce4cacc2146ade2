//! Scripted peers: a thread at the other end of a stream that does exactly what it is told.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::mpsc::RecvTimeoutError::Disconnected;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::RecvFlags;
use socket2::{Domain, SockAddr, Socket, Type};

use super::data::{Fingerprint, Pattern, Tally};
use super::deadline::{LIMIT, ready, until};

/// How much of what came is kept for looking at; the rest is only counted and hashed.
const KEPT: usize = 64 * 1024;

/// One thing for a peer to do; after the last one it closes.
pub(crate) enum Step {
    /// Receive until the other side ends or resets.
    ReadToEnd,
    /// Receive exactly so many bytes.
    Read(usize),
    /// Send these bytes.
    Write(Vec<u8>),
    /// Send all of a pattern while receiving to the end, then shut the write half down.
    Exchange(Pattern),
    /// Do nothing for so long: slowness is the behaviour that is tested.
    Pause(Duration),
    /// See that for so long neither a byte nor an end comes.
    Quiet(Duration),
    /// Wait until so many bytes lie unread in the receive queue, and leave them there.
    Pending(usize),
    /// Wait until the other side's kernel has taken all that was sent (TCP over IPv4).
    Drained,
    /// Wait until the other side has more to send than there is room for here (TCP over IPv4).
    Full,
    /// Wait for a reset; an end was seen already, or will not come.
    AwaitReset,
    /// Do nothing until [`Peer::go`].
    Await,
    /// Shut the write half down: «I have no more to send».
    Shutdown,
    /// Reset the connection; bytes not yet sent are lost.
    Reset,
}

/// How the stream looked to the peer when it stopped reading.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum End {
    /// Nobody ended it while the peer looked.
    Open,
    /// A clean end.
    Eof,
    /// A reset, or a write into nothing.
    Reset,
}

/// What a peer saw.
#[derive(Debug)]
pub(crate) struct Seen {
    /// Count and hash of all it received.
    pub(crate) received: Fingerprint,
    /// The first 64 KiB of it.
    pub(crate) head: Vec<u8>,
    /// How the other side ended.
    pub(crate) end: End,
    /// How many bytes it could send.
    pub(crate) sent: u64,
}

/// A peer at work.
pub(crate) struct Peer {
    addr: Option<SocketAddr>,
    go: Sender<()>,
    done: Receiver<Seen>,
}

impl Peer {
    /// Accepts one client on a free port of 127.0.0.1.
    pub(crate) fn serve(steps: Vec<Step>) -> Self {
        Self::serve_at("127.0.0.1:0", steps)
    }

    /// Accepts one client at `addr`.
    pub(crate) fn serve_at(addr: &str, steps: Vec<Step>) -> Self {
        let listener = TcpListener::bind(addr).expect("a free port");
        let addr = listener.local_addr().expect("a bound address");
        Self::start(Some(addr), steps, || accept(&listener.into()))
    }

    /// Accepts one client on a new Unix socket.
    pub(crate) fn serve_unix(path: &Path, steps: Vec<Step>) -> Self {
        let listener = UnixListener::bind(path).expect("a new socket");
        Self::start(None, steps, || accept(&OwnedFd::from(listener).into()))
    }

    /// Connects to `addr`.
    pub(crate) fn connect(addr: SocketAddr, steps: Vec<Step>) -> Self {
        Self::start(None, steps, move || {
            dial(Domain::for_address(addr), &addr.into())
        })
    }

    /// Connects to a Unix socket.
    pub(crate) fn connect_unix(path: &Path, steps: Vec<Step>) -> Self {
        let addr = SockAddr::unix(path).expect("a short path");
        Self::start(None, steps, move || dial(Domain::UNIX, &addr))
    }

    /// Plays `steps` on a thread of its own, on the stream that `open` gives.
    fn start(
        addr: Option<SocketAddr>,
        steps: Vec<Step>,
        open: impl FnOnce() -> Socket + Send + 'static,
    ) -> Self {
        let (go, gate) = channel();
        let (report, done) = channel();
        thread::spawn(move || {
            let seen = Conversation::new(open(), gate).play(steps);
            // Nobody asks any more when the test has failed.
            let _ = report.send(seen);
        });
        Self { addr, go, done }
    }

    /// Where it listens, as `HOST:PORT`.
    pub(crate) fn target(&self) -> String {
        self.addr().to_string()
    }

    /// Where it listens.
    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr.expect("a peer that listens on TCP")
    }

    /// Lets it past its next [`Step::Await`].
    pub(crate) fn go(&self) {
        // A peer that is gone says why in what it saw.
        let _ = self.go.send(());
    }

    /// What it saw, when all its steps are done.
    #[track_caller]
    pub(crate) fn seen(self) -> Seen {
        self.done
            .recv_timeout(LIMIT)
            .expect("the peer gets through its steps in time")
    }
}

/// The first client of a listening socket.
fn accept(listener: &Socket) -> Socket {
    assert!(
        ready(listener.as_fd(), PollFlags::IN, Instant::now() + LIMIT),
        "no client came"
    );
    listener.accept().expect("a client").0
}

/// A stream connected to `addr`.
fn dial(domain: Domain, addr: &SockAddr) -> Socket {
    let socket = Socket::new(domain, Type::STREAM, None).expect("a socket");
    socket.connect(addr).expect("somebody who listens");
    socket
}

/// One stream and what was seen on it.
struct Conversation {
    socket: Socket,
    gate: Receiver<()>,
    tally: Tally,
    head: Vec<u8>,
    end: End,
    sent: u64,
}

impl Conversation {
    /// The beginning; no single read or write may take longer than [`LIMIT`].
    fn new(socket: Socket, gate: Receiver<()>) -> Self {
        socket
            .set_read_timeout(Some(LIMIT))
            .expect("a read timeout");
        socket
            .set_write_timeout(Some(LIMIT))
            .expect("a write timeout");
        Self {
            socket,
            gate,
            tally: Tally::default(),
            head: Vec::new(),
            end: End::Open,
            sent: 0,
        }
    }

    /// Does one step after the other until one finds the connection broken, then closes.
    fn play(mut self, steps: Vec<Step>) -> Seen {
        for step in steps {
            match self.step(step) {
                Ok(()) => {}
                Err(error) if is_reset(&error) => {
                    self.end = End::Reset;
                    break;
                }
                Err(error) => panic!("peer: {error}"),
            }
        }
        Seen {
            received: self.tally.fingerprint(),
            head: self.head,
            end: self.end,
            sent: self.sent,
        }
    }

    /// Does one step.
    fn step(&mut self, step: Step) -> io::Result<()> {
        match step {
            Step::ReadToEnd => self.read(usize::MAX),
            Step::Read(count) => self.read(count),
            Step::Write(bytes) => self.write(&bytes),
            Step::Exchange(pattern) => self.exchange(pattern),
            Step::Shutdown => self.socket.shutdown(Shutdown::Write),
            // Linux sends the RST at once, whoever else holds the socket.
            Step::Reset => Ok(rustix::net::connect_unspec(&self.socket)?),
            Step::Pause(time) => self.pause(time),
            Step::Quiet(time) => {
                self.quiet(time);
                Ok(())
            }
            Step::Pending(count) => self.pending(count),
            Step::Drained => self.drained(),
            Step::Full => self.full(),
            Step::AwaitReset => self.await_reset(),
            Step::Await => {
                self.gate.recv_timeout(LIMIT).expect("a test that says go");
                Ok(())
            }
        }
    }

    /// Receives up to `count` bytes, or until the end.
    fn read(&mut self, count: usize) -> io::Result<()> {
        let mut buffer = vec![0; count.min(64 * 1024)];
        let mut left = count;
        while left > 0 {
            let space = buffer.len().min(left);
            let got = match self.socket.read(&mut buffer[..space]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                got => got?,
            };
            match got {
                0 => {
                    // A reset that a write has already met reads like an end.
                    if self.end != End::Reset {
                        self.end = End::Eof;
                    }
                    return Ok(());
                }
                got => {
                    left -= got;
                    self.note(&buffer[..got]);
                }
            }
        }
        Ok(())
    }

    /// Counts, hashes and, at the beginning, keeps what came.
    fn note(&mut self, bytes: &[u8]) {
        self.tally.write_all(bytes).expect("a tally cannot fail");
        let kept = bytes.len().min(KEPT - self.head.len());
        self.head.extend_from_slice(&bytes[..kept]);
    }

    /// Sends bytes.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.socket.write_all(bytes)?;
        self.sent += bytes.len() as u64;
        Ok(())
    }

    /// Sends on a thread of its own, so that neither direction waits for the other.
    fn exchange(&mut self, mut pattern: Pattern) -> io::Result<()> {
        let mut writer = self.socket.try_clone()?;
        let sender = thread::spawn(move || {
            let sent = io::copy(&mut pattern, &mut writer)?;
            writer.shutdown(Shutdown::Write)?;
            Ok::<_, io::Error>(sent)
        });
        let read = self.read(usize::MAX);
        self.sent += sender.join().expect("a sender that does not panic")?;
        read
    }

    /// Sees that nothing comes.
    fn quiet(&self, time: Duration) {
        let came = ready(self.socket.as_fd(), PollFlags::IN, Instant::now() + time);
        assert!(!came, "neither a byte nor an end was expected yet");
    }

    /// Waits for unread bytes.
    fn pending(&self, count: usize) -> io::Result<()> {
        let mut buffer = vec![0; count];
        let flags = RecvFlags::PEEK | RecvFlags::WAITALL;
        let deadline = Instant::now() + LIMIT;
        loop {
            // Being stopped cuts the wait short.
            match rustix::net::recv(&self.socket, &mut buffer, flags) {
                Ok((got, _)) if got == count => return Ok(()),
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            assert!(Instant::now() < deadline, "unread bytes");
        }
    }

    /// Waits until the send queue is empty.
    fn drained(&self) -> io::Result<()> {
        let (local, peer) = self.ports()?;
        until("the other side takes all", || {
            row(local, peer).is_some_and(|row| row.queued == 0)
        });
        Ok(())
    }

    /// Waits until the other side asks now and then whether there is room again.
    fn full(&self) -> io::Result<()> {
        let (local, peer) = self.ports()?;
        until("the other side sends more than there is room for", || {
            row(peer, local).is_some_and(|row| row.queued > 0 && row.is_shut_out)
        });
        Ok(())
    }

    /// The ports here and there.
    fn ports(&self) -> io::Result<(u16, u16)> {
        let port = |addr: SockAddr| addr.as_socket().expect("an IP address").port();
        let (local, peer) = (self.socket.local_addr()?, self.socket.peer_addr()?);
        Ok((port(local), port(peer)))
    }

    /// Waits until the connection is broken.
    fn await_reset(&mut self) -> io::Result<()> {
        let deadline = Instant::now() + LIMIT;
        let broken = ready(self.socket.as_fd(), PollFlags::empty(), deadline);
        assert!(broken, "a reset was expected, the peer saw {:?}", self.end);
        let error = self.socket.take_error()?;
        error.map_or(Ok(()), Err)
    }

    /// Lets time pass; ends early when the test is over.
    fn pause(&mut self, time: Duration) -> io::Result<()> {
        match self.gate.recv_timeout(time) {
            Err(Disconnected) => Err(io::ErrorKind::ConnectionReset.into()),
            _ => Ok(()),
        }
    }
}

/// What the system shows of a connection.
struct Row {
    /// How many bytes wait in its send queue.
    queued: u64,
    /// Whether the other side's window is shut, and only that is waited for.
    is_shut_out: bool,
}

/// What is shown of the TCP connection between these ports (`proc_net_tcp.txt` of the kernel).
fn row(local: u16, peer: u16) -> Option<Row> {
    let table = fs::read_to_string("/proc/thread-self/net/tcp").ok()?;
    let (local, peer) = (format!(":{local:04X}"), format!(":{peer:04X}"));
    let mut rows = table
        .lines()
        .map(|row| row.split_whitespace().collect::<Vec<_>>());
    let row = rows.find(|row| row[1].ends_with(&local) && row[2].ends_with(&peer))?;
    let queued = u64::from_str_radix(row[4].split(':').next()?, 16).ok()?;
    Some(Row {
        queued,
        is_shut_out: row[5].starts_with("04:"),
    })
}

/// Whether the other side broke the connection off.
fn is_reset(error: &io::Error) -> bool {
    // The last one is what shutting down a connection meets that is none any more.
    use io::ErrorKind::{BrokenPipe, ConnectionReset, NotConnected};
    matches!(error.kind(), ConnectionReset | BrokenPipe | NotConnected)
}
