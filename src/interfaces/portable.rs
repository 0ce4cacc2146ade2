//! What getifaddrs(3) tells on every system: addresses, and through them the interfaces that have
//! one.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr};

use if_addrs::{IfAddr, IfOperStatus, Ifv4Addr};

use super::{Interface, InterfaceAddress, State};

/// The interfaces that have an address, by their indices: a name may be that of one address alone.
pub(super) fn interfaces() -> io::Result<Vec<Interface>> {
    let mut interfaces = BTreeMap::new();
    for entry in if_addrs::get_if_addrs()? {
        // Without an index it has gone since.
        let Some(index) = entry.index else { continue };
        // On Linux the name is the label of the address, and a name has no colon.
        let name = entry.name.split(':').next().unwrap_or_default();
        let interface = interfaces.entry(index).or_insert_with(|| Interface {
            index,
            name: name.to_owned(),
            state: state(&entry.oper_status),
            ..Interface::default()
        });
        let address = address(&entry.addr, (name, index));
        interface.addresses.push(address);
    }
    Ok(interfaces.into_values().map(in_order).collect())
}

/// On Unix the library tells only of an interface that runs.
fn state(status: &IfOperStatus) -> Option<State> {
    (*status == IfOperStatus::Up).then_some(State::Up)
}

/// An address with what is known of it.
fn address(address: &IfAddr, interface: (&str, u32)) -> InterfaceAddress {
    match address {
        IfAddr::V6(v6) => InterfaceAddress::new(v6.ip.into(), v6.prefixlen, interface),
        IfAddr::V4(v4) => InterfaceAddress {
            broadcast: v4
                .broadcast
                .filter(|ip| is_broadcast(*ip, v4))
                .map(IpAddr::V4),
            ..InterfaceAddress::new(v4.ip.into(), v4.prefixlen, interface)
        },
    }
}

/// Whether it is the last address of the network; the library takes a peer for a broadcast too.
fn is_broadcast(ip: Ipv4Addr, address: &Ifv4Addr) -> bool {
    u32::from(ip) == u32::from(address.ip) | !u32::from(address.netmask)
}

/// The same with the IPv4 addresses first.
fn in_order(mut interface: Interface) -> Interface {
    interface
        .addresses
        .sort_by_key(|address| address.address.is_ipv6());
    interface
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_to_ask_agree() {
        let Ok(Some(all)) = crate::sys::interfaces() else {
            return;
        };
        for known in interfaces().unwrap() {
            let interface = all.iter().find(|interface| interface.index == known.index);
            let interface = interface.unwrap();
            assert_eq!(interface.name, known.name);
            let essence = |interface: &Interface| -> Vec<String> {
                interface
                    .addresses
                    .iter()
                    .map(ToString::to_string)
                    .collect()
            };
            assert_eq!(essence(interface), essence(&known));
        }
    }
}
