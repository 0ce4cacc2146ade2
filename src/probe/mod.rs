//! Which ports of which addresses accept a connection, and why the others do not.
//!
//! A [`Plan`] says what is asked, a [`Pacer`] when, and a [`Network`] does it; [`run`] is the loop
//! between them. Every port gets a state, and what fails on our side is never one.

mod attempt;
mod banner;
mod beside;
mod binding;
mod choice;
mod crew;
mod dash;
mod datagram;
mod drought;
mod epochs;
mod hosts;
mod inquiry;
mod latency;
mod neighbourhood;
mod network;
mod pacer;
mod ping;
mod plan;
mod pulse;
mod queue;
mod ration;
mod rationing;
mod report;
mod rtt;
mod sameness;
mod scoped;
mod series;
mod shard;
#[cfg(test)]
mod sim;
mod slab;
mod sockets;
mod sought;
mod standstill;
mod target;
mod tasks;
#[cfg(test)]
mod tests;
mod verdict;
mod wait;
mod window;

#[cfg(any(test, feature = "fuzz"))]
pub(crate) use banner::fuzz as fuzz_banners;
#[cfg(any(test, feature = "fuzz"))]
pub(crate) use datagram::fuzz as fuzz_answers;

pub use attempt::{Connector, Tried};
pub use banner::Banners;
pub use binding::Binding;
pub use choice::first_that_answers;
pub use crew::{Job, Limited, Results};
pub use latency::{Figures, Latency, Unmade};
pub use network::{Answer, Network, Outcome, ProbeId, Sender};
pub use pacer::{Limits, Pacer};
pub use ping::{HostReport, HostState, Ping, PingSummary};
pub use plan::Plan;
pub use rationing::{Rationed, Rationing};
pub use report::{Icmp, PortReport, Proto, State, Summary};
pub use sameness::Sameness;
pub use scoped::ScopedIp;
pub use series::{Aim, Series};
pub use shard::{Left, Part};
pub use sockets::Sockets;
pub use sought::Sought;
pub use target::{Ports, Target, Targets, Whom};
pub(crate) use verdict::{UNFIT_SOURCE, UNFIT_SOURCE_WORDS};
pub use wait::{Goal, News, Unmet, Wait, Waited};

use crate::error::errno_name;
use crate::value::service;
use datagram::Datagrams;
use pacer::{Found, Schedule, Step};
use standstill::Standstill;
use std::borrow::BorrowMut;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use verdict::{Finding, Verdict};

/// The longest wait without a look at whether to go on.
const ATTENTION: Duration = Duration::from_millis(100);

/// Probes what `pacer` plans, and gives `found` each port once, in batches, as they are found out;
/// while nothing is, an empty batch now and then shows that time goes on.
/// Ends early when `found` breaks off or `stop` is set; the summary then is not complete, and what
/// was not reported counts as undetermined.
pub fn run(
    network: &mut impl Network,
    mut pacer: impl BorrowMut<Pacer>,
    stop: &AtomicBool,
    found: impl FnMut(Vec<PortReport>) -> ControlFlow<()>,
) -> io::Result<Summary> {
    drive(network, pacer.borrow_mut(), stop, |_| {}, found)
}

/// The same by any schedule, and notes the number of each port that `found` has taken.
fn drive(
    network: &mut impl Network,
    pacer: &mut impl Schedule,
    stop: &AtomicBool,
    mut note: impl FnMut(u64),
    mut found: impl FnMut(Vec<PortReport>) -> ControlFlow<()>,
) -> io::Result<Summary> {
    let start = network.now();
    let end = pacer.deadline().map(|time| start.saturating_add(time));
    let over = |now| end.is_some_and(|end| now >= end);
    let mut summary = Summary::of_ports(pacer.plan().len());
    let mut answers = Vec::new();
    let (mut told, mut looked) = (start, start);
    let mut clock = Standstill::since(start);
    loop {
        let (mut batch, mut numbers) = (Vec::new(), Vec::new());
        let until = advance(
            network,
            pacer,
            &mut clock,
            looked,
            &mut summary,
            |report, number| {
                batch.push(report);
                numbers.push(number);
            },
        );
        let is_due = network.now().saturating_sub(told) >= ATTENTION;
        let goes_on = if batch.is_empty() && !is_due {
            true
        } else {
            told = network.now();
            found(batch).is_continue()
        };
        if goes_on {
            numbers.drain(..).for_each(&mut note);
        }
        summary.complete = goes_on && until.is_none();
        let goes_on = goes_on && !stop.load(Ordering::Relaxed) && !over(network.now());
        let Some(until) = until.filter(|_| goes_on) else {
            break;
        };
        let attention = network.now().saturating_add(ATTENTION);
        let attention = end.map_or(attention, |end| end.min(attention));
        let until = until.min(attention);
        looked = network.now();
        postpone(pacer, clock.look(looked));
        network.wait(until, &mut answers)?;
        postpone(pacer, clock.look_after_waiting(network.now(), until));
        for answer in answers.drain(..) {
            pacer.settle(answer.probe, answer.outcome, answer.at);
        }
    }
    summary.close(pacer.sent(), network.now().saturating_sub(start));
    Ok(summary)
}

/// Takes account of the time in which we stood still, if we did.
fn postpone(pacer: &mut impl Schedule, stood: Option<Duration>) {
    if let Some(time) = stood {
        pacer.postpone(time);
    }
}

/// Does all that can be done now. Returns until when to wait then; nothing when all is done.
fn advance(
    network: &mut impl Network,
    pacer: &mut impl Schedule,
    clock: &mut Standstill,
    looked: Duration,
    summary: &mut Summary,
    mut take: impl FnMut(PortReport, u64),
) -> Option<Duration> {
    loop {
        let now = network.now();
        postpone(pacer, clock.look(now));
        match pacer.step(now, looked) {
            Step::Start(probe, to, number) => {
                if let Some(outcome) = network.start_try(probe, to, number) {
                    pacer.settle(probe, outcome, network.now());
                }
            }
            Step::Abandon(probe) => network.abandon(probe),
            Step::Found(result) => {
                let result = explained(network, pacer, result);
                summary.count(result.finding.state);
                if let Some(report) = report(pacer.plan(), result) {
                    take(report, result.number);
                }
            }
            Step::Wait(until) => return Some(until),
            Step::Done => return None,
        }
    }
}

/// A result; where silence has a cause that our own system knows, that, and it goes for the host.
///
/// That nobody has an address goes for all its ports only if the table of neighbours says so: the
/// same message may come from a rule of our own system about one port.
fn explained(network: &mut impl Network, pacer: &mut impl Schedule, found: Found) -> Found {
    let is_silent = [Finding::SILENCE, Finding::NO_REPLY].contains(&found.finding);
    let is_missing = found.finding.state == State::Unreachable && found.finding.icmp.is_none();
    if !is_silent && !is_missing {
        return found;
    }
    let Some(host) = pacer.plan().address(found.place).map(|host| host.ip()) else {
        return found;
    };
    let finding = match network.explain(host).map(|cause| Verdict::of(cause, host)) {
        Some(Verdict::Port(finding)) => {
            pacer.miss(found.place.host, finding);
            finding
        }
        Some(Verdict::Short(shortage, errno)) if is_silent => {
            Finding::undetermined(shortage, errno)
        }
        Some(Verdict::Short(..)) | None => return found,
    };
    Found { finding, ..found }
}

/// A result in the words of the target it belongs to.
fn report(plan: &Plan, found: Found) -> Option<PortReport> {
    let host = plan.name(found.place.host)?;
    let address = plan.scoped(found.place.host)?;
    Some(report_of(host, address, plan.proto(), found))
}

/// A result of a host that is called so.
fn report_of(host: Arc<str>, addr: ScopedIp, proto: Proto, found: Found) -> PortReport {
    let errno = found.finding.errno;
    let registered = service::name_of(found.place.port, proto.protocol());
    PortReport {
        host,
        addr,
        port: found.place.port,
        proto,
        state: found.finding.state,
        errno,
        errname: errno.and_then(errno_name),
        reason: found.finding.reason,
        icmp: found.finding.icmp,
        rtt: found.rtt,
        tries: found.tries,
        service: found.service.or(registered),
        banner: None,
    }
}
