//! Which hosts are up at all.
//!
//! Everybody is sent an ICMP echo where the system lets us, and who is silent is asked over TCP: a
//! reset says as well as an open port that somebody is there.

mod report;

pub use report::{HostReport, HostState, PingSummary};

use super::datagram::{Kind, Survey};
use super::report::{Icmp, Proto};
use super::{
    Datagrams, Limits, Network, Pacer, Plan, PortReport, Ports, ScopedIp, Sockets, State, Target,
    Whom, drive,
};
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How many addresses are asked at once: memory has an end.
const CROWD: usize = 16_384;
/// How long an echo may take, and how often it is asked for.
const ECHO: (Duration, u8) = (Duration::from_secs(1), 2);
/// The TCP ports that are asked where the echo is silent: those that filters leave most often.
pub(super) const PORTS: [u16; 6] = [443, 80, 22, 445, 3389, 53];

/// Asks who is there.
#[derive(Debug)]
pub struct Ping<'a> {
    /// Whom to ask; their ports mean nothing.
    pub targets: &'a [Target],
    /// What the user has set.
    pub limits: Limits,
    /// Set from outside to end early.
    pub stop: &'a AtomicBool,
}

/// An address among others.
struct Candidate {
    host: Arc<str>,
    address: SocketAddr,
    target: usize,
    /// Whether it was asked for by itself.
    is_named: bool,
    /// Why it is not known to be up.
    doubt: Doubt,
    is_up: bool,
}

/// What speaks against a host.
#[derive(Clone, Copy)]
struct Doubt {
    state: HostState,
    reason: &'static str,
    icmp: Option<Icmp>,
    tries: u8,
}

impl Doubt {
    /// Nothing was heard.
    const SILENCE: Self = Self {
        state: HostState::Down,
        reason: "no-response",
        icmp: None,
        tries: 0,
    };
}

impl Ping<'_> {
    /// Asks all, and gives `found` each address once. Returns the figures, and the targets that are
    /// up.
    pub fn run(
        &self,
        sockets: &mut Sockets,
        mut found: impl FnMut(HostReport) -> ControlFlow<()>,
    ) -> io::Result<(PingSummary, Vec<Target>)> {
        let began = Instant::now();
        let mut summary = PingSummary {
            hosts: self.targets.iter().map(Target::addresses).sum(),
            complete: true,
            ..PingSummary::default()
        };
        let mut up = Vec::new();
        sockets.expect(self.targets);
        let mut addresses = self.candidates();
        while summary.complete {
            let crowd: Vec<Candidate> = addresses.by_ref().take(CROWD).collect();
            if crowd.is_empty() {
                break;
            }
            let mut round = Round::new(crowd, self.targets, &mut summary, &mut found);
            for kind in [Proto::Udp, Proto::Tcp] {
                round.ask(kind, sockets, self.left(began), self.stop)?;
            }
            for candidate in round.close() {
                up.extend(self.target(&candidate));
            }
        }
        let known = summary.up.saturating_add(summary.down);
        summary.undetermined = summary.hosts.saturating_sub(known);
        summary.elapsed = began.elapsed();
        Ok((summary, up))
    }

    /// What the user has set, with what is left of the time.
    fn left(&self, began: Instant) -> Limits {
        let left = |time: Duration| time.saturating_sub(began.elapsed());
        Limits {
            deadline: self.limits.deadline.map(left),
            ..self.limits
        }
    }

    /// Every address of every target.
    fn candidates(&self) -> impl Iterator<Item = Candidate> {
        let all = self.targets.iter().enumerate();
        all.flat_map(|(number, target)| {
            (0..target.addresses()).filter_map(move |place| {
                Some(Candidate {
                    host: target.name(place)?,
                    address: target.address(place)?,
                    target: number,
                    is_named: target.addresses() == 1,
                    doubt: Doubt::SILENCE,
                    is_up: false,
                })
            })
        })
    }

    /// A host that is up, with the ports that were asked for.
    fn target(&self, candidate: &Candidate) -> Option<Target> {
        let target = self.targets.get(candidate.target)?;
        let ports = target.ports.clone();
        Some(match &target.whom {
            Whom::Host(..) => target.clone(),
            Whom::Range(_) => Target::range(candidate.address.ip().into(), ports),
        })
    }
}

/// As many addresses as are asked at once.
struct Round<'a, F> {
    crowd: Vec<Candidate>,
    numbers: HashMap<(Arc<str>, ScopedIp), usize>,
    /// All targets, of this round and of others.
    targets: &'a [Target],
    summary: &'a mut PingSummary,
    found: &'a mut F,
}

impl<'a, F: FnMut(HostReport) -> ControlFlow<()>> Round<'a, F> {
    /// Nobody has answered yet.
    fn new(
        crowd: Vec<Candidate>,
        targets: &'a [Target],
        summary: &'a mut PingSummary,
        found: &'a mut F,
    ) -> Self {
        let all = crowd.iter().enumerate();
        let key = |one: &Candidate| (one.host.clone(), ScopedIp::from(one.address));
        Self {
            numbers: all.map(|(number, one)| (key(one), number)).collect(),
            crowd,
            targets,
            summary,
            found,
        }
    }

    /// Asks all that have not answered, for an echo or over TCP.
    fn ask(
        &mut self,
        kind: Proto,
        sockets: &mut Sockets,
        limits: Limits,
        stop: &AtomicBool,
    ) -> io::Result<()> {
        let targets = self.silent(kind);
        if targets.is_empty() || !self.summary.complete {
            return Ok(());
        }
        let (plan, all) = (Plan::of(kind, targets, 0), self.targets);
        let take =
            |reports: Vec<PortReport>| reports.iter().try_for_each(|report| self.take(report));
        let part = match kind {
            Proto::Udp => {
                let mut network = sockets.datagrams(Kind::Echo)?;
                network.expect(all);
                let limits = Limits {
                    try_timeout: limits.try_timeout.or(Some(ECHO.0)),
                    tries: limits.tries.or(Some(ECHO.1)),
                    ..limits
                };
                let mut survey = Survey::new(plan, limits, network.capacity(), false);
                drive(&mut network, &mut survey, stop, |_| {}, take)?
            }
            Proto::Tcp => {
                let mut pacer = Pacer::new(plan, limits, sockets.capacity());
                drive(sockets, &mut pacer, stop, |_| {}, take)?
            }
        };
        self.summary.probes_sent = self.summary.probes_sent.saturating_add(part.probes_sent);
        self.summary.complete = part.complete && !stop.load(Ordering::Relaxed);
        Ok(())
    }

    /// Whom to ask in this way.
    fn silent(&self, kind: Proto) -> Vec<Target> {
        let ports = Arc::new(match kind {
            Proto::Udp => Ports::default().with_udp([0], &[]),
            Proto::Tcp => Ports::new(PORTS, &PORTS),
        });
        let permitted = [false, true].map(|ipv6| Datagrams::is_permitted(Kind::Echo, ipv6));
        let can_ask = |one: &&Candidate| {
            let [v4, v6] = permitted;
            kind == Proto::Tcp || if one.address.is_ipv6() { v6 } else { v4 }
        };
        let silent = self.crowd.iter().filter(|one| !one.is_up).filter(can_ask);
        silent
            .map(|one| Target::host(one.host.clone(), one.address, ports.clone()))
            .collect()
    }

    /// What one question came to.
    fn take(&mut self, report: &PortReport) -> ControlFlow<()> {
        let key = (report.host.clone(), report.addr.clone());
        let number = self.numbers.get(&key).copied();
        let Some(one) = number.and_then(|number| self.crowd.get_mut(number)) else {
            return ControlFlow::Continue(());
        };
        if one.is_up {
            return ControlFlow::Continue(());
        }
        let is_echo = report.proto == Proto::Udp;
        // What a host says of itself by ICMP it says because it is there.
        let own_words = report
            .icmp
            .is_some_and(|icmp| icmp.from == Some(report.addr.ip));
        if matches!(report.state, State::Open | State::Closed) || own_words {
            one.is_up = true;
            self.summary.up = self.summary.up.saturating_add(1);
            return (self.found)(HostReport {
                host: report.host.clone(),
                addr: report.addr.clone(),
                state: HostState::Up,
                reason: match (is_echo, report.state) {
                    (true, State::Open) => "echo-reply",
                    _ => report.reason,
                },
                port: (!is_echo).then_some(report.port),
                icmp: report.icmp,
                rtt: report.rtt,
                tries: report.tries,
                target: one.target,
                is_named: one.is_named,
            });
        }
        one.doubt = one.doubt.after(report);
        ControlFlow::Continue(())
    }

    /// Reports those that have not answered, if they were given their time, and returns the others.
    fn close(self) -> Vec<Candidate> {
        for one in self.crowd.iter().filter(|one| !one.is_up) {
            if !self.summary.complete {
                break;
            }
            if one.doubt.state == HostState::Down {
                self.summary.down = self.summary.down.saturating_add(1);
            }
            let report = HostReport {
                host: one.host.clone(),
                addr: one.address.into(),
                state: one.doubt.state,
                reason: one.doubt.reason,
                port: None,
                icmp: one.doubt.icmp,
                rtt: None,
                tries: one.doubt.tries,
                target: one.target,
                is_named: one.is_named,
            };
            if (self.found)(report).is_break() {
                self.summary.complete = false;
            }
        }
        self.crowd.into_iter().filter(|one| one.is_up).collect()
    }
}

impl Doubt {
    /// What is to be thought after one more port has not answered as somebody who is there.
    fn after(self, report: &PortReport) -> Self {
        let (state, is_telling) = match report.state {
            State::Undetermined => (HostState::Undetermined, true),
            State::Rejected | State::Unreachable => (HostState::Down, true),
            _ => (HostState::Down, false),
        };
        let tries = self.tries.max(report.tries);
        if !is_telling {
            return Self { tries, ..self };
        }
        Self {
            state,
            reason: report.reason,
            icmp: report.icmp,
            tries,
        }
    }
}
