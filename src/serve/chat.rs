//! A broker for people: lines, with the name of who said them.

use std::fmt;
use std::sync::Arc;

use super::Slow;
use super::broker::hear;
use super::client::Client;
use super::room::{Piece, Room};
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
        let came = self.wording.came(client.number, &client.peer);
        self.room.say(client.number, bytes(came)).await;
        let _presence = Presence { chat: self, client };
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
        let take = |piece: &[u8]| {
            let word = |line: &[u8], text: &mut Vec<u8>| self.word(client, line, text);
            client.held.keep_lines(piece, word);
        };
        while client.receive(take).await?.is_some() {
            self.room.say_held(client).await;
        }
        self.end_line(client);
        self.room.say_held(client).await;
        Ok(())
    }

    /// Appends a line of a client, as the others see it.
    fn word(&self, client: &Client, line: &[u8], text: &mut Vec<u8>) {
        text.extend_from_slice(self.wording.said(client.number, line).as_bytes());
    }

    /// Takes what a client has said of a line for all of it.
    pub(super) fn end_line(&self, client: &Client) {
        let word = |line: &[u8], text: &mut Vec<u8>| self.word(client, line, text);
        client.held.end_line(word);
    }

    /// Passes on what is left of somebody who is gone, and then that they are.
    pub(super) async fn say_rest(&self, number: u64, rest: Piece) {
        self.room.say(number, rest).await;
        self.tell_left(number);
    }

    /// Tells the others that somebody has left. There need be no room for that, since there was for
    /// the news that they had come.
    fn tell_left(&self, number: u64) {
        self.room.proclaim(&bytes(self.wording.left(number)));
    }
}

/// Somebody of whom the others know that they are there.
struct Presence<'a> {
    chat: &'a Chat,
    client: &'a Client,
}

impl Drop for Presence<'_> {
    /// The others are told, however it came about: a client that is cut off leaves as well, but not
    /// before its last words.
    fn drop(&mut self) {
        if self.client.held.is_empty() {
            self.chat.tell_left(self.client.number);
        }
    }
}

/// A text as a piece.
fn bytes(text: String) -> Arc<[u8]> {
    text.into_bytes().into()
}
