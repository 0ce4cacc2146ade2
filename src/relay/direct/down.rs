//! From the peer to stdout.

mod through;
mod writing;

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::RecvFlags;

use self::through::Through;
use super::held::Held;
use super::splicing::Splicing;
use super::{Ways, Work};
use crate::error::{Action, Error};
use crate::relay::attention::Mode;
use crate::relay::mover::News;
use crate::sys::{self, Splice, StdoutKind};

/// What one splice takes at most: as much as the widest pipe.
const LARGEST_SPLICE: usize = 1024 * 1024;

/// How much is waited for in the bulk phase: waking for less costs more than the copy.
const BULK: usize = 256 * 1024;

/// How long that is waited for at most, so that a message in between is not held back.
const BULK_PATIENCE: Duration = Duration::from_millis(3);

/// How many large reads in a row begin the bulk phase.
const BULK_READS: u32 = 4;

/// Why the thread ends.
pub(super) enum End {
    /// It was told to.
    Ordered,
    /// Everything is written.
    Complete,
    /// stdout failed.
    Failed(io::Error),
}

/// The error of stdout.
fn write_error(error: io::Error) -> Error {
    Error::new(Action::Write, "stdout", error)
}

/// The downward direction.
pub(super) struct Down {
    pub(super) work: Work,
    /// Whether what comes is written, not dropped.
    pub(super) writes: bool,
    pub(super) stdout: StdoutKind,
    /// What is received and not written.
    pub(super) held: Held,
    /// Whether the pipe of stdout is spliced.
    splicing: Splicing,
    /// Reads in a row that brought much.
    large_reads: u32,
    /// Whether the system wakes us for much only.
    is_bulk: bool,
    /// Whether a splice moved nothing and was then waited for.
    balked: bool,
    /// By which the file that stdout is gets its bytes, once they are many.
    through: Option<Through>,
    /// What broke the connection before its thread began.
    pub(super) broken: Option<io::Error>,
}

/// What one look at the socket brought.
enum Came {
    /// So many bytes, in the buffer or already in the pipe.
    Bytes(usize),
    /// Nothing yet.
    Nothing,
    /// The end, or a break that was told: nothing more will come.
    End,
}

impl Down {
    /// With an empty buffer.
    pub(super) fn new(work: Work, writes: bool) -> Self {
        Self {
            work,
            writes,
            stdout: sys::stdout_kind(),
            held: Held::new(Vec::new()),
            splicing: Splicing::new(false),
            large_reads: 0,
            is_bulk: false,
            balked: false,
            through: None,
            broken: None,
        }
    }

    /// The thread.
    pub(super) fn run(mut self) {
        match self.move_all().unwrap_or_else(|end| end) {
            End::Ordered => {}
            End::Complete => {
                let closed = sys::close_stdout();
                let news = News::Written(closed.map_err(write_error));
                self.work.tell(news);
            }
            End::Failed(error) => self.work.tell(News::Written(Err(write_error(error)))),
        }
    }

    /// Until the peer ends and everything is written, stdout fails, or an order says so.
    fn move_all(&mut self) -> Result<End, End> {
        let is_pipe = self.work.ways == Ways::Best
            && self.stdout == StdoutKind::Pipe
            && sys::widen_pipe(rustix::stdio::stdout());
        self.splicing = Splicing::new(is_pipe);
        self.write_held()?;
        if let Some(error) = self.broken.take() {
            self.broke(error);
            return self.after_end();
        }
        loop {
            let came = match self.work.attention.mode() {
                Mode::Stop => return Err(End::Ordered),
                Mode::Drop => return self.drop_all(),
                Mode::Rescue => match self.receive() {
                    Came::Nothing => Came::End,
                    came => came,
                },
                Mode::Run if self.splicing.is_due() => self.splice()?,
                Mode::Run => {
                    // A read before there is much would find little.
                    if self.is_bulk {
                        self.wait_for_peer()?;
                    }
                    if self.is_bulk && self.through.is_some() {
                        self.pass_through()?
                    } else {
                        // The answer to what was just written comes soon: the call that takes
                        // it waits.
                        self.receive_with(RecvFlags::empty())
                    }
                }
            };
            match came {
                Came::Bytes(0) => {}
                Came::Bytes(length) => self.write(length)?,
                Came::Nothing => self.wait_for_peer()?,
                Came::End => return self.after_end(),
            }
        }
    }

    /// The peer will send no more: stdout is complete, if an order does not say otherwise.
    fn after_end(&mut self) -> Result<End, End> {
        match self.work.attention.mode() {
            _ if !self.writes => Err(End::Ordered),
            Mode::Stop => Err(End::Ordered),
            Mode::Rescue if self.work.shared.meter.received() == 0 => {
                self.work.tell(News::Written(Ok(())));
                Err(End::Ordered)
            }
            _ => Ok(End::Complete),
        }
    }

    /// Reads and drops until the end or an order; stdout is complete as it is.
    fn drop_all(&mut self) -> Result<End, End> {
        if self.writes {
            let closed = sys::close_stdout();
            self.work.tell(News::Written(closed.map_err(write_error)));
        }
        loop {
            match self.work.attention.mode() {
                Mode::Run | Mode::Drop => {}
                Mode::Rescue | Mode::Stop => return Err(End::Ordered),
            }
            match self.receive() {
                Came::Bytes(_) => {}
                Came::Nothing => {
                    let socket = (self.work.socket.as_fd(), PollFlags::IN);
                    let _ = self.work.attention.wait([socket], None);
                }
                Came::End => return Err(End::Ordered),
            }
        }
    }

    /// Takes what has come.
    fn receive(&mut self) -> Came {
        self.receive_with(RecvFlags::DONTWAIT)
    }

    /// Takes what comes, and waits for it if the flags say so.
    fn receive_with(&mut self, flags: RecvFlags) -> Came {
        match self.take(flags) {
            Ok(0) => self.ended(),
            Ok(length) => Came::Bytes(length),
            Err(Errno::AGAIN | Errno::INTR) => Came::Nothing,
            Err(error) => self.broke(error.into()),
        }
    }

    /// Takes what comes into the buffer; 0 is the end.
    pub(super) fn take(&mut self, flags: RecvFlags) -> Result<usize, Errno> {
        let (length, _) = rustix::net::recv(&self.work.socket, self.held.room(), flags)?;
        if length > 0 {
            self.work.shared.meter.count_received(length);
        }
        Ok(length)
    }

    /// Moves what has come into the pipe of stdout without looking at it.
    fn splice(&mut self) -> Result<Came, End> {
        self.wait_for_peer()?;
        if self.work.attention.mode() != Mode::Run {
            return Ok(Came::Bytes(0));
        }
        let (socket, stdout) = (self.work.socket.as_fd(), rustix::stdio::stdout());
        match sys::splice(socket, stdout, LARGEST_SPLICE, false) {
            // The end, or urgent data, which only a read passes and tells from it (net/ipv4/tcp.c,
            // `tcp_splice_read`).
            Splice::Moved(0) => return Ok(self.receive()),
            Splice::Moved(length) => {
                self.balked = false;
                self.work.shared.meter.count_received(length);
                self.splicing.note_splice(length);
            }
            // Both are ready, and nothing moves: urgent data stands there, which only a read passes
            // (net/ipv4/tcp.c, `tcp_read_sock`).
            Splice::NotNow if self.balked => {
                self.balked = false;
                return Ok(self.receive());
            }
            Splice::NotNow => {
                self.wait_for_pipe()?;
                self.balked = true;
            }
            Splice::NotHere => self.splicing.give_up(),
            Splice::Failed(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                return Err(End::Failed(error));
            }
            Splice::Failed(error) => return Ok(self.broke(error)),
        }
        Ok(Came::Bytes(0))
    }

    /// The peer has ended, or the connection broke and somebody else has learnt why.
    fn ended(&self) -> Came {
        if let Some(error) = self.work.shared.failure() {
            return self.broke(error);
        }
        self.work.tell(News::PeerEnded);
        Came::End
    }

    /// The connection broke, and all that came before is read. What is written waits for the
    /// session's word, for a connection that carried nothing leaves stdout open.
    fn broke(&self, error: io::Error) -> Came {
        self.work.tell(News::Broken(error));
        while matches!(self.work.attention.mode(), Mode::Run | Mode::Drop) {
            if self.work.attention.wait([], None).is_err() {
                break;
            }
        }
        Came::End
    }

    /// Waits until the peer has something; notices that the reader of stdout has gone.
    fn wait_for_peer(&mut self) -> Result<(), End> {
        let socket = (self.work.socket.as_fd(), PollFlags::IN);
        if self.stdout.has_reader() {
            let stdout = (rustix::stdio::stdout(), PollFlags::empty());
            let [_, gone] = self.wait([socket, stdout], None)?;
            return if gone.is_empty() {
                Ok(())
            } else {
                Err(End::Failed(Errno::PIPE.into()))
            };
        }
        let patience = self.is_bulk.then_some(BULK_PATIENCE);
        let [came] = self.wait([socket], patience)?;
        if came.is_empty() {
            self.end_bulk();
        }
        Ok(())
    }

    /// Waits until the pipe of stdout has room, unless it is the peer that has nothing.
    fn wait_for_pipe(&mut self) -> Result<(), End> {
        let socket = (self.work.socket.as_fd(), PollFlags::IN);
        let stdout = (rustix::stdio::stdout(), PollFlags::OUT);
        let [came, room] = self.wait([socket, stdout], Some(Duration::ZERO))?;
        if room.is_empty() && !came.is_empty() {
            self.wait_for_room()?;
        }
        Ok(())
    }

    /// Waits; a poll that fails is stdout's failure.
    fn wait<const N: usize>(
        &self,
        watched: [(BorrowedFd<'_>, PollFlags); N],
        patience: Option<Duration>,
    ) -> Result<[PollFlags; N], End> {
        self.work
            .attention
            .wait(watched, patience)
            .map_err(End::Failed)
    }

    /// Ends the bulk phase.
    fn end_bulk(&mut self) {
        if self.is_bulk {
            self.is_bulk = false;
            self.large_reads = 0;
            sys::set_receive_low_water(self.work.socket.as_fd(), 1);
        }
    }
}
