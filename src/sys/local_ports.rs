//! Which local port a connection gets, and what TCP knows of a handshake.

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
    use crate::sys::sockopt;
    use std::os::fd::BorrowedFd;

    /// `IP_LOCAL_PORT_RANGE` of `linux/in.h`, which libc does not have for every target.
    const IP_LOCAL_PORT_RANGE: libc::c_int = 51;

    /// Where `struct tcp_info` keeps `tcpi_total_retrans` (`include/uapi/linux/tcp.h`).
    const TOTAL_RETRANS: usize = 100;

    /// Has connect(2) choose the local port among these, IPv6 or not. False before Linux 6.3.
    pub(crate) fn limit_local_ports(socket: BorrowedFd<'_>, first: u16, last: u16) -> bool {
        let range = u32::from(last) << 16 | u32::from(first);
        let option = IP_LOCAL_PORT_RANGE;
        sockopt::set(socket, libc::IPPROTO_IP, option, range.cast_signed())
    }

    /// How many segments were sent again, SYNs too: `tcpi_total_retrans` (tcp(7), `TCP_INFO`).
    pub(crate) fn retransmissions(socket: BorrowedFd<'_>) -> Option<u32> {
        let mut known = [0; TOTAL_RETRANS + 4];
        let length = sockopt::get(socket, libc::IPPROTO_TCP, libc::TCP_INFO, &mut known).ok()?;
        let known = known.get(..length)?.get(TOTAL_RETRANS..)?;
        Some(u32::from_ne_bytes(*known.first_chunk()?))
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
