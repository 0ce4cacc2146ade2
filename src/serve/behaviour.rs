//! What a client gets: a file each, and one place that lists them.

use std::sync::Arc;

use super::client::Client;
use super::exec::{self, Exec};
use super::{Folder, discard, echo, forward, reply, save};
use crate::error::Result;
use crate::relay::End;
use crate::value::Endpoint;

/// What every client of a server gets.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Behaviour {
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
            Self::Discard => discard::serve(client).await,
            Self::Echo => echo::serve(client).await,
            Self::Exec(command) => Box::pin(exec::serve(client, command)).await,
            Self::Forward(endpoint) => Box::pin(forward::serve(client, endpoint)).await,
            Self::Reply(text) => reply::serve(client, text).await,
            Self::Save(folder) => Box::pin(save::serve(client, folder)).await,
        }
    }

    /// Whether a client that is silent, and has been sent everything, may be left when the server
    /// stops: nobody is still at work for it.
    pub(super) fn rests(&self) -> bool {
        match self {
            Self::Discard | Self::Echo | Self::Reply(_) | Self::Save(_) => true,
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

    /// Whether what a client sends is of no worth before it is whole: one that is left before its
    /// end must learn of it, by a reset.
    pub(super) fn wants_whole(&self) -> bool {
        matches!(self, Self::Save(_))
    }
}
