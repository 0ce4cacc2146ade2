//! Waiting until ports are open, or closed.
//!
//! The [`Vigil`] says when to look at which target. A look resolves the name again and tries every
//! address at once; the first connection decides.

mod look;
mod news;
mod vigil;

use crate::net::Family;
use crate::probe::attempt::{Connector, Tried};
use crate::probe::sought::Sought;
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

use look::{Heard, Teller, What};
use news::Known;
use vigil::{Begin, Silence, Vigil};

pub use news::{News, Unmet};
pub use vigil::Goal;

/// How long a wait without an end sleeps at most when nothing is due.
const LONG: Duration = Duration::from_secs(3600);

/// What came of a wait.
#[derive(Debug)]
pub struct Waited {
    /// Whether the condition was met.
    pub is_met: bool,
    /// How many connections were tried.
    pub tries: u64,
    /// How long it took.
    pub elapsed: Duration,
    /// Who is not as they should be, and why, if the condition was not met.
    pub unmet: Vec<Unmet>,
}

/// Whom to wait for, and how.
#[derive(Clone, Debug)]
pub struct Wait {
    /// The targets.
    pub targets: Vec<Sought>,
    /// What is waited for.
    pub goal: Goal,
    /// Addresses of which family count.
    pub family: Family,
    /// How connections are made.
    pub connector: Connector,
    /// When it is over at the latest.
    pub deadline: Option<Instant>,
}

impl Wait {
    /// Waits until the condition is met or the deadline has passed. `tell` hears of every try.
    ///
    /// Who wants to know what is missing when the wait is broken off completes `stop`, instead of
    /// dropping the future.
    pub async fn run(&self, stop: impl Future<Output = ()>, mut tell: impl FnMut(&News)) -> Waited {
        let mut watch = Watch::new(self);
        let mut stop = Box::pin(stop);
        let deadline = self.deadline;
        let is_met = loop {
            watch.begin(self, &mut tell);
            if watch.vigil.is_met() {
                break true;
            }
            let next = watch.next();
            let until = deadline.map_or(next, |deadline| deadline.min(next));
            tokio::select! {
                biased;
                () = &mut stop => break false,
                Some(heard) = watch.heard.recv() => watch.hear(heard, &mut tell),
                () = sleep_until(until) => {}
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                break watch.vigil.is_met();
            }
        };
        Waited {
            is_met,
            tries: watch.tries,
            elapsed: watch.began.elapsed(),
            unmet: if is_met {
                Vec::new()
            } else {
                watch.unmet(self)
            },
        }
    }
}

/// A wait under way.
struct Watch {
    vigil: Vigil,
    began: Instant,
    looks: JoinSet<()>,
    under_way: HashMap<u64, AbortHandle>,
    sender: UnboundedSender<Heard>,
    heard: UnboundedReceiver<Heard>,
    known: Vec<Known>,
    tries: u64,
}

impl Watch {
    /// Nothing is known yet.
    fn new(wait: &Wait) -> Self {
        let (sender, heard) = unbounded_channel();
        Self {
            vigil: Vigil::new(wait.goal, wait.targets.iter().map(silence_of)),
            began: Instant::now(),
            looks: JoinSet::new(),
            under_way: HashMap::new(),
            sender,
            heard,
            known: wait.targets.iter().map(|_| Known::default()).collect(),
            tries: 0,
        }
    }

    /// Begins all looks that are due, and ends those that nobody waits for.
    fn begin(&mut self, wait: &Wait, tell: &mut impl FnMut(&News)) {
        while let Some(Begin { target, look }) = self.vigil.begin(self.began.elapsed()) {
            let Some(sought) = wait.targets.get(target) else {
                continue;
            };
            self.tell_silence(target, sought, tell);
            let teller = Teller {
                target,
                look,
                sender: self.sender.clone(),
            };
            let connector = wait.connector.clone();
            let looking = teller.look(sought.clone(), wait.family, connector);
            self.under_way.insert(look, self.looks.spawn(looking));
        }
        while let Some(look) = self.vigil.give_up() {
            if let Some(handle) = self.under_way.remove(&look) {
                handle.abort();
            }
        }
        while self.looks.try_join_next().is_some() {}
        self.under_way.retain(|_, look| !look.is_finished());
    }

    /// Tells which addresses have not answered the look before the one that begins.
    fn tell_silence(&self, target: usize, sought: &Sought, tell: &mut impl FnMut(&News)) {
        let since_start = self.began.elapsed();
        let Silence(elapsed) = silence_of(sought);
        let silent = self.known.get(target).map(Known::silent);
        for (address, answer) in silent.unwrap_or_default() {
            let was_refused = answer.is_some_and(|tried| tried.icmp.is_some());
            tell(&News::Tried {
                target,
                address: Some(address),
                tried: if sought.is_udp() {
                    Tried::no_reply(elapsed, was_refused)
                } else {
                    Tried::silence(elapsed)
                },
                since_start,
            });
        }
    }

    /// When the next look is due.
    fn next(&self) -> Instant {
        let next = self
            .vigil
            .next()
            .and_then(|next| self.began.checked_add(next));
        next.unwrap_or_else(|| Instant::now() + LONG)
    }

    /// Takes what a look found out.
    fn hear(&mut self, heard: Heard, tell: &mut impl FnMut(&News)) {
        let Heard { target, look, what } = heard;
        let Some(known) = self.known.get_mut(target) else {
            return;
        };
        let since_start = self.began.elapsed();
        match what {
            What::Sign(sign) => self.vigil.hear(target, look, sign, since_start),
            What::Resolved(addresses) => {
                let tries = addresses.len() as u64;
                self.tries = self.tries.saturating_add(tries);
                known.resolved(look, &addresses);
            }
            What::Unresolved(error) => {
                tell(&News::Unresolved {
                    target,
                    error: &error,
                    since_start,
                });
                known.unresolved(error);
            }
            What::Tried(address, tried) => {
                known.tried(look, address, tried);
                tell(&News::Tried {
                    target,
                    address: Some(address),
                    tried,
                    since_start,
                });
            }
            What::TriedPath(tried) => {
                self.tries = self.tries.saturating_add(1);
                known.tried_path(tried);
                tell(&News::Tried {
                    target,
                    address: None,
                    tried,
                    since_start,
                });
            }
        }
    }

    /// Who is not as they should be, and why.
    fn unmet(&self, wait: &Wait) -> Vec<Unmet> {
        let targets = wait.targets.iter().zip(&self.known).enumerate();
        let mut unmet: Vec<Unmet> = Vec::new();
        let is_held = |number| self.vigil.is_good(number);
        let all_good = (0..wait.targets.len()).all(is_held);
        for (number, (target, known)) in targets {
            if all_good || !is_held(number) {
                unmet.push(known.unmet(target, wait.goal, is_held(number)));
            }
        }
        unmet
    }
}

/// How long a look at a target is waited for before the next one begins.
const fn silence_of(sought: &Sought) -> Silence {
    if sought.is_udp() {
        Silence::UDP
    } else {
        Silence::TCP
    }
}
