//! From a name to addresses.

use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};

use super::address::is_link_local;
use super::{Family, interface};
use crate::error::{Action, Cause, Error, Result};
use crate::value::Host;

/// The addresses of this host in the system's order of preference, IPv4-mapped ones as IPv4.
///
/// An address is taken as it is. A name is asked of the system's resolver in a thread of its own,
/// which cannot be cancelled: who waits less long than it does drops the future and goes on.
///
/// # Errors
/// The name is unknown, has no address of the wanted family, or the zone is no interface of this
/// machine.
pub async fn resolve(host: &Host, port: u16, family: Family) -> Result<Vec<SocketAddr>> {
    let addresses = match host {
        Host::V4(address) => vec![SocketAddr::new((*address).into(), port)],
        Host::V6(address, zone) => vec![scoped(host, *address, zone.as_deref(), port)?],
        Host::Name(name) => look_up(name, port).await?,
    };
    wanted(host, addresses, family)
}

/// Asks the system's resolver.
async fn look_up(name: &str, port: u16) -> Result<Vec<SocketAddr>> {
    let failed = |error: std::io::Error| {
        let text = error.to_string();
        let text = text.trim_start_matches("failed to lookup address information: ");
        Error::new(Action::Resolve, name, crate::error::describe_text(text))
    };
    let found = tokio::net::lookup_host((name, port))
        .await
        .map_err(failed)?;
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for address in found {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    Ok(addresses)
}

/// Gives an IPv6 address its interface.
fn scoped(host: &Host, address: Ipv6Addr, zone: Option<&str>, port: u16) -> Result<SocketAddr> {
    let scope = match zone {
        Some(zone) => zone_index(host, zone)?,
        None if is_link_local(address) => return Err(zone_needed(host, address)),
        None => 0,
    };
    Ok(SocketAddrV6::new(address, port, 0, scope).into())
}

/// The index of the interface that a zone names.
fn zone_index(host: &Host, zone: &str) -> Result<u32> {
    let unknown = || Error::new(Action::Resolve, host, interface::no_such(zone));
    interface::index(zone).ok_or_else(unknown)
}

/// The error of an address that means nothing without an interface.
fn zone_needed(host: &Host, address: Ipv6Addr) -> Error {
    let mut links = interface::on_links();
    if links.is_empty() {
        links.push("NAME".to_owned());
    }
    let known: Vec<String> = links
        .iter()
        .map(|name| format!("{address}%{name}"))
        .collect();
    let problem = format!(
        "a link-local address needs its interface: {}",
        known.join(" or ")
    );
    Error::new(Action::Resolve, host, problem)
}

/// Leaves the addresses of the wanted family.
fn wanted(host: &Host, mut addresses: Vec<SocketAddr>, family: Family) -> Result<Vec<SocketAddr>> {
    for address in &mut addresses {
        if let IpAddr::V4(plain) = address.ip().to_canonical() {
            *address = SocketAddr::new(plain.into(), address.port());
        }
    }
    addresses.retain(|address| family.includes(address.ip()));
    if !addresses.is_empty() {
        return Ok(addresses);
    }
    Err(Error::new(Action::Resolve, host, Cause::NoAddress(family)))
}
