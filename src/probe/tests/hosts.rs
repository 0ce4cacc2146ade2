//! Hosts that are there, that are not, and that are strange.

use super::{LIKELY, Scan, few_open, mixed, ms};
use crate::probe::sim::{Port, SimNet};
use crate::probe::{Limits, Pacer, Plan, Ports, Sameness, State, Target, run};
use crate::value::AddressRange;
use std::net::{IpAddr, SocketAddr};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

#[test]
fn a_host_that_is_not_there_is_waited_for() {
    let mut net = SimNet::new(ms(50), |_| Port::Silent);
    let scan = Scan::ports(&mut net, [443]);
    assert_eq!(scan.report(443).state, State::Filtered);
    assert!(
        scan.seconds() > 3.0 && scan.seconds() < 4.0,
        "{}",
        scan.seconds()
    );
}

#[test]
fn a_silent_host_of_all_ports_ends() {
    let mut net = SimNet::new(ms(50), |_| Port::Silent);
    let scan = Scan::ports(&mut net, 1..=65_535);
    assert_eq!(scan.summary.filtered, 65_535);
    assert!(scan.seconds() < 60.0, "{}", scan.seconds());
}

#[test]
fn the_neighbour_that_is_not_there_is_unreachable() {
    let mut net = SimNet::new(ms(1), |_| Port::NoNeighbour);
    let scan = Scan::ports(&mut net, [22, 80]);
    assert_eq!(scan.summary.unreachable, 2);
}

#[test]
fn few_words_about_a_missing_neighbour_are_enough_for_all_its_ports() {
    let mut net = SimNet::new(ms(1), |_| Port::NoNeighbour);
    net.icmp_limit = Some(10);
    let scan = Scan::ports(&mut net, 1..=5000);
    assert_eq!(scan.summary.unreachable, 5000);
    assert!(scan.seconds() < 5.0, "{}", scan.seconds());
}

#[test]
fn a_missing_neighbour_that_nobody_tells_of_is_no_filter() {
    let port = |to: SocketAddr| match to.ip() {
        IpAddr::V4(ip) if ip.to_bits() % 8 == 0 => mixed(to),
        _ => Port::NobodySays,
    };
    let mut net = SimNet::new(ms(1), port);
    let scan = Scan::of(&mut net, 64, 1..=200, Limits::default());
    assert_eq!(scan.wrong(port), 0);
    assert!(scan.seconds() < 9.0, "{}", scan.seconds());
}

#[test]
fn no_route_is_known_at_once() {
    let mut net = SimNet::new(ms(1), |_| Port::NoRoute);
    let scan = Scan::ports(&mut net, 1..=1000);
    assert_eq!(scan.summary.unreachable, 1000);
    assert!(scan.seconds() < 0.1, "{}", scan.seconds());
    assert_eq!(scan.report(5).rtt, None, "nobody answered");
}

#[test]
fn a_host_whose_ports_are_all_open_is_suspect() {
    let ports = Arc::new(Ports::new(1..=40, &LIKELY));
    let (all, few): (IpAddr, IpAddr) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
    let range = AddressRange::new(all, few).expect("a range");
    let targets = vec![Target::range(range, ports)];
    let mut same = Sameness::new(&targets);
    let mut net = SimNet::new(ms(5), move |to| match (to.ip() == all, to.port()) {
        (false, 7) => Port::Closed,
        _ => Port::Open,
    });
    let pacer = Pacer::new(Plan::new(targets, 1), Limits::default(), 1000);
    let summary = run(&mut net, pacer, &AtomicBool::new(false), |batch| {
        for report in &batch {
            same.count(report);
        }
        ControlFlow::Continue(())
    });
    assert_eq!(summary.expect("the simulation does not fail").open, 79);
    assert_eq!(same.suspects(), [("10.0.0.1".into(), all.into(), 40)]);
}

#[test]
fn many_hosts_of_which_few_are_there() {
    let port = |to: SocketAddr| match to.ip() {
        IpAddr::V4(ip) if ip.to_bits() % 50 == 0 => few_open(to),
        _ => Port::Silent,
    };
    let mut net = SimNet::new(ms(20), port);
    let scan = Scan::of(&mut net, 4096, [22, 80, 81], Limits::default());
    assert_eq!(scan.wrong(port), 0);
    assert!(scan.seconds() < 10.0, "{}", scan.seconds());
}
