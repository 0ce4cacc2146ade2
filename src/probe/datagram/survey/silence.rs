//! What the survey does when nobody answers.

use super::{CONFIRMATION, CROWD, Pacing, Survey, Task};
use crate::probe::network::ProbeId;
use crate::probe::pacer::Step;
use crate::probe::verdict::Finding;
use std::time::Duration;

impl Survey {
    /// A question was not answered in time.
    pub(super) fn silent(&mut self, number: usize, task: &Task) {
        self.leave(number);
        self.todo.push_back(Step::Abandon(ProbeId(number)));
        self.drought.over();
        self.window = (self.window + 0.5).min(self.capacity);
        let host = task.place.host;
        if let Some(interval) = task.paced {
            return match self.rations.was_silent(host, interval) {
                false => self.finish(number, Finding::NO_REPLY),
                true if self.pacing == Pacing::Over => self.finish(number, Finding::RATIONED),
                true => self.rations.park(host, number),
            };
        }
        if task.tries < self.tries(task) {
            return self.again.push_back(number);
        }
        let is_limited = self.limits.tries.is_some() || self.is_here;
        if is_limited || !self.rations.may_ration(host) {
            return self.finish(number, Finding::NO_REPLY);
        }
        if self.tasks.len() > CROWD {
            let finding = self.unconfirmed(host);
            return self.finish(number, finding);
        }
        self.rations.park(host, number);
    }

    /// What is said of a silent port that is not asked at its host's pace.
    fn unconfirmed(&self, host: u32) -> Finding {
        if self.rations.is_rationing(host) {
            Finding::RATIONED
        } else {
            Finding::NO_REPLY
        }
    }

    /// Every port was asked: those that are silent for want of ICMP messages remain. Returns whether
    /// that is news.
    pub(super) fn begin_pacing(&mut self, now: Duration) -> bool {
        if self.pacing != Pacing::Before {
            return false;
        }
        self.pacing =
            Pacing::Until(now.saturating_add(self.limits.patience.unwrap_or(CONFIRMATION)));
        for number in self.rations.silent_ones() {
            self.finish(number, Finding::NO_REPLY);
        }
        true
    }

    /// Stops asking at the hosts' pace when the time for it is over.
    pub(super) fn end_pacing(&mut self, now: Duration) {
        if !matches!(self.pacing, Pacing::Until(ends) if ends <= now) {
            return;
        }
        self.pacing = Pacing::Over;
        for number in self.rations.rest() {
            self.finish(number, Finding::RATIONED);
        }
    }
}
