//! The other side of a client that is passed on.

use std::io;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};

use socket2::SockRef;
use tokio::io::Interest;

use crate::error::{Action, Error, Result};
use crate::net::{Address, Line, Reached, Stream};
use crate::relay::looks::Looks;
use crate::relay::{connection_error, is_passing};
use crate::serve::scratch;

/// A connection to it. Unless it is settled, dropping it resets it.
#[derive(Debug)]
pub(in crate::serve) struct Upstream {
    stream: Stream,
    peer: Address,
    /// Our end is sent: it counts as a byte until it is acknowledged.
    ended: AtomicBool,
}

impl Upstream {
    /// One that was reached.
    ///
    /// # Errors
    /// It broke again before we came to look.
    pub(in crate::serve) fn new(reached: Reached) -> Result<Self> {
        let Reached {
            stream,
            peer,
            failure,
        } = reached;
        match failure {
            Some(error) => Err(connection_error(&peer, error)),
            None => Ok(Self {
                stream,
                peer,
                ended: AtomicBool::new(false),
            }),
        }
    }

    /// Its connection, for ending it.
    pub(in crate::serve) fn line(&self) -> Line<'_> {
        Line::new(self.stream.proto(), self.stream.as_fd())
    }

    /// Waits for bytes and hands them over, which must not take long; `None` is its end.
    ///
    /// # Errors
    /// The connection broke.
    pub(in crate::serve) async fn receive<T>(
        &self,
        mut take: impl FnMut(&[u8]) -> T,
    ) -> Result<Option<T>> {
        loop {
            let ready = self.stream.ready(Interest::READABLE).await;
            ready.map_err(|error| self.broken(error))?;
            let taken = scratch::lend(scratch::SIZE, |buffer| {
                let length = self.stream.try_read(buffer)?;
                let came = buffer.get(..length).unwrap_or_default();
                Ok::<_, io::Error>((length > 0).then(|| take(came)))
            });
            match taken {
                Err(error) if is_passing(&error) => {}
                taken => return taken.map_err(|error| self.broken(error)),
            }
        }
    }

    /// Sends as much as the system takes now.
    ///
    /// # Errors
    /// The connection broke.
    pub(in crate::serve) fn send_now(&self, bytes: &[u8]) -> Result<usize> {
        match self.stream.try_write(bytes) {
            Err(error) if is_passing(&error) => Ok(0),
            sent => sent.map_err(|error| self.broken(error)),
        }
    }

    /// Sends all of it, and waits as long as the other side is slow.
    ///
    /// # Errors
    /// The connection broke.
    pub(in crate::serve) async fn send(&self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let ready = self.stream.ready(Interest::WRITABLE).await;
            ready.map_err(|error| self.broken(error))?;
            let length = self.send_now(bytes)?;
            bytes = bytes.get(length..).unwrap_or_default();
        }
        Ok(())
    }

    /// Shuts the write half down.
    ///
    /// # Errors
    /// The connection broke.
    pub(in crate::serve) fn end_sending(&self) -> Result<()> {
        self.line().shut_down_write().or_else(|error| {
            self.check()?;
            Err(self.broken(error))
        })?;
        self.ended.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Waits until it has everything, and lets it go in peace.
    ///
    /// # Errors
    /// It did not take everything.
    pub(in crate::serve) async fn settle(&self) -> Result<()> {
        let mut looks = Looks::new();
        while self.line().unacknowledged().unwrap_or(0) > 0 {
            self.check()?;
            looks.pause().await;
        }
        self.check()?;
        self.line().reset_on_close(false);
        Ok(())
    }

    /// It is left although it has not ended.
    ///
    /// # Errors
    /// It has not taken everything.
    pub(in crate::serve) fn give_up(&self) -> Result<()> {
        // Nobody misses our end.
        let end = u64::from(self.ended.load(Ordering::Relaxed));
        if self.line().unacknowledged().unwrap_or(0) <= end {
            return Ok(());
        }
        let cause = "it did not take everything in time".to_owned();
        Err(Error::new(Action::Send, &self.peer, cause))
    }

    /// Waits until the connection is broken; for ever if it is not.
    pub(in crate::serve) async fn failure(&self) -> Error {
        loop {
            if let Err(error) = self.stream.ready(Interest::ERROR).await {
                return self.broken(error);
            }
            if let Some(error) = self.stream.try_error() {
                return self.broken(error);
            }
        }
    }

    /// Fails with the error that the socket holds.
    fn check(&self) -> Result<()> {
        match SockRef::from(&self.stream).take_error() {
            Ok(Some(error)) => Err(self.broken(error)),
            _ => Ok(()),
        }
    }

    /// The error of a connection that broke like this.
    fn broken(&self, error: io::Error) -> Error {
        connection_error(&self.peer, error)
    }
}
