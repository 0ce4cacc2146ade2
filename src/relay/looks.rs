//! Looking again and again at what nobody tells of.

use std::time::{Duration, Instant};

/// How often somebody who has ended is asked whether it is still there.
pub(crate) const PROBE_INTERVAL: Duration = Duration::from_secs(5);

/// How often is looked what has moved, at most.
const SHORTEST_LOOK: Duration = Duration::from_millis(5);

/// How long the pause between two looks is, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_micros(200);
const LONGEST_PAUSE: Duration = Duration::from_millis(20);

/// How often is looked what has moved, where so long a time without a move is a failure.
pub(crate) fn every(idle: Duration) -> Duration {
    (idle / 8).max(SHORTEST_LOOK)
}

/// How late anybody may be on a busy machine.
const LATE: Duration = Duration::from_millis(250);

/// Whether whoever was to look at that moment comes so late that there was hardly any time to be idle
/// in: it was stopped itself, or the machine was, and knows nothing of what would have come.
pub(crate) fn overslept(moment: Option<Instant>, idle: Option<Duration>) -> bool {
    let late = moment.map(|moment| moment.elapsed());
    matches!((late, idle), (Some(late), Some(idle)) if late >= (idle / 2).max(LATE))
}

/// The pauses between looks at a queue: short at first, for most are empty soon.
pub(crate) struct Looks(Duration);

impl Looks {
    /// Before the first pause.
    pub(crate) fn new() -> Self {
        Self(FIRST_PAUSE)
    }

    /// How long the next pause is to be.
    pub(crate) fn next_pause(&mut self) -> Duration {
        let pause = self.0;
        self.0 = pause.saturating_mul(2).min(LONGEST_PAUSE);
        pause
    }

    /// Waits until it is time for the next look.
    pub(crate) async fn pause(&mut self) {
        tokio::time::sleep(self.next_pause()).await;
    }
}
