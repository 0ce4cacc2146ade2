//! What the engine tells while it works: neither a count nor a result, and never worded here.

use std::path::Path;
use std::time::Duration;

use crate::buffers::Direction;
use crate::error::Error;
use crate::net::{Address, Proto};
use crate::relay::Transfer;
use crate::serve::{ChildEnd, Refusal, Standing};

/// Something that happened.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A client can connect from now on.
    Listening {
        /// How bytes are carried.
        proto: Proto,
        /// The real address, with the port that the system picked.
        address: &'a Address,
    },
    /// This address is being tried.
    Trying {
        /// Which one.
        address: &'a Address,
    },
    /// A socket has a buffer of a size that was asked for.
    BufferGranted {
        /// Which of its two.
        direction: Direction,
        /// Bytes asked for.
        requested: u64,
        /// What getsockopt(2) reports now.
        granted: u64,
    },
    /// The peer was not reached, and is tried again.
    Retrying {
        /// Why it was not.
        error: &'a Error,
        /// How long is waited before.
        delay: Duration,
        /// How many tries are left after that one.
        left: u32,
    },
    /// A conversation has begun.
    Connected {
        /// The client's number, from 1; of `connect` the only one.
        client: u64,
        /// How bytes are carried.
        proto: Proto,
        /// Our own end.
        local: &'a Address,
        /// The peer's end.
        peer: &'a Address,
    },
    /// One of several clients has come.
    ClientCame {
        /// Its number, from 1.
        client: u64,
        /// How bytes are carried.
        proto: Proto,
        /// The address that it reached.
        local: &'a Address,
        /// Its own.
        peer: &'a Address,
    },
    /// Somebody connected, and was turned away before a byte.
    Refused {
        /// How bytes are carried.
        proto: Proto,
        /// Who it was.
        peer: &'a Address,
        /// Why.
        reason: Refusal,
    },
    /// One of several clients has sent something.
    ClientSaid {
        /// Its number.
        client: u64,
        /// Its address.
        peer: &'a Address,
        /// What one read took.
        bytes: &'a [u8],
        /// How many bytes have come since that was last told, these included.
        untold: u64,
    },
    /// The command that served a client has ended.
    ChildEnded {
        /// The client's number.
        client: u64,
        /// The client's address.
        peer: &'a Address,
        /// How it ended.
        end: ChildEnd,
    },
    /// Whoever answered a client that sends datagrams does so no more.
    SessionFailed {
        /// The client's number.
        client: u64,
        /// The client's address.
        peer: &'a Address,
        /// Why.
        error: &'a Error,
    },
    /// A server of datagrams forwards them to itself.
    ForwardLeadsBack,
    /// An answer that is longer than the datagram that it answers, or what others say, does not go
    /// to an address that nobody allowed.
    AnswerWithheld {
        /// Which one.
        peer: &'a Address,
    },
    /// What one of several clients sent is complete, and a file.
    Saved {
        /// Its number.
        client: u64,
        /// Its address.
        peer: &'a Address,
        /// Which file.
        path: &'a Path,
        /// How long it is.
        bytes: u64,
    },
    /// One of several clients is gone.
    ClientGone {
        /// Its number.
        client: u64,
        /// What became of it.
        transfer: &'a Transfer,
    },
    /// What a server is doing, since somebody asked.
    Standing(&'a Standing),
    /// A client reads more slowly than others, and is dropped so that they need not wait.
    ClientTooSlow {
        /// Its number.
        client: u64,
        /// Its address.
        peer: &'a Address,
        /// Bytes that it was not sent.
        left: u64,
    },
    /// Somebody looked in and left: a connection reset before a byte had passed.
    NotTheClient {
        /// Who it was.
        peer: &'a Address,
    },
    /// A single client could not be taken; the others can.
    AcceptFailed {
        /// Why not.
        error: &'a Error,
    },
    /// The system has no room for one more client; those who come wait until it has.
    NoRoom {
        /// What it lacks.
        error: &'a Error,
        /// Our own limit on open files, if that is what was reached.
        limit: Option<u64>,
    },
    /// The machine has no IPv6, so that IPv4 serves alone.
    NoIpv6,
    /// The peer ended without a byte after we had shut down our write half.
    HalfCloseUnanswered,
    /// The peer has ended for a while, and the input has not.
    WaitingForInput,
    /// The peer has ended, everything it was sent is acknowledged and the input is idle: we leave.
    LeavingIdleInput,
    /// Payload was changed on its way to the terminal.
    PayloadEscaped,
    /// The first datagram of all has come, and goes to the output next.
    FirstDatagram,
    /// The system has no room for some of the datagrams that come.
    DatagramsDropped,
    /// A datagram was longer than the room for it.
    DatagramTruncated {
        /// Whose it was, and how long.
        error: &'a Error,
    },
    /// A datagram came from a Unix socket without a name, which cannot be answered.
    UnnamedSender,
    /// The network reported that an earlier datagram did not arrive.
    DatagramRefused {
        /// What it reported.
        error: &'a std::io::Error,
    },
}

/// Who is told. Many clients have many threads, and each of them tells.
pub trait Observer: Send + Sync {
    /// Takes notice. Whoever tells waits for it.
    fn notice(&self, event: &Event<'_>);
}

/// Nobody listens.
impl Observer for () {
    fn notice(&self, _event: &Event<'_>) {}
}
