//! A connected stream, TCP or Unix, with what ending it well takes.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::RecvFlags;
use socket2::SockRef;
use tokio::io::{Interest, Ready};
use tokio::net::{TcpStream, UnixStream};

use super::{Address, Line, Proto};
use crate::sys;

/// Room for the longest message of a Unix socket whose send buffer an ordinary user can have
/// (`net.core.wmem_max`, doubled; `unix_dgram_sendmsg` in `net/unix/af_unix.c`).
pub(crate) const LONGEST_MESSAGE: usize = 512 * 1024;

/// A connection that carries bytes in order, and can be ended in one direction.
#[derive(Debug)]
pub enum Stream {
    /// Over TCP.
    Tcp(TcpStream),
    /// Over a Unix stream socket.
    Unix(UnixStream),
    /// Over a Unix socket that carries messages; the runtime's type reads and writes any descriptor.
    Seqpacket(UnixStream),
}

/// Calls the same method of whichever it is.
macro_rules! either {
    ($stream:expr, $inner:ident => $call:expr) => {
        match $stream {
            Stream::Tcp($inner) => $call,
            Stream::Unix($inner) | Stream::Seqpacket($inner) => $call,
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
            Self::Seqpacket(_) => Proto::UnixSeqpacket,
        }
    }

    /// Our own address.
    pub fn local(&self) -> io::Result<Address> {
        match self {
            Self::Tcp(stream) => Ok(stream.local_addr()?.into()),
            Self::Unix(stream) | Self::Seqpacket(stream) => Ok(Address::Unix(
                stream.local_addr()?.as_pathname().map(Into::into),
            )),
        }
    }

    /// The socket without the runtime that watched it; it stays non-blocking.
    pub(crate) fn into_socket(self) -> io::Result<OwnedFd> {
        match self {
            Self::Tcp(stream) => Ok(stream.into_std()?.into()),
            Self::Unix(stream) | Self::Seqpacket(stream) => Ok(stream.into_std()?.into()),
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
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    /// The error that the socket holds, which this takes away from it. None is noted, so that the
    /// next wait for one waits.
    pub(crate) fn try_error(&self) -> Option<io::Error> {
        let look = || match SockRef::from(self).take_error()? {
            None => Err(io::ErrorKind::WouldBlock.into()),
            Some(error) => Ok(error),
        };
        either!(self, stream => stream.try_io(Interest::ERROR, look)).ok()
    }

    /// Takes what has come; 0 is the peer's end.
    pub(crate) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        either!(self, stream => stream.try_read(buffer))
    }

    /// Takes what has come: how much of it fits, and how long it is, which only of a message can be
    /// more. 0 is the peer's end.
    pub(crate) fn try_take(&self, buffer: &mut [u8]) -> io::Result<(usize, usize)> {
        match self {
            Self::Seqpacket(_) => self.try_receive(buffer),
            _ => self.try_read(buffer).map(|length| (length, length)),
        }
    }

    /// Takes a message that has come: how much of it fits, and how long it is. 0 is the peer's end.
    pub(crate) fn try_receive(&self, buffer: &mut [u8]) -> io::Result<(usize, usize)> {
        let receive = || sys::receive_message(self.as_fd(), &mut *buffer);
        either!(self, stream => stream.try_io(Interest::READABLE, receive))
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

    /// Sends small writes at once, and resets the connection if we are killed before anything was
    /// said.
    pub(crate) fn prepare(&self) {
        Line::new(self.proto(), self.as_fd()).reset_on_close(true);
        if let Self::Tcp(stream) = self {
            let _ = stream.set_nodelay(true);
            // Urgent data would vanish from the middle of the stream (tcp(7)).
            let _ = SockRef::from(self).set_out_of_band_inline(true);
        }
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        either!(self, stream => stream.as_fd())
    }
}
