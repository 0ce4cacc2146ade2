//! What ending a connection well takes, asked of its descriptor alone.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::RecvFlags;
use socket2::{SockRef, TcpKeepalive};

use super::Proto;
use crate::sys;

/// A connected socket, whoever reads from it and writes to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'a> {
    proto: Proto,
    socket: BorrowedFd<'a>,
}

impl<'a> Line<'a> {
    /// The connection that this descriptor stands for.
    pub(crate) fn new(proto: Proto, socket: BorrowedFd<'a>) -> Self {
        Self { proto, socket }
    }

    /// Says to the peer that no more will come (a half-close).
    pub(crate) fn shut_down_write(self) -> io::Result<()> {
        SockRef::from(&self.socket).shutdown(std::net::Shutdown::Write)
    }

    /// Bytes that the peer's kernel has not acknowledged, a FIN counted as one; `None` where that
    /// is not known.
    pub(crate) fn unacknowledged(self) -> Option<u64> {
        match self.proto {
            Proto::Tcp => sys::unacknowledged(self.socket).ok().flatten(),
            // What a Unix socket calls its queue is memory, not payload (unix_inq_len and
            // unix_outq_len, net/unix/af_unix.c).
            _ => None,
        }
    }

    /// From now on a close, ours or the system's when we are killed, resets the connection: the
    /// peer must not take a broken conversation for a finished one.
    pub(crate) fn reset_on_close(self, reset: bool) {
        if self.proto == Proto::Tcp {
            // A socket that refuses is closed in the ordinary way.
            let _ = SockRef::from(&self.socket).set_linger(reset.then_some(Duration::ZERO));
        }
    }

    /// Finds out within a while that a silent peer has gone: one probe every `interval`, or more
    /// often if that was asked for.
    pub(crate) fn probe_every(self, interval: Duration) {
        let socket = SockRef::from(&self.socket);
        let is_slower = socket
            .tcp_keepalive_time()
            .map_or(true, |time| time > interval);
        if self.proto == Proto::Tcp && (is_slower || !socket.keepalive().unwrap_or(false)) {
            let keepalive = TcpKeepalive::new()
                .with_time(interval)
                .with_interval(interval);
            let _ = socket.set_tcp_keepalive(&keepalive);
        }
    }

    /// Whether something that came has not been read.
    pub(crate) fn has_unread(self) -> bool {
        rustix::io::ioctl_fionread(self.socket).is_ok_and(|unread| unread > 0)
    }

    /// Resets the connection now, whoever else has it, if it is one that can be.
    pub(crate) fn reset_now(self) {
        if self.proto == Proto::Tcp {
            // Linux sends the RST at once (net/ipv4/tcp.c, tcp_disconnect); one that is over
            // already refuses.
            let _ = rustix::net::connect_unspec(self.socket);
        }
    }

    /// Empties the receive queue: input left unread would turn the close into a reset (RFC 1122,
    /// section 4.2.2.13).
    ///
    /// # Errors
    /// The connection broke.
    pub(crate) fn drop_what_came(self) -> io::Result<Dropped> {
        let mut buffer = [0_u8; 16 * 1024];
        let mut some = false;
        loop {
            match rustix::net::recv(self.socket, &mut buffer, RecvFlags::DONTWAIT) {
                Ok((0, _)) => return Ok(Dropped { some, ended: true }),
                Ok(_) => some = true,
                Err(Errno::AGAIN) => return Ok(Dropped { some, ended: false }),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// What emptying the receive queue came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dropped {
    /// Whether there was anything.
    pub(crate) some: bool,
    /// Whether the peer has ended.
    pub(crate) ended: bool,
}
