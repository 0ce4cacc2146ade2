//! The mover for a connection that carries messages (`SOCK_SEQPACKET`): each read is one of them,
//! and so is each write. An empty one looks like the end, and is taken for it (unix(7)).

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use super::Input;
use super::halves::{Halves, Watching};
use super::letters::Letters;
use super::mover::{Mover, News, interest, is_passing};
use super::outlet::news;
use crate::error::{Action, Cause, Error};
use crate::net::{LONGEST_MESSAGE, Stream};

/// Moves messages in the event loop.
pub(super) struct Records<'a> {
    stream: Stream,
    letters: Letters<'a>,
    halves: Halves<'a>,
    buffer: Vec<u8>,
    /// How many bytes are still wanted, if not all.
    most: Option<u64>,
    /// What comes is dropped.
    leaving: bool,
    /// The connection is broken: what it still holds is written.
    rescuing: bool,
}

impl<'a> Records<'a> {
    /// A mover of this connection, which takes so many bytes of the peer at most.
    pub(super) fn new(
        stream: Stream,
        input: &'a mut Input,
        halves: Halves<'a>,
        most: Option<u64>,
    ) -> Self {
        Self {
            stream,
            letters: Letters::of(input),
            halves,
            buffer: vec![0; LONGEST_MESSAGE],
            most,
            leaving: false,
            rescuing: false,
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
        let bytes = self.buffer.get(..length).unwrap_or_default();
        self.halves.pass_on(bytes, !self.leaving);
        length
    }
}

impl<'a> Watching<'a> for Records<'a> {
    fn stream(&self) -> &Stream {
        &self.stream
    }

    fn halves(&mut self) -> &mut Halves<'a> {
        &mut self.halves
    }

    fn has_room(&self) -> bool {
        self.leaving || self.halves.has_room()
    }

    fn send(&mut self) -> io::Result<()> {
        while !self.letters.is_empty() {
            match self.stream.try_write(self.letters.next()) {
                Ok(length) => {
                    self.halves.count_sent(self.letters.front(length));
                    self.letters.pass(length);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn receive(&mut self) -> News {
        if !self.halves.reads_peer || !self.has_room() {
            return News::Moved;
        }
        match self.stream.try_receive(&mut self.buffer) {
            Ok((0, _)) => self.halves.of_peers_end(),
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

    fn receive_held(&mut self) -> io::Result<usize> {
        let length = self.stream.read_now(&mut self.buffer)?;
        self.pass_on(length);
        Ok(length)
    }
}

impl Mover for Records<'_> {
    fn socket(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }

    async fn news(&mut self) -> News {
        if self.rescuing
            && let Some(news) = self.rescue_held()
        {
            return news;
        }
        let (unsent, room) = (self.has_unsent(), self.has_room());
        let reads_input = self.halves.reads_input && !unsent;
        let interest = interest(self.halves.reads_peer && room, unsent);
        // Where the socket is not watched any more, room that came meanwhile is news, too.
        let wants_room = self.halves.reads_peer && (!room || self.rescuing);
        let Self {
            stream,
            letters,
            halves,
            ..
        } = self;
        tokio::select! {
            ready = stream.ready(interest), if !self.rescuing => match ready {
                Ok(ready) => self.use_socket(ready),
                Err(error) => News::Broken(error),
            },
            filled = letters.fill(), if reads_input => self.halves.of_input(filled),
            news = news(halves.outlet.as_ref(), wants_room), if !halves.written => {
                self.halves.of_outlet(news)
            }
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
        self.rescuing = true;
    }
}
