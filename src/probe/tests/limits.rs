//! Limits of the user's, and of our own system.

use super::{LIKELY, Scan, mixed, ms, three_open};
use crate::probe::sim::{Port, SimNet};
use crate::probe::{Limits, Pacer, Plan, Ports, Target, run};
use std::net::SocketAddr;
use std::num::NonZero;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

#[test]
fn few_files_change_no_state() {
    for (files, capacity) in [(16, 16), (16, 4000), (200, 20_000)] {
        let mut net = SimNet::new(ms(5), mixed);
        net.files = files;
        net.capacity = capacity;
        let scan = Scan::ports(&mut net, 1..=2000);
        assert_eq!(scan.wrong(mixed), 0, "{files} files");
        assert!(net.peak <= files);
    }
}

#[test]
fn what_never_works_is_undetermined_and_ends() {
    for errno in [libc::EMFILE, libc::EADDRNOTAVAIL, libc::ENOBUFS] {
        let mut net = SimNet::new(ms(5), mixed);
        net.failing = Some(errno);
        let scan = Scan::ports(&mut net, 1..=1000);
        assert_eq!(scan.summary.undetermined, 1000);
        assert_eq!(
            (scan.report(5).errno, scan.summary.probes_sent),
            (Some(errno), 0)
        );
        assert!(scan.seconds() < 5.0, "{}", scan.seconds());
    }
}

#[test]
fn the_users_limits_hold() {
    let mut net = SimNet::new(ms(5), |_| Port::Silent);
    let limits = Limits {
        try_timeout: Some(ms(200)),
        tries: Some(1),
        ..Limits::default()
    };
    let scan = Scan::of(&mut net, 1, [1, 2, 3], limits);
    assert_eq!((scan.summary.filtered, scan.summary.probes_sent), (3, 3));
    assert!(scan.seconds() < 0.3, "{}", scan.seconds());
}

#[test]
fn no_more_probes_a_second_than_the_user_wants() {
    let mut net = SimNet::new(ms(5), mixed);
    let limits = Limits {
        rate: NonZero::new(100),
        ..Limits::default()
    };
    let scan = Scan::of(&mut net, 1, 1..=200, limits);
    assert_eq!(scan.wrong(mixed), 0);
    #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
    let least = scan.summary.probes_sent as f64 / 100.0;
    assert!(scan.seconds() > least - 0.1, "{}", scan.seconds());
    assert!(scan.seconds() < least + 2.0, "{}", scan.seconds());
}

#[test]
fn no_more_sockets_at_once_than_the_user_wants() {
    let mut net = SimNet::new(ms(5), mixed);
    let limits = Limits {
        concurrency: NonZero::new(7),
        ..Limits::default()
    };
    let scan = Scan::of(&mut net, 1, 1..=200, limits);
    assert_eq!((scan.wrong(mixed), net.peak), (0, 7));
}

#[test]
fn what_is_not_known_at_the_deadline_is_not_determined() {
    let mut net = SimNet::new(ms(5), three_open);
    let ports = Arc::new(Ports::new(1..=100, &LIKELY));
    let target = Target::host("h", SocketAddr::from(([10, 0, 0, 1], 0)), ports);
    let limits = Limits {
        deadline: Some(ms(50)),
        ..Limits::default()
    };
    let pacer = Pacer::new(Plan::new(vec![target], 1), limits, 1000);
    let summary = run(&mut net, pacer, &AtomicBool::new(false), |_| {
        ControlFlow::Continue(())
    });
    let summary = summary.expect("the simulation does not fail");
    assert_eq!((summary.open, summary.undetermined), (2, 98));
    assert!(!summary.complete && summary.elapsed < ms(60), "{summary:?}");
}

#[test]
fn a_scan_that_is_stopped_says_so() {
    let mut net = SimNet::new(ms(5), mixed);
    let ports = Arc::new(Ports::new(1..=100, &LIKELY));
    let address = SocketAddr::from(([10, 0, 0, 1], 0));
    let target = Target::host("h", address, ports);
    let mut seen = 0;
    let pacer = Pacer::new(Plan::new(vec![target], 1), Limits::default(), 100);
    let summary = run(&mut net, pacer, &AtomicBool::new(false), |batch| {
        seen += batch.len() as u64;
        ControlFlow::Break(())
    });
    let summary = summary.expect("the simulation does not fail");
    assert!(!summary.complete && seen > 0 && seen < 100);
    assert_eq!(
        (seen, summary.undetermined),
        (100 - summary.undetermined, 100 - seen)
    );
}
