//! Paths that carry so much, and hosts that answer so often.

use super::{Scan, few_open, ms};
use crate::probe::sim::{Port, SimNet};
use crate::probe::{Limits, State};
use std::cell::Cell;
use std::net::SocketAddr;
use std::time::Duration;

#[test]
fn a_narrow_link_is_neither_flooded_nor_misjudged() {
    let mut net = SimNet::new(ms(10), few_open);
    net.link = Some((3000, 100));
    let scan = Scan::ports(&mut net, 1..=20_000);
    assert_eq!(scan.wrong(few_open), 0);
    let least = 20_000.0 / 3000.0;
    assert!(scan.seconds() < least * 1.3, "{}", scan.seconds());
}

#[test]
fn a_host_that_limits_its_resets_is_waited_for() {
    let mut net = SimNet::new(ms(10), few_open);
    net.rst_limit = Some(200);
    let scan = Scan::ports(&mut net, 1..=3000);
    assert_eq!(scan.wrong(few_open), 0);
    assert!(scan.seconds() < 3000.0 / 200.0 * 1.5, "{}", scan.seconds());
}

#[test]
fn a_host_that_sends_very_few_resets_is_waited_for_as_well() {
    for (limit, ports) in [(10, 600), (20, 1300), (20, 5000), (50, 3000)] {
        let mut net = SimNet::new(Duration::from_micros(200), few_open);
        net.rst_limit = Some(limit);
        let scan = Scan::ports(&mut net, 1..=ports);
        assert_eq!(scan.wrong(few_open), 0, "{limit} a second");
        let least = f64::from(ports) / f64::from(limit);
        assert!(scan.seconds() < least * 1.3, "{}", scan.seconds());
    }
}

#[test]
fn rationed_rejections_slow_nothing_down() {
    let port = |to: SocketAddr| match to.port() {
        22 => Port::Open,
        _ => Port::Prohibited,
    };
    let mut net = SimNet::new(ms(10), port);
    net.icmp_limit = Some(1);
    let scan = Scan::ports(&mut net, 1..=10_000);
    let (rejected, filtered) = (scan.summary.rejected, scan.summary.filtered);
    assert_eq!((scan.summary.open, rejected + filtered), (1, 9999));
    assert!(rejected > 0 && scan.seconds() < 10.0, "{}", scan.seconds());
}

/// What the pacer noticed of a host with ports as `few_open` has them, and the scan.
fn noticed(net: &mut SimNet, ports: u16, fast: bool) -> (Vec<f64>, Scan, f64) {
    let open_by = Cell::new(0.0);
    let limits = Limits {
        fast,
        ..Limits::default()
    };
    let (scan, pacer) = Scan::watched(net, 1, 1..=ports, limits, |now, report| {
        if report.state == State::Open {
            open_by.set(now);
        }
    });
    let limited = pacer.limited().map(|(_, rate)| rate).collect();
    (limited, scan, open_by.get())
}

#[test]
fn a_limit_on_resets_is_noticed_and_holds_up_no_open_port() {
    for (limit, rtt) in [(50, 5), (200, 10), (200, 100), (1000, 50)] {
        let ports = limit * 20;
        let mut net = SimNet::new(ms(rtt), few_open);
        net.rst_limit = Some(u32::from(limit));
        let (limited, scan, open_by) = noticed(&mut net, ports, false);
        assert_eq!(scan.wrong(few_open), 0, "{limit} at {rtt} ms");
        let rate = f64::from(limit);
        assert_eq!(limited.len(), 1, "{limit} at {rtt} ms");
        assert!(
            (rate * 0.8..rate * 1.1).contains(&limited[0]),
            "{limited:?}"
        );
        assert!(open_by < 5.0, "{open_by}");
        assert!(
            scan.seconds() < 20.0 * 1.15 + 1.0,
            "{limit} at {rtt} ms: {}",
            scan.seconds()
        );
    }
}

#[test]
fn a_limit_on_resets_costs_no_time_if_closed_ports_do_not_matter() {
    let mut net = SimNet::new(ms(10), few_open);
    net.rst_limit = Some(200);
    let (limited, scan, _) = noticed(&mut net, 10_000, true);
    assert_eq!(limited.len(), 1);
    assert!(scan.seconds() < 4.0, "{}", scan.seconds());
    let open = |port: &u16| few_open(SocketAddr::from(([0; 4], *port))) == Port::Open;
    let all_open = (1..=10_000).filter(open).count() as u64;
    assert_eq!(scan.summary.open, all_open);
    assert_eq!(
        scan.summary.closed + scan.summary.filtered,
        10_000 - all_open
    );
    let mut left = scan.reports.values();
    assert!(left.any(|report| report.reason == "reset-limit"));
}

#[test]
fn a_lossy_or_narrow_path_is_not_taken_for_a_limit() {
    for (loss, link) in [
        (100, None),
        (200, None),
        (0, Some((3000, 100))),
        (20, Some((2000, 50))),
    ] {
        for fast in [false, true] {
            let mut net = SimNet::new(ms(20), few_open);
            (net.loss, net.link) = (loss, link);
            let (limited, scan, _) = noticed(&mut net, 10_000, fast);
            assert!(limited.is_empty(), "{loss} in a thousand, {link:?}");
            assert_eq!(scan.wrong(few_open), 0, "{loss} in a thousand, {link:?}");
        }
    }
}
