//! One job for one thread or for many.

use super::dash::Dash;
use super::datagram::{Kind, Survey};
use super::pacer::Schedule as _;
use super::{
    Limits, Network, Pacer, Plan, PortReport, Proto, ScopedIp, Sockets, Summary, Target, Whom,
    drive, run,
};
use std::io;
use std::num::NonZero;
use std::ops::ControlFlow;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::Instant;

/// How many ports of this machine are worth a thread for each core.
const WORTHWHILE: u64 = 4096;
/// How many batches may wait to be taken.
const BACKLOG: usize = 64;

/// What is to be probed, and how.
#[derive(Clone, Debug)]
pub struct Job {
    /// Whom, on which ports.
    pub targets: Vec<Target>,
    /// What the order of the ports follows from.
    pub seed: u64,
    /// What the user has set.
    pub limits: Limits,
}

/// What a job has found out.
#[derive(Clone, Debug)]
pub struct Results {
    /// The figures.
    pub summary: Summary,
    /// The hosts that were noticed to limit their resets.
    pub limited: Vec<Limited>,
}

/// A host that answers for its closed ports only so often a second.
#[derive(Clone, Debug)]
pub struct Limited {
    /// The name or address as it was asked for.
    pub host: Arc<str>,
    /// The address.
    pub addr: ScopedIp,
    /// Resets a second, about.
    pub rate: f64,
}

impl Limited {
    /// The hosts that a pacer has noticed, in the order of their addresses.
    pub(super) fn all_of(pacer: &Pacer) -> Vec<Self> {
        let plan = pacer.plan();
        let told = |(host, rate)| {
            Some(Self {
                host: plan.name(host)?,
                addr: plan.scoped(host)?,
                rate,
            })
        };
        let mut all: Vec<_> = pacer.limited().filter_map(told).collect();
        all.sort_by(|one, next| one.addr.cmp(&next.addr));
        all
    }
}

impl Job {
    /// How many ports there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        Target::all_questions(&self.targets)
    }

    /// Whether there is nothing to probe.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Probes all targets over real sockets, as [`run`] does: this machine's own
    /// addresses, where nothing but the processor limits the speed, on all cores, and the others
    /// paced by one thread; TCP first, then UDP.
    pub fn run(
        self,
        sockets: &mut Sockets,
        stop: &AtomicBool,
        found: impl FnMut(Vec<PortReport>) -> ControlFlow<()>,
    ) -> io::Result<Summary> {
        Ok(self.results(sockets, stop, found)?.summary)
    }

    /// The same, with what was noticed of the hosts beside their ports.
    pub fn results(
        self,
        sockets: &mut Sockets,
        stop: &AtomicBool,
        mut found: impl FnMut(Vec<PortReport>) -> ControlFlow<()>,
    ) -> io::Result<Results> {
        let began = Instant::now();
        let is_here = |target: &Target| is_here(sockets, target);
        let (here, there): (Vec<_>, Vec<_>) = self.targets.into_iter().partition(is_here);
        let left = || self.limits.after(began.elapsed());
        let plan = |proto, targets: &Vec<_>| Plan::of(proto, targets.clone(), self.seed);
        let mut total = Summary::of_nothing_in(0);
        let mut limited = Vec::new();
        for (proto, targets, is_here) in [
            (Proto::Tcp, &here, true),
            (Proto::Tcp, &there, false),
            (Proto::Udp, &here, true),
            (Proto::Udp, &there, false),
        ] {
            let plan = plan(proto, targets);
            let part = match proto {
                _ if !total.complete || plan.is_empty() => Summary::of_nothing_in(plan.len()),
                Proto::Tcp if is_here => run_here(sockets, &plan, left(), stop, &mut found)?,
                Proto::Tcp => {
                    sockets.expect(targets);
                    let mut pacer = Pacer::new(plan, left(), sockets.capacity());
                    let part = run(sockets, &mut pacer, stop, &mut found)?;
                    limited = Limited::all_of(&pacer);
                    part
                }
                Proto::Udp => {
                    let mut network = sockets.datagrams(Kind::Udp)?;
                    network.expect(targets);
                    let mut survey = Survey::new(plan, left(), network.capacity(), is_here);
                    drive(&mut network, &mut survey, stop, |_| {}, &mut found)?
                }
            };
            total.add(&part);
        }
        total.elapsed = began.elapsed();
        Ok(Results {
            summary: total,
            limited,
        })
    }
}

/// Whether a target is this machine.
pub(super) fn is_here(sockets: &Sockets, target: &Target) -> bool {
    match &target.whom {
        Whom::Host(_, address) => sockets.is_here(address.ip()),
        Whom::Range(range) if range.span() == 0 => sockets.is_here(range.first()),
        Whom::Range(range) => range.first().is_loopback() && range.last().is_loopback(),
    }
}

/// Probes addresses of this machine, on all cores if that is worth it.
fn run_here(
    sockets: &mut Sockets,
    plan: &Plan,
    limits: Limits,
    stop: &AtomicBool,
    found: &mut impl FnMut(Vec<PortReport>) -> ControlFlow<()>,
) -> io::Result<Summary> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    if limits.rate.is_some() || limits.concurrency.is_some() {
        let pacer = Pacer::new(plan.clone(), limits, sockets.capacity());
        return run(sockets, pacer, stop, found);
    }
    if cores == 1 || plan.len() < WORTHWHILE {
        return dash(sockets, plan, limits, stop, found);
    }
    let crew = sockets.crew(cores)?;
    let shares = plan.shares(cores as u64);
    let (sender, batches) = sync_channel(BACKLOG);
    thread::scope(|scope| {
        let mut workers = Vec::new();
        for (sockets, share) in crew.into_iter().zip(shares) {
            let sender = sender.clone();
            let work = move || work(sockets, &share, limits, stop, &sender);
            workers.push(thread::Builder::new().spawn_scoped(scope, work)?);
        }
        drop(sender);
        // When nobody takes the batches any more, the workers end.
        let _ = batches.into_iter().try_for_each(found);
        let mut total = Summary::of_nothing_in(0);
        for worker in workers {
            total.add(&worker.join().unwrap_or_else(|panic| resume_unwind(panic))?);
        }
        Ok(total)
    })
}

/// One thread's share.
fn work(
    mut sockets: Sockets,
    share: &Plan,
    limits: Limits,
    stop: &AtomicBool,
    sender: &SyncSender<Vec<PortReport>>,
) -> io::Result<Summary> {
    dash(&mut sockets, share, limits, stop, |batch| {
        match sender.send(batch) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    })
}

/// Asks each port of this machine once, and then with patience what that did not settle.
fn dash(
    sockets: &mut Sockets,
    plan: &Plan,
    limits: Limits,
    stop: &AtomicBool,
    mut found: impl FnMut(Vec<PortReport>) -> ControlFlow<()>,
) -> io::Result<Summary> {
    let start = sockets.now();
    let end = limits.deadline.map(|time| start.saturating_add(time));
    let Dash {
        mut summary,
        rest,
        hosts,
    } = Dash::through(sockets, plan, end, stop, &mut found);
    if !summary.complete {
        summary.add(&Summary::of_nothing_in(rest.len()));
        return Ok(summary);
    }
    if rest.is_empty() {
        return Ok(summary);
    }
    let limits = Limits {
        deadline: end.map(|end| end.saturating_sub(sockets.now())),
        ..limits
    };
    let mut pacer = Pacer::new(rest, limits, sockets.capacity());
    pacer.know(hosts);
    summary.add(&run(sockets, pacer, stop, found)?);
    Ok(summary)
}
