//! The `buffer` record.

use std::net::SocketAddr;

use nettool::buffers::{self, BufferSizes, Kept, Limit, Outcome, Verdict};
use serde::Serialize;

use crate::output::record::microseconds;

/// `buffer`.
#[derive(Serialize)]
pub(super) struct Buffer {
    proto: &'static str,
    direction: &'static str,
    minimum_bytes: Option<u64>,
    default_bytes: Option<u64>,
    maximum_bytes: Option<u64>,
    autotuned: Option<bool>,
    requested_bytes: Option<u64>,
    granted_bytes: Option<u64>,
    origin: Option<&'static str>,
    settable_bytes: Option<u64>,
    capped: Option<bool>,
    default_origin: Option<&'static str>,
    settable_origin: Option<&'static str>,
    connected_bytes: Option<u64>,
}

impl Buffer {
    /// Everything that is known of a buffer.
    pub(super) fn new(sizes: &BufferSizes) -> Self {
        let capped = |outcome| matches!(outcome, Outcome::Capped(_));
        Self {
            proto: sizes.transport.name(),
            direction: sizes.direction.name(),
            minimum_bytes: bytes(sizes.minimum),
            default_bytes: bytes(sizes.default),
            maximum_bytes: bytes(sizes.maximum),
            autotuned: sizes.autotuned,
            requested_bytes: sizes.grant.map(|grant| grant.requested),
            granted_bytes: sizes.grant.map(|grant| grant.granted),
            origin: origin(sizes.maximum),
            settable_bytes: bytes(sizes.settable),
            capped: sizes.grant.map(|grant| capped(grant.outcome)),
            default_origin: origin(sizes.default),
            settable_origin: origin(sizes.settable),
            connected_bytes: sizes.connected,
        }
    }
}

/// The size.
fn bytes(limit: Option<Limit>) -> Option<u64> {
    limit.map(|limit| limit.bytes)
}

/// What decides on it.
fn origin(limit: Option<Limit>) -> Option<&'static str> {
    limit.map(|limit| limit.origin.name())
}

/// `fill`.
#[derive(Default, Serialize)]
pub(super) struct Fill {
    peer_addr: Option<String>,
    peer_port: Option<u16>,
    accepted_bytes: u64,
    acknowledged_bytes: Option<u64>,
    unsent_bytes: Option<u64>,
    in_flight_bytes: Option<u64>,
    peer_queue_bytes: Option<u64>,
    send_buffer_bytes: Option<u64>,
    peer_receive_buffer_bytes: Option<u64>,
    blocked: bool,
    proto: &'static str,
    at_rest: bool,
    read_bytes: Option<u64>,
    datagrams_sent: Option<u64>,
    datagrams_kept: Option<u64>,
    datagrams_dropped: Option<u64>,
}

impl Fill {
    /// Where the bytes of a stream are.
    pub(super) fn new(fill: &buffers::Fill) -> Self {
        Self {
            peer_addr: fill.peer.map(|peer| peer.ip().to_string()),
            peer_port: fill.peer.map(|peer| peer.port()),
            accepted_bytes: fill.accepted,
            acknowledged_bytes: fill.acknowledged(),
            unsent_bytes: fill.unsent,
            in_flight_bytes: fill.in_flight,
            peer_queue_bytes: fill.peer_queue,
            send_buffer_bytes: fill.send_buffer,
            peer_receive_buffer_bytes: fill.peer_receive_buffer,
            blocked: fill.blocked,
            proto: fill.transport.name(),
            at_rest: fill.at_rest,
            read_bytes: fill.read,
            ..Self::default()
        }
    }

    /// What became of datagrams.
    pub(super) fn of_datagrams(kept: &Kept) -> Self {
        Self {
            accepted_bytes: kept.sent.saturating_mul(kept.size),
            peer_queue_bytes: Some(kept.kept.saturating_mul(kept.size)),
            peer_receive_buffer_bytes: Some(kept.receive_buffer),
            proto: "udp",
            at_rest: true,
            datagrams_sent: Some(kept.sent),
            datagrams_kept: Some(kept.kept),
            datagrams_dropped: kept.dropped,
            ..Self::default()
        }
    }
}

/// `socket`.
#[derive(Serialize)]
pub(super) struct Socket<'a> {
    proto: &'static str,
    state: &'static str,
    local_addr: Option<String>,
    local_port: Option<u16>,
    peer_addr: Option<String>,
    peer_port: Option<u16>,
    path: Option<&'a str>,
    receive_queue_bytes: Option<u64>,
    send_queue_bytes: Option<u64>,
    receive_buffer_bytes: Option<u64>,
    send_buffer_bytes: Option<u64>,
    accept_queue: Option<u64>,
    backlog: Option<u64>,
    pid: Option<u32>,
    process: Option<&'a str>,
    drops: Option<u64>,
    inode: Option<u64>,
    interface: Option<&'a str>,
}

impl<'a> Socket<'a> {
    /// Everything that is known of a socket.
    pub(super) fn new(socket: &'a buffers::Socket) -> Self {
        let (local_addr, local_port) = end(socket.local);
        let (peer_addr, peer_port) = end(socket.peer);
        Self {
            proto: socket.kind.name(),
            state: socket.state.name(),
            local_addr,
            local_port,
            peer_addr,
            peer_port,
            path: socket.path.as_deref(),
            receive_queue_bytes: socket.receive_queue,
            send_queue_bytes: socket.send_queue,
            receive_buffer_bytes: socket.receive_buffer,
            send_buffer_bytes: socket.send_buffer,
            accept_queue: socket.accept_queue,
            backlog: socket.backlog,
            pid: socket.process.as_ref().map(|process| process.pid),
            process: socket.process.as_ref().map(|process| process.name.as_str()),
            drops: socket.drops,
            inode: Some(socket.inode).filter(|inode| *inode != 0),
            interface: socket.interface.as_deref(),
        }
    }
}

/// An address and its port.
fn end(end: Option<SocketAddr>) -> (Option<String>, Option<u16>) {
    (
        end.map(|end| end.ip().to_string()),
        end.map(|end| end.port()),
    )
}

/// `advice`.
#[derive(Serialize)]
pub(super) struct Advised<'a> {
    direction: &'static str,
    bandwidth_bytes_per_s: u64,
    rtt_us: u64,
    product_bytes: u64,
    needed_bytes: u64,
    largest_bytes: Option<u64>,
    enough: Option<bool>,
    setting: &'static str,
    remedy: Option<&'a str>,
}

impl<'a> Advised<'a> {
    /// What one direction needs.
    pub(super) fn new(advice: &'a buffers::Advice, need: &'a buffers::Need) -> Self {
        Self {
            direction: need.direction.name(),
            bandwidth_bytes_per_s: advice.bandwidth,
            rtt_us: microseconds(advice.round_trip),
            product_bytes: advice.product,
            needed_bytes: need.needed,
            largest_bytes: need.largest,
            enough: need.is_met(),
            setting: need.setting,
            remedy: need.remedy.as_deref(),
        }
    }
}

/// `connection`.
#[derive(Serialize)]
pub(super) struct Connection<'a> {
    state: &'static str,
    local_addr: Option<String>,
    local_port: Option<u16>,
    peer_addr: Option<String>,
    peer_port: Option<u16>,
    tx_bytes_per_s: Option<u64>,
    rx_bytes_per_s: Option<u64>,
    interval_us: u64,
    rtt_us: u32,
    congestion_window_segments: u32,
    segment_bytes: u32,
    retransmissions: u32,
    unsent_bytes: Option<u32>,
    send_queue_bytes: Option<u64>,
    receive_queue_bytes: Option<u64>,
    verdict: Option<&'static str>,
    interface: Option<&'a str>,
}

impl<'a> Connection<'a> {
    /// What a connection did.
    pub(super) fn new(connection: &'a buffers::Connection) -> Self {
        let (local_addr, local_port) = end(connection.socket.local);
        let (peer_addr, peer_port) = end(connection.socket.peer);
        Self {
            state: connection.socket.state.name(),
            local_addr,
            local_port,
            peer_addr,
            peer_port,
            tx_bytes_per_s: connection.sent,
            rx_bytes_per_s: connection.received,
            interval_us: microseconds(connection.interval),
            rtt_us: connection.tcp.rtt_us,
            congestion_window_segments: connection.tcp.congestion_window,
            segment_bytes: connection.tcp.segment,
            retransmissions: connection.tcp.retransmissions,
            unsent_bytes: connection.tcp.unsent,
            send_queue_bytes: connection.socket.send_queue,
            receive_queue_bytes: connection.socket.receive_queue,
            verdict: connection.verdict.map(Verdict::name),
            interface: connection.socket.interface.as_deref(),
        }
    }
}
