//! Whatever the kernel says, for `crate::fuzz`.

use super::message::Messages;
use super::{address, diag, link, neighbour, route};

/// Reads the messages, and each of them as everything that it could be.
pub(crate) fn netlink(bytes: &[u8]) {
    for message in Messages::of(bytes).flatten() {
        let _ = (message.is_end(), message.is_unsteady());
        body(message.body);
    }
    body(bytes);
}

/// Reads a body.
fn body(bytes: &[u8]) {
    let _ = (link::read(bytes), address::read(bytes));
    let _ = neighbour::read(bytes);
    route::fuzz(bytes);
}

/// Reads the bodies of messages about sockets.
pub(crate) fn sock_diag(bytes: &[u8]) {
    for message in Messages::of(bytes).flatten() {
        diag::fuzz(message.body);
    }
    diag::fuzz(bytes);
}
