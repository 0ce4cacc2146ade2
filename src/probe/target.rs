//! Whom to probe, and on which ports.

use super::report::Proto;
use crate::value::{AddressRange, PortList, ProbePorts, Protocol};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// One address to probe, or many that follow one another, and the ports to probe on each.
#[derive(Clone, Debug)]
pub struct Target {
    /// Whom.
    pub whom: Whom,
    /// The ports of each address.
    pub ports: Arc<Ports>,
}

/// Whose ports are probed.
#[derive(Clone, Debug)]
pub enum Whom {
    /// A host by the name it was asked for, and one of its addresses; its port means nothing.
    Host(Arc<str>, SocketAddr),
    /// Addresses that are their own names. They are never listed in memory.
    Range(AddressRange),
}

impl Target {
    /// The ports of one address of a host.
    #[must_use]
    pub fn host(name: impl Into<Arc<str>>, address: SocketAddr, ports: Arc<Ports>) -> Self {
        Self {
            whom: Whom::Host(name.into(), address),
            ports,
        }
    }

    /// The ports of each address of a range.
    #[must_use]
    pub const fn range(range: AddressRange, ports: Arc<Ports>) -> Self {
        Self {
            whom: Whom::Range(range),
            ports,
        }
    }

    /// How many addresses there are; more than there are of IPv4 count as that many.
    #[must_use]
    pub fn addresses(&self) -> u64 {
        let most = u128::from(u32::MAX).saturating_add(1);
        match &self.whom {
            Whom::Host(..) => 1,
            Whom::Range(range) => {
                let count = range.span().saturating_add(1).min(most);
                u64::try_from(count).unwrap_or(u64::MAX)
            }
        }
    }

    /// How many ports there are of all addresses together.
    #[must_use]
    pub fn questions(&self) -> u64 {
        self.addresses().saturating_mul(self.ports.len() as u64)
    }

    /// How many ports these have together.
    #[must_use]
    pub fn all_questions(targets: &[Self]) -> u64 {
        let of_each = targets.iter().map(Self::questions);
        of_each.fold(0, u64::saturating_add)
    }

    /// The address with this number.
    pub(super) fn address(&self, number: u64) -> Option<SocketAddr> {
        match &self.whom {
            Whom::Host(_, address) => Some(*address),
            Whom::Range(range) => Some(SocketAddr::new(range.nth(number)?, 0)),
        }
    }

    /// What the address with this number is called.
    pub(super) fn name(&self, number: u64) -> Option<Arc<str>> {
        match &self.whom {
            Whom::Host(name, _) => Some(name.clone()),
            Whom::Range(range) => Some(range.nth(number)?.to_string().into()),
        }
    }
}

/// Targets of which no two have an address in common, unless it goes by different names.
#[derive(Clone, Debug, Default)]
pub struct Targets {
    all: Vec<Target>,
    /// Where the range is that begins at an address.
    ranges: BTreeMap<IpAddr, usize>,
}

impl Targets {
    /// Adds a target. Addresses that are known already keep their place and get its ports as well.
    pub fn add(&mut self, target: Target) {
        let Whom::Range(range) = target.whom else {
            return self.all.push(target);
        };
        let mut rest = vec![range];
        while let Some(range) = rest.pop() {
            match self.overlapping(&range) {
                Some(known) => rest.extend(self.join(known, &range, &target.ports)),
                None => self.push(range, target.ports.clone()),
            }
        }
    }

    /// The targets without these addresses.
    #[must_use]
    pub fn without(self, excluded: &[AddressRange]) -> Vec<Target> {
        let left = |target: Target| cut(target, excluded);
        self.all.into_iter().flat_map(left).collect()
    }

    /// The number of a range that has an address in common with this one.
    fn overlapping(&self, range: &AddressRange) -> Option<usize> {
        let (_, number) = self.ranges.range(..=range.last()).next_back()?;
        let known = self.range(*number)?;
        known.common(range).map(|_| *number)
    }

    /// A range by its number.
    fn range(&self, number: usize) -> Option<AddressRange> {
        match self.all.get(number)?.whom {
            Whom::Range(range) => Some(range),
            Whom::Host(..) => None,
        }
    }

    /// Adds a range that is new.
    fn push(&mut self, range: AddressRange, ports: Arc<Ports>) {
        self.ranges.insert(range.first(), self.all.len());
        self.all.push(Target::range(range, ports));
    }

    /// Gives what a known range and a new one have in common the ports of both. Returns what is left
    /// of the new one.
    fn join(
        &mut self,
        number: usize,
        range: &AddressRange,
        ports: &Arc<Ports>,
    ) -> impl Iterator<Item = AddressRange> + use<> {
        let known = self.range(number).unwrap_or(*range);
        let common = known.common(range).unwrap_or(known);
        if let Some(target) = self.all.get_mut(number) {
            let old = target.ports.clone();
            if *old != **ports {
                target.whom = Whom::Range(common);
                target.ports = Arc::new(old.with(ports));
                self.ranges.remove(&known.first());
                self.ranges.insert(common.first(), number);
                for part in known.without(&common).into_iter().flatten() {
                    self.push(part, old.clone());
                }
            }
        }
        range.without(&known).into_iter().flatten()
    }
}

/// What is left of a target.
fn cut(target: Target, excluded: &[AddressRange]) -> Vec<Target> {
    let Target { whom, ports } = target;
    let range = match whom {
        Whom::Range(range) => range,
        Whom::Host(name, address) => {
            let is_out = excluded.iter().any(|range| range.contains(address.ip()));
            let target = Target::host(name, address, ports);
            return if is_out { Vec::new() } else { vec![target] };
        }
    };
    let mut left = vec![range];
    for out in excluded {
        let parts = left.iter().flat_map(|range| range.without(out)).flatten();
        left = parts.collect();
    }
    let target = |range| Target::range(range, ports.clone());
    left.into_iter().map(target).collect()
}

/// The ports of an address, of TCP and of UDP.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Ports {
    tcp: Lane,
    udp: Lane,
}

/// A set of ports of one transport, those that are likely to be open apart from the rest.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Lane {
    pub(super) likely: Vec<u16>,
    pub(super) rest: Vec<u16>,
}

impl Ports {
    /// The TCP ports, each once; those in `likely` are probed first, in that order.
    #[must_use]
    pub fn new(ports: impl IntoIterator<Item = u16>, likely: &[u16]) -> Self {
        Self {
            tcp: Lane::new(ports, likely),
            udp: Lane::default(),
        }
    }

    /// The same TCP ports, and these of UDP.
    #[must_use]
    pub fn with_udp(self, ports: impl IntoIterator<Item = u16>, likely: &[u16]) -> Self {
        Self {
            udp: Lane::new(ports, likely),
            ..self
        }
    }

    /// How many ports there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.tcp.len().saturating_add(self.udp.len())
    }

    /// How many of them there are of a transport.
    #[must_use]
    pub const fn count(&self, proto: Proto) -> usize {
        self.of(proto).len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// At most so many of the TCP ports, those that come first.
    #[must_use]
    pub fn first(&self, most: usize) -> Self {
        let all = self.tcp.likely.iter().chain(&self.tcp.rest).copied();
        let first: Vec<u16> = all.take(most).collect();
        Self::new(first.clone(), &first)
    }

    /// Those of one transport.
    pub(super) const fn of(&self, proto: Proto) -> &Lane {
        match proto {
            Proto::Tcp => &self.tcp,
            Proto::Udp => &self.udp,
        }
    }

    /// These ports and the others.
    fn with(&self, other: &Self) -> Self {
        Self {
            tcp: self.tcp.with(&other.tcp),
            udp: self.udp.with(&other.udp),
        }
    }
}

impl Lane {
    /// The ports, each once; those in `likely` come first, in that order.
    fn new(ports: impl IntoIterator<Item = u16>, likely: &[u16]) -> Self {
        let mut rest: Vec<u16> = ports.into_iter().collect();
        rest.sort_unstable();
        rest.dedup();
        let mut first: Vec<u16> = Vec::new();
        for port in likely {
            if rest.binary_search(port).is_ok() && !first.contains(port) {
                first.push(*port);
            }
        }
        rest.retain(|port| !first.contains(port));
        Self {
            likely: first,
            rest,
        }
    }

    /// How many ports there are.
    const fn len(&self) -> usize {
        self.likely.len().saturating_add(self.rest.len())
    }

    /// These ports and the others.
    fn with(&self, other: &Self) -> Self {
        let all = [&self.likely, &self.rest, &other.likely, &other.rest];
        let likely: Vec<u16> = [&self.likely[..], &other.likely[..]].concat();
        Self::new(all.into_iter().flatten().copied(), &likely)
    }
}

impl From<&PortList> for Ports {
    /// TCP ports, the common ones first.
    fn from(list: &PortList) -> Self {
        Self::from(&ProbePorts::from(list.clone()))
    }
}

impl From<&ProbePorts> for Ports {
    /// The ports of both lists, the common ones of each first.
    fn from(list: &ProbePorts) -> Self {
        let tcp: Vec<u16> = PortList::common().iter().collect();
        let udp: Vec<u16> = ProbePorts::common(Protocol::Udp).udp.iter().collect();
        Self::new(list.tcp.iter(), &tcp).with_udp(list.udp.iter(), &udp)
    }
}

#[cfg(test)]
mod tests;
