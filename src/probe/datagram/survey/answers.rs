//! What the survey learns from outcomes.

use super::{Survey, Task};
use crate::probe::datagram::question::questions;
use crate::probe::network::{Outcome, ProbeId, Sender};
use crate::probe::verdict::{Finding, Shortage, Verdict};
use std::time::Duration;

impl Survey {
    /// A question that was under way has an outcome.
    pub(super) fn settled(&mut self, probe: ProbeId, outcome: Outcome, now: Duration) {
        let task = self.tasks.get(probe.0).copied();
        let Some(task) = task.filter(|task| task.is_asked) else {
            return;
        };
        let Some(target) = self.plan.address(task.place) else {
            return;
        };
        self.leave(probe.0);
        match Verdict::of_datagram(outcome, target.ip()) {
            Verdict::Port(finding) => {
                self.drought.over();
                let elapsed = now.saturating_sub(task.last);
                let rtt = self.learn(&task, outcome, elapsed).then_some(elapsed);
                let service = match outcome {
                    Outcome::Replied(name) => name,
                    _ => None,
                };
                self.report(probe.0, finding, rtt, service);
            }
            Verdict::Short(shortage, errno) => self.ran_short(probe.0, shortage, errno, now),
        }
    }

    /// Learns from an answer what host and path are like. Returns whether anybody else said it than
    /// our own system.
    fn learn(&mut self, task: &Task, outcome: Outcome, elapsed: Duration) -> bool {
        let host = task.place.host;
        match outcome {
            Outcome::Replied(_) => self.learn_from_reply(task),
            Outcome::Remote(libc::ECONNREFUSED) => self.rations.spoke(host, task.tries),
            Outcome::Icmp { sender, .. } if sender != Sender::Ourselves => {
                self.rations.spoke(host, task.tries);
            }
            _ => return false,
        }
        self.slowest = self.slowest.max(elapsed);
        self.window = (self.window + 1.0).min(self.capacity);
        if task.paced.is_some() {
            self.rations.kept_up(host);
        }
        true
    }

    /// A server that answers late to the same question was not heard at first: packets are lost.
    fn learn_from_reply(&mut self, task: &Task) {
        self.rations.alive(task.place.host);
        if questions(task.place.port) == 1 && task.paced.is_none() {
            self.best_try = self.best_try.max(task.tries);
        }
    }

    /// Our own system lacks what a question takes: it is asked again, with fewer at once.
    fn ran_short(&mut self, number: usize, shortage: Shortage, errno: i32, now: Duration) {
        self.sent = self.sent.saturating_sub(1);
        self.window = (f64::from(self.under_way) / 2.0).max(1.0);
        let Some(task) = self.tasks.get_mut(number) else {
            return;
        };
        task.tries = task.tries.saturating_sub(1);
        task.shortages = task.shortages.saturating_add(1);
        if self.drought.again(task.shortages, now) {
            self.again.push_front(number);
        } else {
            self.finish(number, Finding::undetermined(shortage, errno));
        }
    }
}
