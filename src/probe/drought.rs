//! What to do while our own system lacks files, ports or memory.

use std::time::Duration;

/// The first pause; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_millis(200);
/// How often one port may meet a shortage: with the pauses between, for two seconds.
const PATIENCE: u8 = 14;

/// Pauses between attempts that our own system refuses.
#[derive(Debug, Default)]
pub(super) struct Drought {
    until: Duration,
    pause: Duration,
    hopeless: bool,
}

impl Drought {
    /// When to go on.
    pub(super) const fn until(&self) -> Duration {
        self.until
    }

    /// A port met its `count`th shortage. Returns whether to try it again, after a pause. Once a
    /// port was given up, the others get one attempt each until one goes well.
    pub(super) fn again(&mut self, count: u8, now: Duration) -> bool {
        self.hopeless |= count >= PATIENCE;
        if self.hopeless {
            return false;
        }
        self.pause = (self.pause.saturating_mul(2)).clamp(FIRST_PAUSE, LONGEST_PAUSE);
        self.until = now.saturating_add(self.pause);
        true
    }

    /// An attempt went well.
    pub(super) const fn over(&mut self) {
        self.pause = Duration::ZERO;
        self.hopeless = false;
    }
}

#[cfg(test)]
mod tests {
    use super::{Drought, PATIENCE};
    use std::time::Duration;

    #[test]
    fn pauses_grow_and_end() {
        let mut drought = Drought::default();
        let mut now = Duration::ZERO;
        for count in 1..PATIENCE {
            assert!(drought.again(count, now));
            assert!(drought.until() > now);
            now = drought.until();
        }
        assert!(
            now > Duration::from_secs(1) && now < Duration::from_secs(3),
            "{now:?}"
        );
        assert!(!drought.again(PATIENCE, now));
        assert!(!drought.again(1, now), "the next port is not waited for");
        drought.over();
        assert!(drought.again(1, now));
    }
}
