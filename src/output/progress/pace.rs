//! How fast it goes, and how long it still takes.

use std::collections::VecDeque;
use std::time::Duration;

/// What came before is no measure of what goes on now.
const WINDOW: Duration = Duration::from_secs(5);

/// A look sooner after the one before adds nothing.
const STEP: Duration = Duration::from_millis(50);

/// What moved in less time than this is no rate.
const MEASURE: Duration = Duration::from_millis(250);

/// Nobody can tell before that long how long it will take.
const LEARNING: Duration = Duration::from_secs(2);

/// Positions of the last seconds.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// When it was, from the beginning, and how many bytes had gone; the oldest first.
    looks: VecDeque<(Duration, u64)>,
}

impl Pace {
    /// Takes note that so many bytes had gone by then.
    pub(super) fn note(&mut self, elapsed: Duration, position: u64) {
        if let Some((last, _)) = self.looks.back() {
            if elapsed < *last {
                // Another conversation has begun.
                self.looks.clear();
            } else if elapsed.saturating_sub(*last) < STEP {
                return;
            }
        }
        self.looks.push_back((elapsed, position));
        // One look that is older stays: the window is full, never fuller.
        let old = |look: Option<&(Duration, u64)>| {
            look.is_some_and(|(at, _)| elapsed.saturating_sub(*at) >= WINDOW)
        };
        while old(self.looks.get(1)) {
            self.looks.pop_front();
        }
    }

    /// Bytes a second, over the last seconds, up to now.
    pub(super) fn rate(&self, elapsed: Duration, position: u64) -> u64 {
        let (since, before) = self.looks.front().copied().unwrap_or_default();
        // A look at this very moment is no measure: then it is the average from the beginning.
        let (since, before) = if elapsed.saturating_sub(since) < MEASURE {
            (Duration::ZERO, 0)
        } else {
            (since, before)
        };
        if elapsed.saturating_sub(since) < MEASURE {
            return 0;
        }
        let time = elapsed.saturating_sub(since).as_micros();
        let moved = u128::from(position.saturating_sub(before)).saturating_mul(1_000_000);
        let rate = moved.checked_div(time).unwrap_or(0);
        u64::try_from(rate).unwrap_or(u64::MAX)
    }
}

/// How long it takes at this rate until so many bytes are left no more; `None` is unknown.
pub(super) fn remaining(elapsed: Duration, left: u64, rate: u64) -> Option<Duration> {
    if elapsed < LEARNING || rate == 0 {
        return None;
    }
    Some(Duration::from_secs(left.div_ceil(rate)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many milliseconds.
    fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn the_rate_is_that_of_the_last_seconds() {
        let mut pace = Pace::default();
        assert_eq!(pace.rate(ms(1000), 500), 500);
        for tenth in 0..=100 {
            pace.note(ms(tenth * 100), tenth * 100);
        }
        assert_eq!(pace.rate(ms(10_000), 10_000), 1000);
        // Nothing moves any more.
        for tenth in 101..=200 {
            pace.note(ms(tenth * 100), 10_000);
        }
        assert_eq!(pace.rate(ms(20_000), 10_000), 0);
        assert!(pace.looks.len() < 60);
    }

    #[test]
    fn no_time_and_no_bytes_are_no_rate() {
        let pace = Pace::default();
        assert_eq!(pace.rate(Duration::ZERO, 0), 0);
        assert_eq!(pace.rate(Duration::ZERO, 1000), 0);
        assert_eq!(pace.rate(ms(249), u64::MAX), 0);
        assert_eq!(pace.rate(ms(250), u64::MAX), u64::MAX);
    }

    #[test]
    fn another_conversation_begins_anew() {
        let mut pace = Pace::default();
        pace.note(ms(5000), 1_000_000);
        pace.note(ms(100), 0);
        assert_eq!(pace.rate(ms(1100), 1000), 1000);
    }

    #[test]
    fn the_rest_is_told_once_it_can_be_known() {
        assert_eq!(remaining(ms(1999), 100, 10), None);
        assert_eq!(remaining(ms(2000), 100, 0), None);
        assert_eq!(remaining(ms(2000), 101, 10), Some(ms(11_000)));
        assert_eq!(remaining(ms(2000), 0, 10), Some(Duration::ZERO));
    }
}
