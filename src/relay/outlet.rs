//! stdout: written by a thread of its own, over a short queue, with an eye on its reader.

use std::io;
use std::thread;

use rustix::event::PollFlags;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::{mpsc, watch};

use super::attention::{self, Attention, Control, Mode};
use super::{Sink, Transform};
use crate::error::{Action, Error};
use crate::sys;

/// Pieces that may wait for the writer.
const QUEUE: usize = 4;

/// Of these the ones that are kept for the end: what the filter still holds, and the close.
const KEPT: usize = 2;

/// Where the peer's bytes go.
pub(crate) struct Outlet {
    chunks: Option<mpsc::Sender<Piece>>,
    control: Control,
    fate: watch::Receiver<Fate>,
    /// How many pieces of bytes were handed over, and how many of them are written.
    handed: u64,
    written: watch::Receiver<u64>,
    filter: Option<Box<dyn Transform>>,
}

/// What the writer is handed.
enum Piece {
    /// Bytes to write.
    Bytes(Vec<u8>),
    /// Nothing more: stdout is closed towards its reader.
    Close,
}

/// What has become of stdout.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fate {
    /// It takes what we write.
    Open,
    /// Everything was written, and it is closed.
    Closed,
    /// It failed: the error number, or none.
    Failed(Option<i32>),
}

impl Outlet {
    /// What a sink needs; nothing for nowhere.
    ///
    /// # Errors
    /// The system has no room for its thread.
    pub(crate) fn of(sink: Sink<'_>) -> io::Result<Option<Self>> {
        match sink {
            Sink::Nothing => Ok(None),
            Sink::Stdout => Self::stdout(None).map(Some),
            Sink::Filtered(filter) => Self::stdout(Some(filter())).map(Some),
        }
    }

    /// stdout, with a filter before it if it is a terminal that must be spared.
    fn stdout(filter: Option<Box<dyn Transform>>) -> io::Result<Self> {
        let (sender, mut pieces) = mpsc::channel(QUEUE);
        let (fate, receiver) = watch::channel(Fate::Open);
        let (count, written) = watch::channel(0);
        let (control, attention) = attention::pair(Mode::Run)?;
        let writer = move || write_all(&mut pieces, &attention, (&fate, &count));
        thread::Builder::new().spawn(writer)?;
        Ok(Self {
            chunks: Some(sender),
            control,
            fate: receiver,
            handed: 0,
            written,
            filter,
        })
    }

    /// Whether a chunk would be taken now.
    pub(crate) fn has_room(&self) -> bool {
        self.chunks
            .as_ref()
            .is_some_and(|chunks| chunks.capacity() > KEPT)
    }

    /// Waits until a chunk would be taken.
    pub(crate) async fn room(&self) {
        if let Some(chunks) = &self.chunks {
            let _ = chunks.reserve_many(KEPT + 1).await;
        }
    }

    /// Hands bytes to the writer; true if the filter changed them. There must be room.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> bool {
        let Some(filter) = &mut self.filter else {
            self.send(Piece::Bytes(bytes.to_vec()));
            return false;
        };
        let mut out = Vec::with_capacity(bytes.len());
        filter.transform(bytes, &mut out);
        let changed = filter.noticed();
        self.send(Piece::Bytes(out));
        changed
    }

    /// Whether all that was handed over is written.
    pub(crate) fn is_written(&self) -> bool {
        *self.written.borrow() >= self.handed
    }

    /// Waits until all that was handed over so far is written, for somebody who does not hold it;
    /// for ever if stdout fails.
    pub(crate) fn flushed(&self) -> impl Future<Output = ()> + use<> {
        let (mut written, handed) = (self.written.clone(), self.handed);
        async move {
            if written
                .wait_for(|written| *written >= handed)
                .await
                .is_err()
            {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Closes stdout towards its reader as soon as everything is written.
    pub(crate) fn close(&mut self) {
        if let Some(mut filter) = self.filter.take() {
            let mut out = Vec::new();
            filter.finish(&mut out);
            self.send(Piece::Bytes(out));
        }
        self.send(Piece::Close);
        self.chunks = None;
    }

    /// Whether no more will be handed to it.
    pub(crate) fn is_closing(&self) -> bool {
        self.chunks.is_none()
    }

    /// Waits until everything is written and stdout is closed.
    pub(crate) async fn closed(&self) -> Result<(), Error> {
        match self.fate_other_than(|fate| fate == Fate::Open).await {
            Fate::Failed(errno) => Err(write_error(errno)),
            Fate::Open | Fate::Closed => Ok(()),
        }
    }

    /// Waits until stdout has failed or its reader has gone; for ever if it does neither.
    pub(crate) async fn failed(&self) -> Error {
        match self
            .fate_other_than(|fate| !matches!(fate, Fate::Failed(_)))
            .await
        {
            Fate::Failed(errno) => write_error(errno),
            Fate::Open | Fate::Closed => std::future::pending().await,
        }
    }

    /// The same for somebody who does not hold it.
    pub(crate) fn failure(&self) -> impl Future<Output = Error> + use<> {
        let mut fate = self.fate.clone();
        async move {
            let failed = fate.wait_for(|fate| matches!(fate, Fate::Failed(_))).await;
            match failed.map(|fate| *fate) {
                Ok(Fate::Failed(errno)) => write_error(errno),
                _ => std::future::pending().await,
            }
        }
    }

    /// Waits for a fate that is not one of these.
    async fn fate_other_than(&self, these: impl Fn(Fate) -> bool) -> Fate {
        let mut fate = self.fate.clone();
        let other = fate.wait_for(|fate| !these(*fate)).await;
        other.map_or(Fate::Closed, |fate| *fate)
    }

    /// Puts a chunk into the queue.
    fn send(&mut self, piece: Piece) {
        let is_bytes = matches!(piece, Piece::Bytes(_));
        self.handed = self.handed.saturating_add(is_bytes.into());
        if let Some(chunks) = &self.chunks {
            // A writer that has failed takes no more, and says so by its fate.
            let _ = chunks.try_send(piece);
            self.control.wake();
        }
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        self.chunks = None;
        self.control.wake();
    }
}

/// What stdout has to say.
pub(super) enum OutletNews {
    /// There is room for more again.
    Room,
    /// It has everything and is closed, or failed.
    Written(Result<(), Error>),
}

/// Waits for what stdout has to say: that it failed, has room again, or has everything.
pub(super) async fn news(outlet: Option<&Outlet>, wants_room: bool) -> OutletNews {
    let Some(outlet) = outlet else {
        return std::future::pending().await;
    };
    if outlet.is_closing() {
        return OutletNews::Written(outlet.closed().await);
    }
    tokio::select! {
        error = outlet.failed() => OutletNews::Written(Err(error)),
        () = outlet.room(), if wants_room => OutletNews::Room,
    }
}

/// The error of a stdout that failed with this number.
fn write_error(errno: Option<i32>) -> Error {
    let error = errno.map_or_else(
        || io::ErrorKind::WriteZero.into(),
        io::Error::from_raw_os_error,
    );
    Error::new(Action::Write, "stdout", error)
}

/// The writer: until it is told to close, stdout fails, or nobody hands it anything any more.
fn write_all(
    pieces: &mut mpsc::Receiver<Piece>,
    attention: &Attention,
    (fate, written): (&watch::Sender<Fate>, &watch::Sender<u64>),
) {
    loop {
        let (result, settled) = match pieces.try_recv() {
            Ok(Piece::Bytes(bytes)) => {
                let result = sys::write_stdout(&bytes);
                if result.is_ok() {
                    written.send_modify(|written| *written = written.saturating_add(1));
                }
                (result, Fate::Open)
            }
            Ok(Piece::Close) => (sys::close_stdout(), Fate::Closed),
            Err(TryRecvError::Empty) => (wait_for_more(attention), Fate::Open),
            Err(TryRecvError::Disconnected) => return,
        };
        match result {
            Ok(()) if settled == Fate::Open => {}
            Ok(()) => return settle(fate, settled),
            Err(error) => return settle(fate, Fate::Failed(error.raw_os_error())),
        }
    }
}

/// Waits for the next piece, and notices that the reader has gone although there is nothing to
/// write. It is the writer's own wait: a poll of another thread would hold stdout open after its
/// close.
fn wait_for_more(attention: &Attention) -> io::Result<()> {
    if !sys::stdout_kind().has_reader() {
        return attention.wait([], None).map(|_| ());
    }
    let [gone] = attention.wait([(rustix::stdio::stdout(), PollFlags::empty())], None)?;
    if gone.is_empty() {
        Ok(())
    } else {
        Err(io::Error::from_raw_os_error(libc::EPIPE))
    }
}

/// The first fate stands.
fn settle(fate: &watch::Sender<Fate>, settled: Fate) {
    fate.send_if_modified(|fate| {
        let open = *fate == Fate::Open;
        if open {
            *fate = settled;
        }
        open
    });
}
