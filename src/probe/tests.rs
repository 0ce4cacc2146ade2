//! Whole scans of a simulated network: nothing is lost, nothing is said twice, and every state is
//! right.

mod hosts;
mod limits;
mod rationed;
mod whatever;

use super::datagram::Survey;
use super::pacer::{Schedule, Step};
use super::sim::{Port, SimNet};
use super::{
    Limits, Network, Outcome, Pacer, Plan, PortReport, Ports, Proto, State, Summary, Target, run,
};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

const LIKELY: [u16; 5] = [22, 80, 443, 3389, 8080];

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// What a scan found.
struct Scan {
    reports: HashMap<(IpAddr, u16), PortReport>,
    summary: Summary,
}

impl Scan {
    /// Scans `hosts` addresses of 10.0.0.0/8 with the same ports.
    fn of(
        net: &mut SimNet,
        hosts: u32,
        ports: impl IntoIterator<Item = u16>,
        limits: Limits,
    ) -> Self {
        Self::watched(net, hosts, ports, limits, |_, _| {}).0
    }

    /// The same, watched: each report comes with the seconds since the start.
    fn watched(
        net: &mut SimNet,
        hosts: u32,
        ports: impl IntoIterator<Item = u16>,
        limits: Limits,
        watch: impl Fn(f64, &PortReport),
    ) -> (Self, Pacer) {
        let ports = Arc::new(Ports::new(ports, &LIKELY));
        let target = |n| {
            let address = IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + n));
            Target::host(
                address.to_string(),
                SocketAddr::new(address, 0),
                ports.clone(),
            )
        };
        let plan = Plan::new((0..hosts).map(target).collect(), 1);
        let total = plan.len();
        let mut reports = HashMap::new();
        let mut pacer = Pacer::new(plan, limits, net.capacity());
        let (began, clock) = (net.now(), net.clock());
        let summary = run(net, &mut pacer, &AtomicBool::new(false), |batch| {
            for report in batch {
                let time = clock.get().saturating_sub(began);
                watch(time.as_secs_f64(), &report);
                let old = reports.insert((report.addr.ip, report.port), report);
                assert!(old.is_none(), "{old:?} is reported twice");
            }
            ControlFlow::Continue(())
        });
        let summary = summary.expect("the simulation does not fail");
        assert_eq!((reports.len() as u64, summary.ports), (total, total));
        assert!(summary.complete);
        (Self { reports, summary }, pacer)
    }

    /// Scans ports of one address without limits.
    fn ports(net: &mut SimNet, ports: impl IntoIterator<Item = u16>) -> Self {
        Self::of(net, 1, ports, Limits::default())
    }

    /// How many ports are not what `port` says they are.
    fn wrong(&self, port: impl Fn(SocketAddr) -> Port) -> usize {
        let wrong = self.reports.values().filter(|report| {
            let expected = match port(SocketAddr::new(report.addr.ip, report.port)) {
                Port::Open => State::Open,
                Port::Closed => State::Closed,
                Port::Silent => State::Filtered,
                Port::Prohibited => State::Rejected,
                Port::NoNeighbour | Port::NobodySays | Port::NoRoute => State::Unreachable,
            };
            report.state != expected
        });
        wrong.count()
    }

    fn report(&self, port: u16) -> &PortReport {
        let mut all = self.reports.values();
        all.find(|report| report.port == port).expect("a report")
    }

    fn seconds(&self) -> f64 {
        self.summary.elapsed.as_secs_f64()
    }
}

fn few_open(to: SocketAddr) -> Port {
    match to.port() {
        22 | 80 | 443 => Port::Open,
        port if port % 650 == 0 => Port::Open,
        _ => Port::Closed,
    }
}

fn mixed(to: SocketAddr) -> Port {
    match to.port() % 10 {
        0 => Port::Open,
        1 | 2 => Port::Silent,
        3 => Port::Prohibited,
        _ => Port::Closed,
    }
}

fn three_open(to: SocketAddr) -> Port {
    match to.port() {
        22 | 80 | 443 => Port::Open,
        _ => Port::Silent,
    }
}

#[test]
fn every_state_of_a_near_host() {
    let mut net = SimNet::new(ms(1), mixed);
    let scan = Scan::ports(&mut net, 1..=2000);
    assert_eq!(scan.wrong(mixed), 0);
    let open = scan.report(1000);
    assert_eq!(
        (open.errno, open.reason, open.tries),
        (Some(0), "syn-ack", 1)
    );
    assert!(
        open.rtt.is_some_and(|rtt| rtt >= ms(1) && rtt < ms(50)),
        "{:?}",
        open.rtt
    );
    let silent = scan.report(1001);
    assert_eq!((silent.errno, silent.rtt, silent.tries), (None, None, 3));
    let rejected = scan.report(1003);
    assert_eq!(
        rejected.icmp.map(|icmp| (icmp.kind, icmp.code)),
        Some((3, 13))
    );
}

#[test]
fn all_closed_far_away_is_quick() {
    let mut net = SimNet::new(ms(50), few_open);
    let scan = Scan::ports(&mut net, 1..=65_535);
    assert_eq!(scan.wrong(few_open), 0);
    assert!(scan.seconds() < 1.0, "{}", scan.seconds());
    assert_eq!(scan.summary.probes_sent, 65_535, "an answer is final");
}

#[test]
fn three_in_a_hundred_lost_each_way_changes_no_state() {
    for seed in 1..=5 {
        let mut net = SimNet::new(ms(50), few_open);
        net.loss = 30;
        net.seed(seed);
        let scan = Scan::ports(&mut net, 1..=65_535);
        assert_eq!(scan.wrong(few_open), 0);
        assert!(scan.seconds() < 3.7, "{}", scan.seconds());
    }
}

#[test]
fn no_port_is_given_up_while_losses_explain_its_silence() {
    for (loss, seed) in [(70, 3), (70, 26), (100, 6), (100, 100), (100, 242)] {
        let mut net = SimNet::new(ms(5), few_open);
        net.loss = loss;
        net.seed(seed);
        let scan = Scan::ports(&mut net, 1..=20_000);
        assert_eq!(scan.wrong(few_open), 0, "{loss} {seed}");
    }
}

#[test]
fn a_path_that_loses_whatever_we_do_is_not_crept_along() {
    // Of a thousand packets each way, and the most seconds.
    for (loss, most) in [(50, 5.0), (100, 12.0), (200, 40.0)] {
        for seed in 1..=2 {
            let mut net = SimNet::new(ms(50), few_open);
            net.loss = loss;
            net.seed(seed);
            let scan = Scan::ports(&mut net, 1..=65_535);
            let seconds = scan.seconds();
            assert_eq!(scan.wrong(few_open), 0);
            assert!(seconds < most, "{loss}: {seconds}");
        }
    }
}

#[test]
fn losses_beside_filters_change_no_state() {
    let mut net = SimNet::new(ms(30), mixed);
    net.loss = 30;
    net.jitter = ms(20);
    let scan = Scan::ports(&mut net, 1..=20_000);
    assert_eq!(scan.wrong(mixed), 0);
}

#[test]
fn silence_is_not_slow_when_something_answers() {
    let mut net = SimNet::new(ms(50), three_open);
    let scan = Scan::ports(&mut net, 1..=65_535);
    assert_eq!(scan.wrong(three_open), 0);
    assert!(scan.seconds() < 6.0, "{}", scan.seconds());
}

#[test]
fn a_long_way_is_not_taken_for_silence() {
    for rtt in [300, 900, 1500, 2500] {
        let mut net = SimNet::new(ms(rtt), mixed);
        net.jitter = ms(100);
        let scan = Scan::ports(&mut net, 1..=200);
        assert_eq!(scan.wrong(mixed), 0, "{rtt} ms");
    }
}

#[test]
fn a_machine_that_stands_still_takes_no_time_from_an_answer() {
    for rtt in [1, 60, 300, 900] {
        let mut net = SimNet::new(ms(rtt), three_open);
        // Each round trip ends in a standstill, and its answers come after that.
        let start = net.now();
        let middle = |n: u32| start + (ms(4000) + ms(rtt) / 2) * n + ms(rtt) / 2;
        net.standstills = (0..6).rev().map(middle).collect();
        let scan = Scan::ports(&mut net, 1..=200);
        assert_eq!(scan.wrong(three_open), 0, "{rtt} ms");
    }
}

#[test]
fn what_came_while_we_were_kept_from_looking_is_no_silence() {
    let ports = Arc::new(Ports::new([80], &[]).with_udp([53], &[]));
    let target = Target::host("h", SocketAddr::from(([192, 0, 2, 1], 0)), ports);
    let limits = Limits {
        try_timeout: Some(Duration::from_millis(300)),
        tries: Some(1),
        ..Limits::default()
    };
    let plan = |proto| Plan::of(proto, vec![target.clone()], 1);
    let mut pacer = Pacer::new(plan(Proto::Tcp), limits, 10);
    let mut survey = Survey::new(plan(Proto::Udp), limits, 10, false);
    meet_late(&mut pacer, Outcome::Connected);
    meet_late(&mut survey, Outcome::Replied(None));
}

/// Has a port be asked, and its answer be seen long after its time.
fn meet_late(schedule: &mut impl Schedule, outcome: Outcome) {
    let (start, late) = (Duration::ZERO, Duration::from_secs(10));
    let Step::Start(probe, ..) = schedule.step(start, start) else {
        panic!("nothing was asked");
    };
    assert!(matches!(schedule.step(late, start), Step::Wait(_)));
    schedule.settle(probe, outcome, late);
    loop {
        match schedule.step(late, late) {
            Step::Found(found) => return assert_eq!(found.finding.state, State::Open),
            Step::Abandon(_) => {}
            step => panic!("{step:?}"),
        }
    }
}
