//! Every client hears all others.

use super::client::Client;
use super::room::{Hearing, Piece, Room, Slow, TooSlow};
use super::watch::closed;
use crate::error::{Action, Cause, Error, Result};
use crate::event::Event;
use crate::relay::End;
use crate::relay::looks::PROBE_INTERVAL;

/// What all clients of a broker share.
#[derive(Debug)]
pub struct Broker(Room);

impl Broker {
    /// A broker without clients.
    #[must_use]
    pub fn new(slow: Slow) -> Self {
        Self(Room::new(slow))
    }

    /// Passes on what a client says, and lets it hear the others, until it is gone: its end says
    /// only that it will say no more.
    pub(super) async fn serve(&self, client: &Client) -> Result<End> {
        let hearing = self.0.enter(client.number);
        tokio::try_join!(self.listen_to(client, &hearing), hear(client, &hearing))?;
        Ok(End::Both)
    }

    /// Passes on what is left of somebody who is gone.
    pub(super) async fn say_rest(&self, number: u64, rest: Piece) {
        self.0.say(number, rest).await;
    }

    /// Passes on what it says, and waits until it is gone.
    async fn listen_to(&self, client: &Client, hearing: &Hearing<'_>) -> Result<()> {
        while client
            .receive(|said| client.held.keep(said))
            .await?
            .is_some()
        {
            self.0.say_held(client).await;
        }
        gone(client).await?;
        hearing.finish();
        Ok(())
    }
}

/// Sends what is heard, until there is no more.
pub(super) async fn hear(client: &Client, hearing: &Hearing<'_>) -> Result<()> {
    loop {
        let next = hearing.next().await;
        let Some(piece) = next.map_err(|slow| too_slow(client, slow))? else {
            return Ok(());
        };
        tokio::select! {
            sent = send(client, hearing, &piece) => sent?,
            slow = hearing.dropped() => return Err(too_slow(client, slow)),
        }
        hearing.done();
    }
}

/// Sends what is heard, and says when the client takes no more of it for now.
async fn send(client: &Client, hearing: &Hearing<'_>, mut bytes: &[u8]) -> Result<()> {
    while !bytes.is_empty() {
        let length = client.send_now(bytes)?;
        bytes = bytes.get(length..).unwrap_or_default();
        if !bytes.is_empty() {
            hearing.waits(length > 0);
            client.writable().await?;
        }
    }
    Ok(())
}

/// Waits until a client that has ended, and may still hear, is gone.
///
/// # Errors
/// Its connection broke: over TCP that is how one finds out.
pub(super) async fn gone(client: &Client) -> Result<()> {
    client.line().probe_every(PROBE_INTERVAL);
    tokio::select! {
        error = client.failure() => Err(error),
        () = closed(client) => Ok(()),
    }
}

/// Tells of a client that does not keep up, and makes it an error.
fn too_slow(client: &Client, TooSlow(left): TooSlow) -> Error {
    client.service.observer.notice(&Event::ClientTooSlow {
        client: client.number,
        peer: &client.peer,
        left,
    });
    let cause = "it reads too slowly for the others".to_owned();
    Error::new(Action::Send, &client.peer, Cause::Other(cause))
}
