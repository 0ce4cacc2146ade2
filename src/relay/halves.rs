//! What the movers of the event loop have in common, be it bytes or messages that they move.

use std::io;

use tokio::io::Ready;

use super::mover::News;
use super::outlet::OutletNews;
use super::{Meter, Outlet};
use crate::error::Result;
use crate::event::{Event, Observer};
use crate::net::Stream;

/// How far both halves of a conversation are: stdin and stdout, and what was counted.
pub(super) struct Halves<'a> {
    pub(super) outlet: Option<Outlet>,
    pub(super) meter: &'a Meter,
    observer: &'a dyn Observer,
    pub(super) reads_input: bool,
    pub(super) reads_peer: bool,
    /// stdout has told its end.
    pub(super) written: bool,
}

impl<'a> Halves<'a> {
    /// Those of a conversation that begins; without an outlet what comes is dropped.
    pub(super) fn new(
        reads_input: bool,
        outlet: Option<Outlet>,
        meter: &'a Meter,
        observer: &'a dyn Observer,
    ) -> Self {
        Self {
            written: outlet.is_none(),
            outlet,
            meter,
            observer,
            reads_input,
            reads_peer: true,
        }
    }

    /// Whether stdout takes more, or there is none.
    pub(super) fn has_room(&self) -> bool {
        self.outlet.as_ref().is_none_or(Outlet::has_room)
    }

    /// Counts bytes of the peer, and gives them to stdout if it `keeps` them.
    pub(super) fn pass_on(&mut self, bytes: &[u8], keeps: bool) {
        self.meter.count_received(bytes.len());
        self.meter.tally_received(bytes);
        let outlet = self.outlet.as_mut().filter(|_| keeps);
        if outlet.is_some_and(|outlet| outlet.put(bytes)) {
            self.observer.notice(&Event::PayloadEscaped);
        }
    }

    /// Counts bytes that the system took.
    pub(super) fn count_sent(&self, bytes: &[u8]) {
        self.meter.count_sent(bytes.len());
        self.meter.tally_sent(bytes);
    }

    /// What more input, or its end, is for the session.
    pub(super) fn of_input(&mut self, filled: Result<bool>) -> News {
        match filled {
            Ok(true) => {
                self.meter.note_input();
                News::Moved
            }
            Ok(false) => {
                self.reads_input = false;
                News::InputEnded
            }
            Err(error) => News::Failed(error),
        }
    }

    /// What stdout told is for the session.
    pub(super) fn of_outlet(&mut self, news: OutletNews) -> News {
        match news {
            OutletNews::Room => {
                self.meter.note_move();
                News::Moved
            }
            OutletNews::Written(result) => {
                self.written = true;
                News::Written(result)
            }
        }
    }

    /// What the peer's end is for the session.
    pub(super) fn of_peers_end(&mut self) -> News {
        self.reads_peer = false;
        self.close_outlet();
        News::PeerEnded
    }

    /// Closes stdout once everything is written.
    pub(super) fn close_outlet(&mut self) {
        if let Some(outlet) = &mut self.outlet {
            outlet.close();
        }
    }
}

/// Moves over a socket that the event loop watches.
pub(super) trait Watching<'a> {
    /// The connection.
    fn stream(&self) -> &Stream;

    /// How far it is.
    fn halves(&mut self) -> &mut Halves<'a>;

    /// Whether what comes has somewhere to go.
    fn has_room(&self) -> bool;

    /// Gives the system what it takes now.
    fn send(&mut self) -> io::Result<()>;

    /// Takes what has come, if it has somewhere to go, and passes it on.
    fn receive(&mut self) -> News;

    /// Likewise of a connection that is broken: how many bytes that were.
    fn receive_held(&mut self) -> io::Result<usize>;

    /// Reads and writes what the socket is ready for.
    fn use_socket(&mut self, ready: Ready) -> News {
        if ready.is_error()
            && let Some(error) = self.stream().try_error()
        {
            return News::Broken(error);
        }
        if (ready.is_writable() || ready.is_write_closed())
            && let Err(error) = self.send()
        {
            return News::Broken(error);
        }
        if ready.is_readable() || ready.is_read_closed() {
            return self.receive();
        }
        News::Moved
    }

    /// Reads what the system still holds of a broken connection, as far as there is room for it. If
    /// nothing ever came that is all: stdout then counts as written.
    fn rescue_held(&mut self) -> Option<News> {
        while self.halves().reads_peer && self.has_room() {
            match self.receive_held() {
                Ok(1..) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(0) | Err(_) => self.halves().reads_peer = false,
            }
        }
        let halves = self.halves();
        if halves.meter.received() > 0 {
            if !halves.reads_peer {
                halves.close_outlet();
            }
        } else if !halves.written {
            halves.written = true;
            return Some(News::Written(Ok(())));
        }
        None
    }
}
