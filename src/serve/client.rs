//! One client of a server, as a behaviour sees it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use socket2::SockRef;
use tokio::io::Interest;
use tokio::sync::Mutex;

use super::Service;
use super::caller::Caller;
use super::cut::Cut;
use super::exec::Child;
use super::held::Held;
use super::said::Said;
use super::scratch;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::net::{Accepted, Address, LONGEST_MESSAGE, Line, Proto, Stream};
use crate::relay::{Meter, connection_error, is_passing};
use crate::sys;

/// A connected client. Everything takes `&self`, so that both directions can be served at once.
#[derive(Debug)]
pub(super) struct Client {
    /// Its number, from 1.
    pub(super) number: u64,
    /// Its address.
    pub(super) peer: Address,
    /// The address that it reached.
    pub(super) local: Address,
    /// What was moved.
    pub(super) meter: Arc<Meter>,
    /// What it shares with all others.
    pub(super) service: Arc<Service>,
    /// When it came.
    pub(super) since: Instant,
    /// The command that is at work for it.
    pub(super) child: Mutex<Option<Child>>,
    /// What came from it and is not yet where it is to go.
    pub(super) held: Held,
    connection: Connection,
    write_ended: AtomicBool,
    said: std::sync::Mutex<Said>,
    cut: Cut,
}

/// Who reads from the connection and writes to it.
#[derive(Debug)]
enum Connection {
    /// We do.
    Own(Stream),
    /// Somebody else does, and the runtime does not watch it.
    Lent(Proto, OwnedFd),
}

impl Client {
    /// Welcomes a client, and tells of it.
    pub(super) fn new(
        number: u64,
        (stream, peer): Accepted,
        service: Arc<Service>,
        meter: Arc<Meter>,
    ) -> Self {
        let local = stream.local().unwrap_or(Address::Unix(None));
        service.observer.notice(&Event::ClientCame {
            client: number,
            proto: stream.proto(),
            local: &local,
            peer: &peer,
        });
        meter.note_move();
        Self {
            number,
            peer,
            local,
            meter,
            service,
            since: Instant::now(),
            child: Mutex::default(),
            held: Held::default(),
            connection: Connection::Own(stream),
            write_ended: AtomicBool::new(false),
            said: std::sync::Mutex::default(),
            cut: Cut::default(),
        }
    }

    /// The same client with a connection that somebody else is to read from and write to. Where the
    /// system has no descriptor left it stays ours.
    pub(super) fn lent(mut self) -> Self {
        if let Ok(socket) = self.as_fd().try_clone_to_owned() {
            self.connection = Connection::Lent(self.proto(), socket);
            if !self.is_counted() {
                self.meter.note_uncounted();
            }
        }
        self
    }

    /// Its connection, if somebody else reads from it and writes to it.
    pub(super) fn lent_socket(&self) -> Option<BorrowedFd<'_>> {
        match &self.connection {
            Connection::Own(_) => None,
            Connection::Lent(_, socket) => Some(socket.as_fd()),
        }
    }

    /// Whether it is known how much has passed: of a connection that somebody else has, the system
    /// tells that over TCP alone.
    pub(super) fn is_counted(&self) -> bool {
        self.lent_socket().is_none() || self.proto() == Proto::Tcp
    }

    /// Its connection, if we do.
    fn stream(&self) -> Result<&Stream> {
        match &self.connection {
            Connection::Own(stream) => Ok(stream),
            Connection::Lent(..) => Err(self.broken(io::ErrorKind::Unsupported.into())),
        }
    }

    /// How its bytes are carried.
    pub(super) fn proto(&self) -> Proto {
        match &self.connection {
            Connection::Own(stream) => stream.proto(),
            Connection::Lent(proto, _) => *proto,
        }
    }

    /// Who it is.
    pub(super) fn caller(&self) -> Caller {
        Caller {
            number: self.number,
            proto: self.proto(),
            local: self.local.clone(),
            peer: self.peer.clone(),
        }
    }

    /// Its connection, for ending it.
    pub(super) fn line(&self) -> Line<'_> {
        Line::new(self.proto(), self.as_fd())
    }

    /// Takes account of what somebody else has moved, as far as the kernel tells.
    pub(super) fn take_stock(&self) {
        let Some(socket) = self.lent_socket() else {
            return;
        };
        if !self.is_counted() || self.write_ended.load(Ordering::Relaxed) {
            return;
        }
        if let Some(carried) = sys::carried(socket) {
            let written = if carried.we_ended {
                self.meter.note_shut_down();
                carried.written
            } else {
                // A connection that is over may no longer tell what it told before.
                self.meter.data_of(carried.written)
            };
            self.meter.observe(written, carried.taken);
        }
    }

    /// Waits for bytes and hands them over, which must not take long; `None` is the client's end,
    /// or as many bytes as are wanted.
    ///
    /// # Errors
    /// The connection broke, or what was handed over last was a part of a longer message.
    pub(super) async fn receive<T>(&self, mut take: impl FnMut(&[u8]) -> T) -> Result<Option<T>> {
        self.cut.check(&self.peer)?;
        let stream = self.stream()?;
        loop {
            let ready = stream.ready(Interest::READABLE).await;
            ready.map_err(|error| self.broken(error))?;
            let wanted = self.wanted();
            if wanted == 0 {
                return Ok(None);
            }
            let taken = scratch::lend(wanted, |buffer| {
                let (length, whole) = stream.try_take(buffer)?;
                if whole > length {
                    self.cut.note(whole, length);
                }
                let came = buffer.get(..length).unwrap_or_default();
                self.note_received(came);
                Ok::<_, io::Error>((length, (length > 0).then(|| take(came))))
            });
            match taken {
                Ok((length, taken)) => {
                    if length == scratch::SIZE {
                        // There is more, and the others are to have their turn before it.
                        tokio::task::yield_now().await;
                    }
                    return Ok(taken);
                }
                Err(error) if is_passing(&error) => {}
                Err(error) => return Err(self.broken(error)),
            }
        }
    }

    /// Sends as much as the system takes now, and as it may still get.
    ///
    /// # Errors
    /// The connection broke.
    pub(super) fn send_now(&self, bytes: &[u8]) -> Result<usize> {
        let bytes = bytes.get(..self.left_to_send()).unwrap_or(bytes);
        if bytes.is_empty() {
            return Ok(0);
        }
        match self.stream()?.try_write(bytes) {
            Ok(length) => {
                self.meter.count_sent(length);
                Ok(length)
            }
            Err(error) if is_passing(&error) => Ok(0),
            Err(error) => Err(self.broken(error)),
        }
    }

    /// Waits until the system takes more; for ever if the client has got as much as it may.
    ///
    /// # Errors
    /// The connection broke.
    pub(super) async fn writable(&self) -> Result<()> {
        if self.is_full() {
            std::future::pending::<()>().await;
        }
        let ready = self.stream()?.ready(Interest::WRITABLE).await;
        ready.map(drop).map_err(|error| self.broken(error))
    }

    /// Sends all of it, and waits as long as the client is slow; for ever once it has got as much
    /// as it may.
    ///
    /// # Errors
    /// The connection broke.
    pub(super) async fn send(&self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            self.writable().await?;
            let length = self.send_now(bytes)?;
            bytes = bytes.get(length..).unwrap_or_default();
        }
        if self.is_full() {
            std::future::pending::<()>().await;
        }
        Ok(())
    }

    /// Shuts the write half down, once, unless whoever has the connection has done so, and it is
    /// over: that cannot be shut down any more.
    ///
    /// # Errors
    /// The connection broke.
    pub(super) fn end_sending(&self) -> Result<()> {
        if self.write_ended.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        match self.line().shut_down_write() {
            Ok(()) => {
                self.meter.note_shut_down();
                Ok(())
            }
            Err(error) => {
                self.check_socket()?;
                match sys::carried(self.as_fd()) {
                    Some(carried) if carried.is_finished => Ok(()),
                    _ => Err(self.broken(error)),
                }
            }
        }
    }

    /// Waits until the connection is broken; for ever if it is not.
    pub(super) async fn failure(&self) -> Error {
        loop {
            let stream = match self.stream() {
                Ok(stream) => stream,
                Err(error) => return error,
            };
            if let Err(error) = stream.ready(Interest::ERROR).await {
                return self.broken(error);
            }
            if let Some(error) = stream.try_error() {
                return self.broken(error);
            }
        }
    }

    /// Counts what came, and tells of it, not too often.
    fn note_received(&self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.meter.count_received(bytes.len());
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(untold) = said.take(bytes.len(), Instant::now()) {
            self.service.observer.notice(&Event::ClientSaid {
                client: self.number,
                peer: &self.peer,
                bytes,
                untold,
            });
        }
    }

    /// How much the next read may take.
    fn wanted(&self) -> usize {
        self.left_of(self.meter.received()).min(self.most_at_once())
    }

    /// How much one read takes at most: of messages the longest, for the rest of one is lost.
    fn most_at_once(&self) -> usize {
        match self.proto() {
            Proto::UnixSeqpacket => LONGEST_MESSAGE,
            _ => scratch::SIZE,
        }
    }

    /// How much it may still get.
    fn left_to_send(&self) -> usize {
        self.left_of(self.meter.sent())
    }

    /// What is left of the bytes that go one way when so many have gone.
    fn left_of(&self, gone: u64) -> usize {
        let most = self.service.most.unwrap_or(u64::MAX);
        usize::try_from(most.saturating_sub(gone)).unwrap_or(usize::MAX)
    }

    /// Fails if the last message was longer than the room for it, or than was still wanted.
    pub(super) fn check_cut(&self) -> Result<()> {
        self.cut.check(&self.peer)
    }

    /// Whether as many bytes came as are wanted.
    pub(super) fn is_sated(&self) -> bool {
        self.wanted() == 0
    }

    /// Whether it has got as much as it may.
    pub(super) fn is_full(&self) -> bool {
        self.left_to_send() == 0
    }

    /// The error of a connection that broke like this.
    pub(super) fn broken(&self, error: io::Error) -> Error {
        connection_error(&self.peer, error)
    }

    /// Fails with the error that the socket holds.
    pub(super) fn check_socket(&self) -> Result<()> {
        match SockRef::from(&self.as_fd()).take_error() {
            Ok(Some(error)) => Err(self.broken(error)),
            _ => Ok(()),
        }
    }
}

impl AsFd for Client {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.connection {
            Connection::Own(stream) => stream.as_fd(),
            Connection::Lent(_, socket) => socket.as_fd(),
        }
    }
}
