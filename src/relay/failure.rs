//! What the failure of a connection says of the conversation.

use std::io;

use super::End;
use crate::error::{Action, Cause, Error};
use crate::net::Address;

/// The error of a connection that broke like this.
pub(crate) fn connection_error(peer: &Address, error: io::Error) -> Error {
    if is_aftermath(&error) {
        // The peer had ended, and then answered what we sent with a reset.
        return Error::new(Action::Send, peer, Cause::Undelivered);
    }
    Error::new(Action::Session, peer, error)
}

/// Whether it says only that the connection is gone.
pub(super) fn is_aftermath(error: &io::Error) -> bool {
    let kinds = [io::ErrorKind::BrokenPipe, io::ErrorKind::NotConnected];
    kinds.contains(&error.kind())
}

/// How a conversation ended that failed like this.
pub(crate) fn end_of(error: &Error) -> End {
    match &error.cause {
        Cause::Idle(_) | Cause::TimedOut(_) | Cause::OutOfTime(_) => End::Timeout,
        Cause::Undelivered => End::Reset,
        Cause::Io(cause) if cause.kind() == io::ErrorKind::ConnectionReset => End::Reset,
        _ => End::Error,
    }
}
