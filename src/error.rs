//! What failed: an action, its target and the cause, never a bare errno.

mod words;

use std::fmt;
use std::io;
use std::time::Duration;

use crate::buffers::Cap;
use crate::net::Family;

pub use self::words::describe;
pub(crate) use self::words::describe_text;
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
    /// Opening a file of our own, to read or to write it.
    Open,
    /// Reading our own input: stdin or a file.
    Read,
    /// Taking bytes from the peer.
    Receive,
    /// Turning a name into addresses.
    Resolve,
    /// Starting another program, or becoming it.
    Run,
    /// Giving bytes to the peer.
    Send,
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
            Self::Open => "open",
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
    /// The whole was not to take longer than this.
    OutOfTime(Duration),
    /// Datagrams came that the system had no room for.
    Dropped {
        /// How many it counted.
        datagrams: u64,
        /// It may have counted several that came together as one.
        at_least: bool,
    },
    /// A datagram was longer than what was still wanted.
    Curtailed {
        /// Its length in bytes.
        length: u64,
        /// Of these the ones that were still wanted.
        kept: u64,
    },
    /// Nothing moved in either direction for this long.
    Idle(Duration),
    /// The system refused, or the network did.
    Io(io::Error),
    /// So many datagrams came, and reached nobody.
    Lost(u64),
    /// A name has no address of the family that is wanted.
    NoAddress(Family),
    /// No interface has this name; these have others.
    NoInterface(Vec<String>),
    /// The name or the request cannot be served, in words.
    Other(String),
    /// It did not happen in the time allowed.
    TimedOut(Duration),
    /// A message was longer than the room for it, or one of a connection than what was still wanted.
    Truncated {
        /// Its length in bytes.
        length: u64,
        /// Of these the ones that were kept.
        kept: u64,
    },
    /// Everything was handed over, and not everything arrived.
    Undelivered,
    /// So many datagrams were for somebody, and the system did not take them.
    Unsent(u64),
    /// Tries failed on our side, and say nothing of whom they were for.
    Unmade {
        /// How many.
        tries: u64,
        /// Why, in one word.
        reason: &'static str,
        /// What the system said.
        error: io::Error,
    },
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
            Cause::Io(error) | Cause::Unmade { error, .. } => error.raw_os_error(),
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
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.cause {
            Cause::Io(error) | Cause::Unmade { error, .. } => Some(error),
            _ => None,
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
