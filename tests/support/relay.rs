//! A faulty network between two programs: delay, slices, a narrow line, a reset in the middle.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;

use super::deadline::{LIMIT, again, linger, ready};

/// A direction through the relay.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Way {
    /// From the one who connected to the one who listens.
    Forth,
    /// From the one who listens to the one who connected.
    Back,
}

/// What is wrong with the network; nothing at first.
#[derive(Clone, Default)]
pub(crate) struct Faults {
    latency: Duration,
    slice: Option<usize>,
    rate: Option<u64>,
    reset: Option<(Way, u64)>,
}

/// Describes a relay to the one who really listens.
pub(crate) struct Relay {
    target: SocketAddr,
    faults: Faults,
}

impl Relay {
    /// A relay to `target` without any fault.
    pub(crate) fn to(target: SocketAddr) -> Self {
        Self {
            target,
            faults: Faults::default(),
        }
    }

    /// Every byte, and the end too, arrives so much later, each way.
    pub(crate) fn latency(mut self, latency: Duration) -> Self {
        self.faults.latency = latency;
        self
    }

    /// No piece is longer than `bytes`.
    pub(crate) fn slice(mut self, bytes: usize) -> Self {
        self.faults.slice = Some(bytes);
        self
    }

    /// At most so many bytes a second, each way.
    pub(crate) fn rate(mut self, bytes: u64) -> Self {
        self.faults.rate = Some(bytes);
        self
    }

    /// Resets both connections when `bytes` have passed in one direction. As in life, what the
    /// receiving kernel has not taken by then is lost.
    pub(crate) fn reset(mut self, way: Way, bytes: u64) -> Self {
        self.faults.reset = Some((way, bytes));
        self
    }

    /// Starts it on a free port of 127.0.0.1, for one client.
    pub(crate) fn start(self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let addr = listener.local_addr().expect("a bound address");
        thread::spawn(move || {
            if ready(listener.as_fd(), PollFlags::IN, Instant::now() + LIMIT) {
                // What fails here shows in the programs at both ends.
                let _ = self.serve(&listener);
            }
        });
        addr
    }

    /// Joins the first client with the target.
    fn serve(self, listener: &TcpListener) -> io::Result<()> {
        let client = Arc::new(listener.accept()?.0);
        let server = Arc::new(TcpStream::connect(self.target)?);
        for stream in [&client, &server] {
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(LIMIT))?;
            stream.set_write_timeout(Some(LIMIT))?;
        }
        let broken = Arc::new(AtomicBool::new(false));
        Line::new(Way::Forth, [&client, &server], &self.faults, &broken).start();
        Line::new(Way::Back, [&server, &client], &self.faults, &broken).start();
        Ok(())
    }
}

/// A piece of the stream, due at an instant; an empty one is its end.
type Piece = (Instant, Vec<u8>);

/// One direction between two streams.
struct Line {
    from: Arc<TcpStream>,
    to: Arc<TcpStream>,
    faults: Faults,
    /// How many bytes may pass before the reset.
    left: Option<u64>,
    /// Whether one of the two directions has reset both streams: no end follows a reset.
    broken: Arc<AtomicBool>,
}

impl Line {
    /// The line from the first stream to the second.
    fn new(
        way: Way,
        [from, to]: [&Arc<TcpStream>; 2],
        faults: &Faults,
        broken: &Arc<AtomicBool>,
    ) -> Self {
        let reset = faults.reset.filter(|(there, _)| *there == way);
        Self {
            from: Arc::clone(from),
            to: Arc::clone(to),
            faults: faults.clone(),
            left: reset.map(|(_, bytes)| bytes),
            broken: Arc::clone(broken),
        }
    }

    /// A thread takes pieces off one stream, another puts them on the other when they are due.
    fn start(self) {
        // A bound, so that a slow line pushes back on its sender.
        let (sender, pieces) = sync_channel(64);
        let (from, faults) = (Arc::clone(&self.from), self.faults.clone());
        thread::spawn(move || {
            let mut buffer = vec![0; faults.slice.unwrap_or(16 * 1024)];
            loop {
                let count = again(|| (&*from).read(&mut buffer)).unwrap_or(0);
                let piece = (Instant::now() + faults.latency, buffer[..count].to_vec());
                if sender.send(piece).is_err() || count == 0 {
                    return;
                }
            }
        });
        thread::spawn(move || self.deliver(&pieces));
    }

    /// Puts every piece on the wire when it is due.
    fn deliver(mut self, pieces: &Receiver<Piece>) {
        for (due, mut piece) in pieces {
            linger(due);
            if self.must_reset(&mut piece) {
                let _ = (&*self.to).write_all(&piece);
                return self.break_off();
            }
            if self.broken.load(Ordering::SeqCst) {
                return;
            }
            if piece.is_empty() {
                let _ = self.to.shutdown(std::net::Shutdown::Write);
            } else if (&*self.to).write_all(&piece).is_err() {
                return self.break_off();
            }
            self.pace(piece.len());
        }
    }

    /// Counts a piece and cuts it off where the connection has to break.
    fn must_reset(&mut self, piece: &mut Vec<u8>) -> bool {
        let Some(left) = &mut self.left else {
            return false;
        };
        piece.truncate(usize::try_from(*left).unwrap_or(usize::MAX));
        *left -= piece.len() as u64;
        *left == 0
    }

    /// Resets both streams at once.
    fn break_off(&self) {
        self.broken.store(true, Ordering::SeqCst);
        for stream in [&self.to, &self.from] {
            let _ = rustix::net::connect_unspec(&**stream);
        }
    }

    /// Takes the time that the line needs for so many bytes.
    fn pace(&self, bytes: usize) {
        if let Some(rate) = self.faults.rate {
            linger(Instant::now() + Duration::from_micros(bytes as u64 * 1_000_000 / rate));
        }
    }
}
