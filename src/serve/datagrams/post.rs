//! One of the sockets that datagrams come to.

use std::io::{self, IoSlice};
use std::net::UdpSocket as StdSocket;

use crate::error::{Action, Error, Result};
use crate::net::{Address, Correspondent, DatagramSocket, Proto};

/// A socket, and where it is.
#[derive(Debug)]
pub(super) struct Post {
    pub(super) socket: DatagramSocket,
    pub(super) local: Address,
}

/// What became of a datagram that was to be sent.
#[derive(Debug)]
pub(super) enum Handed {
    /// The system has it.
    Over,
    /// Nobody is there any more.
    Gone,
    /// The system does not take it.
    Failed(io::Error),
}

impl Post {
    /// A socket that is bound.
    ///
    /// # Errors
    /// The system does not say where.
    pub(super) fn new(socket: DatagramSocket) -> Result<Self> {
        let unknown = || "it has no address".to_owned();
        let local = socket.local();
        let local = local.ok_or_else(|| Error::new(Action::Inspect, "a socket", unknown()))?;
        Ok(Self { socket, local })
    }

    /// Whether a datagram that claims to come from there comes from this very socket.
    pub(super) fn is_at(&self, source: &Address) -> bool {
        let (Some(local), Some(source)) = (self.local.ip(), source.ip()) else {
            return self.local.path().is_some() && self.local == *source;
        };
        let ours = |ip| StdSocket::bind((ip, 0)).is_ok();
        source.port() == local.port() && (source == local || ours(source.ip()))
    }

    /// Sends a datagram. Over the network the system's own queue is waited for; inside this
    /// machine it would be that of a single client, who must not hold up the others.
    pub(super) async fn send(&self, datagram: &[u8], to: &Correspondent) -> Handed {
        loop {
            let sent = self.socket.send_each(&[IoSlice::new(datagram)], Some(to));
            let Err(error) = sent else {
                return Handed::Over;
            };
            match (error.kind(), self.socket.proto()) {
                (io::ErrorKind::Interrupted, _) => {}
                (io::ErrorKind::WouldBlock, Proto::Udp) => {
                    if let Err(error) = self.socket.writable().await {
                        return Handed::Failed(error);
                    }
                }
                (io::ErrorKind::WouldBlock, _) => {
                    return Handed::Failed(io::Error::other("a client's queue is full"));
                }
                (io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound, proto)
                    if proto != Proto::Udp =>
                {
                    return Handed::Gone;
                }
                _ => return Handed::Failed(error),
            }
        }
    }
}
