//! The ICMP messages that a socket has met: the error queue of ip(7) and ipv6(7).
#![allow(unsafe_code)]

use std::net::IpAddr;

/// An ICMP error message about a packet that a socket sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct IcmpError {
    /// The error number that the system made of it.
    pub(crate) errno: i32,
    /// Its type.
    pub(crate) kind: u8,
    /// Its code.
    pub(crate) code: u8,
    /// Who sent it.
    pub(crate) from: Option<IpAddr>,
}

impl IcmpError {
    /// Whether it says that the packet was too long for a link on the way, and nothing else
    /// (RFC 1191, RFC 4443, section 3.2).
    pub(crate) const fn is_too_big(&self) -> bool {
        match self.from {
            Some(IpAddr::V6(_)) => self.kind == 2,
            _ => self.kind == 3 && self.code == 4,
        }
    }
}

#[cfg(all(target_os = "linux", any(test, feature = "fuzz")))]
pub(crate) use linux::fuzz;
#[cfg(target_os = "linux")]
pub(crate) use linux::{next_icmp_error, request_icmp_errors};
#[cfg(not(target_os = "linux"))]
pub(crate) use portable::{next_icmp_error, request_icmp_errors};

/// The error queue.
#[cfg(target_os = "linux")]
mod linux {
    use super::IcmpError;
    use crate::sys::control::{ControlMessage, ControlMessages, length};
    use crate::sys::sockopt;
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
    use std::os::fd::{AsRawFd, BorrowedFd};

    /// `SO_EE_ORIGIN_ICMP` and `SO_EE_ORIGIN_ICMP6` of `linux/errqueue.h`.
    const ORIGINS: [u8; 2] = [2, 3];

    /// Asks the kernel to keep ICMP messages for this socket, and to let them end a connection
    /// attempt at once. Returns whether it does.
    pub(crate) fn request_icmp_errors(socket: BorrowedFd<'_>, ipv6: bool) -> bool {
        let (level, option) = if ipv6 {
            (libc::IPPROTO_IPV6, libc::IPV6_RECVERR)
        } else {
            (libc::IPPROTO_IP, libc::IP_RECVERR)
        };
        sockopt::set(socket, level, option, 1)
    }

    /// Takes the oldest ICMP message off the socket's error queue.
    pub(crate) fn next_icmp_error(socket: BorrowedFd<'_>) -> Option<IcmpError> {
        let mut control = [0_u64; 64];
        // SAFETY: a msghdr is made of numbers and pointers that may be null: no name, no data, no
        // control.
        let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
        message.msg_control = control.as_mut_ptr().cast();
        message.msg_controllen = length(size_of_val(&control));
        let flags = libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT;
        // SAFETY: the control buffer has the length given and outlives the call.
        if unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut message, flags) } < 0 {
            return None;
        }
        // SAFETY: the call has just written both, and nobody writes to the control buffer.
        let mut messages = unsafe { ControlMessages::of(&message) };
        messages.find_map(extended_error)
    }

    /// Reads a `struct sock_extended_err` and the address that follows it (ip(7)).
    fn extended_error(message: ControlMessage<'_>) -> Option<IcmpError> {
        let data = message.data;
        let known = [
            (libc::IPPROTO_IP, libc::IP_RECVERR),
            (libc::IPPROTO_IPV6, libc::IPV6_RECVERR),
        ];
        if !known.contains(&(message.level, message.kind)) {
            return None;
        }
        let errno = u32::from_ne_bytes(*data.first_chunk()?);
        let [origin, kind, code] = *data.get(4..)?.first_chunk()?;
        if !ORIGINS.contains(&origin) {
            return None;
        }
        Some(IcmpError {
            errno: i32::try_from(errno).ok()?,
            kind,
            code,
            from: offender(data.get(16..)?),
        })
    }

    /// Reads it as a message of either family, for fuzzing.
    #[cfg(any(test, feature = "fuzz"))]
    pub(crate) fn fuzz(data: &[u8]) {
        let known = [
            (libc::IPPROTO_IP, libc::IP_RECVERR),
            (libc::IPPROTO_IPV6, libc::IPV6_RECVERR),
        ];
        for (level, kind) in known {
            let _ = extended_error(ControlMessage { level, kind, data });
        }
    }

    /// Reads a `struct sockaddr_in` or `sockaddr_in6`.
    fn offender(data: &[u8]) -> Option<IpAddr> {
        match i32::from(u16::from_ne_bytes(*data.first_chunk()?)) {
            libc::AF_INET => {
                let octets: [u8; 4] = *data.get(4..)?.first_chunk()?;
                Some(Ipv4Addr::from(octets).into())
            }
            libc::AF_INET6 => {
                let octets: [u8; 16] = *data.get(8..)?.first_chunk()?;
                Some(Ipv6Addr::from(octets).into())
            }
            _ => None,
        }
    }

    #[cfg(test)]
    mod tests {
        use super::{ControlMessage, IcmpError, extended_error};

        fn read(level: i32, data: &[u8]) -> Option<IcmpError> {
            let kind = libc::IP_RECVERR;
            extended_error(ControlMessage { level, kind, data })
        }

        /// errno 113, origin ICMP, type 3, code 13, and 192.0.2.1 as the offender.
        fn message() -> Vec<u8> {
            let mut data = libc::EHOSTUNREACH.to_ne_bytes().to_vec();
            data.extend([2, 3, 13, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
            data.extend(u16::try_from(libc::AF_INET).expect("small").to_ne_bytes());
            data.extend([0, 0, 192, 0, 2, 1]);
            data
        }

        #[test]
        fn a_message_is_read_from_its_bytes() {
            let error = read(libc::IPPROTO_IP, &message());
            let expected = IcmpError {
                errno: libc::EHOSTUNREACH,
                kind: 3,
                code: 13,
                from: Some("192.0.2.1".parse().expect("an address")),
            };
            assert_eq!(error, Some(expected));
        }

        #[test]
        fn a_short_message_is_none() {
            let whole = message();
            for length in 0..20 {
                let error = read(libc::IPPROTO_IP, &whole[..length]);
                assert!(error.is_none_or(|error| error.from.is_none()), "{length}");
            }
            assert_eq!(read(libc::SOL_SOCKET, &whole), None);
        }
    }
}

/// Other systems turn ICMP messages into error numbers and keep no more of them.
#[cfg(not(target_os = "linux"))]
mod portable {
    use super::IcmpError;
    use std::os::fd::BorrowedFd;

    /// There is nothing to ask for.
    pub(crate) fn request_icmp_errors(_socket: BorrowedFd<'_>, _ipv6: bool) -> bool {
        false
    }

    /// Nothing is kept.
    pub(crate) fn next_icmp_error(_socket: BorrowedFd<'_>) -> Option<IcmpError> {
        None
    }
}
