//! How many probes may be under way at once, and how close together they are sent.
//!
//! A window as TCP has one, with two differences. Silence says nothing, since most silent ports
//! are filtered: a loss is known only when a later try is answered. And a few losses do not shrink
//! the window, since many paths lose packets that nobody queued: it shrinks when a good part of
//! what was sent in one epoch was lost, and then to what the path did deliver.

use std::collections::VecDeque;
use std::time::Duration;

/// The window at the start: one burst that fits the queues of ordinary links.
const START: f64 = 512.0;
/// What the window never goes below.
const FLOOR: f64 = 8.0;
/// What the window grows to on silence alone.
const BLIND_CEILING: f64 = 8192.0;
/// The part of an epoch's answered probes that may have been lost before the window shrinks.
const TOLERATED: f64 = 0.12;
/// The fewest losses in an epoch that are more than chance.
const EVIDENCE: f64 = 24.0;
/// The shortest epoch.
const EPOCH: Duration = Duration::from_millis(50);
/// How many epochs are remembered: losses are known two or three timeouts late.
const EPOCHS: usize = 64;
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
    epochs: VecDeque<Epoch>,
    last_cut: Duration,
    next_send: Duration,
    smoothed: Option<Duration>,
}

/// What became of the probes sent in one stretch of time.
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

impl Window {
    /// A window that never holds more than `ceiling` probes.
    pub(super) fn new(ceiling: usize) -> Self {
        let ceiling = float(ceiling).max(1.0);
        Self {
            size: START.min(ceiling),
            threshold: f64::INFINITY,
            ceiling,
            under_way: 0,
            epochs: VecDeque::new(),
            last_cut: Duration::ZERO,
            next_send: Duration::ZERO,
            smoothed: None,
        }
    }

    /// When the next probe may be sent, if the window has room for it. A cautious one must leave
    /// half of the window free.
    pub(super) fn opens(&self, cautious: bool) -> Option<Duration> {
        let size = if cautious { self.size / 2.0 } else { self.size };
        let open = f64::from(self.under_way) < size.max(1.0);
        open.then_some(self.next_send)
    }

    /// A probe is sent.
    pub(super) fn sent(&mut self, now: Duration) {
        self.under_way = self.under_way.saturating_add(1);
        let earliest = now.saturating_sub(BURST);
        self.next_send = self.next_send.max(earliest).saturating_add(self.interval());
        self.turn(now);
        if let Some(epoch) = self.epochs.back_mut() {
            epoch.full |= f64::from(self.under_way) >= self.size;
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
        if let Some(epoch) = self.epochs.back_mut() {
            epoch.arrivals += 1.0;
        }
        if let Some(epoch) = self.epoch_of(sent) {
            epoch.good += 1.0;
        }
        let step = if self.size < self.threshold { 1.0 } else { 0.1 };
        self.grow_by(step, self.ceiling);
    }

    /// A probe sent at `sent` was lost, and stands for `weight` of its kind.
    pub(super) fn lost(&mut self, sent: Duration, now: Duration, weight: f64) {
        let last_cut = self.last_cut;
        let Some(epoch) = self.epoch_of(sent) else {
            return;
        };
        epoch.lost += weight;
        let part = epoch.lost / (epoch.lost + epoch.good);
        if epoch.from >= last_cut && epoch.lost >= EVIDENCE && part > TOLERATED {
            self.shrink(now);
        }
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
        }
    }

    /// Our own system ran short with this many probes open: stay below.
    pub(super) fn limit(&mut self, open: usize) {
        self.ceiling = float(open).max(1.0);
        self.size = self.size.min(self.ceiling);
        self.threshold = self.threshold.min(self.ceiling);
    }

    /// Room for a few more probes may have come back.
    pub(super) fn relax(&mut self, most: usize) {
        self.ceiling = (self.ceiling + 1.0).min(float(most).max(1.0));
    }

    /// To what the path delivered lately, and a quarter more.
    fn shrink(&mut self, now: Duration) {
        let smoothed = self.smoothed.unwrap_or(EPOCH).as_secs_f64();
        let delivered = self.delivery_rate(now) * smoothed * 1.25;
        self.size = delivered.max(FLOOR).min(self.size);
        self.threshold = self.size;
        self.last_cut = now;
    }

    /// The best rate of answers in any of the last epochs, per second.
    fn delivery_rate(&self, now: Duration) -> f64 {
        let mut end = now;
        let mut best = 0.0_f64;
        for epoch in self.epochs.iter().rev().take(8) {
            let length = end.saturating_sub(epoch.from).max(EPOCH / 2);
            best = best.max(epoch.arrivals / length.as_secs_f64());
            end = epoch.from;
        }
        best
    }

    /// Grows, unless lately probes were too few to try the window that there is.
    fn grow_by(&mut self, step: f64, ceiling: f64) {
        let tried = self.epochs.iter().rev().take(3).any(|epoch| epoch.full);
        if tried && self.size < ceiling {
            self.size = (self.size + step).min(ceiling);
        }
    }

    /// Between two probes: a window in a round-trip, evenly, with room to grow. None on a path
    /// that is shorter than timers are fine.
    fn interval(&self) -> Duration {
        let Some(smoothed) = self.smoothed.filter(|rtt| *rtt > BURST) else {
            return Duration::ZERO;
        };
        let gain = if self.size < self.threshold { 2.0 } else { 1.25 };
        let seconds = smoothed.as_secs_f64() / (self.size * gain);
        Duration::try_from_secs_f64(seconds).unwrap_or_default()
    }

    /// Opens a new epoch when the last one is old enough.
    fn turn(&mut self, now: Duration) {
        let length = self.smoothed.unwrap_or(EPOCH).max(EPOCH);
        let last = self.epochs.back().map(|epoch| epoch.from);
        if last.is_some_and(|from| now.saturating_sub(from) < length) {
            return;
        }
        if self.epochs.len() == EPOCHS {
            self.epochs.pop_front();
        }
        self.epochs.push_back(Epoch {
            from: now,
            arrivals: 0.0,
            good: 0.0,
            lost: 0.0,
            full: false,
        });
    }

    /// The epoch in which a probe was sent, if it is remembered.
    fn epoch_of(&mut self, sent: Duration) -> Option<&mut Epoch> {
        let mut epochs = self.epochs.iter_mut().rev();
        epochs.find(|epoch| epoch.from <= sent)
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
        let mut window = Window::new(3000);
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
        let mut window = Window::new(10_000);
        let sent = round(&mut window, Duration::ZERO);
        let before = window.size;
        for _ in 0..sent / 20 {
            window.lost(Duration::ZERO, RTT * 3, 1.0);
        }
        assert!(window.size >= before);
    }

    #[test]
    fn many_losses_shrink_it_to_what_was_delivered_and_only_once() {
        let mut window = Window::new(10_000);
        let sent = fill(&mut window, Duration::ZERO);
        for _ in 0..sent / 4 {
            window.answered(Duration::ZERO, RTT, Some(RTT));
            window.left();
        }
        for _ in 0..sent / 2 {
            window.lost(Duration::ZERO, RTT * 3, 1.0);
        }
        assert!(window.size < START / 2.0, "{}", window.size);
        assert!(window.size > START / 10.0, "{}", window.size);
    }

    #[test]
    fn it_never_closes() {
        let mut window = Window::new(10_000);
        for n in 0..200 {
            let now = RTT * n;
            fill(&mut window, now);
            for _ in 0..100 {
                window.lost(now, now, 1.0);
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
        let mut window = Window::new(20_000);
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
        let mut window = Window::new(10_000);
        window.answered(Duration::ZERO, RTT, Some(RTT));
        let start = RTT * 2;
        for _ in 0..256 {
            window.sent(start);
        }
        let next = window.opens(false).expect("room");
        assert!(next > start + RTT / 8 && next < start + RTT, "{next:?}");
    }
}
