//! How long something takes: on the wall, and by a clock that stands still while the machine does.

use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How often the clock ticks.
const TICK: Duration = Duration::from_millis(5);

/// The most that one tick counts for: what a tick is later than this, the machine had other work.
const LONGEST_TICK: Duration = Duration::from_millis(20);

/// Microseconds that the machine was awake since the first stopwatch was started.
static AWAKE: AtomicU64 = AtomicU64::new(0);

/// Runs from when it is made.
#[derive(Clone, Copy)]
pub(crate) struct Stopwatch {
    started: Instant,
    awake: u64,
}

impl Stopwatch {
    /// Begins to count.
    pub(crate) fn start() -> Self {
        static CLOCK: Once = Once::new();
        CLOCK.call_once(|| drop(thread::spawn(tick)));
        Self {
            started: Instant::now(),
            awake: AWAKE.load(Ordering::Relaxed),
        }
    }

    /// For "at least so long".
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// For "no longer than": what the machine was late is not counted.
    pub(crate) fn awake(&self) -> Duration {
        let passed = AWAKE.load(Ordering::Relaxed).saturating_sub(self.awake);
        Duration::from_micros(passed)
    }
}

/// Counts for as long as the tests run.
fn tick() {
    loop {
        let before = Instant::now();
        thread::park_timeout(TICK);
        let passed = before.elapsed().min(LONGEST_TICK);
        let passed = u64::try_from(passed.as_micros()).expect("a short tick");
        AWAKE.fetch_add(passed, Ordering::Relaxed);
    }
}
