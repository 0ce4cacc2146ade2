//! Whatever the network is like: no port is lost or said twice, the limits hold, and it ends.

use std::num::NonZero;

use proptest::prelude::*;

use super::*;

/// What a port is, by a number that is drawn for the whole network.
fn drawn(kind: u64, to: SocketAddr) -> Port {
    match (u64::from(to.port()).wrapping_mul(kind | 1) >> 3) % 6 {
        0 => Port::Open,
        1 => Port::Silent,
        2 => Port::Prohibited,
        3 => Port::NoRoute,
        _ => Port::Closed,
    }
}

/// What a network is like.
#[derive(Clone, Debug)]
struct Weather {
    rtt: u64,
    jitter: u64,
    loss: u64,
    seed: u64,
    kind: u64,
    files: usize,
    capacity: usize,
    link: Option<(u32, u32)>,
    resets: Option<u32>,
    messages: Option<u32>,
}

impl Weather {
    /// Whatever it is like.
    fn any() -> impl Strategy<Value = Self> {
        let path = (
            1..300_u64,
            0..100_u64,
            0..120_u64,
            any::<u64>(),
            any::<u64>(),
        );
        let room = (1..300_usize, 1..300_usize);
        let narrow = (
            proptest::option::of((200..2000_u32, 1..100_u32)),
            proptest::option::of(20..400_u32),
            proptest::option::of(20..400_u32),
        );
        (path, room, narrow).prop_map(|(path, (files, capacity), (link, resets, messages))| {
            let (rtt, jitter, loss, seed, kind) = path;
            Self {
                rtt,
                jitter,
                loss,
                seed,
                kind,
                files,
                capacity,
                link,
                resets,
                messages,
            }
        })
    }

    /// The network: it loses, jitters, runs short of files, sockets, room on its link and resets.
    fn net(&self) -> SimNet {
        let kind = self.kind;
        let mut net = SimNet::new(ms(self.rtt), move |to| drawn(kind, to));
        net.jitter = ms(self.jitter);
        net.loss = self.loss;
        net.files = self.files;
        net.capacity = self.capacity;
        net.link = self.link;
        net.rst_limit = self.resets;
        net.icmp_limit = self.messages;
        net.seed(self.seed);
        net
    }
}

/// How far the sending was ever ahead of one probe each `interval`, counted from any of them on.
fn ahead(starts: &[Duration], interval: Duration) -> Duration {
    let (mut due, mut most) = (Duration::ZERO, Duration::ZERO);
    for start in starts {
        most = most.max(due.saturating_sub(*start));
        due = due.max(*start) + interval;
    }
    most
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        max_shrink_iters: 64,
        ..ProptestConfig::default()
    })]

    /// That each port is reported once, and that it ends, is what every scan is asserted to do. What
    /// answers may be lost, but nothing answers that is not there.
    #[test]
    fn every_port_is_reported_once_within_the_limits(
        weather in Weather::any(),
        hosts in 1..4_u32,
        ports in 1..200_u16,
        concurrency in 1..50_usize,
        rate in proptest::option::of(50..5000_u32),
        tries in proptest::option::of(1..4_u8),
    ) {
        let (mut net, kind) = (weather.net(), weather.kind);
        let limits = Limits {
            concurrency: NonZero::new(concurrency),
            rate: rate.and_then(NonZero::new),
            tries,
            ..Limits::default()
        };
        let scan = Scan::of(&mut net, hosts, 1..=ports, limits);
        prop_assert!(net.peak <= concurrency, "{} at once", net.peak);
        if let Some(rate) = rate {
            let ahead = ahead(&net.starts, ms(1000) / rate);
            prop_assert!(ahead <= ms(50), "{ahead:?} ahead of {rate} a second");
        }
        for report in scan.reports.values() {
            let really = drawn(kind, SocketAddr::new(report.addr.ip, report.port));
            let right = match report.state {
                State::Open => matches!(really, Port::Open),
                State::Closed => matches!(really, Port::Closed),
                State::Rejected => matches!(really, Port::Prohibited),
                State::Unreachable => matches!(really, Port::NoRoute),
                _ => true,
            };
            prop_assert!(right, "{report:?} is none");
        }
    }
}
