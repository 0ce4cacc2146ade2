//! How long connections, and answers over UDP, take, over and over.

use super::attempt::Tried;
use super::report::State;
use std::collections::BTreeMap;
use std::time::Duration;

/// What is known of the times of one target.
#[derive(Clone, Debug, Default)]
pub struct Latency {
    times: Vec<Duration>,
    lost: BTreeMap<&'static str, u64>,
    unmade: BTreeMap<&'static str, Unmade>,
    retransmissions: u64,
}

/// Tries that failed on our side alike, however often they were made again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Unmade {
    /// How many.
    pub count: u64,
    /// The error number of the last one.
    pub errno: i32,
}

/// The figures of a series that has an answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Figures {
    /// The shortest time.
    pub min: Duration,
    /// The arithmetic mean.
    pub mean: Duration,
    /// The median, by nearest rank as the other percentiles.
    pub p50: Duration,
    /// As long as this at most took 95 of 100 tries.
    pub p95: Duration,
    /// As long as this at most took 99 of 100 tries.
    pub p99: Duration,
    /// The longest time.
    pub max: Duration,
    /// The mean difference of two answers that follow one another; nothing with one answer.
    pub jitter: Option<Duration>,
}

impl Latency {
    /// Counts a try. Only an open port is an answer; what failed on our side was no try, and
    /// everything else is a loss, with its reason.
    pub fn add(&mut self, tried: &Tried) {
        let again = u64::from(tried.retransmissions.unwrap_or_default());
        self.retransmissions = self.retransmissions.saturating_add(again);
        match tried.state {
            State::Open => self.times.push(tried.elapsed),
            State::Undetermined => {
                let errno = tried.errno.unwrap_or_default();
                let none = Unmade { count: 0, errno };
                let unmade = self.unmade.entry(tried.reason).or_insert(none);
                let count = unmade.count.saturating_add(1);
                *unmade = Unmade { count, errno };
            }
            _ => {
                let lost = self.lost.entry(tried.reason).or_default();
                *lost = lost.saturating_add(1);
            }
        }
    }

    /// How many tries have an outcome.
    #[must_use]
    pub fn sent(&self) -> u64 {
        let lost = self
            .lost
            .values()
            .fold(0, |all: u64, n| all.saturating_add(*n));
        lost.saturating_add(self.answered())
    }

    /// How many were answered by an open port.
    #[must_use]
    pub const fn answered(&self) -> u64 {
        self.times.len() as u64
    }

    /// How many were lost, by reason.
    #[must_use]
    pub const fn lost(&self) -> &BTreeMap<&'static str, u64> {
        &self.lost
    }

    /// The tries that could not be made, by reason.
    #[must_use]
    pub const fn unmade(&self) -> &BTreeMap<&'static str, Unmade> {
        &self.unmade
    }

    /// How many SYNs were sent again.
    #[must_use]
    pub const fn retransmissions(&self) -> u64 {
        self.retransmissions
    }

    /// The times of the answers, in their order.
    #[must_use]
    pub fn times(&self) -> &[Duration] {
        &self.times
    }

    /// The figures, if there was an answer.
    #[must_use]
    pub fn figures(&self) -> Option<Figures> {
        let mut sorted = self.times.clone();
        sorted.sort_unstable();
        let count = u32::try_from(sorted.len()).ok()?;
        let sum = sorted
            .iter()
            .fold(Duration::ZERO, |sum, time| sum.saturating_add(*time));
        Some(Figures {
            min: *sorted.first()?,
            mean: sum.checked_div(count)?,
            p50: nearest_rank(&sorted, 50)?,
            p95: nearest_rank(&sorted, 95)?,
            p99: nearest_rank(&sorted, 99)?,
            max: *sorted.last()?,
            jitter: jitter(&self.times),
        })
    }
}

/// The smallest of the sorted times that `percent` of 100 do not exceed (the nearest-rank method:
/// the value at rank ⌈percent / 100 × n⌉).
fn nearest_rank(sorted: &[Duration], percent: usize) -> Option<Duration> {
    let rank = sorted.len().checked_mul(percent)?.div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}

/// The mean difference of neighbours.
fn jitter(times: &[Duration]) -> Option<Duration> {
    let pairs = times.iter().zip(times.iter().skip(1));
    let differences = pairs.map(|(one, next)| one.abs_diff(*next));
    let sum = differences.fold(Duration::ZERO, Duration::saturating_add);
    sum.checked_div(u32::try_from(times.len()).ok()?.checked_sub(1)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    /// A try that took so long, or came to nothing.
    fn tried(time: Option<u64>) -> Tried {
        Tried {
            state: if time.is_some() {
                State::Open
            } else {
                State::Filtered
            },
            errno: None,
            reason: if time.is_some() {
                "syn-ack"
            } else {
                "no-response"
            },
            icmp: None,
            elapsed: ms(time.unwrap_or(9999)),
            retransmissions: Some(u32::from(time.is_none())),
            service: None,
            is_heard: time.is_some(),
        }
    }

    /// The figures of tries that took so long.
    fn latency(times: impl IntoIterator<Item = Option<u64>>) -> Latency {
        let mut latency = Latency::default();
        times.into_iter().for_each(|time| latency.add(&tried(time)));
        latency
    }

    #[test]
    fn percentiles_are_the_nearest_ranks() {
        let figures = |n: u64| latency((1..=n).rev().map(Some)).figures().unwrap();
        let hundred = figures(100);
        assert_eq!((hundred.min, hundred.max), (ms(1), ms(100)));
        assert_eq!(
            (hundred.p50, hundred.p95, hundred.p99),
            (ms(50), ms(95), ms(99))
        );
        assert_eq!((hundred.mean, hundred.jitter), (ms(101) / 2, Some(ms(1))));
        let ten = figures(10);
        assert_eq!((ten.p50, ten.p95, ten.p99), (ms(5), ms(10), ms(10)));
        let one = figures(1);
        assert_eq!((one.p50, one.p99, one.jitter), (ms(1), ms(1), None));
        assert_eq!(latency([None]).figures(), None);
    }

    #[test]
    fn losses_are_counted_by_reason_and_are_no_times() {
        let latency = latency([Some(10), None, Some(30), None, Some(20)]);
        assert_eq!((latency.sent(), latency.answered()), (5, 3));
        assert_eq!(latency.lost().get("no-response"), Some(&2));
        assert_eq!(latency.retransmissions(), 2);
        let figures = latency.figures().unwrap();
        assert_eq!((figures.mean, figures.jitter), (ms(20), Some(ms(15))));
    }

    #[test]
    fn what_failed_on_our_side_is_neither_sent_nor_lost() {
        let mut latency = latency([Some(10), None]);
        let unmade = Tried {
            state: State::Undetermined,
            errno: Some(libc::EMFILE),
            reason: "no-files",
            ..tried(None)
        };
        latency.add(&unmade);
        latency.add(&unmade);
        assert_eq!((latency.sent(), latency.lost().len()), (2, 1));
        let (count, errno) = (2, libc::EMFILE);
        let expected = Unmade { count, errno };
        assert_eq!(latency.unmade().get("no-files"), Some(&expected));
    }
}
