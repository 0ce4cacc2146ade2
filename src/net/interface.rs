//! Interfaces that a socket is told of, by name or by number.

use crate::{interfaces, sys};

/// The index of an interface that is given by its name or by its number (RFC 4007, section 11).
pub(super) fn index(name: &str) -> Option<u32> {
    name.parse().ok().or_else(|| sys::interface_index(name))
}

/// What is wrong with the name of an interface that this machine has not.
pub(super) fn no_such(name: &str) -> String {
    let known = interfaces().into_iter().map(|interface| interface.name);
    let known = known.collect::<Vec<_>>().join(", ");
    format!("no interface is called {name:?}; this machine has {known}")
}

/// The zones of those with a link-local address, which such an address is reached from.
pub(super) fn on_links() -> Vec<String> {
    let zone = |interface: interfaces::Interface| {
        let mut addresses = interface.addresses.into_iter();
        addresses.find_map(|address| address.zone)
    };
    interfaces().into_iter().filter_map(zone).collect()
}

/// All of this machine, as far as it tells.
fn interfaces() -> Vec<interfaces::Interface> {
    interfaces::list().map_or_else(|_| Vec::new(), |found| found.interfaces)
}
