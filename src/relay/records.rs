//! The mover for a connection that carries messages (`SOCK_SEQPACKET`): each read is one of them,
//! and so is each write. An empty one looks like the end, and is taken for it (unix(7)).

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use tokio::io::Ready;

use super::letters::Letters;
use super::mover::{Mover, News, interest, is_passing};
use super::outlet::{OutletNews, news};
use super::{Input, Meter, Outlet};
use crate::error::{Action, Cause, Error};
use crate::event::{Event, Observer};
use crate::net::{LONGEST_MESSAGE, Stream};

/// Moves messages in the event loop.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a question of its own"
)]
pub(super) struct Records<'a> {
    stream: Stream,
    letters: Letters<'a>,
    outlet: Option<Outlet>,
    meter: &'a Meter,
    observer: &'a dyn Observer,
    buffer: Vec<u8>,
    /// How many bytes are still wanted, if not all.
    most: Option<u64>,
    reads_input: bool,
    reads_peer: bool,
    /// What comes is dropped.
    leaving: bool,
    /// The connection is broken: what it still holds is written.
    rescuing: bool,
    /// stdout has told its end.
    written: bool,
}

impl<'a> Records<'a> {
    /// A mover of this connection; without an outlet what comes is dropped.
    pub(super) fn new(
        stream: Stream,
        input: &'a mut Input,
        outlet: Option<Outlet>,
        meter: &'a Meter,
        observer: &'a dyn Observer,
    ) -> Self {
        Self {
            stream,
            letters: Letters::of(input),
            written: outlet.is_none(),
            outlet,
            meter,
            observer,
            buffer: vec![0; LONGEST_MESSAGE],
            most: None,
            reads_input: true,
            reads_peer: true,
            leaving: false,
            rescuing: false,
        }
    }

    /// Whether stdin is read at all, and how many bytes are wanted of the peer.
    pub(super) fn bounded(mut self, reads: bool, most: Option<u64>) -> Self {
        self.reads_input = reads;
        self.most = most;
        self
    }

    /// Whether a message has somewhere to go.
    fn has_room(&self) -> bool {
        self.leaving || self.outlet.as_ref().is_none_or(Outlet::has_room)
    }

    /// Reads and writes what the socket is ready for.
    fn use_socket(&mut self, ready: Ready) -> News {
        if ready.is_error()
            && let Some(error) = self.stream.try_error()
        {
            return News::Broken(error);
        }
        if (ready.is_writable() || ready.is_write_closed())
            && let Err(error) = self.send()
        {
            return News::Broken(error);
        }
        if self.reads_peer && self.has_room() && (ready.is_readable() || ready.is_read_closed()) {
            return self.receive();
        }
        News::Moved
    }

    /// Takes a message, and passes it on.
    fn receive(&mut self) -> News {
        match self.stream.try_receive(&mut self.buffer) {
            Ok((0, _)) => {
                self.reads_peer = false;
                self.close_outlet();
                News::PeerEnded
            }
            Ok((came, length)) => {
                let kept = self.pass_on(came);
                if length > kept {
                    return News::Failed(self.truncated(length, kept));
                }
                match self.most {
                    Some(0) if !self.leaving => News::Enough,
                    _ => News::Moved,
                }
            }
            Err(error) if is_passing(&error) => News::Moved,
            Err(error) => News::Broken(error),
        }
    }

    /// The error of a message that there was no room for, or of which not all was still wanted.
    fn truncated(&self, length: usize, kept: usize) -> Error {
        let (length, kept) = (length as u64, kept as u64);
        let path = self.stream.local().map(|local| local.to_string());
        let cause = Cause::Truncated { length, kept };
        Error::new(Action::Receive, path.unwrap_or_default(), cause)
    }

    /// Gives a message to stdout, unless we are leaving, and says how much of it that was.
    fn pass_on(&mut self, length: usize) -> usize {
        if self.leaving && self.most.is_some() {
            // What comes after all that was wanted is neither written nor counted.
            return length;
        }
        let most = self.most.and_then(|most| usize::try_from(most).ok());
        let length = length.min(most.unwrap_or(usize::MAX));
        if let Some(most) = &mut self.most {
            *most = most.saturating_sub(length as u64);
        }
        self.meter.count_received(length);
        let bytes = self.buffer.get(..length).unwrap_or_default();
        self.meter.tally_received(bytes);
        let outlet = self.outlet.as_mut().filter(|_| !self.leaving);
        if outlet.is_some_and(|outlet| outlet.put(bytes)) {
            self.observer.notice(&Event::PayloadEscaped);
        }
        length
    }

    /// Gives the system the messages that it takes now.
    fn send(&mut self) -> io::Result<()> {
        while !self.letters.is_empty() {
            match self.stream.try_write(self.letters.next()) {
                Ok(length) => {
                    self.meter.count_sent(length);
                    self.meter.tally_sent(self.letters.front(length));
                    self.letters.pass(length);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads what the system still holds of a broken connection, as far as there is room for it.
    fn read_held(&mut self) {
        while self.reads_peer && self.has_room() {
            match self.stream.read_now(&mut self.buffer) {
                Ok(length @ 1..) => {
                    self.pass_on(length);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(0) | Err(_) => self.reads_peer = false,
            }
        }
        if !self.reads_peer && self.meter.received() > 0 {
            self.close_outlet();
        }
    }

    /// Closes stdout once everything is written.
    fn close_outlet(&mut self) {
        if let Some(outlet) = &mut self.outlet {
            outlet.close();
        }
    }
}

impl Mover for Records<'_> {
    fn socket(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }

    async fn news(&mut self) -> News {
        if self.rescuing {
            self.read_held();
            if !self.written && self.meter.received() == 0 {
                self.written = true;
                return News::Written(Ok(()));
            }
        }
        let (unsent, room) = (self.has_unsent(), self.has_room());
        let reads_input = self.reads_input && !unsent;
        let interest = interest(self.reads_peer && room, unsent);
        // Where the socket is not watched any more, room that came meanwhile is news, too.
        let wants_room = self.reads_peer && (!room || self.rescuing);
        let Self {
            stream,
            letters,
            outlet,
            ..
        } = self;
        tokio::select! {
            ready = stream.ready(interest), if !self.rescuing => match ready {
                Ok(ready) => self.use_socket(ready),
                Err(error) => News::Broken(error),
            },
            filled = letters.fill(), if reads_input => match filled {
                Ok(true) => {
                    self.meter.note_input();
                    News::Moved
                }
                Ok(false) => {
                    self.reads_input = false;
                    News::InputEnded
                }
                Err(error) => News::Failed(error),
            },
            news = news(outlet.as_ref(), wants_room), if !self.written => match news {
                OutletNews::Room => {
                    self.meter.note_move();
                    News::Moved
                }
                OutletNews::Written(result) => {
                    self.written = true;
                    News::Written(result)
                }
            },
            else => std::future::pending().await,
        }
    }

    fn take_error(&self) -> Option<io::Error> {
        let socket = socket2::SockRef::from(&self.stream);
        socket.take_error().unwrap_or_else(Some)
    }

    fn has_unsent(&self) -> bool {
        !self.letters.is_empty()
    }

    fn is_stalled(&self) -> bool {
        !self.has_room() && !self.has_unsent()
    }

    fn leave(&mut self) {
        self.leaving = true;
        self.reads_input = false;
        self.close_outlet();
    }

    fn hush(&mut self) {
        self.reads_input = false;
    }

    fn is_quiet(&self) -> bool {
        true
    }

    fn rescue(&mut self) {
        self.rescuing = true;
    }
}
