//! A connected stream, TCP or Unix, with what ending it well takes.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use rustix::net::RecvFlags;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{Interest, Ready};
use tokio::net::{TcpStream, UnixStream};

use super::{Address, Proto};
use crate::sys;

/// A connection that carries bytes in order, and can be ended in one direction.
#[derive(Debug)]
pub enum Stream {
    /// Over TCP.
    Tcp(TcpStream),
    /// Over a Unix stream socket.
    Unix(UnixStream),
}

/// Calls the same method of whichever it is.
macro_rules! either {
    ($stream:expr, $inner:ident => $call:expr) => {
        match $stream {
            Stream::Tcp($inner) => $call,
            Stream::Unix($inner) => $call,
        }
    };
}

impl Stream {
    /// How it carries them.
    #[must_use]
    pub fn proto(&self) -> Proto {
        match self {
            Self::Tcp(_) => Proto::Tcp,
            Self::Unix(_) => Proto::Unix,
        }
    }

    /// Our own address.
    pub fn local(&self) -> io::Result<Address> {
        match self {
            Self::Tcp(stream) => Ok(stream.local_addr()?.into()),
            Self::Unix(stream) => Ok(Address::Unix(
                stream.local_addr()?.as_pathname().map(Into::into),
            )),
        }
    }

    /// The peer's address.
    pub fn peer(&self) -> io::Result<Address> {
        match self {
            Self::Tcp(stream) => Ok(stream.peer_addr()?.into()),
            Self::Unix(stream) => Ok(Address::Unix(
                stream.peer_addr()?.as_pathname().map(Into::into),
            )),
        }
    }

    /// Waits until it can be read from, written to, or has failed, as `interest` says.
    pub(crate) async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        either!(self, stream => stream.ready(interest).await)
    }

    /// Waits until the peer says or ends something, and leaves it where it is.
    ///
    /// # Errors
    /// The connection was reset.
    pub(crate) async fn first_news(&self) -> io::Result<()> {
        loop {
            self.ready(Interest::READABLE).await?;
            let peek = || {
                let flags = RecvFlags::DONTWAIT | RecvFlags::PEEK;
                Ok(rustix::net::recv(self.as_fd(), &mut [0_u8; 1], flags).map(|_| ())?)
            };
            let peeked = either!(self, stream => stream.try_io(Interest::READABLE, peek));
            match peeked {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return result,
            }
        }
    }

    /// Takes what has come; 0 is the peer's end.
    pub(crate) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        either!(self, stream => stream.try_read(buffer))
    }

    /// Takes what the system holds, ready or not: after a failure no event tells of it.
    pub(crate) fn read_now(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let (length, _) = rustix::net::recv(self.as_fd(), buffer, RecvFlags::DONTWAIT)?;
        Ok(length)
    }

    /// Gives what the system takes now.
    pub(crate) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        either!(self, stream => stream.try_write(bytes))
    }

    /// Says to the peer that no more will come (a half-close).
    pub(crate) fn shut_down_write(&self) -> io::Result<()> {
        SockRef::from(self).shutdown(std::net::Shutdown::Write)
    }

    /// The error that the socket holds, which this takes away from it.
    pub(crate) fn take_error(&self) -> io::Result<Option<io::Error>> {
        SockRef::from(self).take_error()
    }

    /// Bytes that the peer's kernel has not acknowledged, a FIN counted as one; `None` where that
    /// is not known.
    pub(crate) fn unacknowledged(&self) -> Option<u64> {
        match self {
            Self::Tcp(stream) => sys::unacknowledged(stream.as_fd()).ok().flatten(),
            // What a Unix socket calls its queue is memory, not payload.
            Self::Unix(_) => None,
        }
    }

    /// From now on a close, ours or the system's when we are killed, resets the connection: the
    /// peer must not take a broken conversation for a finished one.
    pub(crate) fn reset_on_close(&self, reset: bool) {
        if let Self::Tcp(_) = self {
            // A socket that refuses is closed in the ordinary way.
            let _ = SockRef::from(self).set_linger(reset.then_some(Duration::ZERO));
        }
    }

    /// Finds out within a while that a silent peer has gone: one probe every `interval`.
    pub(crate) fn probe_every(&self, interval: Duration) {
        if let Self::Tcp(_) = self {
            let keepalive = TcpKeepalive::new()
                .with_time(interval)
                .with_interval(interval);
            let _ = SockRef::from(self).set_tcp_keepalive(&keepalive);
        }
    }

    /// Sends small writes at once, and has the system notice a peer that is gone for hours.
    pub(crate) fn prepare(&self) {
        if let Self::Tcp(stream) = self {
            let _ = stream.set_nodelay(true);
            let _ = SockRef::from(self).set_keepalive(true);
        }
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        either!(self, stream => stream.as_fd())
    }
}
