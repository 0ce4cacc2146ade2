//! What is known of each host that has answered.

use super::rtt::Rtt;
use super::verdict::Finding;
use std::collections::HashMap;
use std::time::Duration;

/// From when on an answer may belong to the kernel's own second SYN, which Linux and the BSDs
/// send after one second: such an answer says nothing about the round-trip time (Karn).
pub(super) const AMBIGUOUS: Duration = Duration::from_millis(950);
/// The timeout of a try to a host that has never answered.
const FIRST_TIMEOUT: Duration = Duration::from_secs(1);
/// The most tries a port gets, however many others needed.
const MOST_TRIES: u8 = 30;

/// How many closed ports may be taken for filtered, on average, where the path loses packets.
const DOUBT: f64 = 1e-3;
/// The fewest late answers that tell how many are lost, and the part from which on it is not the
/// path that loses them.
const EVIDENCE: f64 = 3.0;
const HOPELESS: f64 = 0.4;

/// The hosts that have answered; of the others there is nothing to know.
#[derive(Debug, Default)]
pub(super) struct Hosts {
    known: HashMap<u32, Host>,
    /// All hosts together.
    path: Host,
    /// Hosts that never answered, and that our own system found no neighbour for.
    missing: HashMap<u32, Finding>,
}

/// Round-trip times, and the highest number of a try that was answered.
#[derive(Debug, Default)]
struct Host {
    rtt: Rtt,
    best_try: u8,
    /// How many answers there were, and how many of them took more than one try.
    answers: f64,
    late: f64,
}

impl Hosts {
    /// Learns from an answer to a port's try of this number.
    pub(super) fn learn(&mut self, host: u32, number: u8, elapsed: Duration) {
        let host = self.known.entry(host).or_default();
        for host in [host, &mut self.path] {
            host.best_try = host.best_try.max(number);
            host.answers += 1.0;
            host.late += f64::from(u8::from(number > 1));
            if elapsed < AMBIGUOUS || host.rtt.smoothed().is_none() {
                host.rtt.learn(elapsed);
            }
        }
    }

    /// Whether the host has ever answered.
    pub(super) fn knows(&self, host: u32) -> bool {
        self.known.contains_key(&host)
    }

    /// Our own system found no way to the host, after having looked for its neighbour.
    pub(super) fn miss(&mut self, host: u32, finding: Finding) {
        self.missing.insert(host, finding);
    }

    /// Why the host cannot be reached, if that is known and it never answered: then it is so for
    /// every port of it. The system tells of few of many failures at once (Linux:
    /// `icmp_msgs_per_sec`).
    pub(super) fn missing(&self, host: u32) -> Option<Finding> {
        let finding = self.missing.get(&host)?;
        (!self.knows(host)).then_some(*finding)
    }

    /// The round-trip time to any host.
    pub(super) fn smoothed(&self) -> Option<Duration> {
        self.path.rtt.smoothed()
    }

    /// Whether a connection that took this long took the kernel's second SYN.
    pub(super) fn is_retransmission(&self, host: u32, elapsed: Duration) -> bool {
        let smoothed = self.known.get(&host).and_then(|host| host.rtt.smoothed());
        elapsed >= AMBIGUOUS && smoothed.is_some_and(|rtt| rtt < AMBIGUOUS / 2)
    }

    /// How long a port's try of this number may stay unanswered.
    pub(super) fn timeout(&self, host: u32, number: u8) -> Duration {
        let learnt = self.known.get(&host).and_then(|host| host.rtt.timeout());
        match learnt {
            Some(timeout) if number > 1 => timeout.saturating_mul(2),
            Some(timeout) => timeout,
            None => FIRST_TIMEOUT,
        }
    }

    /// How many tries a silent port of the host gets: two more than any port needed so far, and as
    /// many as the losses demand; for a host that may not exist one more than any host needed.
    pub(super) fn tries(&self, host: u32) -> u8 {
        let tries = match self.known.get(&host) {
            Some(host) => host.best_try.max(1).saturating_add(2).max(host.needed()),
            None => self.path.best_try.max(1).saturating_add(1),
        };
        tries.min(MOST_TRIES)
    }
}

impl Host {
    /// After how many tries hardly any silent port is one that answers.
    fn needed(&self) -> u8 {
        let lost = self.late / self.answers.max(1.0);
        if self.late < EVIDENCE || lost > HOPELESS {
            return 0;
        }
        let mut left = self.answers;
        let mut tries = 0_u8;
        while left > DOUBT && tries < MOST_TRIES {
            left *= lost;
            tries = tries.saturating_add(1);
        }
        tries
    }
}

#[cfg(test)]
mod tests {
    use super::{FIRST_TIMEOUT, Hosts};
    use std::time::Duration;

    const fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn an_unknown_host_gets_time_and_few_tries() {
        let hosts = Hosts::default();
        assert_eq!((hosts.timeout(0, 1), hosts.tries(0)), (FIRST_TIMEOUT, 2));
        assert_eq!(hosts.smoothed(), None);
    }

    #[test]
    fn tries_follow_what_was_needed() {
        let mut hosts = Hosts::default();
        hosts.learn(0, 1, ms(20));
        assert_eq!((hosts.tries(0), hosts.tries(1)), (3, 2));
        hosts.learn(0, 3, ms(20));
        assert_eq!((hosts.tries(0), hosts.tries(1)), (5, 4));
        hosts.learn(0, 200, ms(20));
        assert_eq!(hosts.tries(0), 30);
    }

    #[test]
    fn many_losses_demand_more_tries() {
        let mut hosts = Hosts::default();
        for n in 0..9000_u32 {
            let number = if n % 10 == 0 { 2 } else { 1 };
            hosts.learn(0, number, ms(20));
        }
        assert_eq!(hosts.tries(0), 7, "a tenth is lost, of nine thousand");
        for _ in 0..9000 {
            hosts.learn(0, 2, ms(20));
        }
        assert_eq!(hosts.tries(0), 4, "no path loses half");
    }

    #[test]
    fn an_answer_to_the_kernels_second_syn_is_no_round_trip() {
        let mut hosts = Hosts::default();
        hosts.learn(0, 1, ms(20));
        hosts.learn(0, 1, ms(1020));
        assert_eq!(hosts.smoothed(), Some(ms(20)));
        assert!(hosts.is_retransmission(0, ms(1020)));
        assert!(!hosts.is_retransmission(0, ms(500)));
    }

    #[test]
    fn a_slow_path_is_believed_when_nothing_else_is_known() {
        let mut hosts = Hosts::default();
        hosts.learn(0, 1, ms(1500));
        assert_eq!(hosts.smoothed(), Some(ms(1500)));
        assert!(!hosts.is_retransmission(0, ms(1500)));
    }
}
