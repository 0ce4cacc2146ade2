//! The end-of-file table: told what happened, it says what to do next. It knows no socket and no
//! clock.

use std::time::{Duration, Instant};

use super::{End, StdinKind};

/// For how long the input must have been idle before `connect` leaves after the peer's end.
pub(super) const IDLE_INPUT: Duration = Duration::from_millis(500);

/// After how long a command that waits on after the peer's end says so.
const SAY_WAITING: Duration = Duration::from_secs(2);

/// How soon a queue is looked at again that has not been acknowledged.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Which command it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Side {
    /// It went to the peer.
    Connect,
    /// The peer came to it.
    Listen,
}

/// What a conversation waits for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Until {
    /// The rule of the manual.
    #[default]
    Auto,
    /// Both ends, for ever.
    Both,
    /// The peer's end.
    Peer,
    /// The end of our input.
    Stdin,
}

/// What the user asked for.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Which command it is.
    pub side: Side,
    /// What to wait for.
    pub until: Until,
    /// What stdin is.
    pub stdin: StdinKind,
    /// Whether the end of our input shuts the write half down.
    pub shut_down: bool,
    /// Leave this long after the end of our input.
    pub quit_after: Option<Duration>,
    /// What comes is dropped, and the end of our input is enough.
    pub send_only: bool,
    /// stdin is never read.
    pub recv_only: bool,
}

/// What is known at the moment of asking.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// Whether the peer has sent anything.
    pub received: bool,
    /// Whether input was read that is not yet given to the system.
    pub unsent: bool,
    /// Whether the peer's kernel has acknowledged all that was given to ours. What cannot be known
    /// counts as acknowledged.
    pub acknowledged: bool,
}

/// What to do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// Nothing, until something happens or this moment comes.
    Wait(Option<Instant>),
    /// Say to the peer that no more will come.
    ShutDownWrite,
    /// Say once that the peer has ended and the input has not.
    SayWaiting,
    /// Send what is read, shut down, wait for the acknowledgement and close.
    Leave {
        /// How it ended.
        end: End,
        /// Whether the input was left idle, and might have had more to say.
        idle_input: bool,
    },
}

/// Where a conversation stands.
#[derive(Clone, Copy, Debug)]
pub struct Ending {
    rules: Rules,
    last_input: Instant,
    any_input: bool,
    input_ended: Option<Instant>,
    peer_ended: Option<Instant>,
    shut_down: bool,
    said_waiting: bool,
    /// How it is over, whatever else comes.
    over: Option<End>,
}

impl Ending {
    /// A conversation that begins now.
    #[must_use]
    pub fn new(rules: Rules, now: Instant) -> Self {
        Self {
            rules,
            last_input: now,
            any_input: false,
            input_ended: rules.recv_only.then_some(now),
            peer_ended: None,
            shut_down: false,
            said_waiting: false,
            over: None,
        }
    }

    /// Bytes were read from our input.
    pub fn input(&mut self, now: Instant) {
        self.any_input = true;
        self.last_input = now;
    }

    /// Our input ended.
    pub fn input_end(&mut self, now: Instant) {
        self.input_ended.get_or_insert(now);
    }

    /// As many bytes came as were wanted.
    pub fn enough(&mut self) {
        self.over = Some(End::Limit);
    }

    /// The peer said that it will send no more.
    pub fn peer_end(&mut self, now: Instant) {
        self.peer_ended.get_or_insert(now);
    }

    /// Until now we could not look: what is waited for after the peer's end has all its time again.
    pub fn begin_anew(&mut self, now: Instant) {
        if let Some(ended) = &mut self.peer_ended {
            *ended = now;
        }
    }

    /// The write half was shut down.
    pub fn shut_down_done(&mut self) {
        self.shut_down = true;
    }

    /// It was said that we wait.
    pub fn waiting_said(&mut self) {
        self.said_waiting = true;
    }

    /// Whether our input has ended.
    #[must_use]
    pub fn is_input_over(&self) -> bool {
        self.input_ended.is_some()
    }

    /// Whether the peer has ended.
    #[must_use]
    pub fn is_peer_over(&self) -> bool {
        self.peer_ended.is_some()
    }

    /// Whether the peer ended after we had told it that no more would come.
    #[must_use]
    pub fn is_shut_down(&self) -> bool {
        self.shut_down
    }

    /// What to do now.
    #[must_use]
    pub fn next(&self, now: Instant, facts: Facts) -> Step {
        if let Some(end) = self.over {
            return leave(end);
        }
        if let Some(step) = self.after_input(now, facts) {
            return step;
        }
        self.peer_ended
            .map_or(Step::Wait(self.quit_moment()), |ended| {
                self.after_peer(ended, now, facts)
            })
    }

    /// The step that the end of our input alone asks for.
    fn after_input(&self, now: Instant, facts: Facts) -> Option<Step> {
        self.input_ended?;
        if facts.unsent {
            return None;
        }
        let enough =
            !self.rules.recv_only && (self.rules.send_only || self.rules.until == Until::Stdin);
        if enough || self.quit_moment().is_some_and(|moment| now >= moment) {
            return Some(leave(End::Stdin));
        }
        let may_shut_down = self.rules.shut_down && !self.shut_down;
        (may_shut_down && !self.holds_end_back()).then_some(Step::ShutDownWrite)
    }

    /// An empty stdin that nobody meant as an answer: the client must not think that the answer
    /// is complete. The write half is shut down when we leave, which is after the peer's end.
    fn holds_end_back(&self) -> bool {
        let nobody_meant_it = self.rules.side == Side::Listen
            && !self.any_input
            && self.rules.stdin != StdinKind::File;
        nobody_meant_it || self.rules.recv_only
    }

    /// When `--quit-after` is over.
    fn quit_moment(&self) -> Option<Instant> {
        self.input_ended?.checked_add(self.rules.quit_after?)
    }

    /// The step after the peer's end, when our input asks for none.
    fn after_peer(&self, ended: Instant, now: Instant, facts: Facts) -> Step {
        if self.input_ended.is_some() && !facts.unsent {
            return leave(if self.rules.recv_only {
                End::Peer
            } else {
                End::Both
            });
        }
        match self.rules.until {
            Until::Peer => leave(End::Peer),
            Until::Auto if self.rules.stdin == StdinKind::Terminal => leave(End::Peer),
            Until::Auto => self.idle_input(ended, now, facts),
            Until::Both | Until::Stdin => Step::Wait(None),
        }
    }

    /// Whether an input that says nothing more is waited for.
    fn idle_input(&self, ended: Instant, now: Instant, facts: Facts) -> Step {
        let say = ended
            .checked_add(SAY_WAITING)
            .filter(|_| !self.said_waiting);
        if say.is_some_and(|say| now >= say) {
            return Step::SayWaiting;
        }
        let may_leave = self.rules.side == Side::Connect && facts.received && !facts.unsent;
        let idle = self
            .last_input
            .max(ended)
            .checked_add(IDLE_INPUT)
            .filter(|_| may_leave);
        match idle {
            Some(idle) if now >= idle && facts.acknowledged => Step::Leave {
                end: End::Peer,
                idle_input: true,
            },
            Some(idle) if now >= idle => Step::Wait(now.checked_add(LOOK_AGAIN)),
            // Looking more often, we find out that we could not.
            idle => {
                let look = now.checked_add(IDLE_INPUT / 4).filter(|_| idle.is_some());
                Step::Wait([say, idle, look].into_iter().flatten().min())
            }
        }
    }
}

/// Leaves an input that has ended, or that nobody waits for.
fn leave(end: End) -> Step {
    Step::Leave {
        end,
        idle_input: false,
    }
}

#[cfg(test)]
mod tests;
