//! The mover for what has to be looked at on its way: the event loop reads and writes the socket,
//! threads of their own read stdin and write stdout.

mod moving;

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Instant;

use super::halves::{Halves, Watching as _};
use super::mover::{Mover, News, interest};
use super::outlet::news;
use super::timer::{earliest, sleep_until};
use super::{Dump, Gate, Input, Shaping, dump};
use crate::net::Stream;

/// What one read of the socket takes at first; reads that are full double it.
const FIRST_READ: usize = 16 * 1024;

/// What one read of the socket takes at most.
const LARGEST_READ: usize = 256 * 1024;

/// Moves bytes in the event loop.
pub(super) struct Looped<'a> {
    stream: Arc<Stream>,
    /// What broke the connection, if that was learnt before.
    failure: Option<io::Error>,
    input: &'a mut Input,
    halves: Halves<'a>,
    buffer: Vec<u8>,
    /// What stands before the peer, and before our output.
    up: Gate,
    down: Gate,
    dump: Option<&'a Dump>,
    /// How many bytes are still wanted, if not all.
    most: Option<u64>,
    phase: Phase,
}

/// What it is there for at the moment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Phase {
    /// To move bytes both ways.
    Talking,
    /// To send what is read; what comes is dropped.
    Leaving,
    /// To write what a broken connection still holds.
    Rescuing,
}

impl<'a> Looped<'a> {
    /// A mover of this connection.
    pub(super) fn new(
        stream: Stream,
        failure: Option<io::Error>,
        input: &'a mut Input,
        halves: Halves<'a>,
    ) -> Self {
        let stream = Arc::new(stream);
        let watched = Arc::downgrade(&stream);
        halves.meter.watch(stream.proto(), watched);
        Self {
            stream,
            failure,
            input,
            halves,
            buffer: vec![0; FIRST_READ],
            up: Gate::default(),
            down: Gate::default(),
            dump: None,
            most: None,
            phase: Phase::Talking,
        }
    }

    /// Takes no more bytes than these, and says when they have come.
    pub(super) fn take_at_most(&mut self, most: Option<u64>) {
        self.most = most;
    }

    /// Slows the bytes down, and writes them down.
    pub(super) fn shape(&mut self, shaping: Shaping<'a>) {
        self.up = shaping.sending();
        self.down = shaping.receiving();
        self.dump = shaping.dump;
    }

    /// How much of the buffer one read may fill; what is dropped is not limited.
    fn readable(&self) -> usize {
        let most = self.most.filter(|_| self.phase != Phase::Leaving);
        let most = most.and_then(|most| usize::try_from(most).ok());
        most.unwrap_or(usize::MAX).min(self.buffer.len())
    }

    /// Whether received bytes have somewhere to go, where these two have room or not.
    fn room(&self, outlet: bool, dump: bool) -> bool {
        self.phase == Phase::Leaving || (outlet && dump)
    }

    /// Whether more can be written down, or nothing is.
    fn has_dump_room(&self) -> bool {
        self.dump.is_none_or(Dump::has_room)
    }

    /// Until when the peer's bytes are to wait; what is dropped need not.
    fn held_until(&self, now: Instant) -> Option<Instant> {
        let opens = self.down.opens(now);
        opens.filter(|_| self.halves.reads_peer && self.phase == Phase::Talking)
    }

    /// Until when our own bytes are to wait.
    fn unsent_until(&self, now: Instant) -> Option<Instant> {
        self.up.opens(now).filter(|_| self.has_unsent())
    }
}

impl Mover for Looped<'_> {
    fn socket(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }

    async fn news(&mut self) -> News {
        if self.phase == Phase::Rescuing
            && let Some(news) = self.rescue_held()
        {
            return news;
        }
        let now = Instant::now();
        // Each is asked once: whoever writes makes room meanwhile, and what is not waited for here
        // would be waited for nowhere.
        let (unsent, outlet_room) = (self.has_unsent(), self.halves.has_room());
        let dump_room = self.has_dump_room();
        let room = self.room(outlet_room, dump_room);
        let (held, unsent_until) = (self.held_until(now), self.unsent_until(now));
        let reads_input = self.halves.reads_input && !unsent;
        let is_talking = self.phase != Phase::Rescuing;
        let sends = unsent && unsent_until.is_none() && dump_room;
        let interest = interest(self.halves.reads_peer && room && held.is_none(), sends);
        // Where the socket is not watched any more, room that came meanwhile is news, too.
        let wants_room = self.halves.reads_peer
            && if is_talking {
                !room && !outlet_room
            } else {
                room || !outlet_room
            };
        let opens = earliest(held, unsent_until);
        let Self {
            stream,
            input,
            halves,
            dump,
            ..
        } = self;
        tokio::select! {
            ready = stream.ready(interest), if is_talking => match ready {
                Ok(ready) => self.use_socket(ready),
                Err(error) => News::Broken(error),
            },
            filled = input.fill(), if reads_input => self.halves.of_input(filled),
            news = news(halves.outlet.as_ref(), wants_room), if !halves.written => {
                self.halves.of_outlet(news)
            }
            news = dump::news(*dump, !dump_room), if is_talking || !dump_room => match news {
                Ok(()) => News::Moved,
                Err(error) => News::Failed(error),
            },
            () = sleep_until(opens), if opens.is_some() => News::Moved,
        }
    }

    fn take_error(&self) -> Option<io::Error> {
        let socket = socket2::SockRef::from(self.stream.as_ref());
        socket.take_error().unwrap_or_else(Some)
    }

    fn has_unsent(&self) -> bool {
        !self.input.pending().is_empty()
    }

    fn is_stalled(&self) -> bool {
        let now = Instant::now();
        let is_held = self.held_until(now).is_some() || self.unsent_until(now).is_some();
        is_held || (!self.has_room() && !self.has_unsent())
    }

    fn leave(&mut self) {
        self.phase = Phase::Leaving;
        self.halves.reads_input = false;
        self.halves.close_outlet();
    }

    fn hush(&mut self) {
        self.halves.reads_input = false;
    }

    fn is_quiet(&self) -> bool {
        true
    }

    fn rescue(&mut self) {
        self.phase = Phase::Rescuing;
    }
}
