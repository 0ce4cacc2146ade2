//! A command for each client: the connection is its stdin and stdout.
//!
//! Where nobody has to look at the bytes the child gets the socket itself, and what it moved is
//! asked of the kernel; else two pipes stand between. Its stderr is ours.

mod child;
mod lent;
mod piped;

use std::ffi::OsString;
use std::os::fd::AsFd;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::client::Client;
use crate::error::Result;
use crate::net::Proto;
use crate::relay::End;
use crate::relay::looks::Looks;
use crate::sys;

pub(super) use child::{Child, conclude, dismiss};
pub(super) use piped::{Hearer, answer, start, talk, write};

/// For how long what the client still sends is dropped when the child has ended, and how long
/// nothing of it may come.
const LINGER: Duration = Duration::from_secs(5);
const QUIET: Duration = Duration::from_millis(500);

/// What is run.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Words {
    /// A program, found on the search path, and its arguments. No shell sees them.
    Program(OsString, Vec<OsString>),
    /// A line for `sh -c`.
    Shell(OsString),
}

/// A command that serves clients, each with a process of its own.
#[derive(Debug)]
pub struct Exec {
    words: Words,
    counted: bool,
    last: Mutex<Option<ChildEnd>>,
}

/// How a child ended: with a status or by a signal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ChildEnd {
    /// Its process id.
    pub pid: u32,
    /// Its exit status.
    pub status: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
}

impl Exec {
    /// A command. `counted`: how much each client sent and got will be asked for, which costs
    /// those of a Unix socket the socket itself, for there the kernel does not count.
    #[must_use]
    pub fn new(words: Words, counted: bool) -> Self {
        Self {
            words,
            counted,
            last: Mutex::default(),
        }
    }

    /// How the last child ended, once one has.
    pub fn last_end(&self) -> Option<ChildEnd> {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of the end of a child.
    fn note_end(&self, end: ChildEnd) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(end);
    }

    /// Whether the child gets the socket: nothing has to look at its bytes, and the kernel counts
    /// them if anybody has to.
    pub(super) fn takes_connection(&self, client: &Client) -> bool {
        let service = &client.service;
        let counts = match client.proto() {
            Proto::Tcp => sys::carried(client.as_fd()).is_some(),
            _ => false,
        };
        // What a read leaves of a message is lost.
        let is_stream = client.proto() != Proto::UnixSeqpacket;
        is_stream
            && service.most.is_none()
            && (counts || (!self.counted && service.idle_timeout.is_none()))
    }
}

/// Runs the command for a client until it ends, and sees the client off.
pub(super) async fn serve(client: &Client, command: &Exec) -> Result<End> {
    match client.lent_socket() {
        Some(socket) => lent::serve(client, command, socket).await?,
        None => piped::serve(client, command).await?,
    }
    client.take_stock();
    client.end_sending()?;
    see_off(client).await?;
    Ok(End::Both)
}

/// Drops what the client still sends: left unread, it would turn the close into a reset, and cut
/// short what the child said.
async fn see_off(client: &Client) -> Result<()> {
    let (began, mut last) = (Instant::now(), Instant::now());
    let mut looks = Looks::new();
    while began.elapsed() < LINGER {
        // Only a look that was made after so long tells that nothing came: we may have been stopped.
        let is_quiet = last.elapsed() >= QUIET;
        let dropped = client.line().drop_what_came();
        let dropped = dropped.map_err(|error| client.broken(error))?;
        if dropped.ended || (is_quiet && !dropped.some) {
            break;
        }
        if dropped.some {
            (last, looks) = (Instant::now(), Looks::new());
        }
        looks.pause().await;
    }
    Ok(())
}
