//! A message of a client that was longer than the room for it, or than was still wanted: unlike what
//! a stream holds, the rest of it is lost.

use std::sync::{Mutex, PoisonError};

use crate::error::{Action, Cause, Error, Result};
use crate::net::Address;

/// What is known of it, until somebody is told: what there was room for is passed on first.
#[derive(Debug, Default)]
pub(super) struct Cut(Mutex<Option<Lengths>>);

/// How long it was, and how much of that came, in bytes.
#[derive(Clone, Copy, Debug)]
struct Lengths {
    whole: usize,
    kept: usize,
}

impl Cut {
    /// Takes note of one.
    pub(super) fn note(&self, whole: usize, kept: usize) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Lengths { whole, kept });
    }

    /// Fails once there was one of this client.
    pub(super) fn check(&self, peer: &Address) -> Result<()> {
        let noted = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Lengths { whole, kept }) = noted else {
            return Ok(());
        };
        let (length, kept) = (whole as u64, kept as u64);
        let cause = Cause::Truncated { length, kept };
        Err(Error::new(Action::Receive, peer, cause))
    }
}
