//! `RTM_NEWROUTE`: which way a packet goes.

mod defaults;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Netlink;
use super::address::ip;
use super::interfaces::ROUTE;
use super::link;
use super::message::{Attributes, add_attribute, malformed, u8_at, u16_at, u32_at};
use crate::interfaces::{Refusal, Route};
use crate::value::Host;

pub(crate) use defaults::default_routes;

/// The length of `struct rtmsg`.
const FIXED: usize = 12;

/// An attribute that not every libc names: a gateway of another family than the route.
const RTA_VIA: u16 = 18;

/// An attribute that not every libc names: how much a router wants to be taken (RFC 4191).
const RTA_PREF: u16 = 20;

/// A flag that not every libc names: the way is not used.
const RTNH_F_DEAD: u32 = 1;

/// A route whose interfaces are still numbers.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Entry {
    ipv6: bool,
    kind: u8,
    prefix: u8,
    table: u32,
    metric: u32,
    /// Of two routers with one metric, the one with the smaller number is taken.
    preference: u8,
    /// It is for packets with a type of service of their own alone (ip-route(8)).
    is_for_marked: bool,
    /// It is for packets from some addresses of ours alone (ip-route(8), `from`).
    is_for_some: bool,
    source: Option<IpAddr>,
    /// The ways, which the kernel takes in turn if there are several.
    hops: Vec<Hop>,
}

/// The next station of a packet.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Hop {
    interface: Option<u32>,
    gateway: Option<IpAddr>,
    is_dead: bool,
}

/// Asks the routing table for the way to an address. Nothing is sent.
pub(crate) fn route_to(address: IpAddr, zone: Option<u32>) -> io::Result<Option<Route>> {
    let mut netlink = Netlink::open(ROUTE)?;
    // Linux connects who connects to :: to ::1, which the table does not know.
    let meant = match address {
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        other => other,
    };
    let entry = look_up(&mut netlink, meant, zone)?;
    if let Some(refusal) = entry.refusal() {
        return Err(refusal.error());
    }
    let mut route = route(&mut netlink, &entry, Some(address))?;
    if let Some(index) = zone {
        route.zone = Some(Host::zone(&name(&mut netlink, index)?, index));
    }
    Ok(Some(route))
}

/// The kernel's answer for one address.
fn look_up(netlink: &mut Netlink, address: IpAddr, interface: Option<u32>) -> io::Result<Entry> {
    let body = question(address, interface);
    let entry = netlink.ask(libc::RTM_GETROUTE, &body, libc::RTM_NEWROUTE, read)?;
    entry.ok_or_else(malformed)
}

/// The question for the way to an address, through one interface if that is given.
fn question(address: IpAddr, interface: Option<u32>) -> Vec<u8> {
    let (family, octets) = match address {
        IpAddr::V4(address) => (libc::AF_INET, address.octets().to_vec()),
        IpAddr::V6(address) => (libc::AF_INET6, address.octets().to_vec()),
    };
    let mut body = vec![0; FIXED];
    let family = u8::try_from(family).unwrap_or_default();
    let bits = u8::try_from(octets.len() * 8).unwrap_or(u8::MAX);
    for (place, byte) in body.iter_mut().zip([family, bits]) {
        *place = byte;
    }
    add_attribute(&mut body, libc::RTA_DST, &octets);
    if let Some(interface) = interface {
        add_attribute(&mut body, libc::RTA_OIF, &interface.to_ne_bytes());
    }
    body
}

/// An address of documentation (RFC 5737, RFC 3849), which hardly a route is made for.
fn somewhere(ipv6: bool) -> IpAddr {
    if ipv6 {
        return Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into();
    }
    Ipv4Addr::new(192, 0, 2, 1).into()
}

/// The address that a default route is for.
fn anywhere(ipv6: bool) -> IpAddr {
    if ipv6 {
        return Ipv6Addr::UNSPECIFIED.into();
    }
    Ipv4Addr::UNSPECIFIED.into()
}

/// The route with the name of its interface, and the source address that it gives to packets.
fn route(netlink: &mut Netlink, entry: &Entry, to: Option<IpAddr>) -> io::Result<Route> {
    let (mut hop, mut source) = (entry.hop(), entry.source);
    let refusal = entry.refusal();
    // Where nexthops are objects of their own the table may name none (`nexthop_compat_mode`).
    let is_nameless = hop.interface.is_none() && refusal.is_none();
    if source.is_none() || is_nameless {
        let to = to.unwrap_or(somewhere(entry.ipv6));
        if let Ok(answer) = look_up(netlink, to, hop.interface) {
            source = source.or(answer.source);
            hop = if is_nameless { answer.hop() } else { hop };
        }
    }
    // One of IPv6 that refuses stands with `lo`, which no packet leaves through.
    let interface = hop.interface.filter(|_| refusal.is_none());
    let named = |index| Ok::<_, io::Error>((name(netlink, index)?, index));
    let interface = interface.map(named).transpose()?;
    let zone = interface.as_ref();
    Ok(Route {
        destination: to.unwrap_or(anywhere(entry.ipv6)),
        prefix: entry.prefix,
        source: source.filter(|_| refusal.is_none()),
        zone: zone.map(|(name, index)| Host::zone(name, *index)),
        interface: interface.map(|(name, _)| name),
        gateway: hop.gateway,
        metric: Some(entry.metric),
        refusal,
    })
}

/// The name of an interface.
fn name(netlink: &mut Netlink, index: u32) -> io::Result<String> {
    let mut body = vec![0; 4];
    body.extend_from_slice(&index.to_ne_bytes());
    body.resize(link::FIXED, 0);
    let link = netlink.ask(libc::RTM_GETLINK, &body, libc::RTM_NEWLINK, link::read)?;
    Ok(link.ok_or_else(malformed)?.interface.name)
}

/// Reads it, for fuzzing.
#[cfg(any(test, feature = "fuzz"))]
pub(super) fn fuzz(body: &[u8]) {
    let _ = read(body);
}

/// Reads a route out of the body of its message; other families than IP are nothing.
fn read(body: &[u8]) -> io::Result<Option<Entry>> {
    let family = i32::from(u8_at(body, 0)?);
    if family != libc::AF_INET && family != libc::AF_INET6 {
        return Ok(None);
    }
    let mut entry = Entry {
        ipv6: family == libc::AF_INET6,
        kind: u8_at(body, 7)?,
        prefix: u8_at(body, 1)?,
        table: u32::from(u8_at(body, 4)?),
        metric: 0,
        preference: rank(0),
        is_for_marked: u8_at(body, 3)? != 0,
        is_for_some: u8_at(body, 2)? != 0,
        source: None,
        hops: vec![Hop {
            is_dead: u32_at(body, 8)? & RTNH_F_DEAD != 0,
            ..Hop::default()
        }],
    };
    for attribute in Attributes::behind(FIXED, body)? {
        let (kind, value) = attribute?;
        entry.take(kind, value)?;
    }
    Ok(Some(entry))
}

impl Entry {
    /// The first of its ways.
    fn hop(&self) -> Hop {
        self.hops.first().copied().unwrap_or_default()
    }

    /// How it says that there is no way (ip-route(8)).
    fn refusal(&self) -> Option<Refusal> {
        match self.kind {
            libc::RTN_UNREACHABLE => Some(Refusal::Unreachable),
            libc::RTN_PROHIBIT => Some(Refusal::Prohibit),
            libc::RTN_BLACKHOLE => Some(Refusal::Blackhole),
            libc::RTN_THROW => Some(Refusal::Throw),
            _ => None,
        }
    }

    /// Takes over what an attribute says.
    fn take(&mut self, kind: u16, value: &[u8]) -> io::Result<()> {
        match kind {
            libc::RTA_PRIORITY => self.metric = u32_at(value, 0)?,
            libc::RTA_TABLE => self.table = u32_at(value, 0)?,
            libc::RTA_PREFSRC => self.source = Some(ip(value)?),
            libc::RTA_MULTIPATH => self.hops = hops(value)?,
            RTA_PREF => self.preference = rank(u8_at(value, 0)?),
            _ => {
                if let Some(hop) = self.hops.first_mut() {
                    hop.take(kind, value)?;
                }
            }
        }
        Ok(())
    }
}

/// The place of a preference, the highest first (`ICMPV6_ROUTER_PREF_*`: low is -1 in two bits).
fn rank(preference: u8) -> u8 {
    match preference {
        1 => 0,
        3 => 2,
        _ => 1,
    }
}

impl Hop {
    /// Takes over what an attribute says.
    fn take(&mut self, kind: u16, value: &[u8]) -> io::Result<()> {
        match kind {
            libc::RTA_OIF => self.interface = Some(u32_at(value, 0)?),
            libc::RTA_GATEWAY => self.gateway = Some(ip(value)?),
            // `struct rtvia`: a family of two bytes, then the address.
            RTA_VIA => self.gateway = Some(ip(value.get(2..).ok_or_else(malformed)?)?),
            _ => {}
        }
        Ok(())
    }
}

/// The stations in `RTA_MULTIPATH`: each a `struct rtnexthop` and its attributes.
fn hops(mut value: &[u8]) -> io::Result<Vec<Hop>> {
    const HEAD: usize = 8;
    let mut hops = Vec::new();
    while !value.is_empty() {
        let length = usize::from(u16_at(value, 0)?);
        let attributes = value.get(HEAD..length).ok_or_else(malformed)?;
        let mut hop = Hop {
            interface: Some(u32_at(value, 4)?),
            gateway: None,
            is_dead: u32::from(u8_at(value, 2)?) & RTNH_F_DEAD != 0,
        };
        for attribute in Attributes::of(attributes) {
            let (kind, value) = attribute?;
            hop.take(kind, value)?;
        }
        hops.push(hop);
        value = value.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(hops)
}

#[cfg(test)]
mod tests {
    use super::defaults::{is_default, ways};
    use super::*;
    use proptest::prelude::*;

    /// The body of a route with these attributes.
    fn body(family: i32, attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let family = u8::try_from(family).unwrap();
        let mut body = vec![
            family,
            0,
            0,
            0,
            libc::RT_TABLE_MAIN,
            0,
            0,
            libc::RTN_UNICAST,
        ];
        body.resize(FIXED, 0);
        for (kind, value) in attributes {
            add_attribute(&mut body, *kind, value);
        }
        body
    }

    #[test]
    fn a_gateway_may_be_of_another_family() {
        let mut via = libc::AF_INET6.to_ne_bytes()[..2].to_vec();
        via.extend_from_slice(&Ipv6Addr::LOCALHOST.octets());
        let attributes = [
            (RTA_VIA, via.as_slice()),
            (libc::RTA_OIF, &7_u32.to_ne_bytes()),
        ];
        let entry = read(&body(libc::AF_INET, &attributes)).unwrap().unwrap();
        assert!(is_default(&entry));
        assert_eq!(entry.hop().gateway, Some(Ipv6Addr::LOCALHOST.into()));
        assert_eq!(entry.hop().interface, Some(7));
    }

    #[test]
    fn each_of_several_ways_is_a_route() {
        let mut hop = vec![16, 0, 0, 0, 3, 0, 0, 0];
        add_attribute(&mut hop, libc::RTA_GATEWAY, &[10, 0, 0, 1]);
        let two = [hop.clone(), hop].concat();
        let entry = read(&body(libc::AF_INET, &[(libc::RTA_MULTIPATH, &two)]));
        let ways = ways(entry.unwrap().unwrap());
        assert_eq!(ways.len(), 2);
        assert!(ways.iter().all(|way| way.hop().interface == Some(3)));
    }

    #[test]
    fn a_question_reads_as_a_route() {
        let body = question(Ipv6Addr::LOCALHOST.into(), Some(4));
        let entry = read(&body).unwrap().unwrap();
        assert_eq!((entry.prefix, entry.hop().interface), (128, Some(4)));
        assert!(entry.ipv6 && !is_default(&entry));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_route_or_an_error(bytes in any::<Vec<u8>>()) {
            let _ = (read(&bytes), hops(&bytes));
        }
    }
}
