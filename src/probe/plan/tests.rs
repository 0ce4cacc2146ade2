//! The order is whole, and the same again.

use super::{Left, Plan, Shuffle};
use crate::probe::{Ports, Target, Whom};
use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;

fn target(host: &str, ports: Ports) -> Target {
    let address = SocketAddr::new(host.parse().expect("an address"), 0);
    Target::host(host, address, Arc::new(ports))
}

#[test]
fn a_shuffle_is_a_permutation() {
    for total in [1, 2, 3, 4, 5, 16, 17, 1000, 65_535, 65_537] {
        let shuffle = Shuffle::new(total, 7);
        let seen: HashSet<u64> = (0..total).map(|index| shuffle.at(index)).collect();
        assert_eq!(seen.len() as u64, total);
        assert!(seen.iter().all(|value| *value < total));
    }
}

#[test]
fn another_seed_is_another_order() {
    let order = |seed| {
        (0..1000)
            .map(|i| Shuffle::new(1000, seed).at(i))
            .collect::<Vec<_>>()
    };
    assert_eq!(order(1), order(1));
    assert_ne!(order(1), order(2));
    assert_ne!(order(1), (0..1000).collect::<Vec<_>>());
}

#[test]
fn shares_are_disjoint_and_whole() {
    let ports = Ports::new(1..=1001, &[80]);
    let plan = Plan::new(vec![target("192.0.2.1", ports)], 9);
    for of in [1, 2, 3, 7, 2000] {
        let shares = plan.shares(of);
        let places = shares
            .iter()
            .flat_map(|plan| (0..plan.len()).map(|i| plan.place(i).expect("a place").port));
        let places: Vec<u16> = places.collect();
        let seen: HashSet<u16> = places.iter().copied().collect();
        assert_eq!((places.len(), seen.len()), (1001, 1001), "{of}");
    }
}

#[test]
fn what_is_left_is_as_it_was() {
    let ports = Ports::new(1..=100, &[80]);
    let plan = Plan::new(vec![target("192.0.2.1", ports)], 9);
    let share = plan.shares(2).remove(1);
    let left = |pending, next| share.clone().without_done(&Left { next, pending });
    let rest = left(vec![3, 7], 45);
    let places: Vec<_> = (0..rest.len()).map(|index| rest.place(index)).collect();
    let expected: Vec<_> = [3, 7].into_iter().chain(45..50).collect();
    let expected: Vec<_> = expected.into_iter().map(|n| share.place(n)).collect();
    assert_eq!(places, expected);
    assert!(left(Vec::new(), 50).is_empty());
}

#[test]
fn a_network_is_probed_whole_and_takes_no_room() {
    let network = |text: &str| Target {
        whom: Whom::Range(text.parse().expect("a range")),
        ports: Arc::new(Ports::new([22, 80, 9000], &[80])),
    };
    let first = target("192.0.2.1", Ports::new([1, 2], &[]));
    let plan = Plan::new(vec![first, network("10.0.0.0/24")], 3);
    let name = |index| {
        let place = plan.place(index).expect("a place");
        let name = plan.name(place.host).expect("a name");
        assert!(place.host == 0 || plan.address(place).unwrap().ip().to_string() == *name);
        (name, place.port)
    };
    let seen: HashSet<_> = (0..plan.len()).map(name).collect();
    assert_eq!((plan.len(), seen.len()), (2 + 3 * 256, 2 + 3 * 256));
    for host in ["10.0.0.0", "10.0.0.255"] {
        assert!(seen.contains(&(host.into(), 9000)));
    }
    let whole = Plan::new(vec![network("0.0.0.0/0")], 3);
    assert_eq!(whole.len(), 3 << 32);
    assert!((0..1000).all(|index| whole.place(index).is_some_and(|p| p.port == 80)));
    assert!(whole.place(whole.len() - 1).is_some());
}

#[test]
fn every_port_of_every_target_comes_once_and_likely_ones_first() {
    let plan = Plan::new(
        vec![
            target("192.0.2.1", Ports::new(1..=1000, &[443, 22, 80])),
            target("192.0.2.2", Ports::new([], &[22])),
            target("2001:db8::1", Ports::new([22, 22, 9000], &[22])),
        ],
        3,
    );
    let places: Vec<_> = (0..plan.len())
        .map(|i| plan.place(i).expect("a place"))
        .collect();
    assert_eq!(plan.len(), 1002);
    assert_eq!(plan.place(1002), None);
    let seen: HashSet<_> = places
        .iter()
        .map(|place| (place.host, place.port))
        .collect();
    assert_eq!(seen.len(), 1002);
    assert!(
        places[..4]
            .iter()
            .all(|place| [22, 80, 443].contains(&place.port))
    );
    assert!(
        places[4..]
            .iter()
            .all(|place| ![22, 80, 443].contains(&place.port))
    );
    let last = places
        .iter()
        .find(|place| place.port == 9000)
        .expect("the last port");
    assert_eq!(
        plan.address(*last).expect("an address").to_string(),
        "[2001:db8::1]:9000"
    );
}
