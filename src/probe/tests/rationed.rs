//! Paths that carry so much, and hosts that answer so often.

use super::{Scan, few_open, ms};
use crate::probe::sim::{Port, SimNet};
use std::net::SocketAddr;

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
