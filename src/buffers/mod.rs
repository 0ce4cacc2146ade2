//! The send and receive buffers of sockets: what there is, and what can be had.
//!
//! Every size is what getsockopt(2) reports, in bytes. On Linux that is twice what a program asked
//! for, since the system's own data is counted too (socket(7)), so what it can ask for is half of
//! it.

mod advise;
mod fill;
mod grant;
mod kind;
mod list;
mod origin;
mod socket;
mod trial;
mod watch;

pub use advise::{Advice, Need, advise, round_trip};
pub use fill::{Fill, Filling, Kept, Sizes, fill_datagrams};
pub use grant::{Cap, Grant, Outcome, shortfall};
pub use kind::{Direction, Transport};
pub use list::{Listed, list};
pub use origin::{Limit, Origin};
pub use socket::{Process, Socket, SocketKind, SocketState, Tcp};
pub use watch::{Connection, Verdict, Watch};

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::error::{Error, Result};
use origin::Settings;
use trial::{Connected, Trial};

/// The largest size that a program can ask for: the option is a C `int`.
pub const LARGEST_REQUEST: u64 = i32::MAX.unsigned_abs() as u64;

/// One buffer of one kind of socket. What the system does not tell is `None`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BufferSizes {
    /// Whose buffer it is.
    pub transport: Transport,
    /// Which of its two.
    pub direction: Direction,
    /// The smallest that can be had by asking.
    pub minimum: Option<Limit>,
    /// What a new socket has.
    pub default: Option<Limit>,
    /// The largest it becomes by itself if it is autotuned, else the largest that can be had by
    /// asking.
    pub maximum: Option<Limit>,
    /// The largest that can be had by asking, which switches autotuning off.
    pub settable: Option<Limit>,
    /// Whether the system lets it grow as the connection needs.
    pub autotuned: Option<bool>,
    /// What it has once connected over loopback, if that could be tried.
    pub connected: Option<u64>,
    /// What came of the size that was asked for.
    pub grant: Option<Grant>,
}

/// The buffers of every kind of socket.
#[derive(Debug)]
pub struct Buffers {
    /// A row for each direction of each kind.
    pub sizes: Vec<BufferSizes>,
    /// Why some of it is unknown.
    pub unknown: Vec<Error>,
}

/// A connection to an address that answers in time. No option is about that time, so that it ends as
/// the system's own does.
fn connected(address: &SocketAddr, limit: Duration) -> io::Result<TcpStream> {
    TcpStream::connect_timeout(address, limit).map_err(|error| match error.kind() {
        io::ErrorKind::TimedOut => io::Error::from_raw_os_error(libc::ETIMEDOUT),
        _ => error,
    })
}

/// Measures every buffer on new sockets, and what comes of asking for `request` bytes.
///
/// # Errors
/// No socket of any kind can be made.
pub fn measure(request: Option<u64>) -> Result<Buffers> {
    let mut settings = Settings::default();
    let mut sizes = Vec::new();
    let mut failed = Vec::new();
    for transport in Transport::ALL {
        let connected = Connected::new(transport);
        for direction in Direction::BOTH {
            match Trial::new(transport, direction, request, &connected) {
                Ok(trial) => sizes.push(trial.explained(&mut settings)),
                Err(error) => failed.push(error),
            }
        }
    }
    match (sizes.is_empty(), failed.pop()) {
        (true, Some(error)) => Err(error),
        (_, last) => Ok(Buffers {
            sizes,
            unknown: failed
                .into_iter()
                .chain(last)
                .chain(settings.unread)
                .collect(),
        }),
    }
}
