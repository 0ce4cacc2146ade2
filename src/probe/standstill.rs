//! Time in which we stood still.
//!
//! A process may be stopped, and a whole machine may stand still with all that is on its way to us.
//! That is no time that an answer had.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

/// What takes no longer than this between two looks at the clock is our own work, or a busy machine.
const HICCUP: Duration = Duration::from_millis(50);

/// Looks at the clock.
#[derive(Debug)]
pub(super) struct Standstill {
    last: Duration,
}

impl Standstill {
    /// Begins to look at this time.
    pub(super) const fn since(now: Duration) -> Self {
        Self { last: now }
    }

    /// How long we stood still since the last look, if nothing was to be waited for.
    pub(super) fn look(&mut self, now: Duration) -> Option<Duration> {
        self.look_after_waiting(now, Duration::ZERO)
    }

    /// The same after waiting, which was to end by `until`.
    pub(super) fn look_after_waiting(
        &mut self,
        now: Duration,
        until: Duration,
    ) -> Option<Duration> {
        let late = now.saturating_sub(until.max(self.last));
        self.last = now;
        Some(late).filter(|late| *late > HICCUP)
    }
}

/// What was due at these times is due so much later.
pub(super) fn postpone(timers: &mut BinaryHeap<Reverse<(Duration, usize)>>, time: Duration) {
    let later = |Reverse((due, number)): Reverse<(Duration, usize)>| {
        Reverse((due.saturating_add(time), number))
    };
    *timers = timers.drain().map(later).collect();
}

#[cfg(test)]
mod tests {
    use super::{HICCUP, Standstill};
    use std::time::Duration;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn waiting_is_no_standstill_and_oversleeping_is() {
        let mut clock = Standstill::since(SECOND);
        assert_eq!(clock.look(SECOND + HICCUP), None);
        assert_eq!(clock.look_after_waiting(SECOND * 5, SECOND * 5), None);
        assert_eq!(
            clock.look_after_waiting(SECOND * 9, SECOND * 6),
            Some(SECOND * 3)
        );
        assert_eq!(clock.look(SECOND * 11), Some(SECOND * 2));
        assert_eq!(
            clock.look_after_waiting(SECOND * 12, SECOND * 9),
            Some(SECOND)
        );
    }
}
