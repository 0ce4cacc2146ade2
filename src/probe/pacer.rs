//! When to try which port, and when to believe silence. Pure: it knows no socket and no clock.
//!
//! An answer of any kind is final. Only silence is asked again, on a fresh socket (another source
//! port may take another path), while the old socket stays open for a late answer. What our own
//! system cannot do is tried again, slower, and never becomes a state.

mod answers;
mod schedule;
mod silence;

use super::drought::Drought;
use super::hosts::Hosts;
use super::network::{Outcome, ProbeId};
use super::plan::{Place, Plan};
use super::pulse::Pulse;
use super::queue::{Next, Queue};
use super::ration::Rations;
use super::standstill::postpone;
use super::tasks::{Phase, Purpose, Task, Tasks};
use super::verdict::Finding;
use super::window::Window;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::num::NonZero;
use std::time::Duration;

pub use schedule::Limits;
pub(super) use schedule::{Found, Schedule, Step};

/// How many probes are started before answers are looked at.
const BURST: u32 = 128;

/// The state of a scan.
#[derive(Debug)]
pub struct Pacer {
    plan: Plan,
    limits: Limits,
    /// The most sockets at once, and how many of them our own system grants for now.
    capacity: usize,
    granted: usize,
    queue: Queue,
    tasks: Tasks,
    /// When which task is due; entries whose task is not due then are stale.
    timers: BinaryHeap<Reverse<(Duration, usize)>>,
    todo: VecDeque<Step>,
    hosts: Hosts,
    window: Window,
    drought: Drought,
    pulse: Pulse,
    rations: Rations,
    burst: u32,
    sent: u64,
}

impl Schedule for Pacer {
    fn plan(&self) -> &Plan {
        &self.plan
    }

    fn deadline(&self) -> Option<Duration> {
        self.limits.deadline
    }

    fn sent(&self) -> u64 {
        self.sent
    }

    fn step(&mut self, now: Duration, looked: Duration) -> Step {
        self.next_step(now, looked)
    }

    fn postpone(&mut self, time: Duration) {
        self.tasks.postpone(time);
        postpone(&mut self.timers, time);
    }

    fn settle(&mut self, probe: ProbeId, outcome: Outcome, now: Duration) {
        self.settled(probe, outcome, now);
    }

    fn miss(&mut self, host: u32, finding: Finding) {
        self.hosts.miss(host, finding);
    }
}

impl Pacer {
    /// A scan of `plan` with at most `capacity` sockets at once.
    #[must_use]
    pub fn new(plan: Plan, limits: Limits, capacity: usize) -> Self {
        let most = limits.concurrency.map_or(usize::MAX, NonZero::get);
        let capacity = capacity.clamp(1, most);
        Self {
            queue: Queue::new(plan.len()),
            plan,
            limits,
            capacity,
            granted: capacity,
            tasks: Tasks::new(),
            timers: BinaryHeap::new(),
            todo: VecDeque::new(),
            hosts: Hosts::default(),
            window: Window::new(capacity, limits.rate),
            drought: Drought::default(),
            pulse: Pulse::default(),
            rations: Rations::default(),
            burst: BURST,
            sent: 0,
        }
    }

    /// These hosts are known to answer, after so long.
    pub(super) fn know(&mut self, hosts: impl IntoIterator<Item = (u32, Duration)>) {
        for (host, rtt) in hosts {
            self.hosts.learn(host, 1, rtt);
        }
    }

    /// The hosts that limit their resets, with the most resets a second.
    pub(super) fn limited(&self) -> impl Iterator<Item = (u32, f64)> {
        self.rations.limited()
    }

    /// What to do now.
    fn next_step(&mut self, now: Duration, looked: Duration) -> Step {
        loop {
            if let Some(step) = self.todo.pop_front() {
                return step;
            }
            if self.expire(now, looked) || self.let_go(looked) {
                continue;
            }
            if self.queue.is_empty() && self.tasks.is_empty() {
                return Step::Done;
            }
            match self.opening() {
                Some(when) if when <= now && self.burst > 0 => self.send(now),
                when => return self.pause(when, now),
            }
        }
    }

    /// When something may be sent, if anything waits and the window has room.
    fn opening(&self) -> Option<Duration> {
        if self.queue.is_empty() {
            return None;
        }
        let careful = self.queue.is_last_sweep() && !self.rations.explains_losses();
        Some(self.window.opens(careful)?.max(self.drought.until()))
    }

    /// Looks at answers before going on, or waits for them.
    fn pause(&mut self, opening: Option<Duration>, now: Duration) -> Step {
        self.burst = BURST;
        let timer = self.timers.peek().map(|Reverse((due, _))| *due);
        let until = [timer, opening].into_iter().flatten().min();
        Step::Wait(until.unwrap_or(now).max(now))
    }

    /// Sends what comes next.
    fn send(&mut self, now: Duration) {
        if let Some((place, purpose)) = self.question() {
            let task = self.tasks.add(Task::new(place, purpose));
            return self.launch(task, now);
        }
        match self.queue.take() {
            Some(Next::Fresh(index)) => {
                if let Some(place) = self.plan.place(index) {
                    let task = Task::new(place, Purpose::Report).numbered(index);
                    let task = self.tasks.add(task);
                    match self.hosts.missing(place.host) {
                        Some(finding) => self.finish(task, finding, None),
                        None => self.launch(task, now),
                    }
                }
            }
            Some(Next::Again(task)) => {
                let task = Some(task).filter(|task| self.phase(*task) == Some(Phase::Ready));
                if let Some(task) = task {
                    self.launch(task, now);
                }
            }
            None => {}
        }
    }

    /// A port that is asked again for what it tells about the path.
    fn question(&mut self) -> Option<(Place, Purpose)> {
        let trial = self.rations.ask().map(|place| (place, Purpose::Trial));
        trial.or_else(|| self.pulse.ask().map(|place| (place, Purpose::Pulse)))
    }

    /// Where a task stands, if it is still there.
    fn phase(&self, task: usize) -> Option<Phase> {
        self.tasks.get(task).map(|task| task.phase)
    }

    /// Opens the next socket of a task, in place of an old one if there is no room.
    fn launch(&mut self, number: usize, now: Duration) {
        if self.tasks.sockets() >= self.granted
            && let Some(old) = self.tasks.give_up()
        {
            self.todo.push_back(Step::Abandon(old));
        }
        let Some(probe) = self.tasks.open(number, now) else {
            return;
        };
        let Some(task) = self.tasks.get(number).copied() else {
            return;
        };
        self.burst = self.burst.saturating_sub(1);
        self.window.sent(now);
        self.sent = self.sent.saturating_add(1);
        self.rest_until(
            number,
            Phase::Trying,
            now.saturating_add(self.timeout(&task)),
        );
        if let Some(address) = self.plan.address(task.place) {
            self.todo.push_back(Step::Start(probe, address, task.tries));
        }
    }

    /// How long the current try of a task may take.
    fn timeout(&self, task: &Task) -> Duration {
        let host = task.place.host;
        if task.purpose == Purpose::Trial {
            // Late is not lost: a busy path would be taken for a lossy one.
            return self.hosts.timeout(host, 1).saturating_mul(3);
        }
        match self.limits.try_timeout {
            Some(most) if self.hosts.knows(host) => most.min(self.hosts.timeout(host, task.tries)),
            Some(most) => most,
            None => self.hosts.timeout(host, task.tries),
        }
    }

    /// Enters a phase that ends by itself.
    fn rest_until(&mut self, number: usize, phase: Phase, due: Duration) {
        if let Some(task) = self.tasks.get_mut(number) {
            task.phase = phase;
            task.due = due;
            self.timers.push(Reverse((due, number)));
        }
    }

    /// Handles one timer that was due at the last look. Returns whether there was one.
    fn expire(&mut self, now: Duration, looked: Duration) -> bool {
        let Some(Reverse((due, number))) = self.timers.peek().copied() else {
            return false;
        };
        if due > looked {
            return false;
        }
        self.timers.pop();
        let Some(task) = self.tasks.get(number).copied() else {
            return true;
        };
        match task.phase {
            _ if task.due != due => {}
            Phase::Ready => {}
            Phase::Trying => self.silent(number, task, now),
            Phase::Resting => self.again(number),
            Phase::Patient => {
                let missing = self.hosts.missing(task.place.host);
                self.finish(number, missing.unwrap_or(Finding::SILENCE), None);
            }
        }
        true
    }

    /// Reports a task and closes its sockets.
    fn finish(&mut self, number: usize, finding: Finding, rtt: Option<Duration>) {
        let todo = &mut self.todo;
        let closing = |probe| todo.push_back(Step::Abandon(probe));
        if let Some(task) = self.tasks.finish(number, closing) {
            self.todo.push_back(Step::Found(Found {
                place: task.place,
                number: task.number,
                finding,
                rtt,
                tries: task.tries,
                service: None,
            }));
        }
    }

    /// Drops a task that nobody asked for.
    fn forget(&mut self, number: usize) {
        let todo = &mut self.todo;
        self.tasks
            .finish(number, |probe| todo.push_back(Step::Abandon(probe)));
    }
}
