//! How much a host says of its closed ports.
//!
//! Linux sends an ICMP error to the same host once a second after a burst of six
//! (`net.ipv4.icmp_ratelimit`; over IPv6 ten a second), other systems some hundred a second to all.
//! So a closed port can be as silent as an open one, and only asked at the pace of the host does it
//! say so.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;

/// The slowest pace that is needed: Linux's own, and a margin for timers.
const SLOWEST: Duration = Duration::from_millis(1050);
/// The fastest that is tried.
const FASTEST: Duration = Duration::from_millis(5);

/// The hosts that have answered.
#[derive(Debug, Default)]
pub(super) struct Rations {
    hosts: HashMap<u32, Host>,
    /// The hosts of which ports wait, by when they may be asked.
    waiting: BTreeSet<(Duration, u32)>,
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
    /// When it was asked last at its pace, and when it may be asked again.
    last: Option<Duration>,
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
            last: None,
            next: Duration::ZERO,
        }
    }
}

/// A question at a host's pace.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Paced {
    /// The task.
    pub(super) task: usize,
    /// How long the host had not been asked before.
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
        let known = self.hosts.entry(host).or_default();
        known.parked.push_back(task);
        self.waiting.insert((known.next, host));
    }

    /// Takes all ports of hosts that do not ration: they are silent of themselves.
    pub(super) fn silent_ones(&mut self) -> Vec<usize> {
        let hosts = &mut self.hosts;
        let is_rationing = |host: &u32| hosts.get(host).is_some_and(|host| host.is_rationing);
        self.waiting.retain(|(_, host)| is_rationing(host));
        let silent = hosts.values_mut().filter(|host| !host.is_rationing);
        silent.flat_map(|host| host.parked.drain(..)).collect()
    }

    /// Takes all ports that still wait.
    pub(super) fn rest(&mut self) -> Vec<usize> {
        self.waiting.clear();
        let hosts = self.hosts.values_mut();
        hosts.flat_map(|host| host.parked.drain(..)).collect()
    }

    /// When the next host may be asked.
    pub(super) fn due(&self) -> Option<Duration> {
        self.waiting.first().map(|(next, _)| *next)
    }

    /// Takes a port that may be asked now.
    pub(super) fn take(&mut self, now: Duration) -> Option<Paced> {
        let (_, number) = self
            .waiting
            .first()
            .copied()
            .filter(|(next, _)| *next <= now)?;
        self.waiting.pop_first();
        let host = self.hosts.get_mut(&number)?;
        let task = host.parked.pop_front()?;
        let before = host.last.replace(now);
        host.next = now.saturating_add(host.interval);
        if !host.parked.is_empty() {
            self.waiting.insert((host.next, number));
        }
        Some(Paced {
            task,
            interval: before.map_or(SLOWEST, |before| now.saturating_sub(before)),
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

#[cfg(test)]
mod tests {
    use super::{Rations, SLOWEST};
    use std::time::Duration;

    /// A host that rations, with so many ports that wait.
    fn rationing(ports: usize) -> Rations {
        let mut rations = Rations::default();
        rations.spoke(7, 1);
        assert!(rations.may_ration(7) && !rations.is_rationing(7));
        rations.spoke(7, 2);
        (0..ports).for_each(|port| rations.park(7, port));
        rations
    }

    #[test]
    fn ports_come_one_at_a_time_at_the_hosts_pace() {
        let mut rations = rationing(3);
        let now = Duration::from_secs(9);
        assert_eq!(rations.take(now).map(|paced| paced.task), Some(0));
        assert_eq!(rations.take(now), None);
        assert_eq!(rations.due(), Some(now + SLOWEST));
        let now = now + SLOWEST;
        assert_eq!(rations.take(now).map(|paced| paced.task), Some(1));
        assert_eq!(rations.rest(), [2]);
        assert_eq!((rations.due(), rations.take(now * 2)), (None, None));
    }

    #[test]
    fn only_who_spoke_late_is_rationing() {
        let mut rations = rationing(1);
        rations.spoke(8, 1);
        rations.park(8, 5);
        assert_eq!(rations.silent_ones(), [5]);
        assert_eq!(
            rations.take(Duration::ZERO).map(|paced| paced.task),
            Some(0)
        );
        assert!(!rations.knows(9) && !rations.may_ration(9));
    }

    #[test]
    fn the_pace_quickens_while_answers_come_and_settles_where_they_end() {
        let mut rations = rationing(1000);
        let mut now = Duration::ZERO;
        let (mut tokens, mut last, mut confirmed) = (Duration::ZERO, now, 0);
        while now < Duration::from_secs(30) {
            now = rations.due().expect("somebody waits");
            let paced = rations.take(now).expect("it is time");
            // A bucket as Linux has it, with a token each 100 ms.
            tokens = (tokens + now.saturating_sub(last)).min(Duration::from_millis(600));
            last = now;
            if tokens >= Duration::from_millis(100) {
                tokens -= Duration::from_millis(100);
                rations.kept_up(7);
                confirmed += 1;
            } else if rations.was_silent(7, paced.interval) {
                rations.park(7, paced.task);
            }
        }
        assert!(confirmed > 150, "{confirmed}");
    }

    #[test]
    fn silence_at_the_slowest_pace_is_believed() {
        let mut rations = rationing(2);
        assert!(!rations.was_silent(7, SLOWEST));
        assert!(rations.was_silent(7, SLOWEST / 2));
    }
}
