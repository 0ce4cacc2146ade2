//! What the pacer makes of silence.

use super::{Pacer, Phase, Step};
use crate::probe::hosts::AMBIGUOUS;
use crate::probe::tasks::{Purpose, Task};
use crate::probe::verdict::Finding;
use std::time::Duration;

/// How long a host that never answered is waited for, from a port's first try: neighbour discovery
/// gives up on it after three seconds (Linux: `mcast_solicit` times `retrans_time_ms`).
const PATIENCE: Duration = Duration::from_millis(3500);
/// The least time between a port's first try and its third: an outage may last this long.
const SPREAD: Duration = Duration::from_secs(1);
/// From which try on a port waits for its turn at a host that limits its resets.
const STUBBORN: u8 = 12;

impl Pacer {
    /// The current try of a task was not answered in time.
    pub(super) fn silent(&mut self, number: usize, task: Task, now: Duration) {
        self.window.left();
        match task.purpose {
            Purpose::Report => {}
            Purpose::Pulse => {
                if self.pulse.miss() {
                    self.window.no_pulse(task.last, now);
                }
                return self.forget(number);
            }
            Purpose::Trial => {
                self.rations.tell(false, now);
                return self.forget(number);
            }
        }
        self.drought.over();
        self.window.silent();
        self.pulse.silent();
        if let Some(finding) = self.hosts.missing(task.place.host) {
            return self.finish(number, finding, None);
        }
        self.tasks.keep(number);
        let next = self.next_time(&task, now);
        match next {
            (Phase::Patient, due) if due <= now => {
                self.finish(number, self.called(task.place.host), None);
            }
            (Phase::Resting, due) if due <= now => self.again(number),
            (phase, due) => self.rest_until(number, phase, due),
        }
    }

    /// Whether a silent task is tried again or waited for, and until when it rests.
    fn next_time(&mut self, task: &Task, now: Duration) -> (Phase, Duration) {
        let host = task.place.host;
        let known = self.hosts.knows(host);
        let tries = match self.limits.tries {
            Some(tries) => tries,
            None if self.is_left(host) => self.rations.tries(host),
            None => self.hosts.tries(host),
        };
        if task.tries >= tries {
            let patient = !known && self.limits.try_timeout.is_none();
            let due = if patient {
                task.first.saturating_add(PATIENCE)
            } else {
                now
            };
            return (Phase::Patient, due);
        }
        let due = if known && task.tries >= 2 {
            task.first.saturating_add(SPREAD)
        } else {
            now
        };
        (Phase::Resting, due.max(self.turn(task, now)))
    }

    /// When a port is asked again that a host with few resets has left unanswered again and again:
    /// in its turn, so that about as many are asked as can be answered.
    fn turn(&mut self, task: &Task, now: Duration) -> Duration {
        if task.tries < STUBBORN {
            return now;
        }
        self.rations.turn(task.place.host, now)
    }

    /// Whether closed ports of the host may stay unknown.
    fn is_left(&self, host: u32) -> bool {
        self.limits.fast && self.rations.is_limited(host)
    }

    /// What a port is called that was silent to the end.
    fn called(&self, host: u32) -> Finding {
        if self.is_left(host) {
            Finding::LEFT
        } else {
            Finding::SILENCE
        }
    }

    /// Queues a silent task.
    pub(super) fn again(&mut self, number: usize) {
        let Some(task) = self.tasks.get_mut(number) else {
            return;
        };
        task.phase = Phase::Ready;
        task.weight = self.queue.put_again(number, task.tries);
    }

    /// Closes the oldest silent socket when no answer can be told from a retransmission's any more,
    /// and before a host that may be slow has had its time. Returns whether there was one.
    pub(super) fn let_go(&mut self, now: Duration) -> bool {
        let Some((sent, place)) = self.tasks.oldest_kept() else {
            return false;
        };
        let near = self.hosts.knows(place.host) && self.hosts.timeout(place.host, 1) < AMBIGUOUS;
        let keep = if near { AMBIGUOUS } else { PATIENCE };
        if sent.saturating_add(keep) > now {
            return false;
        }
        if let Some(probe) = self.tasks.give_up() {
            self.todo.push_back(Step::Abandon(probe));
        }
        true
    }
}
