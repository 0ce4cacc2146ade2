//! One client of a server, as a behaviour sees it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use socket2::SockRef;
use tokio::io::Interest;

use super::Service;
use super::scratch;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::net::{Accepted, Address, Line, Stream};
use crate::relay::{Meter, connection_error};

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
    stream: Stream,
    write_ended: AtomicBool,
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
            stream,
            write_ended: AtomicBool::new(false),
        }
    }

    /// Its connection.
    pub(super) fn stream(&self) -> &Stream {
        &self.stream
    }

    /// Its connection, for ending it.
    pub(super) fn line(&self) -> Line<'_> {
        Line::new(self.stream.proto(), self.stream.as_fd())
    }

    /// Waits for bytes and hands them over, which must not take long; `None` is the client's end,
    /// or as many bytes as are wanted.
    ///
    /// # Errors
    /// The connection broke.
    pub(super) async fn receive<T>(&self, mut take: impl FnMut(&[u8]) -> T) -> Result<Option<T>> {
        loop {
            let ready = self.stream.ready(Interest::READABLE).await;
            ready.map_err(|error| self.broken(error))?;
            let wanted = self.wanted();
            if wanted == 0 {
                return Ok(None);
            }
            let taken = scratch::lend(|buffer| {
                let buffer = buffer.get_mut(..wanted).unwrap_or_default();
                let length = self.stream.try_read(buffer)?;
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
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(self.broken(error)),
            }
        }
    }

    /// Sends as much as the system takes now.
    ///
    /// # Errors
    /// The connection broke.
    pub(super) fn send_now(&self, bytes: &[u8]) -> Result<usize> {
        match self.stream.try_write(bytes) {
            Ok(length) => {
                self.meter.count_sent(length);
                Ok(length)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            Err(error) => Err(self.broken(error)),
        }
    }

    /// Sends all of it, and waits as long as the client is slow.
    ///
    /// # Errors
    /// The connection broke.
    pub(super) async fn send(&self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let ready = self.stream.ready(Interest::WRITABLE).await;
            ready.map_err(|error| self.broken(error))?;
            let length = self.send_now(bytes)?;
            bytes = bytes.get(length..).unwrap_or_default();
        }
        Ok(())
    }

    /// Shuts the write half down, once.
    ///
    /// # Errors
    /// The connection broke.
    pub(super) fn end_sending(&self) -> Result<()> {
        if self.write_ended.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        match self.line().shut_down_write() {
            Ok(()) => Ok(()),
            Err(error) => {
                self.check_socket()?;
                Err(self.broken(error))
            }
        }
    }

    /// Waits until the connection is broken; for ever if it is not.
    pub(super) async fn failure(&self) -> Error {
        loop {
            if let Err(error) = self.stream.ready(Interest::ERROR).await {
                return self.broken(error);
            }
            if let Some(error) = self.stream.try_error() {
                return self.broken(error);
            }
        }
    }

    /// Counts what came, and tells of it.
    fn note_received(&self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.meter.count_received(bytes.len());
        self.service.observer.notice(&Event::ClientSaid {
            client: self.number,
            peer: &self.peer,
            bytes,
        });
    }

    /// How much the next read may take.
    fn wanted(&self) -> usize {
        let left = self
            .service
            .most
            .map_or(u64::MAX, |most| most.saturating_sub(self.meter.received()));
        usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(scratch::SIZE)
    }

    /// Whether as many bytes came as are wanted.
    pub(super) fn is_sated(&self) -> bool {
        self.wanted() == 0
    }

    /// The error of a connection that broke like this.
    pub(super) fn broken(&self, error: io::Error) -> Error {
        connection_error(&self.peer, error)
    }

    /// Fails with the error that the socket holds.
    pub(super) fn check_socket(&self) -> Result<()> {
        match SockRef::from(&self.stream).take_error() {
            Ok(Some(error)) => Err(self.broken(error)),
            _ => Ok(()),
        }
    }
}

impl AsFd for Client {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
