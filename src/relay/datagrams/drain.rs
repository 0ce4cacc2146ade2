//! Where the payload of datagrams goes.

use std::io;

use crate::error::{Action, Error, Result};
use crate::net::Batch;
use crate::relay::outlet::{OutletNews, news};
use crate::relay::{Outlet, Sink};
use crate::sys::{self, StdoutKind};

/// Where it goes.
pub(super) enum Drain {
    /// Nowhere.
    Nothing,
    /// To a file or a device that nobody reads at the other end: written right here, for a queue
    /// would cost more than the write.
    File,
    /// To a reader that may be slow.
    Outlet(Outlet),
}

impl Drain {
    /// What a sink needs.
    ///
    /// # Errors
    /// The system has no room for a thread.
    pub(super) fn of(sink: Sink<'_>) -> io::Result<Self> {
        let is_file = sys::stdout_kind() == StdoutKind::File && !sys::is_terminal(io::stdout());
        match sink {
            Sink::Stdout if is_file => Ok(Self::File),
            sink => Ok(Outlet::of(sink)?.map_or(Self::Nothing, Self::Outlet)),
        }
    }

    /// Whether a batch would be taken now.
    pub(super) fn has_room(&self) -> bool {
        match self {
            Self::Outlet(outlet) => outlet.has_room(),
            _ => true,
        }
    }

    /// Takes so much of a batch; true if some of it was shown escaped. There must be room.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn put(&mut self, batch: &Batch, most: usize) -> Result<bool> {
        let pieces = batch.pieces(most);
        match self {
            Self::Nothing => Ok(false),
            Self::Outlet(outlet) => Ok(outlet.put(&pieces.collect::<Vec<_>>().concat())),
            Self::File => {
                write(pieces).map_err(|error| Error::new(Action::Write, "stdout", error))?;
                Ok(false)
            }
        }
    }

    /// Waits for what stdout has to say.
    pub(super) async fn news(&self, wants_room: bool) -> OutletNews {
        match self {
            Self::Outlet(outlet) => news(Some(outlet), wants_room).await,
            _ => std::future::pending().await,
        }
    }

    /// Closes stdout towards its reader, and waits until it has everything.
    pub(super) async fn close(&mut self) -> Result<()> {
        match self {
            Self::Nothing => Ok(()),
            Self::File => {
                sys::close_stdout().map_err(|error| Error::new(Action::Write, "stdout", error))
            }
            Self::Outlet(outlet) => {
                outlet.close();
                outlet.closed().await
            }
        }
    }
}

/// Writes pieces, small ones together.
fn write<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> io::Result<()> {
    let mut together: Vec<u8> = Vec::new();
    for piece in pieces {
        if piece.len() < TOGETHER {
            together.extend_from_slice(piece);
            continue;
        }
        sys::write_stdout(&together)?;
        together.clear();
        sys::write_stdout(piece)?;
    }
    sys::write_stdout(&together)
}

/// What is shorter is copied rather than written by itself.
const TOGETHER: usize = 16 * 1024;
