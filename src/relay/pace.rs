//! What holds bytes back on purpose: a rate, and a pause after each line. Pure, on a clock that
//! whoever asks brings along.

use std::time::{Duration, Instant};

use crate::value::Rate;

/// What passes at once when nothing is owed.
const PIECE: Duration = Duration::from_millis(10);

/// How much more passes after a delay that was longer than it had to be: a timer is late, the
/// machine was busy. Together with [`PIECE`] it is the longest burst.
const CATCH_UP: Duration = Duration::from_millis(30);

/// Nanoseconds of a second.
const SECOND: u128 = 1_000_000_000;

/// Spreads bytes evenly over time, never more than 40 ms worth at once.
///
/// Whatever passes is paid for afterwards, by waiting: so a single byte and a whole datagram, which
/// may be more than a piece, keep to the rate alike (a leaky bucket as a meter, ITU-T I.371 GCRA).
#[derive(Clone, Copy, Debug)]
pub struct Pacer {
    rate: u128,
    /// The moment when everything that passed is paid for.
    paid: Option<Instant>,
}

impl Pacer {
    /// Of so many bytes a second.
    #[must_use]
    pub fn new(rate: Rate) -> Self {
        Self {
            rate: u128::from(rate.bytes_per_second().get()),
            paid: None,
        }
    }

    /// The moment from which something may pass; none is at once.
    #[must_use]
    pub fn opens(&self) -> Option<Instant> {
        self.paid
    }

    /// How many bytes may pass now: none, or at least one. A whole that cannot be cut may pass when
    /// this is not none.
    #[must_use]
    pub fn portion(&self, now: Instant) -> usize {
        let spared = match self.paid {
            None => Duration::ZERO,
            Some(paid) if paid > now => return 0,
            Some(paid) => now.duration_since(paid).min(CATCH_UP),
        };
        let worth = (PIECE + spared).as_nanos().saturating_mul(self.rate) / SECOND;
        usize::try_from(worth).unwrap_or(usize::MAX).max(1)
    }

    /// Takes note that so many bytes passed now.
    pub fn pass(&mut self, now: Instant, bytes: usize) {
        let owed = (bytes as u128).saturating_mul(SECOND).div_ceil(self.rate);
        let owed = Duration::from_nanos(u64::try_from(owed).unwrap_or(u64::MAX));
        let floor = now.checked_sub(CATCH_UP).unwrap_or(now);
        let since = self.paid.unwrap_or(now).max(floor);
        // What no clock can hold is a debt that is never paid.
        self.paid = since.checked_add(owed).or(self.paid);
    }
}

/// What stands before one direction: nothing, a rate, a pause after each line, or both.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gate {
    pacer: Option<Pacer>,
    /// How long to wait after a line.
    delay: Option<Duration>,
    /// When the next line may pass.
    next_line: Option<Instant>,
}

impl Gate {
    /// One of this rate, with this pause after each line.
    #[must_use]
    pub fn new(rate: Option<Rate>, delay: Option<Duration>) -> Self {
        Self {
            pacer: rate.map(Pacer::new),
            delay,
            next_line: None,
        }
    }

    /// Whether anything is held back at all.
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.pacer.is_none() && self.delay.is_none()
    }

    /// The moment from which something may pass, if that is still to come.
    #[must_use]
    pub fn opens(&self, now: Instant) -> Option<Instant> {
        let paid = self.pacer.as_ref().and_then(Pacer::opens);
        paid.max(self.next_line).filter(|moment| *moment > now)
    }

    /// How many bytes may pass now.
    #[must_use]
    pub fn portion(&self, now: Instant) -> usize {
        if self.next_line.is_some_and(|moment| moment > now) {
            return 0;
        }
        self.pacer.map_or(usize::MAX, |pacer| pacer.portion(now))
    }

    /// The part of these bytes that may pass now: no more than a line where lines are held apart.
    #[must_use]
    pub fn front<'a>(&self, now: Instant, bytes: &'a [u8]) -> &'a [u8] {
        let front = self.line(bytes);
        let length = front.len().min(self.portion(now));
        front.get(..length).unwrap_or_default()
    }

    /// The part of these bytes that may pass as a whole: all of them, or a line, or nothing yet.
    /// It is for what is not to be cut further, as a datagram.
    #[must_use]
    pub fn whole<'a>(&self, now: Instant, bytes: &'a [u8]) -> &'a [u8] {
        match self.portion(now) {
            0 => &[],
            _ => self.line(bytes),
        }
    }

    /// Takes note that these passed now.
    pub fn pass(&mut self, now: Instant, bytes: &[u8]) {
        self.count(now, bytes.len());
        if let Some(delay) = self.delay.filter(|_| bytes.ends_with(b"\n")) {
            self.next_line = now.checked_add(delay);
        }
    }

    /// Takes note that so many passed now, in a direction that has no lines.
    pub fn count(&mut self, now: Instant, bytes: usize) {
        if let Some(pacer) = &mut self.pacer {
            pacer.pass(now, bytes);
        }
    }

    /// The first line of these, its end included, where lines are held apart.
    fn line<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        if self.delay.is_none() {
            return bytes;
        }
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let length = end.map_or(bytes.len(), |end| end.saturating_add(1));
        bytes.get(..length).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use std::num::NonZeroU64;

    use super::*;

    const WINDOW: Duration = Duration::from_secs(2);
    const LONGEST_BURST: Duration = Duration::from_millis(50);

    fn pacer(rate: u64) -> Pacer {
        Pacer::new(Rate::new(NonZeroU64::new(rate).unwrap()))
    }

    /// What passes in these times, when each wait is late by the next of these delays: the moment
    /// and the bytes of each piece.
    fn run(rate: u64, lasts: Duration, delays: &[Duration], most: usize) -> Vec<(Duration, u64)> {
        let start = Instant::now();
        let mut pacer = pacer(rate);
        let (mut now, mut pieces) = (start, Vec::new());
        let mut delays = delays.iter().cycle();
        while now.duration_since(start) < lasts {
            let portion = pacer.portion(now).min(most);
            if portion == 0 {
                now = pacer.opens().unwrap() + *delays.next().unwrap();
                continue;
            }
            pacer.pass(now, portion);
            pieces.push((now.duration_since(start), portion as u64));
        }
        pieces
    }

    fn sum(pieces: &[(Duration, u64)]) -> u64 {
        pieces.iter().map(|(_, bytes)| bytes).sum()
    }

    /// Whether no stretch of the pieces is more than the rate allows and a burst.
    fn has_no_burst(rate: u64, pieces: &[(Duration, u64)]) -> bool {
        // Bytes above the rate since the worst moment (the maximum of all stretches that end here).
        let (mut above, mut before) = (0.0_f64, Duration::ZERO);
        #[expect(clippy::cast_precision_loss, reason = "a bound, not a count")]
        pieces.iter().all(|(at, bytes)| {
            let paid = at.saturating_sub(before).as_secs_f64() * rate as f64;
            above = (above - paid).max(0.0) + *bytes as f64;
            before = *at;
            above <= (LONGEST_BURST.as_secs_f64() * rate as f64).max(1.0) + 1.0
        })
    }

    proptest! {
        #[test]
        fn the_rate_is_kept_however_late_the_timer(
            rate in prop_oneof![200..10_000_u64, 10_000..2_000_000_000_u64],
            delays in prop::collection::vec(0..20_u64, 1..20),
            most in prop_oneof![1000..100_000_usize, Just(usize::MAX)],
        ) {
            let delays: Vec<_> = delays.into_iter().map(Duration::from_millis).collect();
            // Pieces that are too small for the rate would only make the test long.
            let most = most.max(usize::try_from(rate / 1000).unwrap());
            let pieces = run(rate, WINDOW, &delays, most);
            let moved = sum(&pieces);
            prop_assert!(moved.abs_diff(rate * 2) * 100 <= rate * 2 * 3, "{moved} of {}", rate * 2);
            prop_assert!(has_no_burst(rate, &pieces));
        }

        #[test]
        fn whatever_passes_is_paid_for(
            rate in 1..u64::MAX,
            pieces in prop::collection::vec(0..1_000_000_usize, 1..100),
        ) {
            let start = Instant::now();
            let mut pacer = pacer(rate);
            let mut now = start;
            for bytes in &pieces {
                pacer.pass(now, *bytes);
                now = pacer.opens().unwrap().max(now);
                prop_assert!(pacer.portion(now) > 0);
            }
            let paid = now.duration_since(start).as_nanos() * u128::from(rate);
            let owed = pieces.iter().map(|bytes| *bytes as u128).sum::<u128>() * SECOND;
            prop_assert!(paid >= owed);
        }

        #[test]
        fn lines_are_held_apart_however_they_are_read(text in "[ab\n]{0,40}", cut in 1..7_usize) {
            let delay = Duration::from_millis(300);
            let mut gate = Gate::new(None, Some(delay));
            let start = Instant::now();
            let (mut now, mut out) = (start, Vec::new());
            let mut pending: &[u8] = text.as_bytes();
            while !pending.is_empty() {
                let read = &pending[..pending.len().min(cut)];
                let front = gate.front(now, read);
                if front.is_empty() {
                    now = gate.opens(now).unwrap();
                    continue;
                }
                out.push((now, front.to_vec()));
                gate.pass(now, front);
                pending = &pending[front.len()..];
            }
            let together: Vec<u8> = out.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
            prop_assert_eq!(together, text.as_bytes());
            for (moment, bytes) in &out {
                let before = out.iter().filter(|(earlier, _)| earlier < moment);
                let lines = before.filter(|(_, bytes)| bytes.ends_with(b"\n")).count();
                prop_assert_eq!(moment.duration_since(start), delay * u32::try_from(lines).unwrap());
                let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
                prop_assert!(!line.contains(&b'\n'));
            }
        }
    }

    #[test]
    fn a_low_rate_is_steady() {
        for rate in 1..=200 {
            let pieces = run(rate, Duration::from_secs(10), &[Duration::ZERO], 1000);
            assert!(
                pieces.iter().all(|(_, bytes)| *bytes <= 2),
                "{rate}: {pieces:?}"
            );
            assert!(sum(&pieces).abs_diff(rate * 10) <= 2, "{rate}");
        }
    }

    #[test]
    fn what_was_not_used_is_not_saved() {
        let start = Instant::now();
        let mut pacer = pacer(1_000_000);
        assert_eq!(pacer.portion(start), 10_000);
        pacer.pass(start, 10_000);
        assert_eq!(pacer.portion(start), 0);
        let later = start + Duration::from_secs(3600);
        assert_eq!(pacer.portion(later), 40_000);
        pacer.pass(later, 40_000);
        assert_eq!(pacer.portion(later), 0);
        assert_eq!(pacer.opens(), Some(later + PIECE));
    }

    #[test]
    fn a_whole_passes_at_once_and_is_paid_for_later() {
        let start = Instant::now();
        let rate = Rate::new(NonZeroU64::new(100).unwrap());
        let mut gate = Gate::new(Some(rate), None);
        let datagram = [0; 1400];
        assert_eq!(gate.whole(start, &datagram), datagram);
        gate.pass(start, &datagram);
        assert_eq!(gate.whole(start, &datagram), [0_u8; 0]);
        assert_eq!(gate.opens(start), Some(start + Duration::from_secs(14)));
    }
}
