//! The ports that are being probed, and the sockets that belong to each.

use super::network::ProbeId;
use super::plan::Place;
use super::slab::Slab;
use std::collections::VecDeque;
use std::time::Duration;

/// A port that is being probed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Task {
    /// Which port.
    pub(super) place: Place,
    /// Its number in the plan.
    pub(super) number: u64,
    /// What it is asked for.
    pub(super) purpose: Purpose,
    /// Where it stands.
    pub(super) phase: Phase,
    /// How often it was tried.
    pub(super) tries: u8,
    /// How often our own system refused to try.
    pub(super) shortages: u8,
    /// How many losses it stands for when a later try is answered.
    pub(super) weight: u8,
    /// When its first try was sent.
    pub(super) first: Duration,
    /// When its last try but one was sent.
    pub(super) previous: Duration,
    /// When its last try was sent.
    pub(super) last: Duration,
    /// When the phase ends by itself.
    pub(super) due: Duration,
    /// Its newest socket; the others hang from it.
    newest: Option<usize>,
}

/// What a port is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Purpose {
    /// To be reported.
    Report,
    /// To see whether the path still carries answers.
    Pulse,
    /// To see whether its host answers while resets are missing.
    Trial,
}

/// Where a task stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Phase {
    /// In the queue, or about to be.
    Ready,
    /// Its newest try is under way.
    Trying,
    /// Silent, and not to be tried again yet.
    Resting,
    /// Silent after its last try; a late answer would still count.
    Patient,
}

/// One socket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Probe {
    /// The port it asks.
    pub(super) task: usize,
    /// Which try of that port it is.
    pub(super) number: u8,
    /// When it was sent.
    pub(super) sent: Duration,
    older: Option<usize>,
}

impl Task {
    /// A port that was not tried yet.
    pub(super) const fn new(place: Place, purpose: Purpose) -> Self {
        Self {
            place,
            number: 0,
            purpose,
            phase: Phase::Ready,
            tries: 0,
            shortages: 0,
            weight: 0,
            first: Duration::ZERO,
            previous: Duration::ZERO,
            last: Duration::ZERO,
            due: Duration::ZERO,
            newest: None,
        }
    }

    /// The same with its number in the plan.
    pub(super) const fn numbered(self, number: u64) -> Self {
        Self { number, ..self }
    }
}

/// All tasks and all sockets.
#[derive(Debug)]
pub(super) struct Tasks {
    all: Slab<Task>,
    probes: Slab<Probe>,
    /// Silent sockets that are kept for late answers, by the time they were sent.
    kept: VecDeque<(Duration, usize)>,
}

impl Tasks {
    /// No task.
    pub(super) const fn new() -> Self {
        Self {
            all: Slab::new(),
            probes: Slab::new(),
            kept: VecDeque::new(),
        }
    }

    /// Whether no port is being probed.
    pub(super) fn is_empty(&self) -> bool {
        self.all.len() == 0
    }

    /// How many sockets are open.
    pub(super) fn sockets(&self) -> usize {
        self.probes.len()
    }

    /// Adds a task and returns its number.
    pub(super) fn add(&mut self, task: Task) -> usize {
        self.all.insert(task)
    }

    /// A task by its number.
    pub(super) fn get(&self, task: usize) -> Option<&Task> {
        self.all.get(task)
    }

    /// A task by its number, to be changed.
    pub(super) fn get_mut(&mut self, task: usize) -> Option<&mut Task> {
        self.all.get_mut(task)
    }

    /// Every task has so much more time.
    pub(super) fn postpone(&mut self, time: Duration) {
        for task in self.all.values_mut() {
            task.first = task.first.saturating_add(time);
            task.due = task.due.saturating_add(time);
        }
    }

    /// Opens the next socket of a task.
    pub(super) fn open(&mut self, number: usize, now: Duration) -> Option<ProbeId> {
        let task = self.all.get_mut(number)?;
        task.tries = task.tries.saturating_add(1);
        task.phase = Phase::Trying;
        task.previous = task.last;
        task.last = now;
        if task.tries == 1 {
            task.first = now;
        }
        let probe = self.probes.insert(Probe {
            task: number,
            number: task.tries,
            sent: now,
            older: task.newest,
        });
        task.newest = Some(probe);
        Some(ProbeId(probe))
    }

    /// Forgets a socket that the network has closed.
    pub(super) fn close(&mut self, probe: ProbeId) -> Option<Probe> {
        let closed = self.probes.remove(probe.0)?;
        let task = self.all.get_mut(closed.task)?;
        if task.newest == Some(probe.0) {
            task.newest = closed.older;
            return Some(closed);
        }
        let mut link = task.newest;
        while let Some(newer) = link.and_then(|newer| self.probes.get_mut(newer)) {
            if newer.older == Some(probe.0) {
                newer.older = closed.older;
                break;
            }
            link = newer.older;
        }
        Some(closed)
    }

    /// Removes a task; its sockets, which are to be closed, are given to `closing`.
    pub(super) fn finish(&mut self, task: usize, mut closing: impl FnMut(ProbeId)) -> Option<Task> {
        let task = self.all.remove(task)?;
        let mut link = task.newest;
        while let Some(probe) = link {
            link = self.probes.remove(probe).and_then(|probe| probe.older);
            closing(ProbeId(probe));
        }
        Some(task)
    }

    /// Keeps the newest socket of a task, which met silence, for a late answer.
    pub(super) fn keep(&mut self, task: usize) {
        let Some(probe) = self.all.get(task).and_then(|task| task.newest) else {
            return;
        };
        if let Some(sent) = self.probes.get(probe).map(|probe| probe.sent) {
            self.kept.push_back((sent, probe));
        }
    }

    /// The oldest kept socket: when it was sent, and for which port.
    pub(super) fn oldest_kept(&mut self) -> Option<(Duration, Place)> {
        while let Some((sent, probe)) = self.kept.front().copied() {
            // An answered socket's number may belong to another one by now.
            let probe = self.probes.get(probe).filter(|probe| probe.sent == sent);
            if let Some(task) = probe.and_then(|probe| self.all.get(probe.task)) {
                return Some((sent, task.place));
            }
            self.kept.pop_front();
        }
        None
    }

    /// Gives up the oldest kept socket.
    pub(super) fn give_up(&mut self) -> Option<ProbeId> {
        self.oldest_kept()?;
        let (_, probe) = self.kept.pop_front()?;
        self.close(ProbeId(probe))?;
        Some(ProbeId(probe))
    }
}

#[cfg(test)]
mod tests {
    use super::{Purpose, Task, Tasks};
    use crate::probe::network::ProbeId;
    use crate::probe::plan::Place;
    use std::time::Duration;

    const PLACE: Place = Place { host: 0, port: 80 };

    fn closed_with(tasks: &mut Tasks, task: usize) -> Vec<usize> {
        let mut closed = Vec::new();
        tasks
            .finish(task, |probe| closed.push(probe.0))
            .expect("a task");
        closed
    }

    #[test]
    fn a_task_takes_its_sockets_with_it() {
        let mut tasks = Tasks::new();
        let task = tasks.add(Task::new(PLACE, Purpose::Report));
        for n in 1..=3 {
            tasks.open(task, Duration::from_secs(n));
        }
        assert_eq!(
            (tasks.sockets(), tasks.get(task).map(|task| task.tries)),
            (3, Some(3))
        );
        assert_eq!(closed_with(&mut tasks, task), [2, 1, 0]);
        assert!(tasks.is_empty() && tasks.sockets() == 0);
    }

    #[test]
    fn a_socket_leaves_its_chain_wherever_it_stands() {
        for gone in 0..3 {
            let mut tasks = Tasks::new();
            let task = tasks.add(Task::new(PLACE, Purpose::Report));
            for n in 1..=3 {
                tasks.open(task, Duration::from_secs(n));
            }
            assert!(tasks.close(ProbeId(gone)).is_some());
            assert!(tasks.close(ProbeId(gone)).is_none());
            let other = tasks.add(Task::new(PLACE, Purpose::Report));
            assert_eq!(
                tasks.open(other, Duration::from_secs(9)),
                Some(ProbeId(gone))
            );
            let rest: Vec<usize> = (0..3).rev().filter(|n| *n != gone).collect();
            assert_eq!(closed_with(&mut tasks, task), rest);
            assert_eq!(closed_with(&mut tasks, other), [gone]);
        }
    }

    #[test]
    fn kept_sockets_are_given_up_from_the_oldest() {
        let mut tasks = Tasks::new();
        let task = tasks.add(Task::new(PLACE, Purpose::Report));
        let first = tasks.open(task, Duration::from_secs(1));
        tasks.keep(task);
        let second = tasks.open(task, Duration::from_secs(2));
        tasks.keep(task);
        assert_eq!(tasks.oldest_kept(), Some((Duration::from_secs(1), PLACE)));
        assert_eq!(tasks.give_up(), first);
        assert_eq!(tasks.give_up(), second);
        assert_eq!(tasks.give_up(), None);
    }
}
