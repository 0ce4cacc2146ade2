//! Which way packets go, as the routing table decides. Nothing is sent to find out.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use super::{Interface, portable};
use crate::error::{Action, Cause, Error, Result};
use crate::net::Family;
use crate::sys;
use crate::value::Host;

/// The way to an address, or to everything that no other route is for. What the system does not
/// tell is `None`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Route {
    /// Where to: an address; of a default route the one of zeros.
    pub destination: IpAddr,
    /// How many leading bits of it count: none of a default route.
    pub prefix: u8,
    /// The address that we have there.
    pub source: Option<IpAddr>,
    /// The name of the interface that packets leave through.
    pub interface: Option<String>,
    /// The zone of its link-local addresses: that interface, but for an address of our own, which is
    /// reached through the loopback, the one that has it.
    pub zone: Option<String>,
    /// The router that takes them on; `None` too for what is on the same link.
    pub gateway: Option<IpAddr>,
    /// The routes with the smallest number are taken.
    pub metric: Option<u32>,
    /// How it says that there is no way, if that is what it is for.
    pub refusal: Option<Refusal>,
}

/// What becomes of packets that meet a route which is no way (ip-route(8)).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// They are dropped, and who sent them is told that the host cannot be reached.
    Unreachable,
    /// They are dropped, and who sent them is told that it is forbidden.
    Prohibit,
    /// They are dropped without a word.
    Blackhole,
    /// The next table is asked, as if this one had no route.
    Throw,
}

impl Refusal {
    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Prohibit => "prohibit",
            Self::Blackhole => "blackhole",
            Self::Throw => "throw",
        }
    }

    /// What a program is told that sends there.
    #[must_use]
    pub fn error(self) -> io::Error {
        io::Error::from_raw_os_error(match self {
            Self::Unreachable => libc::EHOSTUNREACH,
            Self::Prohibit => libc::EACCES,
            Self::Blackhole => libc::EINVAL,
            Self::Throw => libc::ENETUNREACH,
        })
    }
}

/// The way to the first of these addresses that there is one to.
///
/// # Errors
/// There is no route to any; the error of the first says why.
pub fn route_to(addresses: &[SocketAddr]) -> Result<Route> {
    let mut refused = None;
    for address in addresses {
        match way(*address) {
            Ok(route) => return Ok(route),
            Err(error) => refused.get_or_insert((address, error)),
        };
    }
    let (address, error) = match refused {
        Some((address, error)) => (address.ip().to_string(), Cause::Io(error)),
        None => (String::new(), Cause::Other("no address".to_owned())),
    };
    Err(Error::new(
        Action::Inspect,
        format!("the route to {address}"),
        error,
    ))
}

/// The default routes, IPv4 first, in the order in which an ordinary packet meets them, with those
/// that refuse. What the kernel does not use is left out: dead ones, and those for packets that are
/// marked with a type of service.
///
/// # Errors
/// There is none, or this system does not tell.
pub fn default_routes(family: Family) -> Result<Vec<Route>> {
    let failed = |cause: Cause| Error::new(Action::Inspect, "the default route", cause);
    match sys::default_routes(family) {
        Ok(Some(routes)) if routes.is_empty() => {
            let which = match family {
                Family::Any => "",
                Family::V4 => " for IPv4",
                Family::V6 => " for IPv6",
            };
            Err(failed(format!("there is none{which}").into()))
        }
        Ok(Some(routes)) => Ok(routes),
        Ok(None) => Err(failed("this system is not asked yet".to_owned().into())),
        Err(error) => Err(failed(error.into())),
    }
}

/// The way to an address. Where the table cannot be read, a socket is asked.
fn way(to: SocketAddr) -> io::Result<Route> {
    match sys::route_to(to.ip(), zone(to)) {
        Ok(Some(route)) => Ok(route),
        Ok(None) => asked_of_a_socket(to),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => asked_of_a_socket(to),
        Err(error) => Err(error),
    }
}

/// The interface that an address needs to mean anything (RFC 4007).
fn zone(address: SocketAddr) -> Option<u32> {
    match address {
        SocketAddr::V6(address) => Some(address.scope_id()).filter(|scope| *scope != 0),
        SocketAddr::V4(_) => None,
    }
}

/// What a UDP socket has for an address once it is connected, which sends nothing (connect(2)).
fn asked_of_a_socket(mut to: SocketAddr) -> io::Result<Route> {
    let any: IpAddr = match to {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0))?;
    // Any port but 0 will do: 9 discards (RFC 863).
    to.set_port(9);
    socket.connect(to)?;
    let source = socket.local_addr()?.ip();
    let zone = zone(to);
    let has = |interface: &Interface| {
        let is_there = interface.addresses.iter().any(|a| a.address == source);
        is_there && zone.is_none_or(|zone| zone == interface.index)
    };
    let interface = portable::interfaces()?.into_iter().find(has);
    Ok(Route {
        destination: to.ip(),
        prefix: if to.is_ipv4() { 32 } else { 128 },
        source: Some(source),
        zone: interface.as_ref().map(|i| Host::zone(&i.name, i.index)),
        interface: interface.map(|interface| interface.name),
        gateway: None,
        metric: None,
        refusal: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_to_ask_agree() {
        let loopback = ["127.0.0.1:9", "[::1]:9", "0.0.0.0:9", "[::]:9"].map(str::to_owned);
        let interfaces = portable::interfaces().unwrap().into_iter();
        let on_links = interfaces.map(|interface| format!("[fe80::5%{}]:9", interface.index));
        for address in loopback.into_iter().chain(on_links) {
            let address: SocketAddr = address.parse().unwrap();
            let Ok(told) = way(address) else { continue };
            let asked = asked_of_a_socket(address).unwrap();
            assert_eq!(
                (told.source, told.interface),
                (asked.source, asked.interface)
            );
        }
    }

    #[test]
    fn no_address_has_no_route() {
        assert!(route_to(&[]).is_err());
    }
}
