//! Which port comes next: new ones first, silent ones again after them.
//!
//! New ports first means that open ports are found as soon as they can be, and that the tries of
//! one port are spread over time. But what is lost shows only when a silent port is tried again,
//! so one in a few of them does not wait.

use std::collections::VecDeque;

/// One of how many silent ports is tried again at once while new ports wait.
const SAMPLE: u8 = 4;
/// How many silent ports may wait before they go before new ones: memory has an end.
const CROWD: usize = 70_000;

/// Ports that are ready to be tried.
#[derive(Debug)]
pub(super) struct Queue {
    fresh: u64,
    total: u64,
    urgent: VecDeque<usize>,
    later: VecDeque<(usize, u8)>,
    turn: u8,
}

/// What is to be tried.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Next {
    /// The port with this number in the plan, for the first time.
    Fresh(u64),
    /// This task, again.
    Again(usize),
}

impl Queue {
    /// A queue of `total` new ports.
    pub(super) const fn new(total: u64) -> Self {
        Self {
            fresh: 0,
            total,
            urgent: VecDeque::new(),
            later: VecDeque::new(),
            turn: 0,
        }
    }

    /// Puts a task before everything else.
    pub(super) fn put_first(&mut self, task: usize) {
        self.urgent.push_front(task);
    }

    /// Queues a task that was silent `tries` times, and returns how many losses it stands for in
    /// case it is answered now: none if others speak for it.
    pub(super) fn put_again(&mut self, task: usize, tries: u8) -> u8 {
        if tries > 1 || !self.has_fresh() {
            self.later.push_back((task, tries));
            return 1;
        }
        self.turn = self.turn.wrapping_add(1) % SAMPLE;
        if self.turn > 0 {
            self.later.push_back((task, tries));
            return 0;
        }
        self.urgent.push_back(task);
        SAMPLE
    }

    /// Takes what comes next.
    pub(super) fn take(&mut self) -> Option<Next> {
        if let Some(task) = self.urgent.pop_front() {
            return Some(Next::Again(task));
        }
        if self.has_fresh() && self.later.len() < CROWD {
            let index = self.fresh;
            self.fresh = self.fresh.saturating_add(1);
            return Some(Next::Fresh(index));
        }
        self.later.pop_front().map(|(task, _)| Next::Again(task))
    }

    /// Whether all that waits was silent more than once: time to go easy on the path.
    pub(super) fn is_last_sweep(&self) -> bool {
        let first = self.later.front().is_some_and(|(_, tries)| *tries > 1);
        first && !self.has_fresh() && self.urgent.is_empty()
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        !self.has_fresh() && self.urgent.is_empty() && self.later.is_empty()
    }

    /// Whether there are ports that were never tried.
    pub(super) const fn has_fresh(&self) -> bool {
        self.fresh < self.total
    }
}

#[cfg(test)]
mod tests {
    use super::{Next, Queue};

    #[test]
    fn new_ports_go_first_but_for_a_sample() {
        let mut queue = Queue::new(2);
        let weights: Vec<u8> = (10..14).map(|task| queue.put_again(task, 1)).collect();
        assert_eq!(weights.iter().sum::<u8>(), 4, "the sample speaks for all");
        let order: Vec<_> = std::iter::from_fn(|| queue.take()).collect();
        let again = order.iter().filter(|next| matches!(next, Next::Again(_)));
        assert_eq!((order.len(), again.count()), (6, 4));
        assert!(matches!(order[0], Next::Again(_)));
        assert_eq!(order[1..3], [Next::Fresh(0), Next::Fresh(1)]);
        assert!(queue.is_empty());
    }

    #[test]
    fn without_new_ports_each_speaks_for_itself() {
        let mut queue = Queue::new(0);
        assert_eq!(queue.put_again(1, 1), 1);
        assert_eq!(queue.put_again(2, 2), 1);
        queue.put_first(3);
        assert_eq!(queue.take(), Some(Next::Again(3)));
        assert_eq!(queue.take(), Some(Next::Again(1)));
    }
}
