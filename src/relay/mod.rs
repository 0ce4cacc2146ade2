//! Bytes between a peer and ourselves: stdin to it, its bytes to stdout, and how that ends.
//!
//! [`Ending`] is the end-of-file table of the manual as a pure state machine; [`converse`] moves
//! the bytes and does what it says.

mod attention;
mod conversation;
mod datagrams;
mod digest;
mod direct;
mod dump;
mod ending;
mod extent;
mod failure;
mod halves;
mod input;
mod letters;
mod line_ends;
pub(crate) mod looks;
mod looped;
mod meter;
mod mover;
mod outlet;
mod pace;
mod records;
mod session;
mod timer;

use std::time::Duration;

use crate::error::Error;
use crate::net::{Address, Proto};
use crate::value::Rate;

pub use crate::sys::StdinKind;
pub use conversation::{Conversation, Path, Sink, converse};
pub use datagrams::{Audience, DatagramRules, Datagrams, exchange};
pub use digest::{Digest, Digests};
pub use dump::{Dump, Way};
pub use ending::{Ending, Facts, Rules, Side, Step, Until};
pub(crate) use failure::{connection_error, end_of};
pub use input::Input;
pub use letters::Cut;
pub(crate) use letters::Letters;
pub use meter::Meter;
pub(crate) use mover::is_passing;
pub(crate) use outlet::Outlet;
pub use pace::{Gate, Pacer};
pub use session::Limits;
pub(crate) use timer::{earliest, sleep_until, wait_patiently};

/// Changes payload on its way out.
pub trait Transform: Send + Sync {
    /// Appends what becomes of these bytes; a part may be held until more come.
    fn transform(&mut self, bytes: &[u8], out: &mut Vec<u8>);
    /// Appends what becomes of the part that was held: no more will come.
    fn finish(&mut self, out: &mut Vec<u8>);
    /// Whether anything was changed since this was last asked.
    fn noticed(&mut self) -> bool;
}

/// What is done to the bytes of a conversation on their way, and with them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shaping<'a> {
    /// So many bytes a second pass each way; of datagrams those that are sent.
    pub rate: Option<Rate>,
    /// How long to wait after each line that is sent.
    pub delay: Option<Duration>,
    /// Where they are written down.
    pub dump: Option<&'a Dump>,
}

impl Shaping<'_> {
    /// Whether they pass as they are.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.rate.is_none() && self.delay.is_none() && self.dump.is_none()
    }

    /// What stands before the peer.
    #[must_use]
    pub fn sending(&self) -> Gate {
        Gate::new(self.rate, self.delay)
    }

    /// What stands before our output.
    #[must_use]
    pub fn receiving(&self) -> Gate {
        Gate::new(self.rate, None)
    }
}

/// How a conversation ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum End {
    /// Both sides had said all they had to say.
    Both,
    /// Our own side failed, or the network did.
    Error,
    /// As many bytes had come as were wanted.
    Limit,
    /// The peer's end was enough.
    Peer,
    /// The peer reset the connection.
    Reset,
    /// A signal, or whoever called us, wanted it.
    Signal,
    /// The end of our input was enough.
    Stdin,
    /// The time allowed was over.
    Timeout,
}

/// What became of a conversation.
#[derive(Debug)]
pub struct Transfer {
    /// How bytes were carried.
    pub proto: Proto,
    /// Our own end.
    pub local: Address,
    /// The peer's end, where there was one.
    pub peer: Option<Address>,
    /// Bytes given to the system for the peer.
    pub sent: u64,
    /// Of these the bytes that the peer's kernel acknowledged, where that is known.
    pub acknowledged: Option<u64>,
    /// Bytes that came from the peer.
    pub received: u64,
    /// Datagrams that came and that the system had no room for, where that is known.
    pub datagrams_lost: Option<u64>,
    /// What was sent and received as a checksum, where one was asked for.
    pub digests: Option<Digests>,
    /// From the connection to the end.
    pub elapsed: Duration,
    /// Whether it was reset before a byte had passed: whoever connected was no client.
    pub untouched: bool,
    /// How it ended.
    pub end: End,
    /// Whether nothing was in flight when a signal, or what all share, ended it, so that nothing is
    /// lost.
    pub at_rest: bool,
    /// What went wrong, if anything did.
    pub error: Option<Error>,
}

impl Transfer {
    /// Whether everything arrived, as far as can be known.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let was_left = matches!(self.end, End::Signal | End::Error);
        self.error.is_none() && (self.at_rest || !was_left)
    }
}
