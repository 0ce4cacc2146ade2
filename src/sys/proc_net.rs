//! The sockets of this network namespace out of proc(5), `/proc/net`, for where `sock_diag(7)` is
//! not to be had: no sizes of buffers, and of Unix sockets no queues.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::buffers::{Socket, SocketKind, SocketState};
use crate::interfaces::readable;

/// The flag of a Unix socket that takes connections (`__SO_ACCEPTCON` in `include/linux/net.h`).
const ACCEPTS: u32 = 1 << 16;

/// Every socket of a kind.
pub(super) fn sockets(kind: SocketKind) -> io::Result<Vec<Socket>> {
    match kind {
        SocketKind::Tcp => inet(kind, "tcp", "tcp6"),
        SocketKind::Udp => inet(kind, "udp", "udp6"),
        _ => {
            let mut all = read("unix", unix)?;
            all.retain(|socket| socket.kind == kind);
            Ok(all)
        }
    }
}

/// Every socket of a protocol over IP.
fn inet(kind: SocketKind, ipv4: &str, ipv6: &str) -> io::Result<Vec<Socket>> {
    let mut all = read(ipv4, |line| over_ip(kind, line))?;
    match read(ipv6, |line| over_ip(kind, line)) {
        Ok(more) => all.extend(more),
        // A machine without IPv6.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    Ok(all)
}

/// Reads a table, a socket a line after the headline. The name of a Unix socket may have an end of
/// line in it, so that not every line is one.
fn read(name: &str, socket: impl Fn(&[u8]) -> Option<Socket>) -> io::Result<Vec<Socket>> {
    let table = fs::read(format!("/proc/net/{name}"))?;
    let lines = table.split(|byte| *byte == b'\n').skip(1);
    Ok(lines.filter_map(socket).collect())
}

/// Reads every line as every kind of socket, for fuzzing.
#[cfg(any(test, feature = "fuzz"))]
pub(crate) fn fuzz(table: &[u8]) {
    for line in table.split(|byte| *byte == b'\n') {
        let _ = (
            over_ip(SocketKind::Tcp, line),
            over_ip(SocketKind::Udp, line),
            unix(line),
        );
    }
}

/// Reads `sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode
/// ref pointer drops`, where the last is UDP's alone.
fn over_ip(kind: SocketKind, line: &[u8]) -> Option<Socket> {
    let mut words = std::str::from_utf8(line).ok()?.split_ascii_whitespace();
    let (local, peer) = (end(words.nth(1)?)?, end(words.next()?)?);
    let state = super::socket_list::state(u8::from_str_radix(words.next()?, 16).ok()?);
    let (send, receive) = words.next()?.split_once(':')?;
    let queue = |word: &str| Some(u64::from(u32::from_str_radix(word, 16).ok()?));
    let (send, receive) = (queue(send)?, queue(receive)?);
    let inode = words.nth(4)?.parse().ok()?;
    let mut socket = Socket {
        kind,
        state,
        local: Some(local),
        peer: Some(peer).filter(|peer| peer.port() != 0 || !peer.ip().is_unspecified()),
        inode,
        ..Socket::default()
    };
    if state == SocketState::Listen {
        // The backlog is not here: the table has a queue in its place, which is always empty.
        socket.accept_queue = Some(receive);
    } else {
        (socket.receive_queue, socket.send_queue) = (Some(receive), Some(send));
    }
    if kind == SocketKind::Udp {
        socket.drops = words.nth(2).and_then(|drops| drops.parse().ok());
    }
    Some(socket)
}

/// Reads `0100007F:1F90`: words of the address as the machine has them, then the port.
fn end(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |place: usize| {
        let digits = address.get(place..place.checked_add(8)?)?;
        Some(u32::from_str_radix(digits, 16).ok()?.to_ne_bytes())
    };
    match address.len() {
        8 => Some((Ipv4Addr::from(word(0)?), port).into()),
        32 => {
            let octets = [word(0)?, word(8)?, word(16)?, word(24)?].concat();
            let octets: [u8; 16] = octets.try_into().ok()?;
            Some((Ipv6Addr::from(octets), port).into())
        }
        _ => None,
    }
}

/// Reads `Num RefCount Protocol Flags Type St Inode Path`; a zero in the path is an `@`.
fn unix(line: &[u8]) -> Option<Socket> {
    let mut words = line.splitn(8, |byte| *byte == b' ').map(<[u8]>::trim_ascii);
    let mut text = |skipped: usize| std::str::from_utf8(words.nth(skipped)?).ok();
    let flags = u32::from_str_radix(text(3)?, 16).ok()?;
    let kind = super::socket_list::unix_kind(u8::from_str_radix(text(0)?, 16).ok()?)?;
    let connection = u8::from_str_radix(text(0)?, 16).ok()?;
    // The inode is padded with spaces in front.
    let rest = words.collect::<Vec<_>>().join(&b' ');
    let rest = rest.trim_ascii_start();
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (inode, path) = rest.split_at_checked(digits)?;
    Some(Socket {
        kind,
        state: state(flags, connection),
        path: path.strip_prefix(b" ").map(readable),
        inode: std::str::from_utf8(inode).ok()?.parse().ok()?,
        ..Socket::default()
    })
}

/// The state of a Unix socket by its flags and its `SS_CONNECTED` (`include/uapi/linux/net.h`).
fn state(flags: u32, connection: u8) -> SocketState {
    match connection {
        _ if flags & ACCEPTS != 0 => SocketState::Listen,
        3 => SocketState::Established,
        _ => SocketState::Unconnected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn a_line_of_tcp() {
        let line = b"   0: 0100007F:1F90 0100007F:D431 01 0000000A:00000400 00:00000000 00000000 \
            1000        0 4242 1 0000000000000000 20 4 30 10 -1";
        let socket = over_ip(SocketKind::Tcp, line).unwrap();
        assert_eq!(socket.local.unwrap().to_string(), "127.0.0.1:8080");
        assert_eq!(socket.peer.unwrap().port(), 0xd431);
        assert_eq!(socket.state, SocketState::Established);
        assert_eq!(
            (socket.send_queue, socket.receive_queue),
            (Some(10), Some(1024))
        );
        assert_eq!((socket.inode, socket.drops), (4242, None));
        assert_eq!((socket.receive_buffer, socket.backlog), (None, None));
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn a_line_of_udp_and_one_of_a_listener() {
        let udp = b"  12: 00000000000000000000000001000000:0035 \
            00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000   \
            101        0 77 2 0000000000000000 9";
        let udp = over_ip(SocketKind::Udp, udp).unwrap();
        assert_eq!(udp.local.unwrap().to_string(), "[::1]:53");
        assert_eq!((udp.peer, udp.drops), (None, Some(9)));
        let listener = b"0: 00000000:0016 00000000:0000 0A 00000000:00000003 00:00000000 00000000 \
            0 0 256 1 0 100 0 0 10 0";
        let listener = over_ip(SocketKind::Tcp, listener).unwrap();
        assert_eq!(
            (listener.accept_queue, listener.receive_queue),
            (Some(3), None)
        );
    }

    #[test]
    fn lines_of_unix() {
        let line = b"0000000000000000: 00000002 00000000 00010000 0001 01 2048 /run/a b";
        let socket = unix(line).unwrap();
        assert_eq!(socket.path.as_deref(), Some("/run/a b"));
        assert_eq!((socket.state, socket.inode), (SocketState::Listen, 2048));
        let line = b"0000000000000000: 00000003 00000000 00000000 0002 03    17";
        let socket = unix(line).unwrap();
        assert_eq!((socket.kind, socket.path), (SocketKind::UnixDatagram, None));
        assert_eq!((socket.state, socket.inode), (SocketState::Established, 17));
        assert!(unix(b"second line of a name").is_none());
    }

    proptest! {
        #[test]
        fn any_line_is_a_socket_or_none(line in any::<Vec<u8>>()) {
            let _ = (over_ip(SocketKind::Tcp, &line), unix(&line));
        }
    }
}
