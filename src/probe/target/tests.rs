//! No address comes twice, and none that is excluded.

use super::{Ports, Target, Targets, Whom};
use crate::value::AddressRange;
use std::net::SocketAddr;
use std::sync::Arc;

fn range(text: &str) -> AddressRange {
    text.parse().expect("a range")
}

/// What becomes of ranges with one port each, without these addresses.
fn joined(ranges: &[(&str, u16)], excluded: &[&str]) -> String {
    let mut targets = Targets::default();
    for (text, port) in ranges {
        targets.add(Target {
            whom: Whom::Range(range(text)),
            ports: Arc::new(Ports::new([*port], &[])),
        });
    }
    let excluded: Vec<_> = excluded.iter().map(|text| range(text)).collect();
    let text = |target: Target| match target.whom {
        Whom::Range(range) => format!("{range} {:?}", target.ports.tcp.rest),
        Whom::Host(name, _) => name.to_string(),
    };
    let targets = targets.without(&excluded).into_iter().map(text);
    targets.collect::<Vec<_>>().join(", ")
}

#[test]
fn no_address_is_probed_twice() {
    for (ranges, result) in [
        (
            &[("10.0.0.2", 1), ("10.0.0.1", 1)][..],
            "10.0.0.2 [1], 10.0.0.1 [1]",
        ),
        (&[("10.0.0.0/24", 1), ("10.0.0.9", 1)], "10.0.0.0/24 [1]"),
        (
            &[("10.0.0.1-3", 1), ("10.0.0.3-4", 1)],
            "10.0.0.1-10.0.0.3 [1], 10.0.0.4 [1]",
        ),
        (
            &[("10.0.0.1-3", 1), ("10.0.0.2", 2)],
            "10.0.0.2 [1, 2], 10.0.0.1 [1], 10.0.0.3 [1]",
        ),
        (
            &[("10.0.0.2", 2), ("10.0.0.4", 3), ("10.0.0.1-5", 1)],
            "10.0.0.2 [1, 2], 10.0.0.4 [1, 3], 10.0.0.5 [1], 10.0.0.3 [1], 10.0.0.1 [1]",
        ),
    ] {
        assert_eq!(joined(ranges, &[]), result);
    }
}

#[test]
fn what_is_excluded_is_cut_out() {
    let excluded = ["10.0.0.4-6", "10.0.0.0", "10.1.0.0/16"];
    let left = joined(&[("10.0.0.0/28", 1), ("10.1.2.3", 1)], &excluded);
    assert_eq!(left, "10.0.0.1-10.0.0.3 [1], 10.0.0.7-10.0.0.15 [1]");
    let mut targets = Targets::default();
    let ports = Arc::new(Ports::new([1], &[]));
    for octet in [1, 2] {
        let address = SocketAddr::from(([10, 0, 0, octet], 0));
        targets.add(Target::host("h", address, ports.clone()));
    }
    assert_eq!(targets.without(&[range("10.0.0.1")]).len(), 1);
}
