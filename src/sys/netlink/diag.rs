//! The sockets of this network namespace, over `sock_diag(7)`.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

use rustix::net::netlink::SOCK_DIAG;

use super::Netlink;
use super::message::{Attributes, malformed, u8_at, u16_at, u32_at, u64_at};
use crate::buffers::{Socket, SocketKind, SocketState, Tcp};
use crate::interfaces::readable;
use crate::sys::socket_list;

/// `SOCK_DIAG_BY_FAMILY`, the type of requests and answers.
const BY_FAMILY: u16 = 20;

/// The length of `struct inet_diag_msg`.
const INET_FIXED: usize = 72;
/// Where in it the interface stands that the socket is bound to.
const INTERFACE: usize = 40;
/// The length of `struct unix_diag_msg`.
const UNIX_FIXED: usize = 16;

/// Attributes (`include/uapi/linux/inet_diag.h`).
const INET_DIAG_INFO: u16 = 2;
const INET_DIAG_SKMEMINFO: u16 = 7;

/// Attributes (`include/uapi/linux/unix_diag.h`).
const UNIX_DIAG_NAME: u16 = 0;
const UNIX_DIAG_RQLEN: u16 = 4;
const UNIX_DIAG_MEMINFO: u16 = 5;
/// What is to be shown: `UDIAG_SHOW_NAME`, `_RQLEN`, `_MEMINFO`.
const UNIX_SHOW: u32 = 0x1 | 0x10 | 0x20;

/// Opens the netlink protocol for questions of sockets.
fn open() -> io::Result<Netlink> {
    Netlink::open(Some(SOCK_DIAG))
}

/// Every socket of a kind, with what TCP measures if that is wanted.
pub(in crate::sys) fn sockets(kind: SocketKind, tcp: bool) -> io::Result<Vec<Socket>> {
    let mut netlink = open()?;
    let Some(protocol) = protocol(kind) else {
        let read = |body: &[u8]| Ok(unix(body)?.filter(|socket| socket.kind == kind));
        return netlink.dump(BY_FAMILY, &unix_question(), BY_FAMILY, read);
    };
    let mut all = Vec::new();
    for family in [libc::AF_INET, libc::AF_INET6] {
        let body = inet_question(family, protocol, tcp, None);
        let read = |body: &[u8]| inet(kind, body);
        all.extend(netlink.dump(BY_FAMILY, &body, BY_FAMILY, read)?);
    }
    Ok(all)
}

/// The TCP socket with these ends, if it is in this namespace.
pub(crate) fn tcp_socket(local: SocketAddr, peer: SocketAddr) -> io::Result<Option<Socket>> {
    let family = match local {
        SocketAddr::V4(_) => libc::AF_INET,
        SocketAddr::V6(_) => libc::AF_INET6,
    };
    let body = inet_question(family, libc::IPPROTO_TCP, true, Some((local, peer)));
    let read = |body: &[u8]| inet(SocketKind::Tcp, body);
    match open()?.ask(BY_FAMILY, &body, BY_FAMILY, read) {
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(None),
        answer => answer,
    }
}

/// The number of a protocol over IP.
fn protocol(kind: SocketKind) -> Option<i32> {
    match kind {
        SocketKind::Tcp => Some(libc::IPPROTO_TCP),
        SocketKind::Udp => Some(libc::IPPROTO_UDP),
        _ => None,
    }
}

/// A `struct inet_diag_req_v2`, for all sockets or for the one with these ends.
fn inet_question(
    family: i32,
    protocol: i32,
    tcp: bool,
    ends: Option<(SocketAddr, SocketAddr)>,
) -> Vec<u8> {
    const EVERY_STATE: u32 = u32::MAX;
    let byte = |number: i32| u8::try_from(number).unwrap_or_default();
    let memory = 1 << (INET_DIAG_SKMEMINFO - 1);
    let extensions = memory | if tcp { 1 << (INET_DIAG_INFO - 1) } else { 0 };
    let mut body = vec![byte(family), byte(protocol), extensions, 0];
    body.extend_from_slice(&EVERY_STATE.to_ne_bytes());
    let mut interface = 0;
    if let Some((local, peer)) = ends {
        interface = scope(local);
        body.extend_from_slice(&local.port().to_be_bytes());
        body.extend_from_slice(&peer.port().to_be_bytes());
        body.extend_from_slice(&octets(local.ip()));
        body.extend_from_slice(&octets(peer.ip()));
    }
    body.resize(44, 0);
    body.extend_from_slice(&interface.to_ne_bytes());
    // INET_DIAG_NOCOOKIE: whichever socket it is.
    body.extend_from_slice(&[0xff; 8]);
    body
}

/// The interface that a socket with a link-local address is bound to (ipv6(7)), 0 of another one.
fn scope(local: SocketAddr) -> u32 {
    match local {
        SocketAddr::V4(_) => 0,
        SocketAddr::V6(local) => local.scope_id(),
    }
}

/// An address in the 16 bytes of `struct inet_diag_sockid`.
fn octets(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V6(address) => address.octets(),
        IpAddr::V4(address) => {
            let mut octets = [0; 16];
            for (place, byte) in octets.iter_mut().zip(address.octets()) {
                *place = byte;
            }
            octets
        }
    }
}

/// A `struct unix_diag_req` for all sockets.
fn unix_question() -> Vec<u8> {
    let family = u8::try_from(libc::AF_UNIX).unwrap_or_default();
    let mut body = vec![family, 0, 0, 0];
    body.extend_from_slice(&u32::MAX.to_ne_bytes());
    body.extend_from_slice(&0_u32.to_ne_bytes());
    body.extend_from_slice(&UNIX_SHOW.to_ne_bytes());
    body.extend_from_slice(&[0xff; 8]);
    body
}

/// Reads it as every kind of socket, for fuzzing.
#[cfg(any(test, feature = "fuzz"))]
pub(super) fn fuzz(body: &[u8]) {
    let _ = (
        inet(SocketKind::Tcp, body),
        inet(SocketKind::Udp, body),
        unix(body),
    );
}

/// Reads a TCP or UDP socket.
fn inet(kind: SocketKind, body: &[u8]) -> io::Result<Option<Socket>> {
    let ipv6 = i32::from(u8_at(body, 0)?) == libc::AF_INET6;
    let (local, peer) = (end(body, ipv6, 4, 8)?, end(body, ipv6, 6, 24)?);
    let mut socket = Socket {
        kind,
        state: socket_list::state(u8_at(body, 1)?),
        local: Some(local),
        peer: Some(peer).filter(|peer| peer.port() != 0 || !peer.ip().is_unspecified()),
        interface_index: Some(u32_at(body, INTERFACE)?).filter(|index| *index != 0),
        inode: u64::from(u32_at(body, 68)?),
        ..Socket::default()
    };
    queues(&mut socket, u32_at(body, 56)?, u32_at(body, 60)?);
    for attribute in Attributes::behind(INET_FIXED, body)? {
        match attribute? {
            (INET_DIAG_SKMEMINFO, value) => memory(&mut socket, value)?,
            (INET_DIAG_INFO, value) if kind == SocketKind::Tcp => socket.tcp = tcp(value),
            _ => {}
        }
    }
    Ok(Some(socket))
}

/// One end, with the port and address at these places.
fn end(body: &[u8], ipv6: bool, port: usize, address: usize) -> io::Result<SocketAddr> {
    let port = u16::from_be(u16_at(body, port)?);
    let bytes = body.get(address..).ok_or_else(malformed)?;
    if !ipv6 {
        let octets: [u8; 4] = *bytes.first_chunk().ok_or_else(malformed)?;
        return Ok(SocketAddr::new(Ipv4Addr::from(octets).into(), port));
    }
    let octets: [u8; 16] = *bytes.first_chunk().ok_or_else(malformed)?;
    let address = Ipv6Addr::from(octets);
    let interface = u32_at(body, INTERFACE)?;
    let scope = if address.is_unicast_link_local() {
        interface
    } else {
        0
    };
    Ok(SocketAddrV6::new(address, port, 0, scope).into())
}

/// Takes over two numbers that mean something else where connections are accepted (ss(8)).
fn queues(socket: &mut Socket, receive: u32, send: u32) {
    let (receive, send) = (Some(u64::from(receive)), Some(u64::from(send)));
    if socket.state == SocketState::Listen {
        (socket.accept_queue, socket.backlog) = (receive, send);
    } else {
        (socket.receive_queue, socket.send_queue) = (receive, send);
    }
}

/// Takes over the sizes out of `SK_MEMINFO` (`include/uapi/linux/sock_diag.h`).
fn memory(socket: &mut Socket, value: &[u8]) -> io::Result<()> {
    let number = |place: usize| u32_at(value, place * size_of::<u32>()).map(u64::from);
    socket.receive_buffer = Some(number(1)?);
    socket.send_buffer = Some(number(3)?);
    socket.send_memory = number(5).ok();
    socket.drops = number(8).ok();
    Ok(())
}

/// Reads what TCP measures out of `struct tcp_info`; an old kernel has less of it.
fn tcp(value: &[u8]) -> Option<Tcp> {
    Some(Tcp {
        rtt_us: u32_at(value, 68).ok()?,
        congestion_window: u32_at(value, 80).ok()?,
        segment: u32_at(value, 16).ok()?,
        retransmissions: u32_at(value, 100).ok()?,
        acknowledged: u64_at(value, 120).ok(),
        received: u64_at(value, 128).ok(),
        unsent: u32_at(value, 144).ok(),
        // tcpi_delivery_rate_app_limited; a kernel without it has a zero there.
        starved: u8_at(value, 7).ok()? & 1 == 1,
        busy_us: u64_at(value, 168).ok(),
        receiver_limited_us: u64_at(value, 176).ok(),
        send_buffer_limited_us: u64_at(value, 184).ok(),
    })
}

/// Reads a Unix socket.
fn unix(body: &[u8]) -> io::Result<Option<Socket>> {
    let Some(kind) = socket_list::unix_kind(u8_at(body, 1)?) else {
        return Ok(None);
    };
    let mut socket = Socket {
        kind,
        state: socket_list::state(u8_at(body, 2)?),
        inode: u64::from(u32_at(body, 4)?),
        ..Socket::default()
    };
    for attribute in Attributes::behind(UNIX_FIXED, body)? {
        match attribute? {
            (UNIX_DIAG_NAME, value) => socket.path = Some(path(value)),
            (UNIX_DIAG_RQLEN, value) => {
                queues(&mut socket, u32_at(value, 0)?, u32_at(value, 4)?);
            }
            (UNIX_DIAG_MEMINFO, value) => memory(&mut socket, value)?,
            _ => {}
        }
    }
    Ok(Some(socket))
}

/// The name of a Unix socket; an abstract one begins with a zero, written as `@` (ss(8)).
fn path(value: &[u8]) -> String {
    match value.split_first() {
        Some((0, name)) => format!("@{}", readable(name)),
        _ => readable(value.strip_suffix(&[0]).unwrap_or(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_question_has_the_length_of_its_structure() {
        let ends = Some((
            "127.0.0.1:1".parse().unwrap(),
            "127.0.0.1:2".parse().unwrap(),
        ));
        assert_eq!(inet_question(2, 6, false, ends).len(), 56);
        assert_eq!(inet_question(2, 6, false, None).len(), 56);
        assert_eq!(unix_question().len(), 24);
        let ends = Some((
            "[fe80::1%7]:1".parse().unwrap(),
            "[fe80::2%7]:2".parse().unwrap(),
        ));
        assert_eq!(
            inet_question(10, 6, false, ends)[44..48],
            7_u32.to_ne_bytes()
        );
    }

    #[test]
    fn names_of_unix_sockets_are_readable() {
        assert_eq!(path(b"/run/x\0"), "/run/x");
        assert_eq!(path(b"\0abc\0d"), "@abc\0d");
        assert_eq!(path(b""), "");
    }

    #[test]
    fn an_old_kernel_measures_less() {
        let new = tcp(&[0; 232]).unwrap();
        assert_eq!((new.rtt_us, new.busy_us), (0, Some(0)));
        assert_eq!(tcp(&[0; 104]).unwrap().busy_us, None);
        assert!(tcp(&[0; 20]).is_none());
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_socket_or_an_error(bytes in any::<Vec<u8>>()) {
            let _ = (inet(SocketKind::Tcp, &bytes), unix(&bytes), tcp(&bytes));
        }
    }
}
