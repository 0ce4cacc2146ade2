//! The mover for bytes that nobody looks at: one blocking thread a direction, each with the fewest
//! copies that its two ends allow, and one for both as long as messages are short.

mod down;
mod held;
mod splicing;
mod together;
mod up;

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc::sync_channel};
use std::thread;
use std::time::Duration;

use socket2::SockRef;
use tokio::sync::mpsc;

use self::down::Down;
use self::up::Up;
use super::attention::{self, Attention, Control, Mode};
use super::mover::{Mover, News};
use super::{Input, Meter};
use crate::net::{Proto, Stream};

/// Which calls may be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Ways {
    /// The fastest that the two ends allow.
    Best,
    /// Those that every system has.
    Portable,
}

/// Moves bytes on two threads.
pub(super) struct Direct<'a> {
    socket: Arc<OwnedFd>,
    input: &'a mut Input,
    reports: mpsc::UnboundedReceiver<Report>,
    up: Control,
    down: Control,
    shared: Arc<Shared>,
    /// The upward thread has not yet reported its end.
    is_sending: bool,
}

/// What both threads and their owner see.
struct Shared {
    meter: Arc<Meter>,
    /// Input was read that the system has not taken.
    holds_input: AtomicBool,
    /// What came waits for the reader of stdout.
    is_stalled: AtomicBool,
    /// Why the connection broke, if somebody has learnt it.
    failure: Mutex<Option<i32>>,
}

impl Shared {
    /// Does something that takes its error away from the socket, and keeps it: to everybody else a
    /// broken connection reads like an ended one from then on.
    fn keeping<T>(&self, call: impl FnOnce() -> T, error: impl FnOnce(&T) -> Option<i32>) -> T {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        let result = call();
        *failure = failure.or_else(|| error(&result));
        result
    }

    /// Why the connection broke, as far as that was learnt before.
    fn failure(&self) -> Option<io::Error> {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.map(io::Error::from_raw_os_error)
    }

    /// Asks the socket whether the connection broke, and why.
    fn take_error(&self, socket: BorrowedFd<'_>) -> Option<io::Error> {
        let ask = || SockRef::from(&socket).take_error().unwrap_or_else(Some);
        self.keeping(ask, |error| error.as_ref()?.raw_os_error());
        self.failure()
    }
}

/// What a thread says.
enum Report {
    /// Something for the session.
    News(News),
    /// The upward thread has ended, with the input that it could not pass on.
    UpEnded(Option<News>, Vec<u8>),
}

/// What a thread needs.
struct Work {
    socket: Arc<OwnedFd>,
    proto: Proto,
    ways: Ways,
    attention: Attention,
    shared: Arc<Shared>,
    reports: mpsc::UnboundedSender<Report>,
}

impl Work {
    /// Tells the session; a session that has ended needs no news.
    fn tell(&self, news: News) {
        let _ = self.reports.send(Report::News(news));
    }
}

impl<'a> Direct<'a> {
    /// Starts the threads of this connection. Without `writes` what comes is dropped, without
    /// `reads` stdin is left alone.
    ///
    /// # Errors
    /// The system has no room for two threads and what wakes them.
    pub(super) fn start(
        stream: Stream,
        input: &'a mut Input,
        flow: Flow,
        meter: &Arc<Meter>,
    ) -> io::Result<Self> {
        let proto = stream.proto();
        let socket = Arc::new(stream.into_socket()?);
        let watched = Arc::downgrade(&socket);
        meter.watch(proto, watched);
        if flow.ways == Ways::Best {
            wait_in_calls(&socket)?;
        }
        let (sender, reports) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            meter: Arc::clone(meter),
            holds_input: AtomicBool::new(!input.pending().is_empty()),
            is_stalled: AtomicBool::new(false),
            failure: Mutex::new(flow.failure),
        });
        let work = |attention| Work {
            socket: Arc::clone(&socket),
            proto,
            ways: flow.ways,
            attention,
            shared: Arc::clone(&shared),
            reports: sender.clone(),
        };
        let (up, up_attention) = attention::pair(Mode::Run)?;
        let (down, down_attention) =
            attention::pair(if flow.writes { Mode::Run } else { Mode::Drop })?;
        let downward = Down::new(work(down_attention), flow.writes);
        if flow.reads {
            let (pending, kind) = (input.take_pending(), input.kind());
            let upward = Up::new(work(up_attention), pending, kind, flow.sends_all);
            spawn_both(upward, downward)?;
        } else {
            thread::Builder::new().spawn(move || downward.run())?;
        }
        Ok(Self {
            socket,
            input,
            reports,
            up,
            down,
            shared,
            is_sending: flow.reads,
        })
    }
}

/// Starts the threads of both directions. The second one waits while the first one suffices.
fn spawn_both(mut up: Up, mut down: Down) -> io::Result<()> {
    let (hand, handed) = sync_channel::<Up>(1);
    let second = move || handed.recv().map_or((), Up::run);
    let first = move || {
        together::pass(&mut up, &mut down);
        // The other thread is there for as long as it has not got this.
        let _ = hand.send(up);
        down.run();
    };
    thread::Builder::new().spawn(second)?;
    thread::Builder::new().spawn(first)?;
    Ok(())
}

/// Has a call that may wait do so itself, for a while: a splice that finds the socket full or empty
/// goes on as soon as it can, in larger pieces than one that is told to come back (tcp(7);
/// net/ipv4/tcp.c, `tcp_splice_read`). Pipe to pipe that took 0.6 of the time.
fn wait_in_calls(socket: &OwnedFd) -> io::Result<()> {
    let socket = SockRef::from(socket);
    socket.set_nonblocking(false)?;
    socket.set_read_timeout(Some(CALL_PATIENCE))?;
    socket.set_write_timeout(Some(CALL_PATIENCE))
}

/// How long a call waits before its thread looks for orders.
const CALL_PATIENCE: Duration = Duration::from_millis(20);

/// What a direct conversation does with stdin and stdout.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flow {
    pub(super) reads: bool,
    pub(super) writes: bool,
    pub(super) ways: Ways,
    /// Whether only the end of stdin is a good end of sending.
    pub(super) sends_all: bool,
    /// Why the connection broke, if that was learnt before.
    pub(super) failure: Option<i32>,
}

impl Mover for Direct<'_> {
    fn socket(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    async fn news(&mut self) -> News {
        loop {
            match self.reports.recv().await {
                Some(Report::News(news)) => return news,
                Some(Report::UpEnded(news, leftover)) => {
                    self.is_sending = false;
                    self.input.put_back(leftover);
                    return news.unwrap_or(News::Moved);
                }
                None => std::future::pending().await,
            }
        }
    }

    fn take_error(&self) -> Option<io::Error> {
        self.shared.take_error(self.socket())
    }

    fn has_unsent(&self) -> bool {
        let leaves = self.up.mode() != Mode::Run;
        self.is_sending && (leaves || self.shared.holds_input.load(Ordering::Acquire))
    }

    fn is_stalled(&self) -> bool {
        self.shared.is_stalled.load(Ordering::Relaxed)
    }

    fn leave(&mut self) {
        self.up.command(Mode::Drop);
        self.down.command(Mode::Drop);
    }

    fn hush(&mut self) {
        self.up.command(Mode::Stop);
    }

    fn is_quiet(&self) -> bool {
        !self.is_sending
    }

    fn rescue(&mut self) {
        self.down.command(Mode::Rescue);
    }
}

impl Drop for Direct<'_> {
    fn drop(&mut self) {
        self.up.command(Mode::Stop);
        self.down.command(Mode::Stop);
    }
}
