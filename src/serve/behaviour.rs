//! What a client gets: a file each, and one place that lists them.

use std::sync::Arc;

use super::client::Client;
use super::exec::{self, Exec};
use super::room::Piece;
use super::{Broker, Chat, Folder, Stdio, discard, echo, forward, reply, save};
use crate::error::{Error, Result};
use crate::event::Observer;
use crate::relay::End;
use crate::value::Endpoint;

/// What every client of a server gets.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Behaviour {
    /// What all others say.
    Broker(Arc<Broker>),
    /// The same as lines, with names.
    Chat(Arc<Chat>),
    /// Everything that it sent.
    Discard,
    /// Its own bytes.
    Echo,
    /// A command of its own: the connection is its stdin and stdout.
    Exec(Arc<Exec>),
    /// A connection of its own to somewhere else.
    Forward(Arc<Endpoint>),
    /// These bytes, once for each read.
    Reply(Arc<[u8]>),
    /// A new file in this directory.
    Save(Folder),
    /// Our stdin and stdout, which all share.
    Stdio(Arc<Stdio>),
}

impl Behaviour {
    /// Serves a client until there is no more to do. What follows is not its business: the write
    /// half is shut down, the rest is acknowledged, the connection closed; nor are timeouts, nor
    /// being told to stop, at which it is dropped where it waits.
    ///
    /// The state of a client is as large as that of the largest behaviour: one that holds more
    /// than a few words is boxed here.
    pub(super) async fn serve(&self, client: &Client) -> Result<End> {
        match self {
            Self::Broker(broker) => Box::pin(broker.serve(client)).await,
            Self::Chat(chat) => Box::pin(chat.serve(client)).await,
            Self::Discard => discard::serve(client).await,
            Self::Echo => echo::serve(client).await,
            Self::Exec(command) => Box::pin(exec::serve(client, command)).await,
            Self::Forward(endpoint) => Box::pin(forward::serve(client, endpoint)).await,
            Self::Reply(text) => reply::serve(client, text).await,
            Self::Save(folder) => Box::pin(save::serve(client, folder)).await,
            Self::Stdio(stdio) => Box::pin(stdio.serve(client)).await,
        }
    }

    /// What came from a client that is no longer served, and is not yet where it is to go.
    pub(super) fn rest_of(&self, client: &Client) -> Option<Piece> {
        match self {
            Self::Chat(chat) => chat.end_line(client),
            Self::Stdio(stdio) => stdio.end_line(client),
            _ => {}
        }
        client.held.piece()
    }

    /// Passes that on as soon as there is room for it: the client of this number is gone.
    pub(super) async fn pass_on(&self, number: u64, rest: Piece, observer: &dyn Observer) {
        match self {
            Self::Broker(broker) => broker.say_rest(number, rest).await,
            Self::Chat(chat) => chat.say_rest(number, rest).await,
            Self::Stdio(stdio) => stdio.write(&rest, observer).await,
            _ => {}
        }
    }

    /// Whether a client that is silent, and has been sent everything, may be left when the server
    /// stops: nobody is still at work for it, and what it sent has come where it was to go.
    pub(super) fn rests(&self) -> bool {
        match self {
            Self::Broker(_)
            | Self::Chat(_)
            | Self::Discard
            | Self::Echo
            | Self::Reply(_)
            | Self::Save(_) => true,
            Self::Stdio(stdio) => stdio.has_written(),
            Self::Exec(_) | Self::Forward(_) => false,
        }
    }

    /// Whether somebody else is to read from the client's connection and write to it.
    pub(super) fn lends(&self, client: &Client) -> bool {
        match self {
            Self::Exec(command) => command.takes_connection(client),
            _ => false,
        }
    }

    /// Does what is to be done for all clients together, for as long as clients are taken.
    ///
    /// # Errors
    /// It cannot go on, and without it the server cannot.
    pub(super) async fn work(&self) -> Error {
        match self {
            Self::Stdio(stdio) => stdio.work().await,
            _ => std::future::pending().await,
        }
    }

    /// Brings that to its end when no client is left.
    ///
    /// # Errors
    /// Something that clients said is lost.
    pub(super) async fn conclude(&self) -> Result<()> {
        match self {
            Self::Stdio(stdio) => stdio.conclude().await,
            _ => Ok(()),
        }
    }

    /// Whether the connections of clients that are left when the server stops are closed, and not
    /// reset: nothing is kept from them, and what they sent need not be whole to be of worth.
    pub(super) fn may_end_well(&self, client: &Client) -> bool {
        match self {
            Self::Stdio(stdio) => stdio.has_said_all() && client.held.is_empty(),
            Self::Broker(_) | Self::Chat(_) => client.held.is_empty(),
            Self::Save(_) => false,
            _ => true,
        }
    }
}
