//! Who a client is, for those who work for it without its connection.

use crate::net::{Address, Proto};

/// A client by name.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    /// Its number, from 1.
    pub(super) number: u64,
    /// How its bytes are carried.
    pub(super) proto: Proto,
    /// The address that it reached.
    pub(super) local: Address,
    /// Its own.
    pub(super) peer: Address,
}
