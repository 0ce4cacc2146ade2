//! How many probes may be under way at once, and how close together they are sent.
//!
//! A window as TCP has one, with two differences. Silence says nothing, since most silent ports
//! are filtered: a loss is known only when a later try is answered. And a few losses slow nothing
//! down, since many paths lose packets that nobody queued: only when a good part of what was sent
//! is lost, it is sent at the rate that was answered. If just as much is lost at that rate, which
//! the path has borne, it loses packets whatever we do: then nothing is gained by being slow.

use super::epochs::{Epochs, SHORTEST};
use std::num::NonZero;
use std::time::Duration;

/// The window at the start: one burst that fits the queues of ordinary links.
const START: f64 = 512.0;
/// What the window never goes below.
const FLOOR: f64 = 8.0;
/// What the window grows to on silence alone.
const BLIND_CEILING: f64 = 8192.0;
/// The part that may be lost before we slow down, at first and at most.
const TOLERATED: f64 = 0.12;
const MOST_TOLERATED: f64 = 0.7;
/// For how many epochs after slowing down no more is sent than the path has borne.
const PROOF: u32 = 6;
/// How much faster we go after an epoch at a pace that was borne.
const EASE: f64 = 1.02;
/// The slowest pace, in probes a second.
const SLOWEST: f64 = 10.0;
/// How far sending may lag behind its pace and catch up; timers are no finer than this.
const BURST: Duration = Duration::from_millis(2);

/// The window, and what it knows of the path.
#[derive(Debug)]
pub(super) struct Window {
    size: f64,
    /// Below this the window doubles in a round-trip, above it grows by a tenth.
    threshold: f64,
    ceiling: f64,
    under_way: u32,
    /// Probes a second, once too much was lost.
    pace: Option<f64>,
    /// The part that may be lost.
    tolerated: f64,
    /// What it was like before the latest cut.
    before: Option<Before>,
    epochs: Epochs,
    last_cut: Duration,
    next_send: Duration,
    /// The least time between two probes, as the user wants it.
    least: Duration,
    smoothed: Option<Duration>,
}

/// A window before it was cut.
#[derive(Debug)]
struct Before {
    size: f64,
    threshold: f64,
    pace: Option<f64>,
}

impl Window {
    /// A window that never holds more than `ceiling` probes, nor sends more than `rate` a second.
    pub(super) fn new(ceiling: usize, rate: Option<NonZero<u32>>) -> Self {
        let ceiling = float(ceiling).max(1.0);
        Self {
            size: START.min(ceiling),
            threshold: f64::INFINITY,
            ceiling,
            under_way: 0,
            pace: None,
            tolerated: TOLERATED,
            before: None,
            epochs: Epochs::default(),
            last_cut: Duration::ZERO,
            next_send: Duration::ZERO,
            least: rate.map_or(Duration::ZERO, |rate| Duration::from_secs(1) / rate.get()),
            smoothed: None,
        }
    }

    /// When the next probe may be sent, if the window has room for it. A careful one must leave
    /// half of the window free.
    pub(super) fn opens(&self, careful: bool) -> Option<Duration> {
        let size = if careful { self.size / 2.0 } else { self.size };
        let open = f64::from(self.under_way) < size.max(1.0);
        open.then_some(self.next_send)
    }

    /// A probe is sent.
    pub(super) fn sent(&mut self, now: Duration) {
        self.under_way = self.under_way.saturating_add(1);
        let earliest = now.saturating_sub(BURST);
        self.next_send = self.next_send.max(earliest).saturating_add(self.interval());
        self.turn(now);
        if f64::from(self.under_way) >= self.size {
            self.epochs.fill();
        }
    }

    /// A probe is no longer under way, because of an answer, silence, or a shortage of ours.
    pub(super) const fn left(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
    }

    /// A probe that was sent at `sent` is answered.
    pub(super) fn answered(&mut self, sent: Duration, now: Duration, smoothed: Option<Duration>) {
        self.smoothed = smoothed;
        self.turn(now);
        self.epochs.good(sent);
        let step = if self.size < self.threshold { 1.0 } else { 0.1 };
        self.grow_by(step, self.ceiling);
    }

    /// A probe sent at `sent` was lost, and stands for `weight` of its kind.
    pub(super) fn lost(&mut self, sent: Duration, weight: f64) {
        self.epochs.lost(sent, weight);
    }

    /// Slows down to what is answered if too much is lost.
    pub(super) fn adapt(&mut self, now: Duration) {
        let loss = self.epochs.loss(self.last_cut, Duration::MAX);
        if loss.is_none_or(|part| part <= self.tolerated) {
            return;
        }
        let before = self.before.take();
        if !before.is_some_and(|before| self.forgive(&before)) {
            self.cut(now);
        }
        self.last_cut = now;
    }

    /// Takes the latest cut back if it was in vain. Returns whether it was.
    fn forgive(&mut self, before: &Before) -> bool {
        let proof = self.epoch_length().saturating_mul(PROOF);
        let end = self.last_cut.saturating_add(proof);
        let Some(part) = self.epochs.loss(self.last_cut, end) else {
            return false;
        };
        if part < self.tolerated * 0.75 {
            return false;
        }
        self.tolerated = (part * 1.5 + 0.05).min(MOST_TOLERATED).max(self.tolerated);
        self.size = before.size.min(self.ceiling).max(self.size);
        self.threshold = before.threshold;
        self.pace = before.pace;
        true
    }

    /// Slows down to what is answered.
    fn cut(&mut self, now: Duration) {
        self.before = Some(Before {
            size: self.size,
            threshold: self.threshold,
            pace: self.pace,
        });
        let pace = self.epochs.answer_rate(now).max(SLOWEST);
        // What is lost stays in the window for a timeout, twice that when tried again.
        let timeout = self.epoch_length().as_secs_f64() * 4.0;
        self.pace = Some(pace);
        self.size = (pace * timeout).max(FLOOR).min(self.size);
        self.threshold = self.size;
    }

    /// A probe met silence, which is no reason to stay slow.
    pub(super) fn silent(&mut self) {
        self.grow_by(0.5, BLIND_CEILING.min(self.ceiling));
    }

    /// A port that is known to answer did so in the midst of silence: the path is not overrun.
    pub(super) fn pulse(&mut self) {
        self.grow_by(self.size / 2.0, self.ceiling);
    }

    /// A port that is known to answer did not.
    pub(super) fn no_pulse(&mut self, sent: Duration, now: Duration) {
        if sent >= self.last_cut {
            self.size = (self.size * 0.7).max(FLOOR.min(self.ceiling));
            self.threshold = self.size;
            self.last_cut = now;
            self.before = None;
        }
    }

    /// Our own system ran short with this many probes open: stay below.
    pub(super) fn limit(&mut self, open: usize) {
        self.ceiling = float(open).max(1.0);
        self.size = self.size.min(self.ceiling);
        self.threshold = self.threshold.min(self.ceiling);
    }

    /// Room for one more probe may have come back.
    pub(super) fn relax(&mut self, most: usize) {
        self.ceiling = (self.ceiling + 1.0).min(float(most).max(1.0));
    }

    /// Grows, unless lately probes were too few to try the window that there is.
    fn grow_by(&mut self, step: f64, ceiling: f64) {
        if self.epochs.were_full() && self.size < ceiling {
            self.size = (self.size + step).min(ceiling);
        }
    }

    /// Between two probes: what the pace says, and a window in a round-trip, evenly, with room to
    /// grow, unless the path is shorter than timers are fine.
    fn interval(&self) -> Duration {
        let gain = if self.size < self.threshold {
            2.0
        } else {
            1.25
        };
        let smoothed = self.smoothed.filter(|rtt| *rtt > BURST);
        let spread = smoothed.map_or(0.0, |rtt| rtt.as_secs_f64() / (self.size * gain));
        let paced = self.pace.map_or(0.0, |pace| 1.0 / pace);
        let interval = Duration::try_from_secs_f64(spread.max(paced));
        interval.unwrap_or_default().max(self.least)
    }

    /// Opens a new epoch when it is time, and goes a little faster in it.
    fn turn(&mut self, now: Duration) {
        if self.epochs.turn(now, self.epoch_length()) {
            self.pace = self.pace.map(|pace| pace * EASE);
        }
    }

    /// A round-trip, unless that is very short.
    fn epoch_length(&self) -> Duration {
        self.smoothed.unwrap_or(SHORTEST).max(SHORTEST)
    }
}

/// A count as a float; beyond what u32 holds it makes no difference here.
fn float(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::{FLOOR, START, Window};
    use std::time::Duration;

    const RTT: Duration = Duration::from_millis(50);

    /// Sends as much as the window takes, all at `now`.
    fn fill(window: &mut Window, now: Duration) -> u32 {
        let before = window.under_way;
        while window.opens(false).is_some() {
            window.sent(now);
        }
        window.under_way - before
    }

    /// One round-trip in which everything that is sent is answered.
    fn round(window: &mut Window, now: Duration) -> u32 {
        let sent = fill(window, now);
        for _ in 0..sent {
            window.answered(now, now + RTT, Some(RTT));
            window.left();
        }
        sent
    }

    #[test]
    fn answers_double_the_window_up_to_its_ceiling() {
        let mut window = Window::new(3000, None);
        let rounds: Vec<u32> = (0..4).map(|n| round(&mut window, RTT * n)).collect();
        assert_eq!(rounds[0], 512);
        assert!(rounds[1] > 700 && rounds[2] > rounds[1], "{rounds:?}");
        for n in 4..12 {
            round(&mut window, RTT * n);
        }
        assert_eq!(fill(&mut window, RTT * 12), 3000);
    }

    #[test]
    fn a_few_losses_change_nothing() {
        let mut window = Window::new(10_000, None);
        let sent = round(&mut window, Duration::ZERO);
        let before = window.size;
        for _ in 0..sent / 20 {
            window.lost(Duration::ZERO, 1.0);
            window.adapt(RTT * 3);
        }
        assert!(window.size >= before);
    }

    #[test]
    fn many_losses_shrink_it_to_what_was_delivered_and_only_once() {
        let mut window = Window::new(10_000, None);
        let sent = fill(&mut window, Duration::ZERO);
        for _ in 0..sent / 4 {
            window.answered(Duration::ZERO, RTT, Some(RTT));
            window.left();
        }
        for _ in 0..sent / 2 {
            window.lost(Duration::ZERO, 1.0);
            window.adapt(RTT * 3);
        }
        assert!(window.size < START / 2.0, "{}", window.size);
        assert!(window.size > START / 10.0, "{}", window.size);
    }

    #[test]
    fn it_never_closes() {
        let mut window = Window::new(10_000, None);
        for n in 0..200 {
            let now = RTT * n;
            fill(&mut window, now);
            for _ in 0..100 {
                window.lost(now, 1.0);
                window.adapt(now);
            }
            window.no_pulse(now, now);
            while window.under_way > 0 {
                window.left();
            }
        }
        assert!(window.size >= FLOOR);
        window.limit(0);
        assert!(window.opens(false).is_some() && window.opens(true).is_some());
    }

    #[test]
    fn silence_and_a_pulse_open_it() {
        let mut window = Window::new(20_000, None);
        fill(&mut window, Duration::ZERO);
        window.pulse();
        assert!(window.size > START);
        for _ in 0..100_000 {
            window.silent();
            fill(&mut window, Duration::ZERO);
        }
        assert!(window.size < 20_000.0, "silence alone is no licence");
    }

    #[test]
    fn sending_is_spread_over_the_round_trip() {
        let mut window = Window::new(10_000, None);
        window.answered(Duration::ZERO, RTT, Some(RTT));
        let start = RTT * 2;
        for _ in 0..256 {
            window.sent(start);
        }
        let next = window.opens(false).expect("room");
        assert!(next > start + RTT / 8 && next < start + RTT, "{next:?}");
    }
}
