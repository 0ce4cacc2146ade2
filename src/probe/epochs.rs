//! What became of the probes sent in each stretch of time.

use std::collections::VecDeque;
use std::time::Duration;

/// The shortest epoch, and the length of each while the round-trip time is unknown.
pub(super) const SHORTEST: Duration = Duration::from_millis(50);
/// How many epochs are remembered: losses are known two or three timeouts late.
const REMEMBERED: usize = 64;
/// Over how many epochs the rate of answers is taken.
const RATED: usize = 8;
/// The fewest losses that are more than chance.
const EVIDENCE: f64 = 24.0;

/// The latest epochs.
#[derive(Debug, Default)]
pub(super) struct Epochs {
    ring: VecDeque<Epoch>,
}

/// One epoch.
#[derive(Clone, Copy, Debug)]
struct Epoch {
    from: Duration,
    /// Answers that arrived in this epoch, whenever their probes were sent.
    arrivals: f64,
    /// Probes of this epoch that were answered.
    good: f64,
    /// Probes of this epoch that were lost: a later try of the same port was answered.
    lost: f64,
    /// Whether as many probes were under way as the window allows.
    full: bool,
}

impl Epochs {
    /// Opens a new epoch when the last one is `length` old. Returns whether it did.
    pub(super) fn turn(&mut self, now: Duration, length: Duration) -> bool {
        let last = self.ring.back().map(|epoch| epoch.from);
        if last.is_some_and(|from| now.saturating_sub(from) < length) {
            return false;
        }
        if self.ring.len() == REMEMBERED {
            self.ring.pop_front();
        }
        self.ring.push_back(Epoch {
            from: now,
            arrivals: 0.0,
            good: 0.0,
            lost: 0.0,
            full: false,
        });
        true
    }

    /// The window is full.
    pub(super) fn fill(&mut self) {
        if let Some(epoch) = self.ring.back_mut() {
            epoch.full = true;
        }
    }

    /// Whether the window was full lately.
    pub(super) fn were_full(&self) -> bool {
        self.ring.iter().rev().take(3).any(|epoch| epoch.full)
    }

    /// A probe that was sent at `sent` is answered now.
    pub(super) fn good(&mut self, sent: Duration) {
        if let Some(epoch) = self.ring.back_mut() {
            epoch.arrivals += 1.0;
        }
        if let Some(epoch) = self.of(sent) {
            epoch.good += 1.0;
        }
    }

    /// A probe that was sent at `sent` was lost, and stands for `weight` of its kind.
    pub(super) fn lost(&mut self, sent: Duration, weight: f64) {
        if let Some(epoch) = self.of(sent) {
            epoch.lost += weight;
        }
    }

    /// The part that was lost of what was sent from `since` to `end` and could be answered, if
    /// enough was.
    pub(super) fn loss(&self, since: Duration, end: Duration) -> Option<f64> {
        let is_counted = |epoch: &&Epoch| epoch.from >= since && epoch.from < end;
        let counted = self.ring.iter().filter(is_counted);
        let sum = |(good, lost), epoch: &Epoch| (good + epoch.good, lost + epoch.lost);
        let (good, lost) = counted.fold((0.0, 0.0), sum);
        (lost >= EVIDENCE).then(|| lost / (lost + good))
    }

    /// The answers a second of late.
    pub(super) fn answer_rate(&self, now: Duration) -> f64 {
        let rated = self.ring.iter().rev().take(RATED);
        let from = rated.clone().next_back().map_or(now, |epoch| epoch.from);
        let length = now.saturating_sub(from).max(SHORTEST);
        rated.map(|epoch| epoch.arrivals).sum::<f64>() / length.as_secs_f64()
    }

    /// The epoch in which a probe was sent, if it is remembered.
    fn of(&mut self, sent: Duration) -> Option<&mut Epoch> {
        self.ring.iter_mut().rev().find(|epoch| epoch.from <= sent)
    }
}

#[cfg(test)]
mod tests {
    use super::{Epochs, SHORTEST};
    use std::time::Duration;

    const fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn losses_count_for_the_time_of_sending() {
        let mut epochs = Epochs::default();
        for n in 0..10 {
            assert!(epochs.turn(SHORTEST * n, SHORTEST));
            assert!(!epochs.turn(SHORTEST * n, SHORTEST));
        }
        for _ in 0..100 {
            epochs.good(ms(10));
            epochs.lost(ms(410), 1.0);
        }
        assert_eq!(epochs.loss(ms(0), Duration::MAX), Some(0.5));
        assert_eq!(epochs.loss(ms(400), Duration::MAX), Some(1.0));
        assert_eq!(
            epochs.loss(ms(0), ms(400)),
            None,
            "nothing was lost until then"
        );
        assert_eq!(
            epochs.loss(ms(450), Duration::MAX),
            None,
            "nothing was lost since"
        );
    }

    #[test]
    fn the_rate_is_that_of_arrivals() {
        let mut epochs = Epochs::default();
        for n in 0..40 {
            epochs.turn(SHORTEST * n, SHORTEST);
            (0..10).for_each(|_| epochs.good(Duration::ZERO));
        }
        let rate = epochs.answer_rate(SHORTEST * 40);
        assert!((199.0..201.0).contains(&rate), "{rate}");
    }

    #[test]
    fn a_full_window_is_remembered_for_a_while() {
        let mut epochs = Epochs::default();
        epochs.turn(ms(0), SHORTEST);
        epochs.fill();
        epochs.turn(ms(50), SHORTEST);
        assert!(epochs.were_full());
        for n in 2..6 {
            epochs.turn(SHORTEST * n, SHORTEST);
        }
        assert!(!epochs.were_full());
    }
}
