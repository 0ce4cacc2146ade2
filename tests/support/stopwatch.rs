//! How long something takes: on the wall, and by a clock that stands still while the machine does.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// How often a clock ticks.
const TICK: Duration = Duration::from_millis(5);

/// What a tick is later than this, its processor stood still or had other work.
const LONGEST_TICK: Duration = Duration::from_millis(20);

/// On so many processors there is a clock.
const MOST_CLOCKS: usize = 16;

/// What one processor was late.
#[derive(Default)]
struct Clock {
    ticks: AtomicU64,
    /// Microseconds, all in all.
    late: AtomicU64,
}

/// Runs from when it is made.
#[derive(Clone, Debug)]
pub(crate) struct Stopwatch {
    started: Instant,
    /// What each processor was late until then.
    late: Vec<u64>,
}

impl Stopwatch {
    /// Begins to count.
    pub(crate) fn start() -> Self {
        Self {
            started: Instant::now(),
            late: all_late(),
        }
    }

    /// For "at least so long".
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// For "no longer than": so long it takes by now, without what the machine stood still.
    pub(crate) fn awake(&self) -> Duration {
        let elapsed = self.started.elapsed();
        elapsed.saturating_sub(self.stood_still())
    }

    /// For how long the machine has stood still, or one of its processors.
    pub(crate) fn stood_still(&self) -> Duration {
        // Whoever stood still until now has not told it yet.
        for clock in clocks() {
            let told = clock.ticks.load(Ordering::Relaxed) + 2;
            while clock.ticks.load(Ordering::Relaxed) < told {
                thread::park_timeout(TICK);
            }
        }
        let pairs = all_late().into_iter().zip(&self.late);
        let late = pairs.map(|(now, before)| now.saturating_sub(*before));
        Duration::from_micros(late.max().unwrap_or(0))
    }
}

/// What each processor was late until now, in microseconds.
fn all_late() -> Vec<u64> {
    let clocks = clocks().iter();
    clocks
        .map(|clock| clock.late.load(Ordering::Relaxed))
        .collect()
}

/// A clock on each processor that we may use; they tick for as long as the tests run.
fn clocks() -> &'static [Clock] {
    static CLOCKS: OnceLock<Vec<Clock>> = OnceLock::new();
    CLOCKS.get_or_init(|| {
        let allowed = sched_getaffinity(None).expect("processors");
        let allowed = (0..CpuSet::MAX_CPU).filter(|number| allowed.is_set(*number));
        let allowed: Vec<_> = allowed.take(MOST_CLOCKS).collect();
        for (place, number) in allowed.iter().copied().enumerate() {
            thread::spawn(move || tick(place, number));
        }
        allowed.iter().map(|_| Clock::default()).collect()
    })
}

/// Lets the clock in this place tick on the processor of this number.
fn tick(place: usize, number: usize) {
    let mut only = CpuSet::new();
    only.set(number);
    // Where it may not stay it ticks wherever it is put.
    let _ = sched_setaffinity(None, &only);
    let clock = &clocks()[place];
    loop {
        let before = Instant::now();
        thread::park_timeout(TICK);
        let late = before.elapsed().saturating_sub(LONGEST_TICK);
        let late = u64::try_from(late.as_micros()).expect("a short time");
        clock.late.fetch_add(late, Ordering::Relaxed);
        clock.ticks.fetch_add(1, Ordering::Relaxed);
    }
}
