//! Checksums of what goes over the wire.

use std::fmt;
use std::sync::{Mutex, PoisonError};

/// A checksum in the making.
pub trait Digest: fmt::Debug + Send {
    /// Its name, in lower case.
    fn name(&self) -> &'static str;
    /// Takes the next bytes.
    fn update(&mut self, bytes: &[u8]);
    /// That of all bytes so far, in lower-case hexadecimal digits.
    fn hex(&self) -> String;
}

/// The checksums of a conversation, in hexadecimal digits.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Digests {
    /// The name of the algorithm.
    pub algorithm: &'static str,
    /// Of the bytes that were given to the system for the peer, datagrams one after the other.
    pub sent: String,
    /// Of the bytes that were taken from the peer.
    pub received: String,
    /// Whether all of these were written, too; those of a conversation cut short may not have been.
    pub is_all_written: bool,
}

/// One each way.
#[derive(Debug)]
pub(super) struct Tallies {
    sent: Mutex<Box<dyn Digest>>,
    received: Mutex<Box<dyn Digest>>,
}

impl Tallies {
    /// Two that have seen nothing.
    pub(super) fn new(begin: impl Fn() -> Box<dyn Digest>) -> Self {
        Self {
            sent: Mutex::new(begin()),
            received: Mutex::new(begin()),
        }
    }

    /// Takes bytes that were sent.
    pub(super) fn sent(&self, bytes: &[u8]) {
        held(&self.sent, |digest| digest.update(bytes));
    }

    /// Takes bytes that came.
    pub(super) fn received(&self, bytes: &[u8]) {
        held(&self.received, |digest| digest.update(bytes));
    }

    /// What they come to so far.
    pub(super) fn digests(&self) -> Digests {
        Digests {
            algorithm: held(&self.sent, |digest| digest.name()),
            sent: held(&self.sent, |digest| digest.hex()),
            received: held(&self.received, |digest| digest.hex()),
            is_all_written: true,
        }
    }
}

/// Does something with a checksum that nobody else uses meanwhile.
fn held<T>(digest: &Mutex<Box<dyn Digest>>, act: impl FnOnce(&mut Box<dyn Digest>) -> T) -> T {
    act(&mut digest.lock().unwrap_or_else(PoisonError::into_inner))
}
