//! Many datagrams a call, and what the system tells of each: its true length, who sent it, which
//! of our addresses it came to, and whether it is several in one.

use std::net::IpAddr;

use socket2::SockAddr;

#[cfg(target_os = "linux")]
mod control;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod portable;

#[cfg(target_os = "linux")]
pub(crate) use linux::{
    bind_own_name, keep_to_own_groups, receive_many, receive_message, request_arrival_address,
    request_bundles, send_bundle, send_many,
};
#[cfg(not(target_os = "linux"))]
pub(crate) use portable::{
    bind_own_name, keep_to_own_groups, receive_many, receive_message, request_arrival_address,
    request_bundles, send_bundle, send_many,
};

/// As many messages are taken or given at most in one call.
pub(crate) const MOST_MESSAGES: usize = 32;

/// What came in one slot of the room for it.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    /// How long it is, even if the slot was too small for it.
    pub(crate) length: usize,
    /// It is a bundle of datagrams of this length each, the last one maybe shorter.
    pub(crate) segment: Option<usize>,
    /// Who sent it; a Unix socket may have no name.
    pub(crate) from: Option<SockAddr>,
    /// Where it came to, if that was asked for.
    pub(crate) to: Option<OwnEnd>,
}

/// The address of ours that somebody spoke to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct OwnEnd {
    /// The address; of a datagram to a group or to everybody the one that stands for us, or none.
    pub(crate) address: Option<IpAddr>,
    /// The interface, where the address means nothing without it.
    pub(crate) interface: u32,
}

/// Where a datagram goes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Post<'a> {
    /// To whom; nobody is whom the socket is connected to.
    pub(crate) to: Option<&'a SockAddr>,
    /// From which of our addresses.
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "it is the system's choice")
    )]
    pub(crate) from: Option<OwnEnd>,
}
