//! `RTM_NEWROUTE`: which way a packet goes.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Netlink;
use super::address::ip;
use super::interfaces::ROUTE;
use super::link;
use super::message::{Attributes, add_attribute, malformed, u8_at, u16_at, u32_at};
use crate::interfaces::Route;
use crate::net::Family;

/// The length of `struct rtmsg`.
const FIXED: usize = 12;

/// An attribute that not every libc names: a gateway of another family than the route.
const RTA_VIA: u16 = 18;

/// A route whose interface is still a number.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Entry {
    ipv6: bool,
    kind: u8,
    prefix: u8,
    table: u32,
    metric: u32,
    source: Option<IpAddr>,
    hop: Hop,
    /// Further ways, which the kernel takes in turn with the first.
    others: Vec<Hop>,
}

/// The next station of a packet.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Hop {
    interface: Option<u32>,
    gateway: Option<IpAddr>,
}

/// Asks the routing table for the way to an address. Nothing is sent.
pub(crate) fn route_to(address: IpAddr, zone: Option<u32>) -> io::Result<Option<Route>> {
    let mut netlink = Netlink::open(ROUTE)?;
    let entry = look_up(&mut netlink, address, zone)?;
    refusal(entry.kind)?;
    route(&mut netlink, &entry, Some(address)).map(Some)
}

/// The default routes of the main table, those that are taken first first.
pub(crate) fn default_routes(family: Family) -> io::Result<Option<Vec<Route>>> {
    let mut netlink = Netlink::open(ROUTE)?;
    let mut entries = netlink.dump(libc::RTM_GETROUTE, &[0; FIXED], libc::RTM_NEWROUTE, read)?;
    entries.retain(|entry| is_default(entry) && family.includes(somewhere(entry.ipv6)));
    entries.sort_by_key(|entry| (entry.ipv6, entry.metric));
    let each = entries.into_iter().flat_map(ways);
    let routes: io::Result<Vec<Route>> = each.map(|e| route(&mut netlink, &e, None)).collect();
    routes.map(Some)
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

/// The error of a route that says that there is no way (ip-route(8)).
fn refusal(kind: u8) -> io::Result<()> {
    let errno = match kind {
        libc::RTN_UNREACHABLE => libc::EHOSTUNREACH,
        libc::RTN_PROHIBIT => libc::EACCES,
        libc::RTN_BLACKHOLE => libc::EINVAL,
        _ => return Ok(()),
    };
    Err(io::Error::from_raw_os_error(errno))
}

/// Whether packets that nothing else is said of go there.
fn is_default(entry: &Entry) -> bool {
    let main = u32::from(libc::RT_TABLE_MAIN);
    entry.prefix == 0 && entry.kind == libc::RTN_UNICAST && entry.table == main
}

/// The ways of a route, an entry each.
fn ways(mut entry: Entry) -> Vec<Entry> {
    let others = std::mem::take(&mut entry.others);
    let way = |hop| Entry {
        hop,
        ..entry.clone()
    };
    let others: Vec<Entry> = others.into_iter().map(way).collect();
    std::iter::once(entry).chain(others).collect()
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
    let source = entry.source.or_else(|| {
        let to = to.unwrap_or(somewhere(entry.ipv6));
        look_up(netlink, to, entry.hop.interface).ok()?.source
    });
    let interface = entry.hop.interface;
    let interface = interface.map(|index| name(netlink, index)).transpose()?;
    Ok(Route {
        destination: to.unwrap_or(anywhere(entry.ipv6)),
        prefix: entry.prefix,
        source,
        interface,
        gateway: entry.hop.gateway,
        metric: Some(entry.metric),
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
        source: None,
        hop: Hop::default(),
        others: Vec::new(),
    };
    for attribute in Attributes::behind(FIXED, body)? {
        let (kind, value) = attribute?;
        entry.take(kind, value)?;
    }
    Ok(Some(entry))
}

impl Entry {
    /// Takes over what an attribute says.
    fn take(&mut self, kind: u16, value: &[u8]) -> io::Result<()> {
        match kind {
            libc::RTA_PRIORITY => self.metric = u32_at(value, 0)?,
            libc::RTA_TABLE => self.table = u32_at(value, 0)?,
            libc::RTA_PREFSRC => self.source = Some(ip(value)?),
            libc::RTA_MULTIPATH => {
                let mut hops = hops(value)?.into_iter();
                self.hop = hops.next().unwrap_or_default();
                self.others = hops.collect();
            }
            _ => self.hop.take(kind, value)?,
        }
        Ok(())
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
        assert_eq!(entry.hop.gateway, Some(Ipv6Addr::LOCALHOST.into()));
        assert_eq!(entry.hop.interface, Some(7));
    }

    #[test]
    fn each_of_several_ways_is_a_route() {
        let mut hop = vec![16, 0, 0, 0, 3, 0, 0, 0];
        add_attribute(&mut hop, libc::RTA_GATEWAY, &[10, 0, 0, 1]);
        let two = [hop.clone(), hop].concat();
        let entry = read(&body(libc::AF_INET, &[(libc::RTA_MULTIPATH, &two)]));
        let ways = ways(entry.unwrap().unwrap());
        assert_eq!(ways.len(), 2);
        assert!(ways.iter().all(|way| way.hop.interface == Some(3)));
    }

    #[test]
    fn a_question_reads_as_a_route() {
        let body = question(Ipv6Addr::LOCALHOST.into(), Some(4));
        let entry = read(&body).unwrap().unwrap();
        assert_eq!((entry.prefix, entry.hop.interface), (128, Some(4)));
        assert!(entry.ipv6 && !is_default(&entry));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_route_or_an_error(bytes in any::<Vec<u8>>()) {
            let _ = (read(&bytes), hops(&bytes));
        }
    }
}
