//! When to look at whom, and whether the wait is over. Pure: it knows no socket and no clock.

use std::collections::VecDeque;
use std::time::Duration;

/// How soon after an answer the next look comes, the first time.
const FIRST_DELAY: Duration = Duration::from_millis(40);
/// How soon at the latest.
const LAST_DELAY: Duration = Duration::from_millis(750);
/// By how much the delay grows: this many tenths.
const GROWTH: u32 = 12;
/// How long all looks at one target are waited for that are under way at most.
const LONGEST: Duration = Duration::from_secs(4);
/// How old the news of one target may be when the last one comes.
const FRESH: Duration = Duration::from_secs(1);
/// How often the condition is looked at while it has to hold.
const HOLD_LOOKS: u32 = 4;

/// What is waited for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Goal {
    /// One target is enough.
    pub any: bool,
    /// The targets must be closed, and not open.
    pub closed: bool,
    /// How long it must stay so.
    pub hold: Duration,
}

/// How long a look is waited for before the next one begins beside it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Silence(pub(super) Duration);

impl Silence {
    /// A lost SYN is sent again by the kernel after the same time (RFC 6298, section 2).
    pub(super) const TCP: Self = Self(Duration::from_secs(1));
    /// A lost datagram is sent again by nobody, and that a port is closed most hosts say only so
    /// often.
    pub(super) const UDP: Self = Self(Duration::from_millis(500));

    /// How many looks are under way at most.
    fn overlap(self) -> usize {
        let looks = LONGEST.as_millis().checked_div(self.0.as_millis());
        usize::try_from(looks.unwrap_or(1)).unwrap_or(1)
    }
}

/// What a look has shown so far.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Sign {
    /// A connection was accepted.
    Open,
    /// Some address has answered, and not with a connection.
    Answered,
    /// All addresses have answered, none of them with a connection.
    Closed,
    /// The look came to nothing: the name does not resolve, or our own system refused.
    Nothing,
}

/// A look to begin.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Begin {
    /// At which target.
    pub(super) target: usize,
    /// Its number, which grows.
    pub(super) look: u64,
}

/// A wait for a condition.
#[derive(Debug)]
pub(super) struct Vigil {
    goal: Goal,
    targets: Vec<Target>,
    looks: u64,
    /// Looks that nobody waits for any more.
    given_up: Vec<u64>,
}

/// What is known of one target.
#[derive(Debug)]
struct Target {
    silence: Silence,
    /// Since when it is as it should be, and when that was last seen.
    good: Option<(Duration, Duration)>,
    /// The newest look that showed it so.
    good_look: u64,
    /// The newest look that showed it otherwise.
    bad_look: u64,
    /// The looks under way, the oldest first.
    looks: VecDeque<u64>,
    /// No look before.
    next: Duration,
    /// How long to wait after the next answer.
    delay: Duration,
}

impl Vigil {
    /// A wait that begins now, for targets of which each is waited for so.
    pub(super) fn new(goal: Goal, targets: impl IntoIterator<Item = Silence>) -> Self {
        let target = |silence| Target {
            silence,
            good: None,
            good_look: 0,
            bad_look: 0,
            looks: VecDeque::new(),
            next: Duration::ZERO,
            delay: FIRST_DELAY,
        };
        Self {
            goal,
            targets: targets.into_iter().map(target).collect(),
            looks: 0,
            given_up: Vec::new(),
        }
    }

    /// A look that is due.
    pub(super) fn begin(&mut self, now: Duration) -> Option<Begin> {
        let due = |number: &usize| self.look_at(*number).is_some_and(|when| when <= now);
        let number = (0..self.targets.len()).find(due)?;
        let target = self.targets.get_mut(number)?;
        self.looks = self.looks.saturating_add(1);
        if target.looks.len() >= target.silence.overlap() {
            self.given_up.extend(target.looks.pop_front());
        }
        target.looks.push_back(self.looks);
        target.next = now.saturating_add(target.silence.0);
        Some(Begin {
            target: number,
            look: self.looks,
        })
    }

    /// A look that nobody waits for any more.
    pub(super) fn give_up(&mut self) -> Option<u64> {
        self.given_up.pop()
    }

    /// When the next look is due, if any.
    pub(super) fn next(&self) -> Option<Duration> {
        (0..self.targets.len())
            .filter_map(|number| self.look_at(number))
            .min()
    }

    /// Learns what a look at a target has shown.
    pub(super) fn hear(&mut self, number: usize, look: u64, sign: Sign, now: Duration) {
        let wants_closed = self.goal.closed;
        let Some(target) = self.targets.get_mut(number) else {
            return;
        };
        match (sign, wants_closed) {
            (Sign::Open, false) | (Sign::Closed, true) => {
                self.given_up.extend(target.looks.drain(..));
                target.found_good(look, now);
            }
            (Sign::Open | Sign::Nothing, true)
            | (Sign::Answered | Sign::Closed | Sign::Nothing, false)
                if look > target.good_look =>
            {
                if sign != Sign::Answered {
                    target.looks.retain(|known| *known != look);
                }
                target.found_bad(look, now);
            }
            _ => {}
        }
    }

    /// Whether the wait is over.
    pub(super) fn is_met(&self) -> bool {
        let met = |number: usize| {
            let seen = self.targets.get(number).and_then(|target| target.good);
            let needed = self.needed(number);
            seen.zip(needed)
                .is_some_and(|((_, seen), needed)| seen >= needed)
        };
        let mut all = 0..self.targets.len();
        if self.goal.any {
            all.any(met)
        } else {
            all.all(met)
        }
    }

    /// Whether a target is as it should be, as far as is known.
    pub(super) fn is_good(&self, number: usize) -> bool {
        self.targets
            .get(number)
            .is_some_and(|target| target.good.is_some())
    }

    /// Since when the condition holds that a target belongs to.
    fn holds_since(&self, number: usize) -> Option<Duration> {
        if self.goal.any {
            return self.targets.get(number)?.good.map(|(since, _)| since);
        }
        let since = self.targets.iter().map(|target| Some(target.good?.0));
        since.collect::<Option<Vec<_>>>()?.into_iter().max()
    }

    /// When at the earliest a target must have been seen as it should be.
    fn needed(&self, number: usize) -> Option<Duration> {
        let since = self.holds_since(number)?;
        Some(match self.goal.hold {
            Duration::ZERO => since.saturating_sub(FRESH),
            hold => since.saturating_add(hold),
        })
    }

    /// When to look at a target.
    fn look_at(&self, number: usize) -> Option<Duration> {
        let target = self.targets.get(number)?;
        let Some((_, seen)) = target.good else {
            return Some(target.next);
        };
        let since = self.holds_since(number)?;
        let when = if self.goal.hold.is_zero() {
            (seen < self.needed(number)?).then_some(since)?
        } else {
            let step = self.goal.hold.checked_div(HOLD_LOOKS)?;
            let looks = (1..HOLD_LOOKS).map(|n| since.saturating_add(step.saturating_mul(n)));
            let mut looks = looks.chain([since.saturating_add(self.goal.hold)]);
            looks.find(|when| *when > seen)?
        };
        Some(when.max(target.next))
    }
}

impl Target {
    /// It is as it should be.
    fn found_good(&mut self, look: u64, now: Duration) {
        let since = self.good.map_or(now, |(since, _)| since);
        self.good = Some((since, now));
        self.good_look = look;
        self.next = now;
        self.delay = FIRST_DELAY;
    }

    /// It is not as it should be.
    fn found_bad(&mut self, look: u64, now: Duration) {
        self.good = None;
        let known = look <= self.bad_look;
        let outdated = self.looks.back().is_some_and(|newest| *newest > look);
        if known || outdated {
            return;
        }
        self.bad_look = look;
        self.next = now.saturating_add(self.delay);
        let longer = self.delay.saturating_mul(GROWTH) / 10;
        self.delay = longer.min(LAST_DELAY);
    }
}

#[cfg(test)]
mod tests;
