//! How often is told what a client says: some times at once, then once a second.

use std::time::{Duration, Instant};

/// How much time each telling takes up.
const PACE: Duration = Duration::from_secs(1);

/// How far tellings may be ahead of their time: so many seconds, so many at once.
const AHEAD: Duration = Duration::from_secs(8);

/// What a client said that was not told yet.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// Bytes.
    untold: u64,
    /// The time that the tellings so far take up to.
    until: Option<Instant>,
}

impl Said {
    /// Takes account of so many bytes; how many there are to tell of, if it is time.
    pub(super) fn take(&mut self, length: usize, now: Instant) -> Option<u64> {
        self.untold = self.untold.saturating_add(length as u64);
        let until = self.until.map_or(now, |until| until.max(now));
        if until.saturating_duration_since(now) >= AHEAD {
            return None;
        }
        self.until = until.checked_add(PACE);
        Some(std::mem::take(&mut self.untold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_talk_is_told_at_once_and_a_flood_once_a_second() {
        let (mut said, start) = (Said::default(), Instant::now());
        let told: Vec<u64> = (0..10_000)
            .filter_map(|millisecond| said.take(3, start + Duration::from_millis(millisecond)))
            .collect();
        assert_eq!((told.len(), &told[..9]), (18, &[3; 9][..]));
        assert!(told[10..].iter().all(|sum| *sum == 3000), "{told:?}");
        let later = start + Duration::from_secs(30);
        assert_eq!(said.take(1, later).map(|sum| sum > 1), Some(true));
        assert_eq!(said.take(1, later), Some(1));
    }
}
