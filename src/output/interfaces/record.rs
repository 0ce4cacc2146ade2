//! The `interface` record.

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::Duration;

use nettool::interfaces::{
    self, AddressFlag, Duplex, InterfaceAddress, InterfaceFlags, Mac, Refusal, Scope, State,
    Statistics,
};
use serde::Serialize;

use super::details::Details;
use crate::output::record::microseconds;

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
    link: Option<&'a str>,
    link_index: Option<u32>,
    link_namespace: Option<i32>,
    permanent_mac: Option<String>,
    queue_length_packets: Option<u32>,
    addresses: Vec<Address<'a>>,
    stats: Option<Counters>,
    #[serde(flatten)]
    hardware: Option<Hardware<'a>>,
}

impl<'a> Interface<'a> {
    /// Everything that is known of an interface.
    pub(super) fn new(interface: &'a interfaces::Interface, details: Option<&'a Details>) -> Self {
        let link = interface.link.as_ref();
        let hardware = details.and_then(|details| details.hardware.get(&interface.index));
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
            link: link.and_then(|link| link.name.as_deref()),
            link_index: link.map(|link| link.index),
            link_namespace: link.and_then(|link| link.namespace),
            permanent_mac: interface.permanent_mac.as_ref().map(Mac::to_string),
            queue_length_packets: interface.queue_length,
            addresses: interface.addresses.iter().map(Address::new).collect(),
            stats: interface.stats.map(Counters::new),
            hardware: hardware.map(Hardware::new),
        }
    }
}

/// What its driver says.
#[derive(Serialize)]
struct Hardware<'a> {
    driver: Option<&'a str>,
    speed_bits_per_s: Option<u64>,
    duplex: Option<&'static str>,
}

impl<'a> Hardware<'a> {
    /// Everything that it says.
    fn new(hardware: &'a interfaces::Hardware) -> Self {
        Self {
            driver: hardware.driver.as_deref(),
            speed_bits_per_s: hardware.speed,
            duplex: hardware.duplex.map(Duplex::name),
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

/// `resolver`.
#[derive(Serialize)]
pub(super) struct Resolver<'a> {
    servers: &'a [String],
    search: &'a [String],
    path: &'static str,
}

impl<'a> Resolver<'a> {
    /// Whom names are asked of.
    pub(super) fn new(resolver: &'a interfaces::Resolver) -> Self {
        Self {
            servers: &resolver.servers,
            search: &resolver.search,
            path: resolver.path,
        }
    }
}

/// `route`.
#[derive(Serialize)]
pub(super) struct Route<'a> {
    host: Option<&'a str>,
    destination: IpAddr,
    source: Option<IpAddr>,
    interface: Option<&'a str>,
    gateway: Option<IpAddr>,
    prefix: u8,
    metric: Option<u32>,
    refusal: Option<&'static str>,
}

impl<'a> Route<'a> {
    /// Everything that is known of a route.
    pub(super) fn new(host: Option<&'a str>, route: &'a interfaces::Route) -> Self {
        Self {
            host,
            destination: route.destination,
            source: route.source,
            interface: route.interface.as_deref(),
            gateway: route.gateway,
            prefix: route.prefix,
            metric: route.metric,
            refusal: route.refusal.map(Refusal::name),
        }
    }
}

/// `rate`.
#[derive(Serialize)]
pub(super) struct Rate<'a> {
    index: u32,
    name: &'a str,
    rx_bytes_per_s: u64,
    tx_bytes_per_s: u64,
    interval_us: u64,
}

impl<'a> Rate<'a> {
    /// How fast bytes went.
    pub(super) fn new(rate: &'a interfaces::Rate) -> Self {
        Self {
            index: rate.index,
            name: &rate.name,
            rx_bytes_per_s: rate.received,
            tx_bytes_per_s: rate.sent,
            interval_us: microseconds(rate.interval),
        }
    }
}
