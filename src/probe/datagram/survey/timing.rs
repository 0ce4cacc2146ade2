//! How long the survey waits, and how often it asks.

use super::{Survey, Task};
use crate::probe::datagram::question::questions;
use std::time::Duration;

/// How long an answer may take: a server may have to think, and SSDP may take a second (`MX`).
const TIMEOUT: Duration = Duration::from_millis(1100);
/// The same on this machine.
const TIMEOUT_HERE: Duration = Duration::from_millis(500);
/// The most that a long way adds.
const LONGEST: Duration = Duration::from_secs(5);
/// How long a host that never answered is waited for: neighbour discovery gives up after three
/// seconds (Linux: `mcast_solicit` times `retrans_time_ms`).
const PATIENCE: Duration = Duration::from_millis(3500);
/// The most tries of a port, however many others needed.
const MOST_TRIES: u8 = 6;
/// The least time between two questions, unless they are for this machine.
const INTERVAL: Duration = Duration::from_micros(100);

impl Survey {
    /// Between two questions.
    pub(super) fn interval(&self) -> Duration {
        let wanted = self
            .limits
            .rate
            .map(|rate| Duration::from_secs(1) / rate.get());
        let own = if self.is_here {
            Duration::ZERO
        } else {
            INTERVAL
        };
        wanted.unwrap_or(own)
    }

    /// How long the answer of a task may take, whose first question is `age` old.
    pub(super) fn timeout(&self, task: &Task, age: Duration) -> Duration {
        if let Some(most) = self.limits.try_timeout {
            return most;
        }
        if self.is_here {
            return TIMEOUT_HERE;
        }
        let usual = TIMEOUT.max(self.slowest.saturating_mul(3)).min(LONGEST);
        let is_last = task.tries.saturating_add(1) >= self.tries(task);
        if is_last && !self.rations.knows(task.place.host) {
            return usual.max(PATIENCE.saturating_sub(age));
        }
        usual
    }

    /// How often a silent port is asked: every question that there is for it, and once more than any
    /// answer has needed.
    pub(super) fn tries(&self, task: &Task) -> u8 {
        let needed = self
            .best_try
            .saturating_add(1)
            .max(questions(task.place.port));
        self.limits.tries.unwrap_or(needed.min(MOST_TRIES))
    }
}
