//! Real sockets of this machine.

use super::Sockets;
use crate::probe::neighbourhood::Neighbourhood;
use crate::probe::{Job, Limits, Network as _, Ping, PortReport, Ports, State, Target};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Probes ports of one address for real.
fn probe(address: SocketAddr, ports: impl IntoIterator<Item = u16>) -> Vec<PortReport> {
    let target = Target::host("here", address, Arc::new(Ports::new(ports, &[])));
    let job = Job {
        targets: vec![target],
        seed: 1,
        limits: Limits::default(),
    };
    let mut sockets = Sockets::new().expect("sockets");
    let mut reports = Vec::new();
    let summary = job.run(&mut sockets, &AtomicBool::new(false), |batch| {
        reports.extend(batch);
        ControlFlow::Continue(())
    });
    let summary = summary.expect("a summary");
    assert!(summary.complete);
    assert_eq!(
        (summary.ports, summary.undetermined),
        (reports.len() as u64, 0)
    );
    reports.sort_by_key(|report| report.port);
    reports
}

#[test]
fn an_open_and_a_closed_port_of_each_family() {
    for ip in [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()] {
        let open = TcpListener::bind(SocketAddr::new(ip, 0)).expect("a port");
        let port = open.local_addr().expect("an address").port();
        let here = SocketAddr::new(ip, 0);
        let report = &probe(here, [port])[0];
        assert_eq!((report.state, report.errno), (State::Open, Some(0)));
        assert!(report.rtt.is_some());
        drop(open);
        let report = &probe(here, [port])[0];
        assert_eq!(
            (report.state, report.errno),
            (State::Closed, Some(libc::ECONNREFUSED))
        );
    }
}

#[test]
fn every_port_of_this_machine_gets_its_state() {
    // An address where nobody else is at work who might take us for a client.
    let here = SocketAddr::from(([127, 77, 77, 77], 0));
    let open = TcpListener::bind(here).expect("a port");
    let port = open.local_addr().expect("an address").port();
    let reports = probe(here, 1..=u16::MAX);
    assert_eq!(reports.len(), usize::from(u16::MAX));
    assert_eq!(reports[usize::from(port) - 1].state, State::Open);
    let strange = reports
        .iter()
        .find(|r| !matches!(r.state, State::Open | State::Closed));
    assert!(strange.is_none(), "{strange:?}");
}

#[test]
fn a_ping_of_many_neighbours_asks_few_at_once_and_does_not_bind_what_follows() {
    let mut sockets = Sockets::new().expect("sockets");
    let free = sockets.capacity();
    assert!(free > 256, "{free} sockets");
    sockets.neighbourhood = Neighbourhood::of("127.0.0.0/8".parse().expect("a network"));
    let ports = Arc::new(Ports::new([9], &[]));
    let target = |range: &str| Target::range(range.parse().expect("a range"), ports.clone());
    let ping = Ping {
        targets: &[target("127.0.0.0/16")],
        limits: Limits::default(),
        stop: &AtomicBool::new(true),
    };
    let pinged = ping.run(&mut sockets, |_| ControlFlow::Continue(()));
    pinged.expect("figures");
    assert_eq!(sockets.capacity(), 256);
    sockets.expect(&[target("127.0.0.1")]);
    assert_eq!(sockets.capacity(), free);
}
