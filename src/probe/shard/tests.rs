//! Parts of a job over a simulated network: together they are the whole.

use super::*;
use crate::probe::Ports;
use crate::probe::sim::{Port, SimNet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// A job with a host, a network and a range.
fn job(seed: u64) -> Job {
    let ports = Ports::new([22, 80, 443, 1000, 1001], &[443, 22]);
    let ports = Arc::new(ports.with_udp([53, 22], &[53]));
    let address = SocketAddr::from(([192, 0, 2, 1], 0));
    let few = Arc::new(Ports::new([7, 9], &[]));
    Job {
        targets: vec![
            Target::host("h", address, ports.clone()),
            Target::range("10.0.0.0/26".parse().unwrap(), ports),
            Target::range("10.1.0.1-5".parse().unwrap(), few),
        ],
        seed,
        limits: Limits::default(),
    }
}

/// A network where every host answers, some of them with a connection.
fn network() -> SimNet {
    SimNet::new(Duration::from_millis(5), |to| match to.port() {
        22 => Port::Open,
        1000 => Port::Silent,
        _ => Port::Closed,
    })
}

type Result = (IpAddr, Proto, u16, crate::probe::State);

/// Runs a part until that many results were told, and tells them and what is left.
fn run(part: Part, most: usize) -> (Vec<Result>, Left) {
    let stop = AtomicBool::new(false);
    let mut results = Vec::new();
    let outcome = part.run_over(
        &mut network(),
        |_| Ok(network()),
        false,
        &stop,
        |batch| {
            if results.len() >= most {
                return ControlFlow::Break(());
            }
            results.extend(
                batch
                    .into_iter()
                    .map(|report| (report.addr.ip, report.proto, report.port, report.state)),
            );
            ControlFlow::Continue(())
        },
    );
    (results, outcome.unwrap().1)
}

/// All results of the job in order.
fn whole() -> Vec<Result> {
    let (mut results, left) = run(job(7).part(Shard::WHOLE, &Left::default()), usize::MAX);
    assert_eq!((left.next, left.pending), (7 + 64 * 7 + 10, vec![]));
    results.sort_unstable();
    results
}

#[test]
fn the_results_of_all_shards_are_those_of_the_whole() {
    let whole = whole();
    for of in [1, 2, 3, 7, 64, 1000] {
        let mut all = Vec::new();
        for number in 1..=of {
            let shard = format!("{number}/{of}").parse().unwrap();
            all.extend(run(job(7).part(shard, &Left::default()), usize::MAX).0);
        }
        all.sort_unstable();
        assert_eq!(all, whole, "{of} shards");
    }
}

#[test]
fn what_was_stopped_goes_on_without_loss_or_repetition() {
    let whole = whole();
    for most in [0, 1, 10, 50, 200, 300, 400] {
        let (mut all, mut left) = (Vec::new(), Left::default());
        for _ in 0..1000 {
            let part = job(7).part(Shard::WHOLE, &left);
            if part.is_empty() {
                break;
            }
            let (results, rest) = run(part, most.max(1));
            all.extend(results);
            left = rest;
        }
        all.sort_unstable();
        assert_eq!(all, whole, "{most} at a time");
    }
}

#[test]
fn a_job_has_an_identity() {
    let identity = |job: Job| job.identity();
    assert_eq!(identity(job(7)), identity(job(7)));
    assert_ne!(identity(job(7)), identity(job(8)));
    let mut other = job(7);
    other.targets.swap(1, 2);
    assert_ne!(identity(job(7)), identity(other));
    let moved = |last: u8| {
        let mut job = job(7);
        let ports = job.targets[0].ports.clone();
        let address = SocketAddr::from(([192, 0, 2, last], 0));
        job.targets[0] = Target::host("h", address, ports);
        job
    };
    assert_eq!(identity(moved(1)), identity(moved(2)), "names may move");
}
