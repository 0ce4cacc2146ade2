//! A simulated host that is asked over UDP, with a clock of its own.

use super::ms;
use crate::probe::network::{Answer, Network, Outcome, ProbeId, Sender};
use crate::probe::sim::{STANDSTILL, unreachable};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// What a port does with a datagram.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Port {
    Answers,
    Closed,
    Silent,
    Prohibited,
    NoMemory,
}

/// When an answer arrives, to which question in a row, of which probe; whether it is ICMP, and whether
/// that says that the port is closed.
type Reply = (Duration, u64, ProbeId, bool, bool);

/// A host at a distance, with a bucket of ICMP messages as Linux has it.
pub(super) struct SimHost {
    pub(super) port: fn(u16) -> Port,
    pub(super) rtt: Duration,
    /// A token each, and how many there are at most.
    pub(super) ration: Option<(Duration, u32)>,
    /// Of a thousand packets, each way.
    pub(super) loss: u64,
    /// When it stands still, and we too, from the last.
    pub(super) standstills: Vec<Duration>,
    pub(super) now: Duration,
    tokens: HashMap<IpAddr, (Duration, Duration)>,
    random: u64,
    pub(super) asked: HashMap<ProbeId, u64>,
    serial: u64,
    answers: BinaryHeap<Reverse<Reply>>,
    pub(super) peak: usize,
}

impl SimHost {
    pub(super) fn new(port: fn(u16) -> Port) -> Self {
        Self {
            port,
            rtt: ms(20),
            ration: None,
            loss: 0,
            standstills: Vec::new(),
            now: ms(5000),
            tokens: HashMap::new(),
            random: 0x1234_5678_9abc_def1,
            asked: HashMap::new(),
            serial: 0,
            answers: BinaryHeap::new(),
            peak: 0,
        }
    }

    pub(super) fn linux(port: fn(u16) -> Port) -> Self {
        Self {
            ration: Some((ms(1000), 6)),
            ..Self::new(port)
        }
    }

    fn is_lost(&mut self) -> bool {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) % 1000 < self.loss
    }

    /// Whether there is a token left (Linux: `inet_peer_xrlim_allow`).
    fn may_speak(&mut self, to: IpAddr) -> bool {
        let Some((each, burst)) = self.ration else {
            return true;
        };
        let full = each * burst;
        let (tokens, last) = self.tokens.entry(to).or_insert((full, self.now));
        *tokens = (*tokens + self.now.saturating_sub(*last)).min(full);
        *last = self.now;
        let allowed = *tokens >= each;
        if allowed {
            *tokens -= each;
        }
        allowed
    }
}

impl Network for SimHost {
    fn now(&self) -> Duration {
        self.now
    }

    fn capacity(&self) -> usize {
        4096
    }

    fn start(&mut self, probe: ProbeId, to: SocketAddr) -> Option<Outcome> {
        self.now += Duration::from_micros(5);
        let port = (self.port)(to.port());
        if port == Port::NoMemory {
            return Some(Outcome::Local(libc::ENOBUFS));
        }
        self.serial += 1;
        assert!(self.asked.insert(probe, self.serial).is_none());
        self.peak = self.peak.max(self.asked.len());
        let is_icmp = matches!(port, Port::Closed | Port::Prohibited);
        let speaks = match port {
            Port::Answers => true,
            Port::Closed | Port::Prohibited => !self.is_lost() && self.may_speak(to.ip()),
            Port::Silent | Port::NoMemory => false,
        };
        if speaks && !self.is_lost() {
            let answer = (
                self.now + self.rtt,
                self.serial,
                probe,
                is_icmp,
                port == Port::Closed,
            );
            self.answers.push(Reverse(answer));
        }
        None
    }

    fn abandon(&mut self, probe: ProbeId) {
        self.asked.remove(&probe);
    }

    fn wait(&mut self, until: Duration, answers: &mut Vec<Answer>) -> io::Result<()> {
        let mut until = until.max(self.now);
        while let Some(Reverse((at, serial, probe, is_icmp, is_closed))) =
            self.answers.peek().copied()
        {
            if at > until {
                break;
            }
            self.answers.pop();
            if self.asked.get(&probe) != Some(&serial) {
                continue;
            }
            self.asked.remove(&probe);
            until = until.min(at.max(self.now));
            let outcome = match (is_icmp, is_closed) {
                (false, _) => Outcome::Replied(Some("dns")),
                (true, true) => unreachable(libc::ECONNREFUSED, 3, Sender::Target),
                (true, false) => unreachable(libc::EHOSTUNREACH, 13, Sender::Path),
            };
            answers.push(Answer { probe, at, outcome });
        }
        if self.standstills.pop_if(|when| *when <= until).is_some() {
            let later = |Reverse(reply): Reverse<Reply>| {
                let (at, serial, probe, is_icmp, is_closed) = reply;
                Reverse((at + STANDSTILL, serial, probe, is_icmp, is_closed))
            };
            self.answers = self.answers.drain().map(later).collect();
            until += STANDSTILL;
        }
        self.now = until;
        Ok(())
    }
}
