//! Whole surveys of simulated hosts: every state is right, and every list ends.

mod sim;

use super::Survey;
use crate::probe::network::Network as _;
use crate::probe::plan::Plan;
use crate::probe::report::Proto;
use crate::probe::{Limits, PortReport, Ports, Rationing, State, Summary, Target, drive};
use sim::{Port, SimHost};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
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
fn a_machine_that_stands_still_takes_no_time_from_an_answer() {
    let mut net = SimHost::new(|_| Port::Answers);
    net.rtt = ms(400);
    let moments = (0..6).rev().map(|n| net.now + ms(200) + ms(4200) * n);
    net.standstills = moments.collect();
    let found = Found::ports(&mut net, 1..=100);
    assert_eq!(found.counts(), [100, 0, 0, 0, 0]);
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
