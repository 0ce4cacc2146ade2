//! When each try of a series begins. Pure: it knows no clock.

use std::time::Duration;

/// The beat of a series.
///
/// A try that could not begin in time, since the machine was asleep, is not made up for.
#[derive(Debug)]
pub(super) struct Beat {
    count: u64,
    struck: u64,
    every: Duration,
    next: Duration,
}

impl Beat {
    /// The first one is due at once.
    pub(super) const fn new(count: u64, every: Duration) -> Self {
        Self {
            count,
            struck: 0,
            every,
            next: Duration::ZERO,
        }
    }

    /// The number of the try that is due, from 1 on.
    pub(super) fn strike(&mut self, now: Duration) -> Option<u64> {
        if now < self.next()? {
            return None;
        }
        self.struck = self.struck.saturating_add(1);
        let planned = self.next.saturating_add(self.every);
        let is_late = planned < now;
        self.next = if is_late {
            now.saturating_add(self.every)
        } else {
            planned
        };
        Some(self.struck)
    }

    /// When the next one is due.
    pub(super) fn next(&self) -> Option<Duration> {
        (self.struck < self.count).then_some(self.next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn tries_begin_on_time_and_are_not_made_up_for() {
        let mut beat = Beat::new(4, ms(100));
        assert_eq!(beat.strike(ms(0)), Some(1));
        assert_eq!(beat.strike(ms(99)), None);
        assert_eq!(beat.strike(ms(103)), Some(2), "a little late");
        assert_eq!(
            beat.next(),
            Some(ms(200)),
            "and yet the next one is on time"
        );
        assert_eq!(beat.strike(ms(60_000)), Some(3));
        assert_eq!(
            (beat.strike(ms(60_000)), beat.next()),
            (None, Some(ms(60_100)))
        );
        assert_eq!(beat.strike(ms(60_100)), Some(4));
        assert_eq!(beat.next(), None);
    }
}
