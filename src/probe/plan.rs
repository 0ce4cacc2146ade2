//! What is probed, in which order.

use super::report::Proto;
use super::scoped::{ScopedIp, scope_of, zone_name};
use super::shard::Left;
use super::target::{Lane, Ports, Target, Whom};
use crate::value::Shard;
use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::Arc;

/// Every target with every port of its own, in the order of probing.
///
/// The likely ports of all targets come first, because their answers teach the pacer the path. The
/// rest follows in a permutation of all hosts and ports together, so that no host and no range of
/// ports gets a burst. The same seed gives the same order.
#[derive(Clone, Debug)]
pub struct Plan {
    proto: Proto,
    targets: Arc<[Target]>,
    /// For each target, how many addresses come before its own.
    firsts: Arc<[u64]>,
    /// What the zones of targets are called.
    zones: Arc<HashMap<u32, Arc<str>>>,
    likely: Segment,
    rest: Segment,
    share: Share,
    /// What is still to be probed of it.
    pub(super) left: Arc<Left>,
}

/// Which part of the order is probed: every `of`th port from number `first` on.
#[derive(Clone, Copy, Debug)]
struct Share {
    first: u64,
    of: u64,
}

/// One port of one target.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Place {
    /// The number of the address, over all targets.
    pub(super) host: u32,
    /// The port.
    pub(super) port: u16,
}

impl Plan {
    /// Orders the TCP ports of `targets` by `seed`.
    #[must_use]
    pub fn new(targets: Vec<Target>, seed: u64) -> Self {
        Self::of(Proto::Tcp, targets, seed)
    }

    /// Orders the ports of one transport.
    pub(super) fn of(proto: Proto, targets: Vec<Target>, seed: u64) -> Self {
        let likely = Segment::new(&targets, |ports| ports.of(proto).likely.len(), seed);
        let rest = Segment::new(&targets, |ports| ports.of(proto).rest.len(), seed);
        let mut before = 0_u64;
        let count = |target: &Target| {
            let first = before;
            before = before.saturating_add(target.addresses());
            first
        };
        Self {
            proto,
            firsts: targets.iter().map(count).collect(),
            zones: Arc::new(zones_of(&targets)),
            targets: targets.into(),
            likely,
            rest,
            share: Share { first: 0, of: 1 },
            left: Arc::default(),
        }
    }

    /// One part of the plan.
    #[must_use]
    pub(super) fn shard(self, shard: Shard) -> Self {
        let first = u64::from(shard.number()).saturating_sub(1);
        let of = u64::from(shard.of());
        Self {
            share: Share { first, of },
            ..self
        }
    }

    /// The same plan in `of` parts that have no port in common, each with the likely ones first.
    #[must_use]
    pub fn shares(&self, of: u64) -> Vec<Self> {
        let share = |first| Self {
            share: Share { first, of },
            ..self.clone()
        };
        (0..of).map(share).collect()
    }

    /// Which transport's ports these are.
    pub(super) const fn proto(&self) -> Proto {
        self.proto
    }

    /// How many ports there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        let total = self.likely.total.saturating_add(self.rest.total);
        let share = total
            .saturating_sub(self.share.first)
            .div_ceil(self.share.of);
        let old = self.left.pending.len() as u64;
        share.saturating_sub(self.left.next).saturating_add(old)
    }

    /// Whether there is nothing to probe.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The port that is probed as number `index`.
    pub(super) fn place(&self, index: u64) -> Option<Place> {
        let index = self
            .number(index)?
            .checked_mul(self.share.of)?
            .checked_add(self.share.first)?;
        if index < self.likely.total {
            let (target, offset) = self.likely.locate(index)?;
            return self.spot(target, offset, |lane| &lane.likely);
        }
        let (target, offset) = self.rest.locate(index.checked_sub(self.likely.total)?)?;
        self.spot(target, offset, |lane| &lane.rest)
    }

    /// The port at `offset` of a target that has these ports on each of its addresses.
    fn spot(&self, number: usize, offset: u64, ports: fn(&Lane) -> &Vec<u16>) -> Option<Place> {
        let ports = ports(self.targets.get(number)?.ports.of(self.proto));
        let each = ports.len() as u64;
        let (address, port) = (offset.checked_div(each)?, offset.checked_rem(each)?);
        let host = self.firsts.get(number)?.checked_add(address)?;
        Some(Place {
            host: u32::try_from(host).ok()?,
            port: *ports.get(usize::try_from(port).ok()?)?,
        })
    }

    /// The target that an address belongs to, and its number there.
    fn owner(&self, host: u32) -> Option<(&Target, u64)> {
        let host = u64::from(host);
        let behind = self.firsts.partition_point(|first| *first <= host);
        let number = behind.checked_sub(1)?;
        let first = self.firsts.get(number)?;
        Some((self.targets.get(number)?, host.checked_sub(*first)?))
    }

    /// What an address is called.
    pub(super) fn name(&self, host: u32) -> Option<Arc<str>> {
        let (target, number) = self.owner(host)?;
        target.name(number)
    }

    /// Where a probe of `place` connects to.
    pub(super) fn address(&self, place: Place) -> Option<SocketAddr> {
        let (target, number) = self.owner(place.host)?;
        let mut address = target.address(number)?;
        address.set_port(place.port);
        Some(address)
    }

    /// An address as reports have it.
    pub(super) fn scoped(&self, host: u32) -> Option<ScopedIp> {
        let (target, number) = self.owner(host)?;
        let zone = |scope| self.zones.get(&scope).cloned();
        Some(ScopedIp::new(target.address(number)?, zone))
    }
}

/// The names of all zones: they are asked for once, and not for each port.
fn zones_of(targets: &[Target]) -> HashMap<u32, Arc<str>> {
    let hosts = targets.iter().filter_map(|target| match target.whom {
        Whom::Host(_, address) => Some(scope_of(address)),
        Whom::Range(_) => None,
    });
    let scopes: HashSet<u32> = hosts.filter(|scope| *scope != 0).collect();
    let named = |scope| Some((scope, zone_name(scope)?));
    scopes.into_iter().filter_map(named).collect()
}

/// A permuted run over the ports of all targets, likely ones or the others.
#[derive(Clone, Debug)]
struct Segment {
    /// For each target, how many ports the targets up to and including it have.
    ends: Arc<[u64]>,
    total: u64,
    shuffle: Shuffle,
}

impl Segment {
    /// A run over targets with so many ports on each address.
    fn new(targets: &[Target], ports: impl Fn(&Ports) -> usize, seed: u64) -> Self {
        let mut total = 0_u64;
        let count = |target: &Target| {
            let each = ports(&target.ports) as u64;
            let count = target.addresses().saturating_mul(each);
            total = total.saturating_add(count);
            total
        };
        let ends = targets.iter().map(count).collect();
        Self {
            ends,
            total,
            shuffle: Shuffle::new(total, seed),
        }
    }

    /// The target, and which of its ports, at a position of the run, if that is not over.
    fn locate(&self, index: u64) -> Option<(usize, u64)> {
        if index >= self.total {
            return None;
        }
        let index = self.shuffle.at(index);
        let target = self.ends.partition_point(|end| *end <= index);
        let before = target.checked_sub(1).and_then(|last| self.ends.get(last));
        Some((target, index.checked_sub(before.copied().unwrap_or(0))?))
    }
}

/// A permutation of `0..total` that needs no table: a Feistel network over the next power of four,
/// walked until it lands inside.
#[derive(Clone, Copy, Debug)]
struct Shuffle {
    total: u64,
    half: u32,
    seed: u64,
}

impl Shuffle {
    /// Rounds of the network; four of a good mixer make the order indistinguishable from chance.
    const ROUNDS: u64 = 4;

    /// The permutation of `0..total` that belongs to `seed`.
    fn new(total: u64, seed: u64) -> Self {
        let bits = u64::BITS.saturating_sub(total.saturating_sub(1).leading_zeros());
        Self {
            total,
            half: bits.div_ceil(2).max(1),
            seed,
        }
    }

    /// What stands at `index`, which must be below `total`.
    fn at(&self, index: u64) -> u64 {
        let mut value = self.round_trip(index);
        while value >= self.total && self.total > 0 {
            value = self.round_trip(value);
        }
        value
    }

    /// All rounds, once.
    fn round_trip(&self, value: u64) -> u64 {
        let mask = (1_u64 << self.half).wrapping_sub(1);
        let (mut left, mut right) = (value >> self.half, value & mask);
        for round in 0..Self::ROUNDS {
            let mixed = mixed(right ^ self.seed.wrapping_add(round.wrapping_mul(GOLDEN)));
            (left, right) = (right, left ^ (mixed & mask));
        }
        left << self.half | right
    }
}

/// 2^64 divided by the golden ratio: the increment of splitmix64.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The finaliser of splitmix64 (Steele, Lea and Flood, 2014).
const fn mixed(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests;
