//! The sockets of this network namespace, from whichever source tells of them.

use std::io;

use super::{SocketList, netlink, proc_net};
use crate::buffers::SocketKind;

/// Every socket of a kind, with what TCP measures if that is wanted. A sandbox may refuse
/// `sock_diag(7)` and leave `/proc/net`, which tells less.
pub(crate) fn sockets(kind: SocketKind, tcp: bool) -> io::Result<Option<SocketList>> {
    let refused = match netlink::sockets(kind, tcp) {
        Ok(sockets) => {
            return Ok(Some(SocketList {
                sockets,
                refused: None,
            }));
        }
        Err(error) => error,
    };
    match proc_net::sockets(kind) {
        Ok(sockets) => Ok(Some(SocketList {
            sockets,
            refused: Some(refused),
        })),
        Err(_) => Err(refused),
    }
}

/// The kind of a Unix socket by its type (socket(2)).
pub(super) fn unix_kind(number: u8) -> Option<SocketKind> {
    match i32::from(number) {
        libc::SOCK_STREAM => Some(SocketKind::UnixStream),
        libc::SOCK_DGRAM => Some(SocketKind::UnixDatagram),
        libc::SOCK_SEQPACKET => Some(SocketKind::UnixSeqpacket),
        _ => None,
    }
}
