//! Local ports that are not taken, not even for a moment.
//!
//! A connection from a port to itself succeeds where nobody listens (RFC 9293, simultaneous open),
//! and while it is tried the port is taken: the server that is waited for could not bind it.

use super::binding::Binding;
use crate::sys::{limit_local_ports, local_ports};
use socket2::{SockAddr, Socket};
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::os::fd::AsFd;

/// How many ports are tried where the system cannot be told which to take.
const TRIES: u16 = 64;
/// The first port that is no server's by convention (RFC 6335, section 6).
const FIRST_PLAIN: u16 = 1024;

/// Which ports are spared.
#[derive(Clone, Debug, Default)]
pub(super) struct Beside {
    spared: Vec<u16>,
    /// The widest part of the system's own range without any of them, if it has one.
    range: Option<(u16, u16)>,
}

impl Beside {
    /// Spares those of the ports that the system could give out.
    pub(super) fn new(ports: &[u16]) -> Self {
        Self::of(ports, local_ports())
    }

    /// Spares these ports where the system gives out those.
    fn of(ports: &[u16], given_out: RangeInclusive<u16>) -> Self {
        let mut spared: Vec<u16> = ports.to_vec();
        spared.retain(|port| given_out.contains(port));
        spared.sort_unstable();
        spared.dedup();
        Self {
            range: widest_gap(&spared, given_out),
            spared,
        }
    }

    /// Binds a socket that is to connect.
    pub(super) fn apply(&self, socket: &Socket, binding: &Binding, ipv6: bool) -> io::Result<()> {
        let is_limited = self
            .range
            .is_some_and(|(first, last)| limit_local_ports(socket.as_fd(), first, last));
        if self.spared.is_empty() || is_limited {
            return binding.apply(socket, ipv6);
        }
        self.apply_port(socket, binding, ipv6)
    }

    /// Binds a socket to a port of our choice: before Linux 6.3 the system cannot be told.
    fn apply_port(&self, socket: &Socket, binding: &Binding, ipv6: bool) -> io::Result<()> {
        binding.apply_interface(socket)?;
        let any = || {
            if ipv6 {
                IpAddr::from(Ipv6Addr::UNSPECIFIED)
            } else {
                Ipv4Addr::UNSPECIFIED.into()
            }
        };
        let source = binding.source.filter(|source| source.is_ipv6() == ipv6);
        let source = source.unwrap_or_else(any);
        let start = RandomState::new().build_hasher().finish();
        let (first, last) = self.range.unwrap_or((FIRST_PLAIN, u16::MAX));
        let mut result = Err(io::ErrorKind::AddrInUse.into());
        for port in candidates(first..=last, start).take(usize::from(TRIES)) {
            if self.spared.contains(&port) {
                continue;
            }
            let address = SockAddr::from(SocketAddr::new(source, port));
            result = socket.bind(&address);
            match &result {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                _ => break,
            }
        }
        result
    }
}

/// The ports of a range, once around from somewhere.
fn candidates(range: RangeInclusive<u16>, start: u64) -> impl Iterator<Item = u16> {
    let (first, last) = range.into_inner();
    let width = u64::from(last.saturating_sub(first)).saturating_add(1);
    (0..width).filter_map(move |step| {
        let offset = start.wrapping_add(step).checked_rem(width)?;
        u16::try_from(u64::from(first).saturating_add(offset)).ok()
    })
}

/// The widest part of a range without these ports, which are in order.
fn widest_gap(ports: &[u16], range: RangeInclusive<u16>) -> Option<(u16, u16)> {
    let (first, last) = (u32::from(*range.start()), u32::from(*range.end()));
    let mut gaps = Vec::new();
    let mut from = first;
    for port in ports.iter().map(|port| u32::from(*port)) {
        gaps.push((from, port.saturating_sub(1)));
        from = port.saturating_add(1);
    }
    gaps.push((from, last));
    let gaps = gaps.into_iter().filter(|(from, to)| from <= to);
    let (from, to) = gaps.max_by_key(|(from, to)| to.saturating_sub(*from))?;
    Some((u16::try_from(from).ok()?, u16::try_from(to).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use socket2::{Domain, Type};

    #[test]
    fn the_widest_part_without_the_ports_is_used() {
        for (ports, range, gap) in [
            (&[][..], 10..=20, Some((10, 20))),
            (&[12], 10..=20, Some((13, 20))),
            (&[18], 10..=20, Some((10, 17))),
            (&[10], 10..=20, Some((11, 20))),
            (&[20], 10..=20, Some((10, 19))),
            (&[12, 18], 10..=20, Some((13, 17))),
            (&[10], 10..=10, None),
            (&[u16::MAX], 65_534..=u16::MAX, Some((65_534, 65_534))),
            (&[0], 0..=3, Some((1, 3))),
        ] {
            assert_eq!(widest_gap(ports, range.clone()), gap, "{ports:?} {range:?}");
        }
    }

    #[test]
    fn a_port_is_chosen_where_the_system_cannot_be_told() {
        for ipv6 in [false, true] {
            let beside = Beside::of(&[50_001], 50_000..=50_002);
            let domain = if ipv6 { Domain::IPV6 } else { Domain::IPV4 };
            let mut seen = Vec::new();
            for _ in 0..50 {
                let socket = Socket::new(domain, Type::STREAM, None).unwrap();
                if beside
                    .apply_port(&socket, &Binding::default(), ipv6)
                    .is_ok()
                {
                    let local = socket.local_addr().unwrap().as_socket().unwrap();
                    seen.push(local.port());
                }
            }
            assert!(seen.iter().all(|port| *port != 50_001), "{seen:?}");
        }
        let nowhere = Beside::of(&[50_001], 50_001..=50_001);
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        nowhere.apply(&socket, &Binding::default(), false).unwrap();
        let port = socket.local_addr().unwrap().as_socket().unwrap().port();
        assert!(port != 50_001 && port >= FIRST_PLAIN, "{port}");
    }

    #[test]
    fn ports_that_are_not_given_out_are_no_matter() {
        let beside = Beside::of(&[80, 443], 32_768..=60_999);
        assert!(beside.spared.is_empty());
    }
}
