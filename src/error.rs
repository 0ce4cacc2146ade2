//! What failed: an action, its target and the cause, never a bare errno.

use std::fmt;
use std::io;
use std::time::Duration;

use crate::buffers::Cap;
pub use crate::sys::errno_name;

/// The result of everything in the engine that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// What was being done when it failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Action {
    /// Taking a client off a listening socket.
    Accept,
    /// Giving a socket its own address.
    Bind,
    /// Reaching a peer.
    Connect,
    /// Writing down what goes over a connection.
    Dump,
    /// Learning something of this machine from its system.
    Inspect,
    /// Becoming a member of a multicast group.
    Join,
    /// Reading our own input: stdin or a file.
    Read,
    /// Taking bytes from the peer.
    Receive,
    /// Turning a name into addresses.
    Resolve,
    /// Giving bytes to the peer.
    Send,
    /// Starting another program, or becoming it.
    Run,
    /// Talking with the peer at all, both ways.
    Session,
    /// Giving a socket an option.
    Set,
    /// Waiting until a port is open, or closed.
    Wait,
    /// Writing our own output: stdout or a file.
    Write,
}

impl Action {
    /// The word that scripts see in the JSON record.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Bind => "bind",
            Self::Connect => "connect",
            Self::Dump => "dump",
            Self::Inspect => "inspect",
            Self::Join => "join",
            Self::Read => "read",
            Self::Receive => "receive",
            Self::Resolve => "resolve",
            Self::Run => "run",
            Self::Send => "send",
            Self::Session => "session",
            Self::Set => "set",
            Self::Wait => "wait",
            Self::Write => "write",
        }
    }

    /// What stands between the action and its target in a sentence.
    fn preposition(self) -> &'static str {
        match self {
            Self::Accept => " on ",
            Self::Connect | Self::Dump | Self::Send | Self::Write => " to ",
            Self::Receive | Self::Read => " from ",
            Self::Session => " with ",
            Self::Wait => " for ",
            Self::Bind | Self::Inspect | Self::Join | Self::Resolve | Self::Run | Self::Set => " ",
        }
    }
}

/// Why it failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum Cause {
    /// No address of a name could be reached: what each one answered.
    Attempts(Vec<(String, io::Error)>),
    /// The system grants less.
    Capped {
        /// Than these bytes.
        requested: u64,
        /// As much as these.
        caps: Vec<Cap>,
    },
    /// Datagrams came that the system had no room for.
    Dropped {
        /// How many it counted.
        datagrams: u64,
        /// It may have counted several that came together as one.
        at_least: bool,
    },
    /// Nothing moved in either direction for this long.
    Idle(Duration),
    /// The system refused, or the network did.
    Io(io::Error),
    /// No interface has this name; these have others.
    NoInterface(Vec<String>),
    /// The name or the request cannot be served, in words.
    Other(String),
    /// It did not happen in the time allowed.
    TimedOut(Duration),
    /// A message was longer than the room for it.
    Truncated {
        /// Its length in bytes.
        length: u64,
        /// Of these the ones that there was room for.
        kept: u64,
    },
    /// Everything was handed over, and not everything arrived.
    Undelivered,
}

/// How far a conversation had come when it failed, in bytes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Progress {
    /// Bytes given to the system for the peer.
    pub sent: u64,
    /// Bytes that came from the peer.
    pub received: u64,
    /// Bytes given to the system that the peer's kernel did not acknowledge, where that is known.
    pub undelivered: Option<u64>,
}

/// A failure as a person wants to read it: «connect to example.com:443: connection refused».
#[derive(Debug)]
pub struct Error {
    /// What was being done.
    pub action: Action,
    /// To what: an address, a name, a path, `stdout`.
    pub target: String,
    /// What happened.
    pub cause: Cause,
    /// How far the conversation had come, if there was one.
    pub progress: Option<Progress>,
}

impl Error {
    /// An error of `action` on `target`.
    pub fn new(action: Action, target: impl fmt::Display, cause: impl Into<Cause>) -> Self {
        Self {
            action,
            target: target.to_string(),
            cause: cause.into(),
            progress: None,
        }
    }

    /// The same error, with how far the conversation had come.
    #[must_use]
    pub fn after(mut self, progress: Progress) -> Self {
        self.progress = Some(progress);
        self
    }

    /// The error number of the system, if that is where the failure comes from. Of several
    /// attempts it is the first one's: the address that the system prefers.
    #[must_use]
    pub fn errno(&self) -> Option<i32> {
        match &self.cause {
            Cause::Io(error) => error.raw_os_error(),
            Cause::Attempts(attempts) => attempts.first().and_then(|(_, e)| e.raw_os_error()),
            _ => None,
        }
    }

    /// Whether our own reader closed its end.
    #[must_use]
    pub fn is_broken_output(&self) -> bool {
        matches!(&self.cause, Cause::Io(e)
            if self.action == Action::Write && e.kind() == io::ErrorKind::BrokenPipe)
    }

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
            Cause::Other(text) => text.clone(),
            Cause::TimedOut(limit) => format!("timed out after {}", short_duration(*limit)),
            Cause::NoInterface(_) => "no such interface".to_owned(),
            Cause::Truncated { length, kept } => {
                format!("a message of {} was cut to {kept}", bytes(*length))
            }
            Cause::Undelivered => "the peer closed without taking everything".to_owned(),
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

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.cause {
            Cause::Io(error) => Some(error),
            _ => None,
        }
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

impl From<io::Error> for Cause {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<rustix::io::Errno> for Cause {
    fn from(error: rustix::io::Errno) -> Self {
        Self::Io(error.into())
    }
}

impl From<String> for Cause {
    fn from(text: String) -> Self {
        Self::Other(text)
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
