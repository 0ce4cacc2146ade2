//! When to ask which UDP port, and what to make of silence. Pure: it knows no socket and no clock.
//!
//! First every port is asked, and the silent ones once more: that finds whoever answers. Then hosts
//! that ration their ICMP messages are asked about their silent ports at their own pace, each at the
//! same time, and for a limited time: all ports of a Linux host would take 18 hours.

mod answers;
mod silence;
mod timing;

use super::rations::{Paced, Rations};
use crate::probe::drought::Drought;
use crate::probe::network::{Outcome, ProbeId};
use crate::probe::pacer::{Found, Limits, Schedule, Step};
use crate::probe::plan::{Place, Plan};
use crate::probe::slab::Slab;
use crate::probe::standstill::postpone;
use crate::probe::verdict::Finding;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::num::NonZero;
use std::time::Duration;

/// How long hosts that ration their ICMP messages are asked at their pace, unless the user says.
const CONFIRMATION: Duration = Duration::from_secs(30);
/// How many questions are under way at once, at first and at most.
const WINDOW: (f64, f64) = (512.0, 4096.0);
/// How far sending may lag behind and catch up; timers are no finer than this.
const LAG: Duration = Duration::from_millis(2);
/// How many silent ports may wait at once: memory has an end.
const CROWD: usize = 200_000;
/// How many questions are sent before answers are looked at.
const BURST: u32 = 64;

/// A port that is being asked.
#[derive(Clone, Copy, Debug)]
struct Task {
    place: Place,
    /// Its number in the plan.
    number: u64,
    /// Whether a question is under way.
    is_asked: bool,
    tries: u8,
    shortages: u8,
    /// When it was asked first, and last.
    first: Duration,
    last: Duration,
    /// Until when the answer may come.
    due: Duration,
    /// The interval of its host, if it is asked at that pace.
    paced: Option<Duration>,
}

/// Whether hosts are asked at their own pace.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Pacing {
    /// Not yet.
    Before,
    /// Until then.
    Until(Duration),
    /// No more.
    Over,
}

/// The state of a survey.
#[derive(Debug)]
pub(in crate::probe) struct Survey {
    plan: Plan,
    limits: Limits,
    /// Whether this machine is asked, which rations nothing (Linux: `icmpv4_xrlim_allow`).
    is_here: bool,
    capacity: f64,
    window: f64,
    under_way: u32,
    fresh: u64,
    again: VecDeque<usize>,
    tasks: Slab<Task>,
    timers: BinaryHeap<Reverse<(Duration, usize)>>,
    todo: VecDeque<Step>,
    rations: Rations,
    pacing: Pacing,
    drought: Drought,
    next_send: Duration,
    burst: u32,
    /// The longest that an answer has taken, and the most tries that one has needed.
    slowest: Duration,
    best_try: u8,
    sent: u64,
}

impl Survey {
    /// A survey of `plan` with at most `capacity` questions at once.
    pub(in crate::probe) fn new(
        plan: Plan,
        limits: Limits,
        capacity: usize,
        is_here: bool,
    ) -> Self {
        let most = limits.concurrency.map_or(usize::MAX, NonZero::get);
        let capacity = u32::try_from(capacity.clamp(1, most)).unwrap_or(u32::MAX);
        let capacity = f64::from(capacity).min(WINDOW.1);
        Self {
            plan,
            limits,
            is_here,
            capacity,
            window: WINDOW.0.min(capacity),
            under_way: 0,
            fresh: 0,
            again: VecDeque::new(),
            tasks: Slab::new(),
            timers: BinaryHeap::new(),
            todo: VecDeque::new(),
            rations: Rations::default(),
            pacing: Pacing::Before,
            drought: Drought::default(),
            next_send: Duration::ZERO,
            burst: BURST,
            slowest: Duration::ZERO,
            best_try: 1,
            sent: 0,
        }
    }

    /// Does what is due, until there is something to do outside.
    fn next_step(&mut self, now: Duration, looked: Duration) -> Step {
        loop {
            if let Some(step) = self.todo.pop_front() {
                return step;
            }
            if self.expire(looked) {
                continue;
            }
            let opening = self.opening();
            if opening.is_some_and(|when| when <= now) && self.burst > 0 {
                self.send(now);
                continue;
            }
            if opening.is_none() && self.under_way == 0 && self.begin_pacing(now) {
                continue;
            }
            if self.tasks.len() == 0 && self.fresh >= self.plan.len() {
                return Step::Done;
            }
            return self.pause(opening, now);
        }
    }

    /// Looks at answers before going on, or waits for them.
    fn pause(&mut self, opening: Option<Duration>, now: Duration) -> Step {
        self.burst = BURST;
        let timer = self.timers.peek().map(|Reverse((due, _))| *due);
        let ends = match self.pacing {
            Pacing::Until(ends) => Some(ends),
            Pacing::Before | Pacing::Over => None,
        };
        let until = [timer, opening, ends].into_iter().flatten().min();
        Step::Wait(until.unwrap_or(now).max(now))
    }

    /// When the next question may be sent, if there is one and room for it.
    fn opening(&self) -> Option<Duration> {
        let room = f64::from(self.under_way) < self.window;
        let has_fresh = self.fresh < self.plan.len();
        let sweep = (room && (has_fresh || !self.again.is_empty())).then_some(self.next_send);
        let is_pacing = matches!(self.pacing, Pacing::Until(_));
        let paced = self.rations.due().filter(|_| is_pacing && room);
        let paced = paced.map(|due| due.max(self.next_send));
        let next = [sweep, paced].into_iter().flatten().min()?;
        Some(next.max(self.drought.until()))
    }

    /// Sends what comes next.
    fn send(&mut self, now: Duration) {
        let number = if let Some(number) = self.again.pop_front() {
            number
        } else if self.fresh < self.plan.len() {
            let index = self.fresh;
            self.fresh = self.fresh.saturating_add(1);
            let Some(place) = self.plan.place(index) else {
                return;
            };
            self.tasks.insert(Task::new(place, index))
        } else if let Some(Paced { task, interval }) = self.rations.take(now) {
            if let Some(task) = self.tasks.get_mut(task) {
                task.paced = Some(interval);
            }
            task
        } else {
            return;
        };
        self.launch(number, now);
    }

    /// Asks a port.
    fn launch(&mut self, number: usize, now: Duration) {
        let Some(task) = self.tasks.get(number).copied() else {
            return;
        };
        let Some(address) = self.plan.address(task.place) else {
            return;
        };
        let tries = task.tries.saturating_add(1);
        let first = if task.tries == 0 { now } else { task.first };
        let due = now.saturating_add(self.timeout(&task, now.saturating_sub(first)));
        if let Some(task) = self.tasks.get_mut(number) {
            *task = Task {
                is_asked: true,
                tries,
                first,
                last: now,
                due,
                ..*task
            };
        }
        self.timers.push(Reverse((due, number)));
        self.todo
            .push_back(Step::Start(ProbeId(number), address, tries));
        self.burst = self.burst.saturating_sub(1);
        self.under_way = self.under_way.saturating_add(1);
        self.sent = self.sent.saturating_add(1);
        self.next_send = self
            .next_send
            .max(now.saturating_sub(LAG))
            .saturating_add(self.interval());
    }

    /// Handles one timer that is due. Returns whether there was one.
    fn expire(&mut self, looked: Duration) -> bool {
        let Some(Reverse((due, number))) = self.timers.peek().copied() else {
            return false;
        };
        if due > looked {
            return false;
        }
        self.timers.pop();
        let task = self.tasks.get(number).copied();
        if let Some(task) = task.filter(|task| task.is_asked && task.due == due) {
            self.silent(number, &task);
        }
        true
    }

    /// A question is no longer under way.
    fn leave(&mut self, number: usize) {
        self.under_way = self.under_way.saturating_sub(1);
        if let Some(task) = self.tasks.get_mut(number) {
            task.is_asked = false;
        }
    }

    /// Reports a port that was silent.
    fn finish(&mut self, number: usize, finding: Finding) {
        self.report(number, finding, None, None);
    }

    /// Reports a port.
    fn report(
        &mut self,
        number: usize,
        finding: Finding,
        rtt: Option<Duration>,
        service: Option<&'static str>,
    ) {
        if let Some(task) = self.tasks.remove(number) {
            self.todo.push_back(Step::Found(Found {
                place: task.place,
                number: task.number,
                finding,
                rtt,
                tries: task.tries,
                service,
            }));
        }
    }
}

impl Schedule for Survey {
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
        self.end_pacing(looked);
        self.next_step(now, looked)
    }

    fn postpone(&mut self, time: Duration) {
        for task in self.tasks.values_mut() {
            task.first = task.first.saturating_add(time);
            task.due = task.due.saturating_add(time);
        }
        postpone(&mut self.timers, time);
    }

    fn settle(&mut self, probe: ProbeId, outcome: Outcome, now: Duration) {
        self.settled(probe, outcome, now);
    }
}

impl Task {
    /// A port that was not asked yet.
    const fn new(place: Place, number: u64) -> Self {
        Self {
            place,
            number,
            is_asked: false,
            tries: 0,
            shortages: 0,
            first: Duration::ZERO,
            last: Duration::ZERO,
            due: Duration::ZERO,
            paced: None,
        }
    }
}
