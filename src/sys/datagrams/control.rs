//! Control messages of UDP sockets (cmsg(3), udp(7), ip(7), ipv6(7)).
#![allow(unsafe_code)]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Arrival, OwnEnd};
use crate::sys::control::{ControlMessage, length};

/// Room for the control messages of one datagram: a length and an address.
pub(super) type Control = [u64; 12];

/// Takes note of what the system says beside a datagram (`udp_cmsg_recv` in `net/ipv4/udp.c`,
/// `ip_cmsg_recv_pktinfo` in `net/ipv4/ip_sockglue.c`, `net/ipv6/datagram.c`).
pub(super) fn read(message: ControlMessage<'_>, arrival: &mut Arrival) {
    match (message.level, message.kind) {
        (libc::SOL_UDP, libc::UDP_GRO) => {
            let segment = message.data.first_chunk();
            let segment = segment.map(|bytes| libc::c_int::from_ne_bytes(*bytes));
            let segment = segment.and_then(|segment| usize::try_from(segment).ok());
            arrival.segment = segment.filter(|size| *size > 0);
        }
        (libc::IPPROTO_IP, libc::IP_PKTINFO) => arrival.to = v4(message.data),
        (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => arrival.to = v6(message.data),
        _ => {}
    }
}

/// Reads a `struct in_pktinfo` (ip(7)). Of a datagram to a group the specific address is one of our
/// own, that of the interface.
fn v4(data: &[u8]) -> Option<OwnEnd> {
    let octets: [u8; 4] = *data.get(4..)?.first_chunk()?;
    let address = Ipv4Addr::from(octets);
    Some(OwnEnd {
        address: (!address.is_unspecified()).then_some(address.into()),
        interface: 0,
    })
}

/// Reads a `struct in6_pktinfo` (ipv6(7)). Nobody can send from a group.
fn v6(data: &[u8]) -> Option<OwnEnd> {
    let (octets, interface) = data.split_first_chunk::<16>()?;
    let address = Ipv6Addr::from(*octets);
    let interface = u32::from_ne_bytes(*interface.first_chunk()?);
    let needs_interface = address.is_multicast() || address.is_unicast_link_local();
    Some(OwnEnd {
        address: (!address.is_multicast()).then_some(address.into()),
        interface: if needs_interface { interface } else { 0 },
    })
}

/// Control messages to send.
pub(super) struct Outgoing {
    control: Control,
    length: usize,
}

impl Outgoing {
    /// None yet.
    pub(super) fn new() -> Self {
        Self {
            control: [0; 12],
            length: 0,
        }
    }

    /// The system cuts what is sent into datagrams of this length (`UDP_SEGMENT`).
    pub(super) fn cut_into(&mut self, segment: u16) {
        self.put(libc::SOL_UDP, libc::UDP_SEGMENT, segment);
    }

    /// It leaves from this address.
    pub(super) fn leave_from(&mut self, end: OwnEnd) {
        match end.address {
            Some(IpAddr::V4(address)) => {
                let info = libc::in_pktinfo {
                    ipi_ifindex: 0,
                    ipi_spec_dst: libc::in_addr {
                        s_addr: u32::from(address).to_be(),
                    },
                    ipi_addr: libc::in_addr { s_addr: 0 },
                };
                self.put(libc::IPPROTO_IP, libc::IP_PKTINFO, info);
            }
            Some(IpAddr::V6(address)) => self.leave_by(address, end.interface),
            None if end.interface != 0 => self.leave_by(Ipv6Addr::UNSPECIFIED, end.interface),
            None => {}
        }
    }

    /// It leaves from this IPv6 address and by this interface; of both none is the system's choice.
    fn leave_by(&mut self, address: Ipv6Addr, interface: u32) {
        let info = libc::in6_pktinfo {
            ipi6_addr: libc::in6_addr {
                s6_addr: address.octets(),
            },
            ipi6_ifindex: interface,
        };
        self.put(libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, info);
    }

    /// Hands them to a message that is sent, which must not outlive them: the system only reads.
    pub(super) fn attach(&self, message: &mut libc::msghdr) {
        if self.length > 0 {
            message.msg_control = self.control.as_ptr().cast_mut().cast();
            message.msg_controllen = length(self.length);
        }
    }

    /// Appends one.
    fn put<T>(&mut self, level: libc::c_int, kind: libc::c_int, value: T) {
        let Ok(size) = libc::c_uint::try_from(size_of::<T>()) else {
            return;
        };
        // SAFETY: the macros compute sizes alone.
        let (whole, space) = unsafe { (libc::CMSG_LEN(size), libc::CMSG_SPACE(size)) };
        let Some(end) = self.length.checked_add(space as usize) else {
            return;
        };
        if end > size_of::<Control>() {
            return;
        }
        // SAFETY: header and value lie in the control buffer, as was checked, and the buffer is
        // aligned for a header, whose space is a multiple of its alignment.
        unsafe {
            let header = self.control.as_mut_ptr().byte_add(self.length);
            let header = header.cast::<libc::cmsghdr>();
            (*header).cmsg_len = length(whole);
            (*header).cmsg_level = level;
            (*header).cmsg_type = kind;
            libc::CMSG_DATA(header).cast::<T>().write_unaligned(value);
        }
        self.length = end;
    }
}
