//! What carries the bytes of a conversation, as its session sees it.

use std::io;
use std::os::fd::BorrowedFd;

use tokio::io::Interest;

use crate::error::{Error, Result};

/// Something that the session must know.
#[derive(Debug)]
pub(super) enum News {
    /// The connection broke.
    Broken(io::Error),
    /// Our input failed.
    Failed(Error),
    /// Our input ended, and the system has all of it.
    InputEnded,
    /// As many bytes came as were wanted.
    Enough,
    /// Bytes moved, or may move again.
    Moved,
    /// The peer will send no more.
    PeerEnded,
    /// stdout has everything and is closed, or failed.
    Written(Result<()>),
}

/// Moves bytes both ways until it is told to stop.
pub(super) trait Mover {
    /// The connection.
    fn socket(&self) -> BorrowedFd<'_>;

    /// Waits for news. Nothing is lost if the future is dropped.
    async fn news(&mut self) -> News;

    /// Why the connection broke, if it did.
    fn take_error(&self) -> Option<io::Error>;

    /// Whether input was read that the system has not taken.
    fn has_unsent(&self) -> bool;

    /// Whether what comes has to wait for the reader of stdout.
    fn is_stalled(&self) -> bool;

    /// Reads no more input, drops what comes and closes stdout once it is written.
    fn leave(&mut self);

    /// Reads no more input and sends no more; [`Mover::is_quiet`] tells when that is so, and the
    /// counts are final.
    fn hush(&mut self);

    /// Whether nothing is being sent any more.
    fn is_quiet(&self) -> bool;

    /// After a break: reads what the system still holds, and closes stdout once it is written. If
    /// nothing ever came stdout stays open, for whoever connected may have been no client.
    fn rescue(&mut self);
}

/// What to ask of the socket: even when nothing is to be read or written, it may fail.
pub(super) fn interest(readable: bool, writable: bool) -> Interest {
    let mut interest = Interest::ERROR;
    if readable {
        interest |= Interest::READABLE;
    }
    if writable {
        interest |= Interest::WRITABLE;
    }
    interest
}

/// Whether it is no failure: a call is to be made again, later or at once.
pub(crate) fn is_passing(error: &io::Error) -> bool {
    let kinds = [io::ErrorKind::WouldBlock, io::ErrorKind::Interrupted];
    kinds.contains(&error.kind())
}
