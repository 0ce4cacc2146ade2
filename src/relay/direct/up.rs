//! From stdin to the peer.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::Ordering;
use std::time::Duration;

use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::SendFlags;
use socket2::SockRef;

use super::held::Held;
use super::splicing::Splicing;
use super::{Report, Ways, Work};
use crate::error::{Action, Error};
use crate::net::Proto;
use crate::relay::attention::Mode;
use crate::relay::extent::Extent;
use crate::relay::mover::News;
use crate::sys::{self, Splice, StdinKind};

/// What one splice takes at most: while it waits for the socket nobody can write into the pipe.
const LARGEST_SPLICE: usize = 256 * 1024;

/// What one call takes from a file at most: meanwhile no order is heard.
const LARGEST_FILE_PIECE: usize = 512 * 1024;

/// How much of the end of a file is copied, in bytes: more than a peer that has acknowledged all of it
/// may have left unread (`net.ipv4.tcp_rmem` allows 32 MiB). What the system sends without a copy is
/// still the file's own memory there, if the peer is on this machine: whoever writes into the file
/// after we have ended well would write into what was delivered.
const COPIED: u64 = 64 * 1024 * 1024;

/// A splice that moves this much begins the bulk phase: the system then sends full segments alone,
/// for the short ones between them cost as much as long ones.
const BULK: usize = 64 * 1024;

/// How long the rest of a segment waits for more in the bulk phase.
const BULK_PATIENCE: Duration = Duration::from_millis(1);

/// How often a terminal in the background is asked whether it is ours again.
const FOREGROUND_LOOK: Duration = Duration::from_millis(100);

/// Why the thread ends.
pub(super) enum End {
    /// It was told to read no more.
    Ordered,
    /// stdin ended, or something failed.
    News(News),
}

impl From<io::Error> for End {
    /// What fails without a name of its own is the connection.
    fn from(error: io::Error) -> Self {
        Self::News(News::Broken(error))
    }
}

/// The upward direction.
pub(super) struct Up {
    pub(super) work: Work,
    pub(super) kind: StdinKind,
    /// How long the file was when we began.
    extent: Extent,
    /// Which calls the ends have not refused.
    pub(super) ways: Ways,
    /// How much of the end of a file is copied, in bytes.
    copied: u64,
    /// Whether the socket is watched for failing while there is no input.
    watches_socket: bool,
    /// Whether the pipe of stdin is spliced.
    splicing: Splicing,
    /// Whether the last piece was a large one.
    is_bulk: bool,
    /// Whether the system may hold back the end of what it took, because more was announced.
    holds_back: bool,
    /// What is read and not sent.
    pub(super) held: Held,
    /// What ended it before its thread began.
    pub(super) ended: Option<End>,
}

impl Up {
    /// Begins with what was read before.
    pub(super) fn new(work: Work, pending: Vec<u8>, kind: StdinKind, sends_all: bool) -> Self {
        Self {
            ways: work.ways,
            work,
            kind,
            // Where anything may be the last that is sent, everything is.
            copied: if sends_all { COPIED } else { u64::MAX },
            extent: Extent::of_stdin(),
            watches_socket: true,
            splicing: Splicing::new(false),
            is_bulk: false,
            holds_back: false,
            held: Held::new(pending),
            ended: None,
        }
    }

    /// The thread.
    pub(super) fn run(mut self) {
        let end = match self.ended.take() {
            Some(end) => end,
            None => self.move_all(),
        };
        self.push();
        let leftover = self.held.bytes().to_vec();
        self.work.shared.holds_input.store(false, Ordering::Release);
        let news = match end {
            End::Ordered => None,
            End::News(news) => Some(news),
        };
        let _ = self.work.reports.send(Report::UpEnded(news, leftover));
    }

    /// Until stdin ends, something fails, or an order says so.
    fn move_all(&mut self) -> End {
        let is_pipe = self.ways == Ways::Best && sys::widen_pipe(rustix::stdio::stdin());
        self.splicing = Splicing::new(is_pipe);
        loop {
            let step = match self.send_held() {
                Ok(()) if self.work.attention.mode() != Mode::Run => Err(End::Ordered),
                Ok(()) if self.may_hand_over() => self.hand_over(),
                Ok(()) if self.splicing.is_due() => self.splice(),
                Ok(()) => self.read(),
                Err(end) => Err(end),
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    /// Whether stdin is a file, and so much of it is left that what is sent of it now will have been
    /// read when we end well.
    fn may_hand_over(&self) -> bool {
        let is_far = || {
            let place = sys::stdin_place();
            let left = place.map(|place| place.size.saturating_sub(place.offset));
            let near = self.copied.saturating_add(LARGEST_FILE_PIECE as u64);
            left.is_some_and(|left| left > near)
        };
        self.kind == StdinKind::File && self.ways == Ways::Best && is_far()
    }

    /// Has the system send a piece of the file that stdin is, which saves both copies.
    fn hand_over(&mut self) -> Result<(), End> {
        let (stdin, socket) = (rustix::stdio::stdin(), self.work.socket.as_fd());
        let call = || match sys::send_file(stdin, socket, LARGEST_FILE_PIECE) {
            // Of a connection that lives it is the file that failed, and reading says so.
            Splice::Failed(_) if !has_ended(socket) => Splice::NotHere,
            result => result,
        };
        match self.work.shared.keeping(call, Splice::errno) {
            Splice::Moved(0) => Err(self.input_ended()),
            Splice::Moved(length) => {
                self.work.shared.meter.note_input();
                self.work.shared.meter.count_sent(length);
                // Before Linux 6.5 the last piece of a file was held back as if more followed.
                self.holds_back = self.work.proto == Proto::Tcp;
                Ok(())
            }
            Splice::NotNow => self.wait_for_socket(),
            Splice::NotHere => {
                self.ways = Ways::Portable;
                Ok(())
            }
            Splice::Failed(error) => Err(error.into()),
        }
    }

    /// Moves what is in the pipe of stdin without looking at it.
    fn splice(&mut self) -> Result<(), End> {
        if !self.wait_for_input()? {
            return Ok(());
        }
        let (stdin, socket) = (rustix::stdio::stdin(), self.work.socket.as_fd());
        let more = self.is_bulk;
        let call = || sys::splice(stdin, socket, LARGEST_SPLICE, more);
        match self.work.shared.keeping(call, Splice::errno) {
            Splice::Moved(0) => Err(End::News(News::InputEnded)),
            Splice::Moved(length) => {
                self.work.shared.meter.note_input();
                self.work.shared.meter.count_sent(length);
                self.holds_back = more;
                self.is_bulk = self.work.proto == Proto::Tcp && length >= BULK;
                self.splicing.note_splice(length);
                Ok(())
            }
            Splice::NotNow => self.wait_for_socket(),
            Splice::NotHere => {
                self.splicing.give_up();
                Ok(())
            }
            Splice::Failed(error) => Err(error.into()),
        }
    }

    /// Reads once what there is.
    fn read(&mut self) -> Result<(), End> {
        if self.kind != StdinKind::File && !self.wait_for_input()? {
            return Ok(());
        }
        match rustix::io::read(rustix::stdio::stdin(), self.held.room()) {
            Ok(0) => Err(self.input_ended()),
            Ok(length) => {
                let is_full = self.hold(length);
                self.splicing.note_read(is_full);
                Ok(())
            }
            Err(Errno::AGAIN | Errno::INTR) => Ok(()),
            // With SIGTTIN ignored a background read fails with EIO (termios(3)).
            Err(Errno::IO) if !sys::foreground(rustix::stdio::stdin()) => {
                self.work.attention.wait([], Some(FOREGROUND_LOOK))?;
                Ok(())
            }
            Err(error) => Err(End::News(News::Failed(Error::new(
                Action::Read,
                "stdin",
                error,
            )))),
        }
    }

    /// The end of stdin, unless it is a file that became shorter.
    fn input_ended(&self) -> End {
        let ended = self.extent.check_end();
        End::News(ended.map_or_else(News::Failed, |()| News::InputEnded))
    }

    /// Notes what was read; whether it was as much as could be.
    pub(super) fn hold(&mut self, length: usize) -> bool {
        self.work.shared.meter.note_input();
        self.work.shared.holds_input.store(true, Ordering::Release);
        self.held.fill(length)
    }

    /// Sends what was read and is not yet sent.
    fn send_held(&mut self) -> Result<(), End> {
        while !self.send_now()? {
            self.wait_for_socket()?;
            if self.work.attention.mode() == Mode::Stop {
                return Err(End::Ordered);
            }
        }
        Ok(())
    }

    /// Sends what the socket takes at once of what was read; true if that was all.
    pub(super) fn send_now(&mut self) -> Result<bool, End> {
        let shared = &self.work.shared;
        while !self.held.is_empty() {
            let flags = SendFlags::DONTWAIT;
            let call = || rustix::net::send(&self.work.socket, self.held.bytes(), flags);
            match shared.keeping(call, |sent| errno_of(sent.as_ref().err())) {
                Ok(length) => {
                    shared.meter.count_sent(length);
                    self.held.pass(length);
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(false),
                Err(error) => return Err(io::Error::from(error).into()),
            }
        }
        self.held.release();
        shared.holds_input.store(false, Ordering::Release);
        Ok(true)
    }

    /// Waits until the socket takes more, or an order comes.
    fn wait_for_socket(&self) -> Result<(), End> {
        let room = (self.work.socket.as_fd(), PollFlags::OUT);
        self.work.attention.wait([room], None)?;
        Ok(())
    }

    /// Waits until stdin has something or ends; false if an order came first, or what is held back
    /// waited long enough. A connection that fails meanwhile is noticed.
    fn wait_for_input(&mut self) -> Result<bool, End> {
        let stdin: (BorrowedFd<'_>, PollFlags) = (rustix::stdio::stdin(), PollFlags::IN);
        let patience = self.holds_back.then_some(BULK_PATIENCE);
        let input = if self.watches_socket {
            let socket = (self.work.socket.as_fd(), PollFlags::empty());
            let [input, socket] = self.work.attention.wait([stdin, socket], patience)?;
            self.check_socket(socket)?;
            input
        } else {
            let [input] = self.work.attention.wait([stdin], patience)?;
            input
        };
        if input.is_empty() {
            self.push();
        }
        Ok(!input.is_empty())
    }

    /// Has the system send what it may hold back.
    fn push(&mut self) {
        if self.holds_back {
            // Said again, it sends the rest of a segment at once (net/ipv4/tcp.c,
            // `__tcp_sock_set_nodelay`).
            let _ = SockRef::from(&self.work.socket).set_tcp_nodelay(true);
            (self.holds_back, self.is_bulk) = (false, false);
        }
    }

    /// Fails with the error of the socket. Without one, a connection that both sides have ended
    /// shows nothing more, and is no longer asked.
    fn check_socket(&mut self, shown: PollFlags) -> Result<(), End> {
        if shown.is_empty() {
            return Ok(());
        }
        if let Some(error) = self.work.shared.take_error(self.work.socket.as_fd()) {
            return Err(error.into());
        }
        self.watches_socket = false;
        Ok(())
    }
}

/// Whether this connection is no more.
fn has_ended(socket: BorrowedFd<'_>) -> bool {
    let ended = PollFlags::ERR | PollFlags::HUP;
    let shown = sys::poll_now(socket, PollFlags::empty());
    shown.map_or(true, |shown| shown.intersects(ended))
}

/// The number of an error of the connection; none of what is only not yet.
fn errno_of(error: Option<&Errno>) -> Option<i32> {
    match *error? {
        Errno::AGAIN | Errno::INTR => None,
        error => Some(error.raw_os_error()),
    }
}
