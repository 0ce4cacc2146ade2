//! What is known of a target that is waited for.

use super::Goal;
use crate::error::{Action, Cause, Error};
use crate::probe::attempt::Tried;
use crate::probe::report::State;
use crate::probe::sought::Sought;
use crate::probe::verdict::UNFIT_SOURCE;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// What happens while we wait.
#[derive(Debug)]
pub enum News<'a> {
    /// A connection was tried.
    Tried {
        /// The number of the target.
        target: usize,
        /// The address, unless it is a path.
        address: Option<SocketAddr>,
        /// What came of it.
        tried: Tried,
        /// When.
        since_start: Duration,
    },
    /// A name has no address, yet.
    Unresolved {
        /// The number of the target.
        target: usize,
        /// What the resolver said.
        error: &'a Error,
        /// When.
        since_start: Duration,
    },
}

/// A target that is not as it should be.
#[derive(Debug)]
pub struct Unmet {
    /// The target.
    pub target: Sought,
    /// Why it was waited for in vain.
    pub error: Error,
}

/// What is known of one target.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// The addresses of the newest look, each with the newest answer.
    addresses: Vec<(SocketAddr, Option<(u64, Tried)>)>,
    /// The newest look that tried them.
    newest: u64,
    path: Option<Tried>,
    unresolved: Option<Error>,
}

impl Known {
    /// A look tries these addresses. What an address answered counts until a later look has met
    /// silence.
    pub(super) fn resolved(&mut self, look: u64, addresses: &[SocketAddr]) {
        let answer = |address: &SocketAddr| {
            let known = self.addresses.iter().find(|(known, _)| known == address);
            known.and_then(|(_, answer)| *answer)
        };
        let looks = addresses.iter().map(|address| (*address, answer(address)));
        let mut looks: Vec<_> = looks.collect();
        let newest = looks
            .iter()
            .filter_map(|(_, answer)| answer.map(|(look, _)| look));
        let newest = newest.max().unwrap_or(look);
        for (_, answer) in &mut looks {
            *answer = answer.filter(|(look, _)| *look >= newest);
        }
        self.addresses = looks;
        self.newest = look;
        self.unresolved = None;
    }

    /// The addresses that have not answered the newest look, and what they answered before.
    pub(super) fn silent(&self) -> Vec<(SocketAddr, Option<Tried>)> {
        let is_silent =
            |answer: &Option<(u64, Tried)>| answer.is_none_or(|(look, _)| look < self.newest);
        let silent = self
            .addresses
            .iter()
            .filter(|(_, answer)| is_silent(answer));
        silent
            .map(|(address, answer)| (*address, answer.map(|(_, tried)| tried)))
            .collect()
    }

    /// A look found no address.
    pub(super) fn unresolved(&mut self, error: Error) {
        self.unresolved = Some(error);
    }

    /// An address was tried.
    pub(super) fn tried(&mut self, look: u64, address: SocketAddr, tried: Tried) {
        let known = self
            .addresses
            .iter_mut()
            .find(|(known, _)| *known == address);
        if let Some((_, answer)) = known {
            *answer = Some((look, tried));
        }
    }

    /// The path was tried.
    pub(super) fn tried_path(&mut self, tried: Tried) {
        self.path = Some(tried);
    }

    /// Why the target was waited for in vain.
    pub(super) fn unmet(&self, target: &Sought, goal: Goal, is_good: bool) -> Unmet {
        let cause = match (is_good, self.is_open()) {
            (true, _) => Cause::Other(format!(
                "{} for less than {} when the time was up",
                if goal.closed { "closed" } else { "open" },
                crate::value::Duration::new(goal.hold)
            )),
            (false, true) if goal.closed => Cause::Other("it is still open".to_owned()),
            _ => self.cause(target),
        };
        let error = Error::new(Action::Wait, target, cause);
        Unmet {
            target: target.clone(),
            error,
        }
    }

    /// Whether a connection was accepted lately.
    fn is_open(&self) -> bool {
        let answers = self.addresses.iter().filter_map(|(_, answer)| *answer);
        let mut tries = answers.map(|(_, tried)| tried).chain(self.path);
        tries.any(|tried| tried.state == State::Open)
    }

    /// Why there is no connection, or no answer over UDP.
    fn cause(&self, target: &Sought) -> Cause {
        if let Some(error) = &self.unresolved {
            return Cause::Other(format!("it has no address: {}", error.cause_text()));
        }
        if let Some(tried) = self.path {
            return Cause::Io(error_of(&tried));
        }
        let each = self.addresses.iter().map(|(address, answer)| {
            let error = match answer {
                Some((_, tried)) => error_of(tried),
                None if target.is_udp() => io::Error::new(io::ErrorKind::TimedOut, NO_REPLY),
                None => silence(),
            };
            let address = match target {
                Sought::Host(_) => address.ip().to_string(),
                Sought::Port(_) => address.to_string(),
            };
            (address, error)
        });
        match each.collect::<Vec<_>>() {
            none if none.is_empty() => Cause::Other("its name was not resolved in time".to_owned()),
            each => Cause::Attempts(each),
        }
    }
}

/// Silence over UDP.
const NO_REPLY: &str = "no answer: over UDP it may be open or filtered";

/// Silence as an error.
fn silence() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "no answer")
}

/// What a try came to, as an error.
fn error_of(tried: &Tried) -> io::Error {
    match tried.errno {
        None | Some(0) => silence(),
        Some(_) if tried.reason == UNFIT_SOURCE => {
            io::Error::other("our source address has no way there")
        }
        Some(errno) => io::Error::from_raw_os_error(errno),
    }
}
