//! The JSON records: one object a line, in the contract's words and order.

use std::borrow::Cow;
use std::path::Path;
use std::time::Duration;

use nettool::error::{Error, errno_name};
use nettool::net::{Address, Proto};
use nettool::relay::{End, Transfer};
use serde::Serialize;

/// A record with its version and type, and a line end.
pub(crate) fn line<T: Serialize>(kind: &str, fields: &T) -> String {
    #[derive(Serialize)]
    struct Record<'a, T> {
        v: u8,
        r#type: &'a str,
        #[serde(flatten)]
        fields: &'a T,
    }
    let record = Record {
        v: 1,
        r#type: kind,
        fields,
    };
    // Plain structs of numbers and text have nothing that JSON cannot say.
    let mut line = serde_json::to_string(&record).unwrap_or_default();
    line.push('\n');
    line
}

/// `error`.
#[derive(Serialize)]
pub(crate) struct Failure<'a> {
    action: &'static str,
    target: Option<&'a str>,
    cause: Cow<'a, str>,
    errno: Option<i32>,
    errname: Option<&'static str>,
    hint: Option<&'a str>,
}

impl<'a> Failure<'a> {
    /// An error of the engine.
    pub(crate) fn new(error: &'a Error, hint: Option<&'a str>) -> Self {
        Self {
            action: error.action.name(),
            target: Some(&error.target),
            cause: error.cause_text().into(),
            errno: error.errno(),
            errname: error.errno().and_then(errno_name),
            hint,
        }
    }

    /// A command line that cannot be understood: the first paragraph says what is wrong with it, and
    /// one that begins with `tip:` what may have been meant.
    pub(crate) fn usage(message: &'a str) -> Self {
        let mut paragraphs = message.split("\n\n").map(str::trim);
        let cause = paragraphs.next().unwrap_or_default();
        let lines: Vec<&str> = cause.lines().map(str::trim).collect();
        Self {
            action: "usage",
            target: None,
            cause: lines.join(" ").into(),
            errno: None,
            errname: None,
            hint: paragraphs.find_map(|paragraph| paragraph.strip_prefix("tip: ")),
        }
    }
}

/// `warning`.
#[derive(Serialize)]
pub(crate) struct Warning<'a> {
    /// What it warns of.
    pub(crate) message: &'a str,
}

/// `listening`.
#[derive(Serialize)]
pub(crate) struct Listening {
    proto: &'static str,
    addr: Option<String>,
    port: Option<u16>,
    path: Option<String>,
}

impl Listening {
    /// An address that clients can connect to.
    pub(crate) fn new(proto: Proto, address: &Address) -> Self {
        let (addr, port) = host_and_port(address);
        Self {
            proto: proto.name(),
            addr,
            port,
            path: path_of(address),
        }
    }
}

/// `connected`.
#[derive(Serialize)]
pub(crate) struct Connected {
    client: u64,
    proto: &'static str,
    local_addr: Option<String>,
    local_port: Option<u16>,
    peer_addr: Option<String>,
    peer_port: Option<u16>,
    path: Option<String>,
}

impl Connected {
    /// A conversation that has begun.
    pub(crate) fn new(client: u64, proto: Proto, local: &Address, peer: &Address) -> Self {
        let (local_addr, local_port) = host_and_port(local);
        let (peer_addr, peer_port) = host_and_port(peer);
        let path = path_of(peer).or_else(|| path_of(local));
        Self {
            client,
            proto: proto.name(),
            local_addr,
            local_port,
            peer_addr,
            peer_port,
            path,
        }
    }
}

/// `refused`.
#[derive(Serialize)]
pub(crate) struct Refused {
    proto: &'static str,
    peer_addr: Option<String>,
    peer_port: Option<u16>,
    reason: &'static str,
}

impl Refused {
    /// Somebody who was turned away.
    pub(crate) fn new(proto: Proto, peer: &Address, reason: &'static str) -> Self {
        let (peer_addr, peer_port) = host_and_port(peer);
        Self {
            proto: proto.name(),
            peer_addr,
            peer_port,
            reason,
        }
    }
}

/// `buffer_granted`.
#[derive(Serialize)]
pub(crate) struct BufferGranted {
    /// `send` or `receive`.
    pub(crate) direction: &'static str,
    /// What was asked for.
    pub(crate) requested_bytes: u64,
    /// What getsockopt(2) reports.
    pub(crate) granted_bytes: u64,
}

/// `retrying`.
#[derive(Serialize)]
pub(crate) struct Retrying<'a> {
    #[serde(flatten)]
    failure: Failure<'a>,
    delay_us: u64,
    tries_left: u32,
}

impl<'a> Retrying<'a> {
    /// A try that failed like this, and how long it is until the next one.
    pub(crate) fn new(error: &'a Error, delay: Duration, left: u32) -> Self {
        Self {
            failure: Failure::new(error, None),
            delay_us: microseconds(delay),
            tries_left: left,
        }
    }
}

/// `progress`; without a client as long as there is none.
#[derive(Default, Serialize)]
pub(crate) struct Progressed {
    /// The client's number.
    pub(crate) client: Option<u64>,
    /// Bytes given to the system.
    pub(crate) bytes_sent: u64,
    /// Of these the acknowledged ones, where that is known.
    pub(crate) bytes_acked: Option<u64>,
    /// Bytes that came.
    pub(crate) bytes_received: u64,
    /// Since there is a client.
    pub(crate) elapsed_us: u64,
    /// How many bytes it will be, of the direction that is measured.
    pub(crate) bytes_total: Option<u64>,
}

/// `transfer`.
#[derive(Serialize)]
pub(crate) struct Transferred {
    client: u64,
    proto: &'static str,
    local_addr: Option<String>,
    local_port: Option<u16>,
    peer_addr: Option<String>,
    peer_port: Option<u16>,
    path: Option<String>,
    bytes_sent: u64,
    bytes_acked: Option<u64>,
    bytes_received: u64,
    datagrams_lost: Option<u64>,
    elapsed_us: u64,
    complete: bool,
    end: &'static str,
    checksum: Option<&'static str>,
    sent_digest: Option<String>,
    received_digest: Option<String>,
}

impl Transferred {
    /// What became of the conversation with this client.
    pub(crate) fn new(client: u64, transfer: &Transfer) -> Self {
        let (local_addr, local_port) = host_and_port(&transfer.local);
        let (peer_addr, peer_port) = transfer
            .peer
            .as_ref()
            .map(host_and_port)
            .unwrap_or_default();
        let path = transfer
            .peer
            .as_ref()
            .and_then(path_of)
            .or_else(|| path_of(&transfer.local));
        Self {
            client,
            proto: transfer.proto.name(),
            local_addr,
            local_port,
            peer_addr,
            peer_port,
            path,
            bytes_sent: transfer.sent,
            bytes_acked: transfer.acknowledged,
            bytes_received: transfer.received,
            datagrams_lost: transfer.datagrams_lost,
            elapsed_us: microseconds(transfer.elapsed),
            complete: transfer.is_complete(),
            end: end_name(transfer.end),
            checksum: transfer.digests.as_ref().map(|digests| digests.algorithm),
            sent_digest: transfer
                .digests
                .as_ref()
                .map(|digests| digests.sent.clone()),
            received_digest: transfer
                .digests
                .as_ref()
                .map(|digests| digests.received.clone()),
        }
    }
}

/// The word for how a conversation ended.
fn end_name(end: End) -> &'static str {
    match end {
        End::Both => "both",
        End::Error => "error",
        End::Limit => "limit",
        End::Peer => "peer",
        End::Reset => "reset",
        End::Signal => "signal",
        End::Stdin => "stdin",
        End::Timeout => "timeout",
    }
}

/// An address without brackets, and its port.
fn host_and_port(address: &Address) -> (Option<String>, Option<u16>) {
    match address.ip() {
        Some(address) => (Some(address.ip().to_string()), Some(address.port())),
        None => (None, None),
    }
}

/// The path of a Unix end.
fn path_of(address: &Address) -> Option<String> {
    address.path().map(|path| Path::display(path).to_string())
}

/// A time in microseconds.
pub(crate) fn microseconds(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
