//! Which local port a connection gets, and what TCP knows of a handshake.
#![allow(unsafe_code)]

use super::setting;
use std::ops::RangeInclusive;

#[cfg(target_os = "linux")]
pub(crate) use linux::{limit_local_ports, retransmissions};
#[cfg(not(target_os = "linux"))]
pub(crate) use portable::{limit_local_ports, retransmissions};

/// The ports that the system gives to connections (ip(7), `ip_local_port_range`); elsewhere those
/// that IANA leaves for it.
pub(crate) fn local_ports() -> RangeInclusive<u16> {
    let known = setting("net.ipv4.ip_local_port_range").ok().flatten();
    let known: Vec<u16> = known
        .unwrap_or_default()
        .into_iter()
        .filter_map(|port| u16::try_from(port).ok())
        .collect();
    match known.as_slice() {
        [first, last] => *first..=*last,
        _ => 49_152..=u16::MAX,
    }
}

/// With the options of ip(7) and tcp(7).
#[cfg(target_os = "linux")]
mod linux {
    use std::os::fd::{AsRawFd, BorrowedFd};

    /// `IP_LOCAL_PORT_RANGE` of `linux/in.h`, which libc does not have for every target.
    const IP_LOCAL_PORT_RANGE: libc::c_int = 51;

    /// Has connect(2) choose the local port among these, IPv6 or not. False before Linux 6.3.
    pub(crate) fn limit_local_ports(socket: BorrowedFd<'_>, first: u16, last: u16) -> bool {
        let range = u32::from(last) << 16 | u32::from(first);
        let size = size_of_val(&range).try_into().unwrap_or_default();
        // SAFETY: the descriptor is borrowed, and the kernel reads `size` bytes of `range`.
        let result = unsafe {
            libc::setsockopt(
                socket.as_raw_fd(),
                libc::IPPROTO_IP,
                IP_LOCAL_PORT_RANGE,
                (&raw const range).cast(),
                size,
            )
        };
        result == 0
    }

    /// How many segments were sent again, SYNs too: `tcpi_total_retrans` (tcp(7), `TCP_INFO`).
    pub(crate) fn retransmissions(socket: BorrowedFd<'_>) -> Option<u32> {
        // SAFETY: all zeros is a valid `struct tcp_info`: it is made of numbers.
        let mut known: libc::tcp_info = unsafe { std::mem::zeroed() };
        let mut length = libc::socklen_t::try_from(size_of_val(&known)).ok()?;
        // SAFETY: the kernel writes at most `length` bytes to `known`, and says how many.
        let result = unsafe {
            libc::getsockopt(
                socket.as_raw_fd(),
                libc::IPPROTO_TCP,
                libc::TCP_INFO,
                (&raw mut known).cast(),
                &raw mut length,
            )
        };
        (result == 0).then_some(known.tcpi_total_retrans)
    }
}

/// What the other systems say: nothing.
#[cfg(not(target_os = "linux"))]
mod portable {
    use std::os::fd::BorrowedFd;

    /// Not here.
    pub(crate) fn limit_local_ports(_socket: BorrowedFd<'_>, _first: u16, _last: u16) -> bool {
        false
    }

    /// Unknown here.
    pub(crate) fn retransmissions(_socket: BorrowedFd<'_>) -> Option<u32> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{SocketAddr, TcpListener};
    use std::os::fd::AsFd;

    #[test]
    fn a_connection_gets_a_port_of_the_range() {
        for here in ["127.0.0.1:0", "[::1]:0"] {
            let server = TcpListener::bind(here).unwrap();
            let to = server.local_addr().unwrap();
            let kind = socket2::Type::STREAM;
            let socket =
                socket2::Socket::new(socket2::Domain::for_address(to), kind, None).unwrap();
            let (first, last) = local_ports().into_inner();
            let middle = first.midpoint(last);
            if !limit_local_ports(socket.as_fd(), middle, last) {
                return;
            }
            socket.connect(&to.into()).unwrap();
            let local: SocketAddr = socket.local_addr().unwrap().as_socket().unwrap();
            assert!((middle..=last).contains(&local.port()), "{local}");
            assert_eq!(retransmissions(socket.as_fd()), Some(0));
        }
    }
}
