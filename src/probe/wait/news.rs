//! What is known of a target that is waited for.

use super::Goal;
use crate::error::{Action, Cause, Error};
use crate::probe::attempt::Tried;
use crate::probe::report::State;
use crate::probe::scoped::ScopedIp;
use crate::probe::sought::Sought;
use crate::probe::verdict::{UNFIT_SOURCE, UNFIT_SOURCE_WORDS};
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
            let scoped = ScopedIp::from(*address);
            let address = match target {
                Sought::Host(_) => scoped.to_string(),
                Sought::Port(_) => scoped.with_port(address.port()),
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
        Some(_) if tried.reason == UNFIT_SOURCE => io::Error::other(UNFIT_SOURCE_WORDS),
        Some(errno) => io::Error::from_raw_os_error(errno),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Endpoint;
    use std::net::SocketAddrV6;

    #[test]
    fn an_address_is_told_with_the_name_of_its_zone() {
        let linked = SocketAddrV6::new("fe80::1".parse().unwrap(), 22, 0, 1);
        let plain: SocketAddr = "192.0.2.1:22".parse().unwrap();
        let scoped = ScopedIp::from(SocketAddr::from(linked));
        assert!(scoped.zone.as_ref().is_some_and(|zone| **zone != *"1"));
        let mut known = Known::default();
        known.resolved(1, &[linked.into(), plain]);
        let texts = |target: &Sought| match known.cause(target) {
            Cause::Attempts(each) => each.into_iter().map(|(address, _)| address).collect(),
            _ => Vec::new(),
        };
        let host: crate::value::Host = "h".parse().unwrap();
        let port = Sought::Port(Endpoint::Tcp(host.clone(), 22));
        let expected = [format!("[{scoped}]:22"), "192.0.2.1:22".to_owned()];
        assert_eq!(texts(&port), expected);
        let expected = [scoped.to_string(), "192.0.2.1".to_owned()];
        assert_eq!(texts(&Sought::Host(host)), expected);
    }
}
