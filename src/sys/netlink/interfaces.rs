//! Links and addresses, put together.

use std::collections::BTreeMap;
use std::io;

use rustix::net::Protocol;

use super::address::{self, Entry};
use super::link::{self, Link};
use super::{ATTEMPTS, Netlink, unsteady};
use crate::interfaces::{Interface, InterfaceAddress, LinkedTo};

/// `NETLINK_ROUTE` is 0, which rustix writes as none.
pub(super) const ROUTE: Option<Protocol> = None;

/// Every interface with its addresses, in the order of their indices.
pub(crate) fn interfaces() -> io::Result<Option<Vec<Interface>>> {
    let mut netlink = Netlink::open(ROUTE)?;
    for _ in 0..ATTEMPTS {
        let links = netlink.dump(
            libc::RTM_GETLINK,
            &[0; link::FIXED],
            libc::RTM_NEWLINK,
            link::read,
        )?;
        let addresses = netlink.dump(
            libc::RTM_GETADDR,
            &[0; address::FIXED],
            libc::RTM_NEWADDR,
            address::read,
        )?;
        if let Some(interfaces) = join(links, addresses) {
            return Ok(Some(interfaces));
        }
    }
    Err(unsteady())
}

/// Gives each interface its addresses; `None` if one belongs to an interface that came meanwhile.
fn join(links: Vec<Link>, addresses: Vec<Entry>) -> Option<Vec<Interface>> {
    let names = names(&links);
    let mut interfaces: BTreeMap<u32, Interface> = BTreeMap::new();
    for Link {
        mut interface,
        master,
        linked,
        namespace,
    } in links
    {
        interface.master = master.map(|index| name_of(index, &names));
        interface.link = linked.map(|index| linked_to(index, namespace, &names));
        interfaces.insert(interface.index, interface);
    }
    for Entry { index, address } in addresses {
        let interface = interfaces.get_mut(&index)?;
        let address = belonging_to((&interface.name, index), address);
        interface.addresses.push(address);
    }
    let mut interfaces: Vec<Interface> = interfaces.into_values().collect();
    for interface in &mut interfaces {
        interface
            .addresses
            .sort_by_key(|address| address.address.is_ipv6());
    }
    Some(interfaces)
}

/// The names by their indices.
fn names(links: &[Link]) -> BTreeMap<u32, String> {
    let names = links.iter().map(|link| &link.interface);
    names
        .map(|interface| (interface.index, interface.name.clone()))
        .collect()
}

/// The name of the interface with this index, or what ip(8) calls one that cannot be seen from
/// here.
fn name_of(index: u32, names: &BTreeMap<u32, String>) -> String {
    names
        .get(&index)
        .cloned()
        .unwrap_or_else(|| format!("if{index}"))
}

/// The other interface that it runs on or is joined with; in another namespace it has no name that
/// can be seen from here.
fn linked_to(index: u32, namespace: Option<i32>, names: &BTreeMap<u32, String>) -> LinkedTo {
    let name = match namespace {
        Some(_) => None,
        None => names.get(&index).cloned(),
    };
    LinkedTo {
        index,
        name,
        namespace,
    }
}

/// The address with its zone, and without a label that is only the interface's name.
fn belonging_to(interface: (&str, u32), address: InterfaceAddress) -> InterfaceAddress {
    let zone = InterfaceAddress::new(address.address, address.prefix, interface).zone;
    let label = address.label.filter(|label| label != interface.0);
    InterfaceAddress {
        zone,
        label,
        ..address
    }
}
