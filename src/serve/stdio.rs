//! Our stdin goes to every client, and what they say to our stdout.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Mutex;

use super::Slow;
use super::broker::{gone, hear};
use super::client::Client;
use super::one::GRACE;
use super::room::{Hearing, Room};
use crate::error::{Action, Cause, Error, Result};
use crate::event::{Event, Observer};
use crate::net::Address;
use crate::relay::{End, Input, Letters, Outlet, Sink, StdinKind};

/// What marks a line on stdout with the client that said it.
pub type Tag = Box<dyn Fn(u64, &Address) -> String + Send + Sync>;

/// What all clients share that hear our stdin, and are heard on our stdout.
pub struct Stdio {
    room: Room,
    /// What is read, once; nothing if stdin is never read.
    input: Mutex<Option<Input>>,
    kind: Option<StdinKind>,
    /// Whether something was read, and whether all was.
    began: AtomicBool,
    ended: AtomicBool,
    /// Where to write; nowhere if what clients say is dropped.
    outlet: Mutex<Option<Outlet>>,
    tag: Option<Tag>,
}

/// What clients hear.
#[derive(Debug)]
pub enum Source {
    /// What is read from here.
    Input(Input),
    /// Nothing, ever.
    Nothing,
}

impl fmt::Debug for Stdio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stdio").finish_non_exhaustive()
    }
}

impl Stdio {
    /// With nobody to talk with yet. With a tag lines are kept whole.
    ///
    /// # Errors
    /// The system has no room for the thread that writes.
    pub fn new(source: Source, sink: Sink<'_>, slow: Slow, tag: Option<Tag>) -> io::Result<Self> {
        let input = match source {
            Source::Input(input) => Some(input),
            Source::Nothing => None,
        };
        Ok(Self {
            room: Room::new(slow),
            kind: input.as_ref().map(Input::kind),
            input: Mutex::new(input),
            began: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            outlet: Mutex::new(Outlet::of(sink)?),
            tag,
        })
    }

    /// Reads for as long as there are clients, and watches what is written.
    pub(super) async fn work(&self) -> Error {
        tokio::select! {
            error = self.read() => error,
            error = self.write_fails() => error,
        }
    }

    /// Passes on what is read, at the pace of the fastest client, and nothing without one.
    async fn read(&self) -> Error {
        let Some(mut input) = self.input.lock().await.take() else {
            return std::future::pending().await;
        };
        let read = if input.is_for_datagrams() {
            self.read_messages(&mut input).await
        } else {
            self.read_bytes(&mut input).await
        };
        if let Err(error) = read {
            return error;
        }
        self.ended.store(true, Ordering::Relaxed);
        self.room.close();
        std::future::pending().await
    }

    /// Passes on each read until there is no more.
    async fn read_bytes(&self, input: &mut Input) -> Result<()> {
        loop {
            self.room.occupied().await;
            if !input.fill().await? {
                return Ok(());
            }
            self.announce(input.pending()).await;
            input.pass(usize::MAX);
        }
    }

    /// Passes on each message that it is to become.
    async fn read_messages(&self, input: &mut Input) -> Result<()> {
        let mut letters = Letters::of(input);
        loop {
            self.room.occupied().await;
            let more = letters.fill().await?;
            while !letters.is_empty() {
                let length = letters.next().len();
                self.announce(letters.next()).await;
                letters.pass(length);
            }
            if !more {
                return Ok(());
            }
        }
    }

    /// Passes something on to all clients.
    async fn announce(&self, read: &[u8]) {
        self.began.store(true, Ordering::Relaxed);
        self.room.announce(read.into()).await;
    }

    /// Waits until stdout fails.
    async fn write_fails(&self) -> Error {
        let failed = self.outlet.lock().await.as_ref().map(Outlet::failure);
        match failed {
            Some(failed) => failed.await,
            None => std::future::pending().await,
        }
    }

    /// Serves a client.
    pub(super) async fn serve(&self, client: &Client) -> Result<End> {
        let hearing = self.room.enter(client.number);
        let (done, ()) = tokio::try_join!(
            self.listen_to(client, &hearing),
            self.tell(client, &hearing)
        )?;
        Ok(done)
    }

    /// Sends it what is read, and then our end, unless it would take that for the end of an answer
    /// that never began.
    async fn tell(&self, client: &Client, hearing: &Hearing<'_>) -> Result<()> {
        hear(client, hearing).await?;
        let is_mute = !self.began.load(Ordering::Relaxed) && self.kind != Some(StdinKind::File);
        if is_mute {
            Ok(())
        } else {
            client.end_sending()
        }
    }

    /// Writes what it says. Its end is the end if nobody reads stdin for it, or somebody types:
    /// else it may still hear.
    async fn listen_to(&self, client: &Client, hearing: &Hearing<'_>) -> Result<End> {
        let take = |piece: &[u8]| self.keep(client, piece);
        while client.receive(take).await?.is_some() {
            self.write_held(client).await;
        }
        self.end_line(client);
        self.write_held(client).await;
        self.flushed().await;
        if matches!(self.kind, None | Some(StdinKind::Terminal)) {
            hearing.finish();
            return Ok(End::Peer);
        }
        tokio::select! {
            left = gone(client) => {
                left?;
                hearing.finish();
                Ok(End::Peer)
            }
            () = self.room.closed() => Ok(End::Both),
        }
    }

    /// Keeps what is to be written of a piece: the lines that it completes, or all of it.
    fn keep(&self, client: &Client, piece: &[u8]) {
        if self.tag.is_none() {
            return client.held.keep(piece);
        }
        let mark = |line: &[u8], marked: &mut Vec<u8>| self.mark(client, line, marked);
        client.held.keep_lines(piece, mark);
    }

    /// Takes what a client has said of a line for all of it.
    pub(super) fn end_line(&self, client: &Client) {
        let mark = |line: &[u8], marked: &mut Vec<u8>| self.mark(client, line, marked);
        client.held.end_line(mark);
    }

    /// Appends a line with its tag.
    fn mark(&self, client: &Client, line: &[u8], marked: &mut Vec<u8>) {
        if let Some(tag) = &self.tag {
            marked.extend_from_slice(tag(client.number, &client.peer).as_bytes());
        }
        marked.extend_from_slice(line);
        marked.push(b'\n');
    }

    /// Writes what is held of a client, which is then no longer held.
    async fn write_held(&self, client: &Client) {
        if let Some(piece) = client.held.piece() {
            self.write(&piece, &*client.service.observer).await;
            client.held.note_passed_on();
        }
    }

    /// Writes when stdout has room, and does not wait once it has.
    pub(super) async fn write(&self, bytes: &[u8], observer: &dyn Observer) {
        let mut outlet = self.outlet.lock().await;
        let Some(outlet) = outlet.as_mut() else {
            return;
        };
        outlet.room().await;
        if outlet.put(bytes) {
            observer.notice(&Event::PayloadEscaped);
        }
    }

    /// Waits until all that was said until now is written: a client takes our end to mean that.
    async fn flushed(&self) {
        let flushed = self.outlet.lock().await.as_ref().map(Outlet::flushed);
        if let Some(flushed) = flushed {
            flushed.await;
        }
    }

    /// Whether all that was said is written. Who writes meanwhile has something to write.
    pub(super) fn has_written(&self) -> bool {
        let outlet = self.outlet.try_lock();
        outlet.is_ok_and(|outlet| outlet.as_ref().is_none_or(Outlet::is_written))
    }

    /// Whether nothing is kept from clients that are left now: stdin is at its end, nobody reads
    /// it, or somebody types.
    pub(super) fn has_said_all(&self) -> bool {
        let ended = self.ended.load(Ordering::Relaxed);
        ended || matches!(self.kind, None | Some(StdinKind::Terminal))
    }

    /// Writes the rest.
    ///
    /// # Errors
    /// stdout fails, or does not take it in time.
    pub(super) async fn conclude(&self) -> Result<()> {
        let mut outlet = self.outlet.lock().await;
        let Some(outlet) = outlet.as_mut() else {
            return Ok(());
        };
        outlet.close();
        let closed = tokio::time::timeout(GRACE, outlet.closed()).await;
        closed.unwrap_or_else(|_| {
            let cause = Cause::TimedOut(GRACE);
            Err(Error::new(Action::Write, "stdout", cause))
        })
    }
}
