//! Whole surveys of simulated hosts: every state is right, and every list ends.

use super::Survey;
use crate::probe::network::{Answer, Network, Outcome, ProbeId, Sender};
use crate::probe::plan::Plan;
use crate::probe::report::{Icmp, Proto};
use crate::probe::{Limits, PortReport, Ports, Rationing, State, Summary, Target, drive};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// What a port does with a datagram.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Port {
    Answers,
    Closed,
    Silent,
    Prohibited,
    NoMemory,
}

/// When an answer arrives, to which question in a row, of which probe; whether it is ICMP, and whether
/// that says that the port is closed.
type Reply = (Duration, u64, ProbeId, bool, bool);

/// A host at a distance, with a bucket of ICMP messages as Linux has it.
struct SimHost {
    port: fn(u16) -> Port,
    rtt: Duration,
    /// A token each, and how many there are at most.
    ration: Option<(Duration, u32)>,
    /// Of a thousand packets, each way.
    loss: u64,
    now: Duration,
    tokens: HashMap<IpAddr, (Duration, Duration)>,
    random: u64,
    asked: HashMap<ProbeId, u64>,
    serial: u64,
    answers: BinaryHeap<Reverse<Reply>>,
    peak: usize,
}

impl SimHost {
    fn new(port: fn(u16) -> Port) -> Self {
        Self {
            port,
            rtt: ms(20),
            ration: None,
            loss: 0,
            now: ms(5000),
            tokens: HashMap::new(),
            random: 0x1234_5678_9abc_def1,
            asked: HashMap::new(),
            serial: 0,
            answers: BinaryHeap::new(),
            peak: 0,
        }
    }

    fn linux(port: fn(u16) -> Port) -> Self {
        Self {
            ration: Some((ms(1000), 6)),
            ..Self::new(port)
        }
    }

    fn is_lost(&mut self) -> bool {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) % 1000 < self.loss
    }

    /// Whether there is a token left (Linux: `inet_peer_xrlim_allow`).
    fn may_speak(&mut self, to: IpAddr) -> bool {
        let Some((each, burst)) = self.ration else {
            return true;
        };
        let full = each * burst;
        let (tokens, last) = self.tokens.entry(to).or_insert((full, self.now));
        *tokens = (*tokens + self.now.saturating_sub(*last)).min(full);
        *last = self.now;
        let allowed = *tokens >= each;
        if allowed {
            *tokens -= each;
        }
        allowed
    }
}

impl Network for SimHost {
    fn now(&self) -> Duration {
        self.now
    }

    fn capacity(&self) -> usize {
        4096
    }

    fn start(&mut self, probe: ProbeId, to: SocketAddr) -> Option<Outcome> {
        self.now += Duration::from_micros(5);
        let port = (self.port)(to.port());
        if port == Port::NoMemory {
            return Some(Outcome::Local(libc::ENOBUFS));
        }
        self.serial += 1;
        assert!(self.asked.insert(probe, self.serial).is_none());
        self.peak = self.peak.max(self.asked.len());
        let is_icmp = matches!(port, Port::Closed | Port::Prohibited);
        let speaks = match port {
            Port::Answers => true,
            Port::Closed | Port::Prohibited => !self.is_lost() && self.may_speak(to.ip()),
            Port::Silent | Port::NoMemory => false,
        };
        if speaks && !self.is_lost() {
            let answer = (
                self.now + self.rtt,
                self.serial,
                probe,
                is_icmp,
                port == Port::Closed,
            );
            self.answers.push(Reverse(answer));
        }
        None
    }

    fn abandon(&mut self, probe: ProbeId) {
        self.asked.remove(&probe);
    }

    fn wait(&mut self, until: Duration, answers: &mut Vec<Answer>) -> io::Result<()> {
        let mut until = until.max(self.now);
        while let Some(Reverse((at, serial, probe, is_icmp, is_closed))) =
            self.answers.peek().copied()
        {
            if at > until {
                break;
            }
            self.answers.pop();
            if self.asked.get(&probe) != Some(&serial) {
                continue;
            }
            self.asked.remove(&probe);
            until = until.min(at.max(self.now));
            let icmp = |errno, code, sender| Outcome::Icmp {
                errno,
                icmp: Icmp {
                    kind: 3,
                    code,
                    from: None,
                },
                sender,
            };
            let outcome = match (is_icmp, is_closed) {
                (false, _) => Outcome::Replied(Some("dns")),
                (true, true) => icmp(libc::ECONNREFUSED, 3, Sender::Target),
                (true, false) => icmp(libc::EHOSTUNREACH, 13, Sender::Path),
            };
            answers.push(Answer { probe, at, outcome });
        }
        self.now = until;
        Ok(())
    }
}

/// What a survey found.
struct Found {
    reports: HashMap<(IpAddr, u16), PortReport>,
    summary: Summary,
    rationing: Rationing,
}

impl Found {
    fn of(
        net: &mut SimHost,
        hosts: u8,
        ports: std::ops::RangeInclusive<u16>,
        limits: Limits,
    ) -> Self {
        let ports = Arc::new(Ports::default().with_udp(ports, &[53, 161]));
        let target = |n| {
            let address = SocketAddr::from(([10, 0, 0, n], 0));
            Target::host(address.ip().to_string(), address, ports.clone())
        };
        let plan = Plan::of(Proto::Udp, (1..=hosts).map(target).collect(), 1);
        let mut survey = Survey::new(plan, limits, net.capacity(), false);
        let (mut reports, mut rationing) = (HashMap::new(), Rationing::default());
        let summary = drive(
            net,
            &mut survey,
            &AtomicBool::new(false),
            |_| {},
            |batch| {
                for report in batch {
                    rationing.count(&report);
                    let old = reports.insert((report.addr.ip, report.port), report);
                    assert!(old.is_none(), "{old:?} is reported twice");
                }
                ControlFlow::Continue(())
            },
        );
        let summary = summary.expect("the simulation does not fail");
        assert_eq!(reports.len() as u64, summary.ports);
        assert!(summary.complete && net.asked.is_empty());
        Self {
            reports,
            summary,
            rationing,
        }
    }

    fn ports(net: &mut SimHost, ports: std::ops::RangeInclusive<u16>) -> Self {
        Self::of(net, 1, ports, Limits::default())
    }

    /// How many ports of which state there are: open, closed, rejected, open|filtered, undetermined.
    fn counts(&self) -> [u64; 5] {
        use State::{Closed, Open, OpenFiltered, Rejected, Undetermined};
        [Open, Closed, Rejected, OpenFiltered, Undetermined].map(|state| self.summary.of(state))
    }

    fn seconds(&self) -> f64 {
        self.summary.elapsed.as_secs_f64()
    }
}

fn mixed(port: u16) -> Port {
    match port % 10 {
        0 => Port::Answers,
        1 => Port::Silent,
        2 => Port::Prohibited,
        _ => Port::Closed,
    }
}

fn closed(port: u16) -> Port {
    match port {
        53 => Port::Answers,
        _ => Port::Closed,
    }
}

#[test]
fn every_state_of_a_host_that_rations_nothing() {
    let mut net = SimHost::new(mixed);
    let found = Found::ports(&mut net, 1..=1000);
    assert_eq!(found.counts(), [100, 700, 100, 100, 0]);
    assert!(found.seconds() < 4.0, "{}", found.seconds());
    assert!(found.rationing.hosts().is_empty());
    let silent = &found.reports[&(IpAddr::from([10, 0, 0, 1]), 1)];
    assert_eq!((silent.errno, silent.rtt, silent.tries), (None, None, 2));
    assert_eq!(silent.reason, "no-response");
}

#[test]
fn a_few_ports_of_linux_are_all_confirmed() {
    let mut net = SimHost::linux(closed);
    let found = Found::ports(&mut net, 40..=59);
    assert_eq!(found.counts(), [1, 19, 0, 0, 0]);
    assert!(found.seconds() < 25.0, "{}", found.seconds());
    assert!(found.rationing.hosts().is_empty(), "all of them answered");
}

#[test]
fn many_ports_of_linux_end_honestly() {
    let mut net = SimHost::linux(closed);
    let found = Found::ports(&mut net, 1..=2000);
    let [open, closed, _, silent, _] = found.counts();
    assert_eq!((open, closed + silent), (1, 1999));
    assert!(closed > 30, "{closed}");
    assert!(found.seconds() < 45.0, "{}", found.seconds());
    let hosts = found.rationing.hosts();
    let rationed = hosts[0].2;
    assert_eq!((rationed.asked, rationed.answered), (2000, closed + 1));
    assert!(rationed.limited > 1000, "{rationed:?}");
}

#[test]
fn all_ports_of_a_silent_host_end() {
    for port in [|_| Port::Silent, closed] as [fn(u16) -> Port; 2] {
        let mut net = SimHost::linux(port);
        let found = Found::ports(&mut net, 1..=65_535);
        assert_eq!(found.summary.ports, 65_535);
        assert!(found.seconds() < 200.0, "{}", found.seconds());
        assert!(net.peak <= 4096);
    }
}

#[test]
fn a_patient_user_hears_of_every_port() {
    let mut net = SimHost::linux(closed);
    let limits = Limits {
        patience: Some(Duration::MAX),
        ..Limits::default()
    };
    let found = Found::of(&mut net, 1, 1..=200, limits);
    assert_eq!(found.counts(), [1, 199, 0, 0, 0]);
    assert!(found.seconds() < 200.0 * 1.2, "{}", found.seconds());
}

#[test]
fn silence_of_a_host_that_rations_nothing_is_not_waited_for() {
    let port = |port| {
        if port < 100 {
            Port::Closed
        } else {
            Port::Silent
        }
    };
    let mut net = SimHost::linux(port);
    net.ration = None;
    let found = Found::ports(&mut net, 1..=1000);
    assert_eq!(found.counts(), [0, 99, 0, 901, 0]);
    assert!(found.seconds() < 5.0, "{}", found.seconds());
}

#[test]
fn silent_ports_among_confirmed_ones_are_told_apart() {
    let port = |port| {
        if port == 45 {
            Port::Silent
        } else {
            Port::Closed
        }
    };
    let mut net = SimHost::linux(port);
    let found = Found::ports(&mut net, 40..=55);
    assert_eq!(found.counts(), [0, 15, 0, 1, 0]);
    let silent = &found.reports[&(IpAddr::from([10, 0, 0, 1]), 45)];
    assert_eq!(
        silent.reason, "no-response",
        "it was asked when it could have answered"
    );
}

#[test]
fn hosts_are_asked_side_by_side() {
    let mut net = SimHost::linux(closed);
    let found = Found::of(&mut net, 50, 40..=59, Limits::default());
    assert_eq!(found.counts(), [50, 950, 0, 0, 0]);
    assert!(found.seconds() < 30.0, "{}", found.seconds());
}

#[test]
fn losses_hide_nobody_who_answers() {
    let mut net = SimHost::new(mixed);
    net.loss = 50;
    let found = Found::ports(&mut net, 1..=2000);
    let [open, ..] = found.counts();
    assert!(open >= 199, "{open}");
}

#[test]
fn what_we_lack_is_never_a_state() {
    let port = |port| {
        if port % 2 == 0 {
            Port::NoMemory
        } else {
            Port::Closed
        }
    };
    let mut net = SimHost::new(port);
    let found = Found::ports(&mut net, 1..=100);
    assert_eq!(found.counts(), [0, 50, 0, 0, 50]);
}

#[test]
fn the_users_limits_hold() {
    let limits = Limits {
        try_timeout: Some(ms(200)),
        tries: Some(1),
        ..Limits::default()
    };
    let mut net = SimHost::linux(closed);
    let found = Found::of(&mut net, 1, 100..=199, limits);
    assert_eq!(
        (found.counts(), found.summary.probes_sent),
        ([0, 6, 0, 94, 0], 100)
    );
    assert!(found.seconds() < 0.5, "{}", found.seconds());
    let limits = Limits {
        rate: std::num::NonZero::new(100),
        concurrency: std::num::NonZero::new(7),
        ..Limits::default()
    };
    let mut net = SimHost::new(mixed);
    let found = Found::of(&mut net, 1, 1..=100, limits);
    assert!(
        found.seconds() > 1.0 && net.peak <= 7,
        "{}",
        found.seconds()
    );
}
