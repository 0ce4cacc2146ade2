//! A broker for people: lines, with the name of who said them.

use std::fmt;
use std::sync::Arc;

use super::Slow;
use super::broker::hear;
use super::client::Client;
use super::lines::Lines;
use super::room::Room;
use crate::error::Result;
use crate::net::Address;
use crate::relay::End;

/// How what people are shown is worded, each with its line end; whoever says something has a
/// number, and what is said is hostile.
pub trait Wording: Send + Sync {
    /// To somebody who has come: their number, and who is there.
    fn welcome(&self, number: u64, others: &[u64]) -> String;
    /// Somebody has come.
    fn came(&self, number: u64, from: &Address) -> String;
    /// Somebody said a line.
    fn said(&self, number: u64, line: &[u8]) -> String;
    /// Somebody has left.
    fn left(&self, number: u64) -> String;
}

/// What all clients of a chat share.
pub struct Chat {
    room: Room,
    wording: Box<dyn Wording>,
}

impl fmt::Debug for Chat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chat").finish_non_exhaustive()
    }
}

impl Chat {
    /// A chat with nobody in it.
    #[must_use]
    pub fn new(slow: Slow, wording: Box<dyn Wording>) -> Self {
        let room = Room::new(slow);
        Self { room, wording }
    }

    /// Lets a client talk with the others; its end is its farewell.
    pub(super) async fn serve(&self, client: &Client) -> Result<End> {
        let others = self.room.numbers();
        let hearing = self.room.enter(client.number);
        let welcome = self.wording.welcome(client.number, &others);
        self.room.whisper(client.number, bytes(welcome));
        self.say(client, self.wording.came(client.number, &client.peer))
            .await;
        let _presence = Presence {
            chat: self,
            number: client.number,
        };
        tokio::try_join!(
            async {
                self.listen_to(client).await?;
                hearing.finish();
                Ok(())
            },
            hear(client, &hearing)
        )?;
        Ok(End::Both)
    }

    /// Passes on what it says until its end.
    async fn listen_to(&self, client: &Client) -> Result<()> {
        let mut lines = Lines::default();
        let mut text = String::new();
        while client
            .receive(|piece| {
                client.note_held(true);
                lines.take(piece, |line| text += &self.said(client, line));
            })
            .await?
            .is_some()
        {
            self.say(client, std::mem::take(&mut text)).await;
            client.note_held(!lines.is_empty());
        }
        lines.finish(|line| text += &self.said(client, line));
        self.say(client, text).await;
        client.note_held(false);
        Ok(())
    }

    /// A line of a client, as the others see it.
    fn said(&self, client: &Client, line: &[u8]) -> String {
        self.wording.said(client.number, line)
    }

    /// Passes on a text to all but the client.
    async fn say(&self, client: &Client, text: String) {
        if !text.is_empty() {
            self.room.say(client.number, bytes(text)).await;
        }
    }
}

/// Somebody of whom the others know that they are there.
struct Presence<'a> {
    chat: &'a Chat,
    number: u64,
}

impl Drop for Presence<'_> {
    /// The others are told, however it came about: a client that is cut off leaves as well. There
    /// need be no room for that, since there was for the news that somebody had come.
    fn drop(&mut self) {
        let left = self.chat.wording.left(self.number);
        self.chat.room.proclaim(&bytes(left));
    }
}

/// A text as a piece.
fn bytes(text: String) -> Arc<[u8]> {
    text.into_bytes().into()
}
