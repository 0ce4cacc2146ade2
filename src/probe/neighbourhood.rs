//! The addresses that are reached without a router, and whether anybody answers for them.
//!
//! The system gives up on a neighbour that does not answer, and says so to whoever wanted it, but
//! to few at once (Linux: `icmp_msgs_per_sec`). To the others a host that does not exist looks like
//! one that is silent; the table of neighbours tells the two apart.

use super::network::Outcome;
use super::target::{Target, Whom};
use crate::interfaces::{self, Interface, InterfaceFlags};
use crate::sys::{neighbours, route_to};
use crate::value::{AddressRange, Cidr};
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

/// How often the table is looked at: an entry stays for three seconds at least.
const EVERY: Duration = Duration::from_millis(500);
/// How old what is known may be when an address is judged.
const FRESH: Duration = Duration::from_millis(50);
/// How many neighbours may be sought at once. The table holds 1024, for all of this machine (Linux:
/// `gc_thresh3` of arp(7)); what finds no room there is never sent.
const CROWD: u128 = 512;
/// How many questions at once leave it room, if each is to another neighbour.
const ROOM: usize = 256;

/// What is known of neighbours.
#[derive(Debug, Default)]
pub(super) struct Neighbourhood {
    /// The networks of our interfaces, once they are looked up.
    networks: Option<Vec<AddressRange>>,
    /// Who was ever sought, and whether he answered when it was last looked.
    seen: HashMap<IpAddr, bool>,
    /// When the table was looked at, once there is a reason to.
    looked: Option<Duration>,
}

impl Neighbourhood {
    /// One of this network alone.
    #[cfg(test)]
    pub(super) fn of(network: AddressRange) -> Self {
        Self {
            networks: Some(vec![network]),
            ..Self::default()
        }
    }

    /// Somebody is asked: if he is a neighbour, the table is worth a look from now on.
    pub(super) fn seek(&mut self, address: IpAddr, now: Duration) {
        if self.looked.is_none() && self.has(address) {
            self.looked = Some(now);
        }
    }

    /// Looks at the table when it is time.
    pub(super) fn watch(&mut self, now: Duration) {
        if self
            .looked
            .is_some_and(|at| now.saturating_sub(at) >= EVERY)
        {
            self.look(now);
        }
    }

    /// What to think of a host that met a try with silence, or that there is said to be no way to;
    /// nothing if it is there.
    pub(super) fn explain(&mut self, address: IpAddr, now: Duration) -> Option<Outcome> {
        let looked = self.looked?;
        if !self.has(address) {
            return None;
        }
        if now.saturating_sub(looked) >= FRESH {
            self.look(now);
        }
        match self.seen.get(&address) {
            Some(true) => None,
            Some(false) => Some(Outcome::NoNeighbour),
            // The table was full, unless another way leads there.
            None => is_direct(address).then_some(Outcome::Local(libc::ENOBUFS)),
        }
    }

    /// How many of `most` questions at once the table bears, if these are probed.
    pub(super) fn room(&mut self, targets: &[Target], most: usize) -> usize {
        let ranges = targets.iter().map(|target| match &target.whom {
            Whom::Host(_, address) => AddressRange::from(address.ip()),
            Whom::Range(range) => *range,
        });
        let networks = self.networks();
        let common = |range: AddressRange| {
            let here = networks.iter().filter_map(|network| network.common(&range));
            here.map(|common| common.span().saturating_add(1)).max()
        };
        let sought = ranges.filter_map(common).fold(0, u128::saturating_add);
        if sought > CROWD { most.min(ROOM) } else { most }
    }

    /// Reads the table.
    fn look(&mut self, now: Duration) {
        self.looked = Some(now);
        match neighbours() {
            Ok(Some(table)) => {
                let ours = |(address, _): &(IpAddr, bool)| self.has(*address);
                let table: Vec<_> = table.into_iter().filter(ours).collect();
                self.note(&table);
            }
            // Nothing can be said of anybody.
            Ok(None) | Err(_) => {
                *self = Self {
                    networks: Some(Vec::new()),
                    ..Self::default()
                }
            }
        }
    }

    /// Notes entries; an address may have one on each of several links.
    fn note(&mut self, table: &[(IpAddr, bool)]) {
        for (address, _) in table {
            self.seen.insert(*address, false);
        }
        for (address, _) in table.iter().filter(|(_, answers)| *answers) {
            self.seen.insert(*address, true);
        }
    }

    /// Whether an address is one of a network of ours.
    fn has(&mut self, address: IpAddr) -> bool {
        let networks = self.networks();
        networks.iter().any(|network| network.contains(address))
    }

    /// The networks of our interfaces.
    fn networks(&mut self) -> &[AddressRange] {
        self.networks.get_or_insert_with(|| {
            let listing = interfaces::list();
            let all = listing
                .map(|listing| listing.interfaces)
                .unwrap_or_default();
            all.iter().flat_map(networks_of).collect()
        })
    }
}

/// The networks of an interface on which addresses are asked for.
fn networks_of(interface: &Interface) -> Vec<AddressRange> {
    let without = InterfaceFlags::NOARP | InterfaceFlags::LOOPBACK;
    if interface.flags.is_none_or(|flags| flags.has(without)) {
        return Vec::new();
    }
    let network = |known: &interfaces::InterfaceAddress| {
        let cidr = Cidr::new(known.peer.unwrap_or(known.address), known.prefix)?;
        Some(AddressRange::from(cidr))
    };
    interface.addresses.iter().filter_map(network).collect()
}

/// Whether the system sends packets for this address to nobody else.
fn is_direct(address: IpAddr) -> bool {
    match route_to(address, None) {
        Ok(Some(route)) => route.gateway.is_none(),
        Ok(None) | Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Ports;
    use std::sync::Arc;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// One that knows a network and has just looked.
    fn knowing(network: &str) -> Neighbourhood {
        Neighbourhood {
            looked: Some(Duration::ZERO),
            ..Neighbourhood::of(network.parse().unwrap())
        }
    }

    #[test]
    fn who_never_answered_is_no_neighbour_and_others_are_left_alone() {
        let mut known = knowing("192.0.2.0/24");
        let [here, gone, far] = ["192.0.2.1", "192.0.2.2", "198.51.100.1"].map(address);
        known.note(&[(here, true), (gone, false), (here, false), (far, false)]);
        let now = Duration::ZERO;
        assert_eq!(known.explain(here, now), None);
        assert_eq!(known.explain(gone, now), Some(Outcome::NoNeighbour));
        assert_eq!(known.explain(far, now), None);
        known.note(&[(gone, true)]);
        assert_eq!(known.explain(gone, now), None, "it has come");
    }

    #[test]
    fn many_neighbours_are_not_sought_at_once() {
        let mut known = knowing("10.0.0.0/8");
        let mut room = |ranges: &[&str]| {
            let ports = Arc::new(Ports::default());
            let target = |range: &&str| Target::range(range.parse().unwrap(), ports.clone());
            let targets: Vec<Target> = ranges.iter().map(target).collect();
            known.room(&targets, 5000)
        };
        assert_eq!(room(&["10.0.0.0/24", "192.0.2.0/24"]), 5000);
        assert_eq!(room(&["192.0.0.0/16"]), 5000);
        assert_eq!(room(&["10.0.0.0/23", "10.9.0.1"]), ROOM);
        assert_eq!(room(&["0.0.0.0/0"]), ROOM);
    }

    #[test]
    fn only_links_that_ask_for_addresses_have_neighbours() {
        let interface = |flags| Interface {
            flags: Some(InterfaceFlags(flags)),
            addresses: vec![interfaces::InterfaceAddress::new(
                address("10.1.2.3"),
                16,
                ("e", 2),
            )],
            ..Interface::default()
        };
        let networks = networks_of(&interface(InterfaceFlags::UP));
        assert_eq!(networks, ["10.1.0.0/16".parse().unwrap()]);
        for flag in [InterfaceFlags::NOARP, InterfaceFlags::LOOPBACK] {
            assert!(networks_of(&interface(flag)).is_empty());
        }
    }
}
