//! What an error says: a sentence for a person.

use std::fmt;
use std::io;
use std::time::Duration;

use super::{Action, Cause, Error, Progress};
use crate::buffers::Cap;
use crate::net::Family;
use crate::probe::{UNFIT_SOURCE, UNFIT_SOURCE_WORDS};

impl Action {
    /// What stands between the action and its target in a sentence.
    fn preposition(self) -> &'static str {
        match self {
            Self::Accept => " on ",
            Self::Connect | Self::Dump | Self::Send | Self::Write => " to ",
            Self::Receive | Self::Read => " from ",
            Self::Session => " with ",
            Self::Wait => " for ",
            Self::Bind
            | Self::Inspect
            | Self::Join
            | Self::Open
            | Self::Resolve
            | Self::Run
            | Self::Set => " ",
        }
    }
}

impl Error {
    /// What happened, without what was being done: «connection refused».
    #[must_use]
    pub fn cause_text(&self) -> String {
        match &self.cause {
            Cause::Attempts(attempts) => attempts_text(attempts),
            Cause::Capped { caps, .. } => caps_text(caps),
            Cause::Dropped {
                datagrams,
                at_least,
            } => dropped_text(*datagrams, *at_least),
            Cause::Idle(limit) => format!("nothing moved for {}", short_duration(*limit)),
            Cause::Io(error) => describe(error),
            Cause::Lost(datagrams) => datagrams_text(*datagrams, "lost"),
            Cause::Other(text) => text.clone(),
            Cause::TimedOut(limit) | Cause::OutOfTime(limit) => {
                format!("timed out after {}", short_duration(*limit))
            }
            Cause::NoAddress(Family::V4) => "no IPv4 address".to_owned(),
            Cause::NoAddress(Family::V6) => "no IPv6 address".to_owned(),
            Cause::NoAddress(Family::Any) => "no address".to_owned(),
            Cause::NoInterface(_) => "no such interface".to_owned(),
            Cause::Truncated { length, kept } => {
                format!("a message of {} was cut to {kept}", bytes(*length))
            }
            Cause::Curtailed { length, kept } => format!(
                "a datagram of {} does not fit in what was still wanted: its last {} cut off",
                bytes(*length),
                bytes_were(length.saturating_sub(*kept))
            ),
            Cause::Unsent(datagrams) => datagrams_text(*datagrams, "not sent"),
            Cause::Undelivered => "the peer closed without taking everything".to_owned(),
            Cause::Unmade {
                tries,
                reason,
                error,
            } => {
                let tries = counted(*tries);
                let said = match *reason {
                    UNFIT_SOURCE => UNFIT_SOURCE_WORDS.to_owned(),
                    _ => describe(error),
                };
                format!("{tries} could not be made ({reason}): {said}")
            }
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (action, cause) = (self.action.name(), self.cause_text());
        write!(
            f,
            "{action}{}{}: {cause}",
            self.action.preposition(),
            self.target
        )?;
        self.progress
            .map_or(Ok(()), |progress| write!(f, " {progress}"))
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (received, sent) = (bytes(self.received), bytes(self.sent));
        write!(f, "after {received} received and {sent} sent")?;
        match self.undelivered {
            Some(0) | None => Ok(()),
            Some(left) => write!(f, ", of which {} not delivered", bytes_were(left)),
        }
    }
}

/// The system's words for an error, as the middle of a sentence and without its number.
#[must_use]
pub fn describe(error: &io::Error) -> String {
    let text = error.to_string();
    describe_text(text.split(" (os error").next().unwrap_or_default())
}

/// A sentence as the middle of another one: its first letter small, unless a word in capitals.
pub(crate) fn describe_text(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next();
    match (first, letters.clone().next()) {
        (Some(first), Some(second)) if first.is_uppercase() && second.is_lowercase() => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => text.to_owned(),
    }
}

/// Says of each address what it answered; one answer that is everybody's is said once.
fn attempts_text(attempts: &[(String, io::Error)]) -> String {
    let texts: Vec<String> = attempts.iter().map(|(_, error)| describe(error)).collect();
    let addresses: Vec<&str> = attempts
        .iter()
        .map(|(address, _)| address.as_str())
        .collect();
    match texts.split_first() {
        None => "no address".to_owned(),
        Some((first, [])) => first.clone(),
        Some((first, rest)) if rest.iter().all(|text| text == first) => {
            format!("{first} (tried {})", addresses.join(", "))
        }
        Some(_) => {
            let each = addresses
                .iter()
                .zip(&texts)
                .map(|(a, text)| format!("{a}: {text}"));
            each.collect::<Vec<_>>().join("; ")
        }
    }
}

/// Says of each buffer how much of it can be had.
fn caps_text(caps: &[Cap]) -> String {
    let each = caps.iter().map(|cap| {
        let (way, from) = (cap.direction.name(), cap.origin.name());
        format!("{} to {way} ({from})", bytes(cap.bytes))
    });
    let each: Vec<_> = each.collect();
    format!("the system grants at most {}", each.join(" and "))
}

/// Says how many datagrams there was no room for.
fn dropped_text(count: u64, at_least: bool) -> String {
    let least = if at_least { "at least " } else { "" };
    let were = if count == 1 {
        "datagram was"
    } else {
        "datagrams were"
    };
    format!("{least}{count} {were} dropped by the system: it was full")
}

/// What became of so many datagrams.
fn datagrams_text(count: u64, what: &str) -> String {
    let were = if count == 1 {
        "datagram was"
    } else {
        "datagrams were"
    };
    format!("{count} {were} {what}")
}

/// A number of tries.
fn counted(tries: u64) -> String {
    if tries == 1 {
        "1 try".to_owned()
    } else {
        format!("{tries} tries")
    }
}

/// A number of bytes with its unit.
fn bytes(count: u64) -> String {
    if count == 1 {
        "1 byte".to_owned()
    } else {
        format!("{count} bytes")
    }
}

/// A number of bytes as the subject of a sentence in the past.
fn bytes_were(count: u64) -> String {
    if count == 1 {
        "1 byte was".to_owned()
    } else {
        format!("{count} bytes were")
    }
}

/// A time limit as a person would write it: `2s`, `1.5s`, `250ms`.
fn short_duration(limit: Duration) -> String {
    crate::value::Duration::new(limit).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused() -> io::Error {
        io::Error::from_raw_os_error(libc::ECONNREFUSED)
    }

    #[test]
    fn an_error_says_what_to_whom_and_why() {
        let error = Error::new(Action::Connect, "example.com:443 (192.0.2.7)", refused());
        assert_eq!(
            error.to_string(),
            "connect to example.com:443 (192.0.2.7): connection refused"
        );
        assert_eq!(error.errno(), Some(libc::ECONNREFUSED));
    }

    #[test]
    fn progress_names_what_did_not_arrive() {
        let progress = Progress {
            sent: 10,
            received: 1,
            undelivered: Some(4),
        };
        let text = "after 1 byte received and 10 bytes sent, of which 4 bytes were not delivered";
        assert_eq!(progress.to_string(), text);
        assert_eq!(
            Progress::default().to_string(),
            "after 0 bytes received and 0 bytes sent"
        );
    }

    #[test]
    fn every_address_that_was_tried_is_named() {
        let unreachable = io::Error::from_raw_os_error(libc::ENETUNREACH);
        let attempts = vec![
            ("[::1]:9".to_owned(), refused()),
            ("1.2.3.4:9".to_owned(), unreachable),
        ];
        let text = attempts_text(&attempts);
        assert_eq!(
            text,
            "[::1]:9: connection refused; 1.2.3.4:9: network is unreachable"
        );
        let same = vec![
            ("[::1]:9".to_owned(), refused()),
            ("127.0.0.1:9".to_owned(), refused()),
        ];
        assert_eq!(
            attempts_text(&same),
            "connection refused (tried [::1]:9, 127.0.0.1:9)"
        );
    }
}
