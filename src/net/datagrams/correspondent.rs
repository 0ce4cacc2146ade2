//! Who a datagram came from, and where its answer goes.

use std::ffi::OsStr;
use std::hash::{Hash, Hasher};
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use socket2::SockAddr;

use crate::net::Address;
use crate::sys::{OwnEnd, Post};

/// Somebody who exchanges datagrams with us, told from others by the address.
#[derive(Clone, Debug)]
pub struct Correspondent {
    remote: SockAddr,
    /// The address of ours that was spoken to: an answer leaves from there.
    own: Option<OwnEnd>,
}

impl Correspondent {
    /// Who sent something, and to which address of ours.
    pub(super) fn new(remote: SockAddr, own: Option<OwnEnd>) -> Self {
        Self { remote, own }
    }

    /// The address, as a person reads it.
    #[must_use]
    pub fn address(&self) -> Address {
        address_of(&self.remote)
    }

    /// What the system has to know of a datagram to it.
    pub(super) fn post(&self) -> Post<'_> {
        Post {
            to: Some(&self.remote),
            from: self.own,
        }
    }
}

impl PartialEq for Correspondent {
    fn eq(&self, other: &Self) -> bool {
        self.remote == other.remote
    }
}

impl Eq for Correspondent {}

impl Hash for Correspondent {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.remote.hash(state);
    }
}

impl From<SocketAddr> for Correspondent {
    fn from(address: SocketAddr) -> Self {
        Self::new(address.into(), None)
    }
}

/// An address of the system as one of ours; an abstract name begins with `@`, as in `ss`.
pub(super) fn address_of(address: &SockAddr) -> Address {
    if let Some(address) = address.as_socket() {
        return address.into();
    }
    let path = address.as_pathname().map(PathBuf::from);
    let name = address.as_abstract_namespace().map(|name| {
        let name: Vec<u8> = b"@".iter().chain(name).copied().collect();
        PathBuf::from(OsStr::from_bytes(&name))
    });
    Address::Unix(path.or(name))
}
