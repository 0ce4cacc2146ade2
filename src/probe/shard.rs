//! Parts of a job, for many machines and for many runs.
//!
//! All machines order the ports of a job in the same way, from the same targets and the same seed,
//! and each takes every Nth. What a run has not done is told by numbers in that order.

mod identity;
#[cfg(test)]
mod tests;

use super::crew::{Limited, Results, is_here};
use super::datagram::{Kind, Survey};
use super::pacer::Schedule;
use super::{
    Job, Limits, Network, Pacer, Plan, PortReport, Proto, Sockets, Summary, Target, drive,
};
use crate::value::Shard;
use std::collections::BTreeSet;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

/// What is left of a plan: these ports, and all from `next` on, by their numbers in the part.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Left {
    /// The first port that was never begun.
    pub next: u64,
    /// Ports before it that were begun and not finished, in order.
    pub pending: Vec<u64>,
}

/// A part of a job, or what is left of it: its TCP ports, and then its UDP ports.
#[derive(Clone, Debug)]
pub struct Part {
    tcp: Plan,
    udp: Plan,
    limits: Limits,
    /// How many TCP ports the part has, done or not, and how many ports at all.
    tcp_size: u64,
    size: u64,
    targets: Arc<[Target]>,
}

impl Job {
    /// One part of the job, without what was done of it before.
    #[must_use]
    pub fn part(self, shard: Shard, left: &Left) -> Part {
        let plan = |proto| Plan::of(proto, self.targets.clone(), self.seed).shard(shard);
        let (tcp, udp) = (plan(Proto::Tcp), plan(Proto::Udp));
        let tcp_size = tcp.len();
        let (tcp_left, udp_left) = left.split(tcp_size);
        Part {
            tcp_size,
            size: tcp_size.saturating_add(udp.len()),
            tcp: tcp.without_done(&tcp_left),
            udp: udp.without_done(&udp_left),
            limits: self.limits,
            targets: self.targets.into(),
        }
    }
}

impl Left {
    /// What is left of the TCP ports, which are so many, and of the UDP ports that follow them.
    fn split(&self, tcp: u64) -> (Self, Self) {
        let (first, second) = self
            .pending
            .split_at(self.pending.partition_point(|number| *number < tcp));
        let second = second.iter().map(|number| number.saturating_sub(tcp));
        let of_tcp = Self {
            next: self.next.min(tcp),
            pending: first.to_vec(),
        };
        let of_udp = Self {
            next: self.next.saturating_sub(tcp),
            pending: second.collect(),
        };
        (of_tcp, of_udp)
    }

    /// What is left of UDP ports, as it is told where so many TCP ports come before them.
    fn behind(self, tcp: u64) -> Self {
        let pending = self.pending.iter().map(|number| number.saturating_add(tcp));
        Self {
            next: self.next.saturating_add(tcp),
            pending: pending.collect(),
        }
    }
}

impl Part {
    /// How many ports the part has, done or not.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// How many ports of it are left.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.tcp.len().saturating_add(self.udp.len())
    }

    /// Whether there is nothing left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Probes what is left, and tells what is left then. A port counts as done once `found` has
    /// taken it.
    pub fn run(
        self,
        sockets: &mut Sockets,
        stop: &AtomicBool,
        found: impl FnMut(Vec<PortReport>) -> ControlFlow<()>,
    ) -> io::Result<(Results, Left)> {
        let is_here = self.targets.iter().all(|target| is_here(sockets, target));
        sockets.expect(&self.targets);
        let targets = self.targets.clone();
        let datagrams = |sockets: &mut Sockets| {
            let mut datagrams = sockets.datagrams(Kind::Udp)?;
            datagrams.expect(&targets);
            Ok(datagrams)
        };
        self.run_over(sockets, datagrams, is_here, stop, found)
    }

    /// The same over any networks.
    fn run_over<N: Network, D: Network>(
        self,
        network: &mut N,
        datagrams: impl FnOnce(&mut N) -> io::Result<D>,
        is_here: bool,
        stop: &AtomicBool,
        mut found: impl FnMut(Vec<PortReport>) -> ControlFlow<()>,
    ) -> io::Result<(Results, Left)> {
        let began = Instant::now();
        let mut pacer = Pacer::new(self.tcp, self.limits, network.capacity());
        let (summary, left) = run_lane(network, &mut pacer, stop, &mut found)?;
        let limited = Limited::all_of(&pacer);
        let mut results = Results { summary, limited };
        if !results.summary.complete || self.udp.is_empty() {
            let rest = Summary::of_nothing_in(self.udp.len());
            results.summary.add(&rest);
            results.summary.complete &= self.udp.is_empty();
            let left = if results.summary.complete {
                self.udp.after(&Done::default()).behind(self.tcp_size)
            } else {
                left
            };
            return Ok((results, left));
        }
        let limits = self.limits.after(began.elapsed());
        let mut network = datagrams(network)?;
        let mut survey = Survey::new(self.udp, limits, network.capacity(), is_here);
        let (rest, left) = run_lane(&mut network, &mut survey, stop, &mut found)?;
        results.summary.add(&rest);
        Ok((results, left.behind(self.tcp_size)))
    }
}

/// Probes what a schedule plans, and tells what is left then.
fn run_lane(
    network: &mut impl Network,
    schedule: &mut impl Schedule,
    stop: &AtomicBool,
    found: &mut impl FnMut(Vec<PortReport>) -> ControlFlow<()>,
) -> io::Result<(Summary, Left)> {
    let mut done = Done::default();
    let summary = drive(network, schedule, stop, |number| done.note(number), found)?;
    Ok((summary, schedule.plan().after(&done)))
}

/// The ports that are done: all below `low`, and those.
#[derive(Debug, Default)]
pub(super) struct Done {
    low: u64,
    above: BTreeSet<u64>,
}

impl Done {
    /// One more is done.
    fn note(&mut self, number: u64) {
        self.above.insert(number);
        while self.above.remove(&self.low) {
            self.low = self.low.saturating_add(1);
        }
    }

    /// The numbers below `end` that are not done.
    fn missing(&self, end: u64) -> impl Iterator<Item = u64> {
        (self.low..end).filter(|number| !self.above.contains(number))
    }

    /// The first number from which on nothing is done.
    fn end(&self) -> u64 {
        let last = self.above.last();
        last.map_or(self.low, |last| last.saturating_add(1))
    }
}

impl Plan {
    /// What is left of this plan when that is done. Ports that were begun beyond the last one done
    /// are as new: nothing was told of them.
    fn after(&self, done: &Done) -> Left {
        let end = done.end();
        let old = self.left.pending.len() as u64;
        let missing = done.missing(end).chain(end..old.max(end));
        let mut pending: Vec<u64> = missing.filter_map(|number| self.number(number)).collect();
        pending.sort_unstable();
        Left {
            next: self.left.next.saturating_add(end.saturating_sub(old)),
            pending,
        }
    }

    /// The number in the whole part of what is probed as number `index` here.
    pub(super) fn number(&self, index: u64) -> Option<u64> {
        let old = self.left.pending.len() as u64;
        match index.checked_sub(old) {
            Some(new) => self.left.next.checked_add(new),
            None => self.left.pending.get(usize::try_from(index).ok()?).copied(),
        }
    }

    /// The same plan without what was done before.
    pub(super) fn without_done(mut self, left: &Left) -> Self {
        self.left = Arc::new(left.clone());
        self
    }
}
