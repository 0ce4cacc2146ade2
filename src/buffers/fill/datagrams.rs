//! The same with datagrams, whose sender never waits: what does not fit is dropped.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;

use super::pair::{self, Sizes};
use crate::buffers::Transport;
use crate::error::{Action, Error, Result};
use crate::net::Family;
use crate::sys;

/// What a datagram carries; on most paths it is not cut into pieces.
const DATAGRAM: [u8; 1400] = [0; 1400];

/// More than any buffer keeps: without a count of drops the sending ends here.
const MOST: u64 = 1_000_000;

/// What became of datagrams that nobody read meanwhile.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Kept {
    /// What each carries, in bytes.
    pub size: u64,
    /// How many send took.
    pub sent: u64,
    /// How many the receiver found afterwards.
    pub kept: u64,
    /// How many the kernel counted as dropped (`SO_RXQ_OVFL`, socket(7)).
    pub dropped: Option<u64>,
    /// The size of the receive buffer.
    pub receive_buffer: u64,
}

/// Sends over a UDP pair of our own until the kernel has dropped as many as it keeps, and then reads
/// what was kept.
///
/// # Errors
/// The sockets cannot be made, or fail.
pub fn fill_datagrams(family: Family, sizes: Sizes) -> Result<Kept> {
    fill(family, sizes).map_err(|error| Error::new(Action::Send, "a pair of UDP sockets", error))
}

/// The whole of it.
fn fill(family: Family, sizes: Sizes) -> io::Result<Kept> {
    let (sender, receiver) = pair::connected(Transport::Udp, family, sizes)?;
    receiver.set_nonblocking(true)?;
    let dropped = || sys::receive_drops(receiver.as_fd());
    let mut sent = 0_u64;
    let mut end = MOST;
    while sent < end {
        (&sender).write_all(&DATAGRAM)?;
        sent = sent.saturating_add(1);
        if end == MOST && dropped()?.is_some_and(|dropped| dropped > 0) {
            end = sent.saturating_mul(2).min(MOST);
        }
    }
    let dropped = dropped()?;
    Ok(Kept {
        size: DATAGRAM.len() as u64,
        sent,
        kept: count(&receiver)?,
        dropped,
        receive_buffer: u64::try_from(receiver.recv_buffer_size()?).unwrap_or(u64::MAX),
    })
}

/// How many datagrams wait.
fn count(mut receiver: &socket2::Socket) -> io::Result<u64> {
    let mut room = [0; DATAGRAM.len()];
    let mut kept = 0_u64;
    loop {
        match receiver.read(&mut room) {
            Ok(_) => kept = kept.saturating_add(1),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(kept),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
