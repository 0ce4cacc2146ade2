//! Parts of a job, for many machines and for many runs.
//!
//! All machines order the ports of a job in the same way, from the same targets and the same seed,
//! and each takes every Nth. What a run has not done is told by numbers in that order.

use super::run_noting;
use super::{Job, Limits, Network, Pacer, Plan, PortReport, Summary, Target, Whom};
use crate::value::Shard;
use std::collections::{BTreeSet, HashMap};
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What is left of a part: these ports, and all from `next` on, by their numbers in the part.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Left {
    /// The first port that was never begun.
    pub next: u64,
    /// Ports before it that were begun and not finished, in order.
    pub pending: Vec<u64>,
}

/// A part of a job, or what is left of it.
#[derive(Clone, Debug)]
pub struct Part {
    plan: Plan,
    limits: Limits,
    size: u64,
}

impl Job {
    /// A number that two jobs have in common only if they ask the same ports of the same targets in
    /// the same order, whatever the addresses of names are.
    #[must_use]
    pub fn identity(&self) -> u64 {
        let mut names: HashMap<&str, u32> = HashMap::new();
        for target in &self.targets {
            if let Whom::Host(name, _) = &target.whom {
                let count = names.entry(name).or_default();
                *count = count.saturating_add(1);
            }
        }
        let mut hash = Fnv::new();
        hash.add(concat!("nettool ", env!("CARGO_PKG_VERSION")));
        hash.add(&self.seed.to_string());
        for target in &self.targets {
            match &target.whom {
                Whom::Host(name, address) => {
                    hash.add(name);
                    if names.get(&**name).is_some_and(|count| *count > 1) {
                        hash.add(&address.ip().to_string());
                    }
                }
                Whom::Range(range) => hash.add(&range.to_string()),
            }
            hash.add_ports(target);
        }
        hash.0
    }

    /// One part of the job, without what was done of it before.
    #[must_use]
    pub fn part(self, shard: Shard, left: &Left) -> Part {
        let whole = Plan::new(self.targets, self.seed).shard(shard);
        Part {
            size: whole.len(),
            plan: whole.without_done(left),
            limits: self.limits,
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
        self.plan.len()
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
        network: &mut impl Network,
        stop: &AtomicBool,
        found: impl FnMut(Vec<PortReport>) -> ControlFlow<()>,
    ) -> io::Result<(Summary, Left)> {
        let pacer = Pacer::new(self.plan.clone(), self.limits, network.capacity());
        let mut done = Done::default();
        let summary = run_noting(network, pacer, stop, |number| done.note(number), found)?;
        Ok((summary, self.plan.after(&done)))
    }
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
    fn without_done(mut self, left: &Left) -> Self {
        self.left = Arc::new(left.clone());
        self
    }
}

/// The hash of Fowler, Noll and Vo (FNV-1a, 64 bits): the same everywhere and for ever.
struct Fnv(u64);

impl Fnv {
    /// The offset basis.
    const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Adds bytes.
    fn add_bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// Adds a word, with an end that no word has in it.
    fn add(&mut self, word: &str) {
        self.add_bytes(word.as_bytes());
        self.add_bytes(&[0]);
    }

    /// Adds the ports of a target in their order.
    fn add_ports(&mut self, target: &Target) {
        for ports in [&target.ports.likely, &target.ports.rest] {
            for port in ports {
                self.add_bytes(&port.to_be_bytes());
            }
            self.add_bytes(&[0, 0]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Ports;
    use crate::probe::sim::{Port, SimNet};
    use std::net::{IpAddr, SocketAddr};
    use std::time::Duration;

    /// A job with a host, a network and a range.
    fn job(seed: u64) -> Job {
        let ports = Arc::new(Ports::new([22, 80, 443, 1000, 1001], &[443, 22]));
        let address = SocketAddr::from(([192, 0, 2, 1], 0));
        let few = Arc::new(Ports::new([7, 9], &[]));
        Job {
            targets: vec![
                Target::host("h", address, ports.clone()),
                Target::range("10.0.0.0/26".parse().unwrap(), ports),
                Target::range("10.1.0.1-5".parse().unwrap(), few),
            ],
            seed,
            limits: Limits::default(),
        }
    }

    /// A network where every host answers, some of them with a connection.
    fn network() -> SimNet {
        SimNet::new(Duration::from_millis(5), |to| match to.port() {
            22 => Port::Open,
            1000 => Port::Silent,
            _ => Port::Closed,
        })
    }

    type Result = (IpAddr, u16, crate::probe::State);

    /// Runs a part until that many results were told, and tells them and what is left.
    fn run(part: Part, most: usize) -> (Vec<Result>, Left) {
        let stop = AtomicBool::new(false);
        let mut results = Vec::new();
        let outcome = part.run(&mut network(), &stop, |batch| {
            if results.len() >= most {
                return ControlFlow::Break(());
            }
            results.extend(
                batch
                    .into_iter()
                    .map(|report| (report.addr, report.port, report.state)),
            );
            ControlFlow::Continue(())
        });
        (results, outcome.unwrap().1)
    }

    /// All results of the job in order.
    fn whole() -> Vec<Result> {
        let (mut results, left) = run(job(7).part(Shard::WHOLE, &Left::default()), usize::MAX);
        assert_eq!((left.next, left.pending), (5 + 64 * 5 + 10, vec![]));
        results.sort_unstable();
        results
    }

    #[test]
    fn the_results_of_all_shards_are_those_of_the_whole() {
        let whole = whole();
        for of in [1, 2, 3, 7, 64, 1000] {
            let mut all = Vec::new();
            for number in 1..=of {
                let shard = format!("{number}/{of}").parse().unwrap();
                all.extend(run(job(7).part(shard, &Left::default()), usize::MAX).0);
            }
            all.sort_unstable();
            assert_eq!(all, whole, "{of} shards");
        }
    }

    #[test]
    fn what_was_stopped_goes_on_without_loss_or_repetition() {
        let whole = whole();
        for most in [0, 1, 10, 50, 200, 300] {
            let (mut all, mut left) = (Vec::new(), Left::default());
            for _ in 0..1000 {
                let part = job(7).part(Shard::WHOLE, &left);
                if part.is_empty() {
                    break;
                }
                let (results, rest) = run(part, most.max(1));
                all.extend(results);
                left = rest;
            }
            all.sort_unstable();
            assert_eq!(all, whole, "{most} at a time");
        }
    }

    #[test]
    fn a_job_has_an_identity() {
        let identity = |job: Job| job.identity();
        assert_eq!(identity(job(7)), identity(job(7)));
        assert_ne!(identity(job(7)), identity(job(8)));
        let mut other = job(7);
        other.targets.swap(1, 2);
        assert_ne!(identity(job(7)), identity(other));
        let moved = |last: u8| {
            let mut job = job(7);
            let ports = job.targets[0].ports.clone();
            let address = SocketAddr::from(([192, 0, 2, last], 0));
            job.targets[0] = Target::host("h", address, ports);
            job
        };
        assert_eq!(identity(moved(1)), identity(moved(2)), "names may move");
    }
}
