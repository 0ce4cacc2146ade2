//! The end of a connection that does not read.

use std::io;
use std::net::SocketAddr;

use rustix::io::ioctl_fionread;
use socket2::Socket;

use crate::sys;

/// Who does not read.
#[derive(Debug)]
pub(super) enum Receiver {
    /// We ourselves.
    Ours(Socket),
    /// Another program, perhaps on another machine.
    Elsewhere {
        /// Our end of the connection.
        local: SocketAddr,
        /// Its end.
        peer: SocketAddr,
    },
}

impl Receiver {
    /// How many bytes wait there to be read. A socket of another program is looked for among those
    /// of this machine.
    pub(super) fn queue(&self) -> io::Result<Option<u64>> {
        match self {
            Self::Ours(socket) => Ok(Some(ioctl_fionread(socket)?)),
            Self::Elsewhere { local, peer } => {
                let found = sys::tcp_socket(*peer, *local).ok().flatten();
                Ok(found.and_then(|socket| socket.receive_queue))
            }
        }
    }

    /// The size of its receive buffer.
    pub(super) fn buffer(&self) -> io::Result<Option<u64>> {
        match self {
            Self::Ours(socket) => Ok(u64::try_from(socket.recv_buffer_size()?).ok()),
            Self::Elsewhere { local, peer } => {
                let found = sys::tcp_socket(*peer, *local).ok().flatten();
                Ok(found.and_then(|socket| socket.receive_buffer))
            }
        }
    }
}
