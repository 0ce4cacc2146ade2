//! A network with a clock of its own, for tests: hosts, distances, losses, filters and limits.

use super::network::{Answer, Network, Outcome, ProbeId, Sender};
use super::report::Icmp;
use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

/// What a port does with a SYN.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Port {
    Open,
    Closed,
    Silent,
    Prohibited,
    NoNeighbour,
    /// The same, and nobody is told.
    NobodySays,
    NoRoute,
}

/// The network. Every address is a host unless `port` says otherwise.
pub(super) struct SimNet {
    /// What is where.
    pub(super) port: Box<dyn Fn(SocketAddr) -> Port>,
    pub(super) rtt: Duration,
    pub(super) jitter: Duration,
    /// Of a thousand packets, each way.
    pub(super) loss: u64,
    /// Sockets at once, as the system has them.
    pub(super) files: usize,
    /// Sockets at once, as we say.
    pub(super) capacity: usize,
    /// What every `start` that would open a socket fails with.
    pub(super) failing: Option<i32>,
    /// A link that carries so many packets a second, and its queue.
    pub(super) link: Option<(u32, u32)>,
    /// So many RSTs a second and host.
    pub(super) rst_limit: Option<u32>,
    /// So many ICMP messages a second.
    pub(super) icmp_limit: Option<u32>,
    /// When all of this stands still for four seconds, we too, from the last.
    pub(super) standstills: Vec<Duration>,
    /// The most sockets that were ever open.
    pub(super) peak: usize,
    /// When probes were sent.
    pub(super) starts: Vec<Duration>,
    waits: u64,
    now: Rc<Cell<Duration>>,
    link_busy: Duration,
    rst_busy: Duration,
    icmp_busy: Duration,
    random: u64,
    serial: u64,
    sockets: HashMap<ProbeId, (u64, SocketAddr)>,
    events: BinaryHeap<Reverse<(Duration, u64, Event)>>,
}

/// So often a scan of all ports of a host does not wait by far.
const MOST_WAITS: u64 = 1_000_000;

/// What is on its way.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Event {
    Syn(ProbeId, u64),
    Answer(ProbeId, u64, Reply),
}

/// What an answer says.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Reply {
    SynAck,
    Reset,
    Prohibited,
    NoNeighbour,
}

/// How long a simulated network stands still.
pub(super) const STANDSTILL: Duration = Duration::from_secs(4);

/// What one connection attempt costs of the clock.
const COST: Duration = Duration::from_micros(5);

impl SimNet {
    /// A network in which `port` says what is where, at a distance.
    pub(super) fn new(rtt: Duration, port: impl Fn(SocketAddr) -> Port + 'static) -> Self {
        Self {
            port: Box::new(port),
            rtt,
            jitter: Duration::ZERO,
            loss: 0,
            files: 20_000,
            capacity: 20_000,
            failing: None,
            link: None,
            rst_limit: None,
            icmp_limit: None,
            standstills: Vec::new(),
            peak: 0,
            starts: Vec::new(),
            waits: 0,
            now: Rc::new(Cell::new(Duration::from_secs(5))),
            link_busy: Duration::ZERO,
            rst_busy: Duration::ZERO,
            icmp_busy: Duration::ZERO,
            random: 0x1234_5678_9abc_def1,
            serial: 0,
            sockets: HashMap::new(),
            events: BinaryHeap::new(),
        }
    }

    /// The clock, to be read while the network is busy.
    pub(super) fn clock(&self) -> Rc<Cell<Duration>> {
        self.now.clone()
    }

    /// Another run of the dice.
    pub(super) fn seed(&mut self, seed: u64) {
        self.random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    }

    fn random(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }

    fn is_lost(&mut self) -> bool {
        (self.random() >> 11) % 1000 < self.loss
    }

    /// A shared resource of so many a second with a queue of so many: when it is through, if it is.
    fn pass(busy: &mut Duration, at: Duration, rate: u32, queue: u32) -> Option<Duration> {
        let each = Duration::from_secs(1) / rate;
        let start = (*busy).max(at);
        if start.saturating_sub(at) > each * queue {
            return None;
        }
        *busy = start + each;
        Some(*busy)
    }

    fn schedule(&mut self, at: Duration, event: Event) {
        self.serial += 1;
        self.events.push(Reverse((at, self.serial, event)));
    }

    /// A SYN leaves at `at`.
    fn syn(&mut self, probe: ProbeId, serial: u64, to: SocketAddr, at: Duration) {
        self.schedule(at + Duration::from_secs(1), Event::Syn(probe, serial));
        let through = match self.link {
            Some((rate, queue)) => Self::pass(&mut self.link_busy, at, rate, queue),
            None => Some(at),
        };
        let Some(through) = through.filter(|_| !self.is_lost()) else {
            return;
        };
        let Some((reply, delay)) = self.reply(to, through) else {
            return;
        };
        if !self.is_lost() {
            let jitter = self.jitter * u32::try_from(self.random() % 1000).unwrap() / 1000;
            self.schedule(
                through + delay + jitter,
                Event::Answer(probe, serial, reply),
            );
        }
    }

    fn reply(&mut self, to: SocketAddr, at: Duration) -> Option<(Reply, Duration)> {
        match (self.port)(to) {
            Port::Open => Some((Reply::SynAck, self.rtt)),
            Port::Closed => {
                if let Some(limit) = self.rst_limit {
                    Self::pass(&mut self.rst_busy, at, limit, 1)?;
                }
                Some((Reply::Reset, self.rtt))
            }
            Port::Prohibited => {
                if let Some(limit) = self.icmp_limit {
                    Self::pass(&mut self.icmp_busy, at, limit, 1)?;
                }
                Some((Reply::Prohibited, self.rtt))
            }
            Port::NoNeighbour => {
                if let Some(limit) = self.icmp_limit {
                    Self::pass(&mut self.icmp_busy, at, limit, 1)?;
                }
                Some((Reply::NoNeighbour, Duration::from_secs(3)))
            }
            Port::Silent | Port::NobodySays | Port::NoRoute => None,
        }
    }
}

impl Network for SimNet {
    fn now(&self) -> Duration {
        self.now.get()
    }

    fn capacity(&self) -> usize {
        self.capacity
    }

    fn start(&mut self, probe: ProbeId, to: SocketAddr) -> Option<Outcome> {
        self.now.set(self.now.get() + COST);
        self.starts.push(self.now.get());
        if let Some(errno) = self.failing {
            return Some(Outcome::Local(errno));
        }
        if self.sockets.len() >= self.files {
            return Some(Outcome::Local(libc::EMFILE));
        }
        if (self.port)(to) == Port::NoRoute {
            return Some(Outcome::Local(libc::ENETUNREACH));
        }
        self.serial += 1;
        let serial = self.serial;
        let old = self.sockets.insert(probe, (serial, to));
        assert!(old.is_none(), "{probe:?} is used twice");
        self.peak = self.peak.max(self.sockets.len());
        self.syn(probe, serial, to, self.now.get());
        None
    }

    fn explain(&mut self, host: IpAddr) -> Option<Outcome> {
        let port = (self.port)(SocketAddr::new(host, 1));
        let is_missing = matches!(port, Port::NoNeighbour | Port::NobodySays);
        is_missing.then_some(Outcome::NoNeighbour)
    }

    fn abandon(&mut self, probe: ProbeId) {
        self.sockets.remove(&probe);
    }

    fn wait(&mut self, until: Duration, answers: &mut Vec<Answer>) -> io::Result<()> {
        self.waits += 1;
        assert!(self.waits < MOST_WAITS, "it does not end");
        let mut until = until.max(self.now.get());
        while let Some(Reverse((at, _, event))) = self.events.peek().copied() {
            if at > until {
                break;
            }
            self.events.pop();
            match event {
                Event::Syn(probe, serial) => {
                    if let Some((_, to)) = self.sockets.get(&probe).filter(|s| s.0 == serial) {
                        self.syn(probe, serial, *to, at);
                    }
                }
                Event::Answer(probe, serial, reply) => {
                    if self.sockets.get(&probe).is_some_and(|s| s.0 == serial) {
                        self.sockets.remove(&probe);
                        until = until.min(at.max(self.now.get()));
                        answers.push(Answer {
                            probe,
                            at,
                            outcome: reply.outcome(),
                        });
                    }
                }
            }
        }
        if self.standstills.pop_if(|when| *when <= until).is_some() {
            let later = |Reverse((at, serial, event))| Reverse((at + STANDSTILL, serial, event));
            self.events = self.events.drain().map(later).collect();
            until += STANDSTILL;
        }
        self.now.set(until);
        Ok(())
    }
}

impl Reply {
    fn outcome(self) -> Outcome {
        match self {
            Self::SynAck => Outcome::Connected,
            Self::Reset => Outcome::Remote(libc::ECONNREFUSED),
            Self::Prohibited => unreachable(libc::EHOSTUNREACH, 13, Sender::Path),
            Self::NoNeighbour => unreachable(libc::EHOSTUNREACH, 1, Sender::Ourselves),
        }
    }
}

/// What the system makes of an ICMP message of type 3 (destination unreachable) with this code.
pub(super) const fn unreachable(errno: i32, code: u8, sender: Sender) -> Outcome {
    Outcome::Icmp {
        errno,
        icmp: Icmp {
            kind: 3,
            code,
            from: None,
        },
        sender,
    }
}
