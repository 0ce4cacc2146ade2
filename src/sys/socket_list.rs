//! The sockets of this network namespace, from whichever source tells of them.

use std::io;

use super::{SocketList, netlink, proc_net};
use crate::buffers::{SocketKind, SocketState};

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

/// The state of a socket by its number (`include/net/tcp_states.h`); other protocols use some of
/// TCP's.
pub(super) fn state(number: u8) -> SocketState {
    // TCP_NEW_SYN_RECV is 12, and to the user the same as TCP_SYN_RECV.
    let number = if number == 12 { 3 } else { number };
    let place = usize::from(number).checked_sub(1);
    let state = place.and_then(|place| SocketState::ALL.get(place));
    state.copied().unwrap_or_default()
}
