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

/// What became of the bytes that arrived. What the system does not tell is `None`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Arrived {
    /// How many wait to be read.
    pub(super) queue: Option<u64>,
    /// How many another program has read: those that its system counted, less those that wait.
    pub(super) read: Option<u64>,
}

impl Receiver {
    /// What became of the bytes there. A socket of another program is looked for among those of
    /// this machine.
    pub(super) fn look(&self) -> io::Result<Arrived> {
        match self {
            Self::Ours(socket) => Ok(Arrived {
                queue: Some(ioctl_fionread(socket)?),
                read: None,
            }),
            Self::Elsewhere { local, peer } => {
                let Some(socket) = sys::tcp_socket(*peer, *local).ok().flatten() else {
                    return Ok(Arrived::default());
                };
                let queue = socket.receive_queue;
                let all = socket.tcp.and_then(|tcp| tcp.received);
                Ok(Arrived {
                    queue,
                    read: all
                        .zip(queue)
                        .and_then(|(all, queue)| all.checked_sub(queue)),
                })
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
