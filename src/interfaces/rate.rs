//! How fast bytes go through interfaces: the difference between two looks at their counters.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::{Interface, Statistics};

/// The counters of all interfaces at one moment.
#[derive(Clone, Debug)]
pub struct Sample {
    taken: Instant,
    counters: BTreeMap<u32, (String, Statistics)>,
}

/// How fast bytes went through an interface.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rate {
    /// The number of the interface.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// Bytes received a second.
    pub received: u64,
    /// Bytes sent a second.
    pub sent: u64,
    /// Between the two looks.
    pub interval: Duration,
}

impl Sample {
    /// What these interfaces had counted when they were listed just now.
    #[must_use]
    pub fn of<'a>(interfaces: impl IntoIterator<Item = &'a Interface>) -> Self {
        let counters = interfaces.into_iter().filter_map(|interface| {
            let named = (interface.name.clone(), interface.stats?);
            Some((interface.index, named))
        });
        Self {
            taken: Instant::now(),
            counters: counters.collect(),
        }
    }

    /// Whether no interface counts.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.counters.is_empty()
    }

    /// How fast bytes went since an earlier sample, in the order of the indices. An interface that
    /// was not there, or whose counters began anew, has no rate yet.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Vec<Rate> {
        let interval = self.taken.saturating_duration_since(earlier.taken);
        let rates = self.counters.iter().filter_map(|(index, (name, now))| {
            let (_, then) = earlier.counters.get(index)?;
            Some(Rate {
                index: *index,
                name: name.clone(),
                received: a_second(now.rx.bytes.checked_sub(then.rx.bytes)?, interval)?,
                sent: a_second(now.tx.bytes.checked_sub(then.tx.bytes)?, interval)?,
                interval,
            })
        });
        rates.collect()
    }
}

/// What so many in this time are a second; nothing is known of no time.
pub(crate) fn a_second(count: u64, interval: Duration) -> Option<u64> {
    let count = u128::from(count).checked_mul(1_000_000_000)?;
    let rate = count.checked_div(interval.as_nanos())?;
    Some(u64::try_from(rate).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::super::Counters;
    use super::*;

    /// A sample of one interface.
    fn sample(taken: Instant, bytes: u64) -> Sample {
        let rx = Counters {
            bytes,
            ..Counters::default()
        };
        let stats = Statistics { rx, tx: rx };
        Sample {
            taken,
            counters: [(1, ("eth0".to_owned(), stats))].into(),
        }
    }

    #[test]
    fn bytes_a_second() {
        let start = Instant::now();
        let later = start + Duration::from_millis(500);
        let rates = sample(later, 1500).since(&sample(start, 500));
        assert_eq!((rates[0].received, rates[0].sent), (2000, 2000));
        assert_eq!(rates[0].interval, Duration::from_millis(500));
    }

    #[test]
    fn counters_that_began_anew_have_no_rate() {
        let start = Instant::now();
        let later = start + Duration::from_secs(1);
        assert!(sample(later, 1).since(&sample(start, 2)).is_empty());
        assert!(sample(start, 2).since(&sample(start, 1)).is_empty());
        assert_eq!(a_second(u64::MAX, Duration::from_nanos(1)), Some(u64::MAX));
    }
}
