//! The `interface` record.

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::Duration;

use nettool::interfaces::{
    self, AddressFlag, InterfaceAddress, InterfaceFlags, Mac, Scope, State, Statistics,
};
use serde::Serialize;

/// `interface`.
#[derive(Serialize)]
pub(super) struct Interface<'a> {
    index: u32,
    name: &'a str,
    kind: Option<&'a str>,
    state: Option<&'static str>,
    flags: Option<Vec<&'static str>>,
    mtu_bytes: Option<u32>,
    mac: Option<String>,
    master: Option<&'a str>,
    alias: Option<&'a str>,
    alternative_names: &'a [String],
    addresses: Vec<Address<'a>>,
    stats: Option<Counters>,
}

impl<'a> Interface<'a> {
    /// Everything that is known of an interface.
    pub(super) fn new(interface: &'a interfaces::Interface) -> Self {
        let flags = |flags: InterfaceFlags| flags.names().collect();
        Self {
            index: interface.index,
            name: &interface.name,
            kind: interface.kind.as_deref(),
            state: interface.state.map(State::name),
            flags: interface.flags.map(flags),
            mtu_bytes: interface.mtu,
            mac: interface.mac.as_ref().map(Mac::to_string),
            master: interface.master.as_deref(),
            alias: interface.alias.as_deref(),
            alternative_names: &interface.alternative_names,
            addresses: interface.addresses.iter().map(Address::new).collect(),
            stats: interface.stats.map(Counters::new),
        }
    }
}

/// One of its `addresses`.
#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the contract's words")]
struct Address<'a> {
    family: &'static str,
    address: IpAddr,
    prefix: u8,
    broadcast: Option<IpAddr>,
    peer: Option<IpAddr>,
    scope: Option<Cow<'static, str>>,
    zone: Option<&'a str>,
    label: Option<&'a str>,
    flags: Option<Vec<&'static str>>,
    valid_s: Option<u64>,
    preferred_s: Option<u64>,
}

impl<'a> Address<'a> {
    /// Everything that is known of an address.
    fn new(address: &'a InterfaceAddress) -> Self {
        let family = if address.address.is_ipv4() {
            "ipv4"
        } else {
            "ipv6"
        };
        let flags = |flags: &Vec<AddressFlag>| flags.iter().map(|flag| flag.name()).collect();
        Self {
            family,
            address: address.address,
            prefix: address.prefix,
            broadcast: address.broadcast,
            peer: address.peer,
            scope: address.scope.map(Scope::name),
            zone: address.zone.as_deref(),
            label: address.label.as_deref(),
            flags: address.flags.as_ref().map(flags),
            valid_s: address.valid.as_ref().map(Duration::as_secs),
            preferred_s: address.preferred.as_ref().map(Duration::as_secs),
        }
    }
}

/// Its `stats`.
#[derive(Serialize)]
struct Counters {
    rx_bytes: u64,
    rx_packets: u64,
    rx_errors: u64,
    rx_dropped: u64,
    tx_bytes: u64,
    tx_packets: u64,
    tx_errors: u64,
    tx_dropped: u64,
}

impl Counters {
    /// The counters of both directions, side by side.
    fn new(Statistics { rx, tx }: Statistics) -> Self {
        Self {
            rx_bytes: rx.bytes,
            rx_packets: rx.packets,
            rx_errors: rx.errors,
            rx_dropped: rx.dropped,
            tx_bytes: tx.bytes,
            tx_packets: tx.packets,
            tx_errors: tx.errors,
            tx_dropped: tx.dropped,
        }
    }
}
