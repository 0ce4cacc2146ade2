//! How much a host says of its closed ports.
//!
//! Linux sends an ICMP error to the same host once a second after a burst of six
//! (`net.ipv4.icmp_ratelimit`; over IPv6 ten a second), other systems some hundred a second to all.
//! So a closed port can be as silent as an open one, and only asked at the pace of the host does it
//! say so.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// The slowest pace that is needed: Linux's own, and a margin for timers.
const SLOWEST: Duration = Duration::from_millis(1050);
/// The fastest that is tried.
const FASTEST: Duration = Duration::from_millis(5);

/// The hosts that have answered.
#[derive(Debug, Default)]
pub(super) struct Rations {
    hosts: HashMap<u32, Host>,
}

/// What is known of one host.
#[derive(Debug)]
struct Host {
    /// It has sent an ICMP message.
    has_spoken: bool,
    /// It was silent of a port first and spoke of it later.
    is_rationing: bool,
    /// Silent ports that are to be asked again at its pace, the likely ones first.
    parked: VecDeque<usize>,
    /// Between two questions.
    interval: Duration,
    /// No interval below this is tried any more.
    least: Duration,
    /// When it may be asked again.
    next: Duration,
}

impl Default for Host {
    fn default() -> Self {
        Self {
            has_spoken: false,
            is_rationing: false,
            parked: VecDeque::new(),
            interval: SLOWEST,
            least: FASTEST,
            next: Duration::ZERO,
        }
    }
}

/// A question at a host's pace.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Paced {
    /// The task.
    pub(super) task: usize,
    /// The interval that it was asked at.
    pub(super) interval: Duration,
}

impl Rations {
    /// The host answered somehow.
    pub(super) fn alive(&mut self, host: u32) {
        self.hosts.entry(host).or_default();
    }

    /// Whether the host ever answered.
    pub(super) fn knows(&self, host: u32) -> bool {
        self.hosts.contains_key(&host)
    }

    /// The host sent an ICMP message about a port's try of this number.
    pub(super) fn spoke(&mut self, host: u32, number: u8) {
        let host = self.hosts.entry(host).or_default();
        host.has_spoken = true;
        host.is_rationing |= number > 1;
    }

    /// Whether the host sends ICMP messages at all, so that silence may be for want of them.
    pub(super) fn may_ration(&self, host: u32) -> bool {
        self.hosts.get(&host).is_some_and(|host| host.has_spoken)
    }

    /// Whether it rations them for certain.
    pub(super) fn is_rationing(&self, host: u32) -> bool {
        self.hosts.get(&host).is_some_and(|host| host.is_rationing)
    }

    /// A port of the host waits to be asked at its pace.
    pub(super) fn park(&mut self, host: u32, task: usize) {
        self.hosts.entry(host).or_default().parked.push_back(task);
    }

    /// Takes all ports of hosts that do not ration: they are silent of themselves.
    pub(super) fn silent_ones(&mut self) -> Vec<usize> {
        let hosts = self.hosts.values_mut().filter(|host| !host.is_rationing);
        hosts.flat_map(|host| host.parked.drain(..)).collect()
    }

    /// Takes all ports that still wait.
    pub(super) fn rest(&mut self) -> Vec<usize> {
        let hosts = self.hosts.values_mut();
        hosts.flat_map(|host| host.parked.drain(..)).collect()
    }

    /// When the next host may be asked.
    pub(super) fn due(&self) -> Option<Duration> {
        let waiting = self.hosts.values().filter(|host| !host.parked.is_empty());
        waiting.map(|host| host.next).min()
    }

    /// Takes a port that may be asked now.
    pub(super) fn take(&mut self, now: Duration) -> Option<Paced> {
        let mut hosts = self.hosts.values_mut();
        let host = hosts.find(|host| !host.parked.is_empty() && host.next <= now)?;
        host.next = now.saturating_add(host.interval);
        Some(Paced {
            task: host.parked.pop_front()?,
            interval: host.interval,
        })
    }

    /// A port that was asked at the host's pace is answered: it may be quicker.
    pub(super) fn kept_up(&mut self, host: u32) {
        if let Some(host) = self.hosts.get_mut(&host) {
            host.interval = (host.interval * 7 / 10).max(host.least);
        }
    }

    /// A port that was asked after this interval is silent. Returns whether that says nothing, for
    /// want of a slower pace.
    pub(super) fn was_silent(&mut self, host: u32, interval: Duration) -> bool {
        let Some(host) = self.hosts.get_mut(&host) else {
            return false;
        };
        if interval >= SLOWEST {
            return false;
        }
        host.least = host.least.max(interval * 3 / 2).min(SLOWEST);
        host.interval = host.interval.max(host.least);
        true
    }
}
