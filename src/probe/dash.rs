//! Ports of this machine, asked one after the other as fast as the kernel answers.
//!
//! A refusal is there before connect(2) returns, so there is nothing to pace and nothing to wait
//! for. What one call does not settle is left to the [`Pacer`](super::Pacer).

use super::network::Network as _;
use super::pacer::Found;
use super::plan::Place;
use super::verdict::Verdict;
use super::{ATTENTION, Left, Plan, PortReport, Proto, ScopedIp, Sockets, Summary, report_of};
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// After how many ports it is asked whether any of them met an ICMP message.
const ROUND: usize = 64;
/// How many reports are given at once.
const BATCH: usize = 512;
/// After how many ports one that had to be waited for is forgotten: on a busy machine that happens.
const FORGIVEN: u64 = 256;
/// How many ports may be left over before all are.
const CROWD: usize = 4096;
/// Of how many hosts it is remembered that they answer.
const HOSTS: usize = 65_536;

/// What was found out, and what was not.
pub(super) struct Dash {
    /// What there is to say of the ports that are settled.
    pub(super) summary: Summary,
    /// The ports that are not.
    pub(super) rest: Plan,
    /// The hosts that answered, with a round-trip time of each.
    pub(super) hosts: HashMap<u32, Duration>,
}

/// A host in the words of its target.
struct Host {
    number: u32,
    name: Arc<str>,
    address: ScopedIp,
}

/// A run through a plan.
struct Run<'a> {
    sockets: &'a mut Sockets,
    plan: &'a Plan,
    /// The host that was asked last.
    host: Option<Host>,
    hosts: HashMap<u32, Duration>,
    reports: Vec<PortReport>,
    left: Vec<u64>,
    /// When the last port was done with.
    last: Duration,
}

impl Dash {
    /// Asks the ports of `plan` once each, until `end`, as [`run`](super::run) does. What is left
    /// over is nothing that may be called anything yet.
    pub(super) fn through(
        sockets: &mut Sockets,
        plan: &Plan,
        end: Option<Duration>,
        stop: &AtomicBool,
        mut found: impl FnMut(Vec<PortReport>) -> ControlFlow<()>,
    ) -> Self {
        let start = sockets.now();
        let mut run = Run {
            sockets,
            plan,
            host: None,
            hosts: HashMap::new(),
            reports: Vec::with_capacity(BATCH),
            left: Vec::new(),
            last: start,
        };
        let mut summary = Summary::of_nothing_in(0);
        let (mut next, mut told, mut goes_on) = (0, start, true);
        while goes_on && next < plan.len() && run.may_go_on() {
            let first = next;
            next = first.saturating_add(ROUND as u64).min(plan.len());
            run.round(first, next);
            let is_over = end.is_some_and(|end| run.last >= end);
            let is_stopped = is_over || stop.load(Ordering::Relaxed);
            let is_full = run.reports.len().saturating_add(ROUND) > BATCH;
            let is_last = is_stopped || next >= plan.len() || !run.may_go_on();
            if is_full || is_last || run.last.saturating_sub(told) >= ATTENTION {
                told = run.last;
                let batch = std::mem::replace(&mut run.reports, Vec::with_capacity(BATCH));
                for report in &batch {
                    summary.count(report.state);
                }
                summary.complete = found(batch).is_continue();
                goes_on = summary.complete && !is_stopped;
            }
        }
        let (left, hosts) = (run.left, run.hosts);
        let rest = plan.clone().without_done(&Left {
            next,
            pending: left,
        });
        summary.ports = plan.len().saturating_sub(rest.len());
        summary.complete &= goes_on || rest.is_empty();
        summary.close(next, sockets.now().saturating_sub(start));
        Self {
            summary,
            rest,
            hosts,
        }
    }
}

impl Run<'_> {
    /// Whether asking on is better than leaving all that remains.
    fn may_go_on(&self) -> bool {
        self.sockets.waits() && self.left.len() < CROWD
    }

    /// Asks the ports from number `first` up to `end`. If an ICMP message came, any of them may
    /// have met it: all are left.
    fn round(&mut self, first: u64, end: u64) {
        if first.is_multiple_of(FORGIVEN) {
            self.sockets.forgive_stall();
        }
        let before = (self.reports.len(), self.left.len());
        for index in first..end {
            if self.ask(index).is_none() {
                self.left.push(index);
            }
        }
        if self.sockets.met_icmp() {
            self.reports.truncate(before.0);
            self.left.truncate(before.1);
            self.left.extend(first..end);
        }
    }

    /// Asks one port; nothing if that was not enough.
    fn ask(&mut self, index: u64) -> Option<()> {
        let place = self.plan.place(index)?;
        let to = self.plan.address(place)?;
        let outcome = self.sockets.ask_here(to);
        let now = self.sockets.now();
        let rtt = now.saturating_sub(std::mem::replace(&mut self.last, now));
        let Verdict::Port(finding) = Verdict::of(outcome?, to.ip()) else {
            return None;
        };
        let (host, address) = self.host(place, rtt)?;
        let found = Found {
            place,
            number: index,
            finding,
            rtt: Some(rtt),
            tries: 1,
            service: None,
        };
        self.reports
            .push(report_of(host, address, Proto::Tcp, found));
        Some(())
    }

    /// What the host of a port is called, and that it has answered.
    fn host(&mut self, place: Place, rtt: Duration) -> Option<(Arc<str>, ScopedIp)> {
        if let Some(host) = self.host.as_ref().filter(|host| host.number == place.host) {
            return Some((host.name.clone(), host.address.clone()));
        }
        if self.hosts.len() < HOSTS {
            self.hosts.insert(place.host, rtt);
        }
        // A copy of our own: threads that count the users of one name are in each other's way.
        let name: Arc<str> = Arc::from(&*self.plan.name(place.host)?);
        let address = self.plan.scoped(place.host)?;
        self.host = Some(Host {
            number: place.host,
            name: name.clone(),
            address: address.clone(),
        });
        Some((name, address))
    }
}
