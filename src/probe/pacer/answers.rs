//! What the pacer learns from outcomes.

use super::{Pacer, Phase};
use crate::probe::network::{Outcome, ProbeId, Sender};
use crate::probe::tasks::{Probe, Purpose, Task};
use crate::probe::verdict::{Finding, Shortage, Verdict};
use std::time::Duration;

/// What a closed port answers.
const REFUSED: Outcome = Outcome::Remote(libc::ECONNREFUSED);

/// An outcome and what it belongs to.
struct Case {
    probe: Probe,
    task: Task,
    outcome: Outcome,
    elapsed: Duration,
    now: Duration,
}

impl Pacer {
    /// A probe that was under way has an outcome.
    pub(super) fn settled(&mut self, id: ProbeId, outcome: Outcome, now: Duration) {
        let Some(probe) = self.tasks.close(id) else {
            return;
        };
        let Some(task) = self.tasks.get(probe.task).copied() else {
            return;
        };
        let Some(target) = self.plan.address(task.place) else {
            return;
        };
        let trying = task.phase == Phase::Trying;
        let current = trying && probe.number == task.tries;
        let case = Case {
            elapsed: now.saturating_sub(probe.sent),
            probe,
            task,
            outcome,
            now,
        };
        let verdict = Verdict::of(outcome, target.ip());
        if current || trying && matches!(verdict, Verdict::Port(_)) {
            self.window.left();
        }
        match verdict {
            Verdict::Port(finding) => self.answered(&case, finding),
            Verdict::Short(shortage, errno) if current => self.ran_short(&case, shortage, errno),
            Verdict::Short(..) => {}
        }
    }

    /// A port has an answer, which is final.
    fn answered(&mut self, case: &Case, finding: Finding) {
        self.drought.over();
        self.granted = self.granted.saturating_add(1).min(self.capacity);
        self.window.relax(self.capacity);
        if !case.outcome.is_local() {
            self.observe(case);
        }
        match case.task.purpose {
            Purpose::Report => {}
            Purpose::Pulse => {
                self.pulse.cancel();
                return self.forget(case.probe.task);
            }
            Purpose::Trial => {
                self.rations.tell(case.outcome.is_from_target(), case.now);
                return self.forget(case.probe.task);
            }
        }
        let rtt = Some(case.elapsed).filter(|_| !case.outcome.is_local() && !self.is_late(case));
        self.finish(case.probe.task, finding, rtt);
    }

    /// Learns from an answer of the network what the path is like.
    ///
    /// That an ICMP message was missing at first means nothing: routers and hosts ration them (Linux:
    /// one a second to each destination, `icmp_ratelimit`).
    fn observe(&mut self, case: &Case) {
        let (probe, task) = (&case.probe, &case.task);
        let is_rationed = matches!(case.outcome, Outcome::Icmp { .. });
        let is_late = !is_rationed && self.is_late(case);
        if case.outcome.is_from_target() {
            let needed = if is_rationed {
                1
            } else {
                probe.number.saturating_add(u8::from(is_late))
            };
            self.hosts.learn(task.place.host, needed, case.elapsed);
            self.feel_pulse(case, needed);
        }
        self.window
            .answered(probe.sent, case.now, self.hosts.smoothed());
        let weight = f64::from(task.weight);
        let is_again = probe.number > 1;
        let lost = match (is_late, is_again && probe.number == task.tries) {
            (true, _) => Some((probe.sent, 1.0)),
            (_, true) if !is_rationed => Some((task.previous, weight)),
            _ => None,
        };
        if let Some((sent, weight)) = lost {
            self.window.lost(sent, weight);
        }
        if task.purpose == Purpose::Report && case.outcome == REFUSED {
            let late = (is_late || is_again).then_some(lost.map_or(0.0, |(_, weight)| weight));
            self.rations.reset(task.place.host, late, case.now);
        }
        if !self.only_resets_are_missing() {
            self.window.adapt(case.now);
        }
    }

    /// Whether it may be the host that limits its resets, and not the path that loses them. Then
    /// nothing is gained by being slow until all ports were tried once, or ever.
    fn only_resets_are_missing(&self) -> bool {
        let all_the_way = self.queue.has_fresh() || self.limits.fast;
        self.rations.is_trying() || self.rations.explains_losses() && all_the_way
    }

    /// Whether it took the kernel's own second SYN to get this answer.
    fn is_late(&self, case: &Case) -> bool {
        let host = case.task.place.host;
        self.hosts.is_retransmission(host, case.elapsed)
    }

    /// A target has answered, so the path is alive.
    fn feel_pulse(&mut self, case: &Case, needed: u8) {
        let task = &case.task;
        let is_open = case.outcome == Outcome::Connected;
        match task.purpose {
            Purpose::Report => {
                self.pulse.answered(task.place, is_open);
                if is_open {
                    self.rations.open(task.place, needed);
                }
            }
            Purpose::Pulse => {
                self.pulse.beat();
                self.window.pulse();
            }
            Purpose::Trial => {}
        }
    }

    /// Our own system lacks what a try takes: the port is tried again, with fewer sockets open.
    fn ran_short(&mut self, case: &Case, shortage: Shortage, errno: i32) {
        let number = case.probe.task;
        self.sent = self.sent.saturating_sub(1);
        self.grant_less(shortage);
        match case.task.purpose {
            Purpose::Report => {}
            Purpose::Pulse => {
                self.pulse.cancel();
                return self.forget(number);
            }
            Purpose::Trial => {
                self.rations.cancel();
                return self.forget(number);
            }
        }
        let Some(task) = self.tasks.get_mut(number) else {
            return;
        };
        task.tries = task.tries.saturating_sub(1);
        task.shortages = task.shortages.saturating_add(1);
        task.phase = Phase::Ready;
        if self.drought.again(task.shortages, case.now) {
            self.queue.put_first(number);
        } else {
            self.finish(number, Finding::undetermined(shortage, errno), None);
        }
    }

    /// What is open now is as much as there is; of ports and memory even half of it may be too much.
    fn grant_less(&mut self, shortage: Shortage) {
        let open = self.tasks.sockets();
        match shortage {
            Shortage::Files => {
                self.granted = open.max(1);
                self.window.limit(open);
            }
            Shortage::LocalPorts | Shortage::Memory => self.window.limit(open / 2),
        }
    }
}

impl Outcome {
    /// Whether our own system says so, without having heard from anyone.
    const fn is_local(&self) -> bool {
        matches!(
            self,
            Self::Local(_)
                | Self::UnfitSource(_)
                | Self::NoNeighbour
                | Self::Icmp {
                    sender: Sender::Ourselves,
                    ..
                }
        )
    }

    /// Whether the target itself has answered, so that the time it took is its round-trip time.
    const fn is_from_target(&self) -> bool {
        matches!(
            self,
            Self::Connected
                | Self::SelfConnected
                | Self::Remote(libc::ECONNREFUSED | libc::ECONNRESET)
                | Self::Icmp {
                    sender: Sender::Target,
                    ..
                }
        )
    }
}
