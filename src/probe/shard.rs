//! Parts of a job, for many machines and for many runs.
//!
//! All machines order the ports of a job in the same way, from the same targets and the same seed,
//! and each takes every Nth. What a run has not done is told by numbers in that order.

use super::crew::{Limited, Results, is_here};
use super::datagram::{Kind, Survey};
use super::pacer::Schedule;
use super::{
    Job, Limits, Network, Pacer, Plan, PortReport, Proto, Sockets, Summary, Target, Whom, drive,
};
use crate::value::Shard;
use std::collections::{BTreeSet, HashMap};
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
        for proto in [Proto::Tcp, Proto::Udp] {
            let lane = target.ports.of(proto);
            for ports in [&lane.likely, &lane.rest] {
                for port in ports {
                    self.add_bytes(&port.to_be_bytes());
                }
                self.add_bytes(&[0, 0]);
            }
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
        let ports = Ports::new([22, 80, 443, 1000, 1001], &[443, 22]);
        let ports = Arc::new(ports.with_udp([53, 22], &[53]));
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

    type Result = (IpAddr, Proto, u16, crate::probe::State);

    /// Runs a part until that many results were told, and tells them and what is left.
    fn run(part: Part, most: usize) -> (Vec<Result>, Left) {
        let stop = AtomicBool::new(false);
        let mut results = Vec::new();
        let outcome = part.run_over(
            &mut network(),
            |_| Ok(network()),
            false,
            &stop,
            |batch| {
                if results.len() >= most {
                    return ControlFlow::Break(());
                }
                results.extend(
                    batch
                        .into_iter()
                        .map(|report| (report.addr.ip, report.proto, report.port, report.state)),
                );
                ControlFlow::Continue(())
            },
        );
        (results, outcome.unwrap().1)
    }

    /// All results of the job in order.
    fn whole() -> Vec<Result> {
        let (mut results, left) = run(job(7).part(Shard::WHOLE, &Left::default()), usize::MAX);
        assert_eq!((left.next, left.pending), (7 + 64 * 7 + 10, vec![]));
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
        for most in [0, 1, 10, 50, 200, 300, 400] {
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
