//! What a ping finds out.

use crate::probe::attempt::Tried;
use crate::probe::report::{Icmp, State};
use crate::probe::scoped::ScopedIp;
use serde::Serialize;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Whether a host is there.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum HostState {
    /// It answered.
    Up,
    /// It did not, however it was asked.
    Down,
    /// We could not ask; the fault is on our side.
    Undetermined,
}

impl HostState {
    /// What one try says of a host: it is up if it answered anything.
    #[must_use]
    pub const fn of_try(tried: &Tried) -> Self {
        match tried.state {
            State::Open => Self::Up,
            State::Undetermined => Self::Undetermined,
            _ => Self::Down,
        }
    }

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Undetermined => "undetermined",
        }
    }
}

/// What is known of one address.
#[derive(Clone, Debug, Serialize)]
pub struct HostReport {
    /// The name or address as it was asked for.
    #[serde(serialize_with = "crate::probe::report::text")]
    pub host: Arc<str>,
    /// The address that was asked.
    pub addr: ScopedIp,
    /// Whether it is there.
    pub state: HostState,
    /// What says so, in one word: `echo-reply`, `syn-ack`, `reset`, or why nobody answered.
    pub reason: &'static str,
    /// The TCP port that answered, if it took one.
    pub port: Option<u16>,
    /// The ICMP message that decided, if one did.
    pub icmp: Option<Icmp>,
    /// From the question to the answer, in microseconds as JSON.
    #[serde(
        rename = "rtt_us",
        serialize_with = "crate::probe::report::microseconds"
    )]
    pub rtt: Option<Duration>,
    /// How often it was asked in this way.
    pub tries: u8,
    /// Which of the targets it belongs to.
    #[serde(skip)]
    pub target: usize,
    /// Whether the address was asked for by itself, and not as one of many.
    #[serde(skip)]
    pub is_named: bool,
}

impl HostReport {
    /// What one try of an address found out.
    #[must_use]
    pub fn of_try(host: impl Into<Arc<str>>, to: SocketAddr, tried: &Tried) -> Self {
        let state = HostState::of_try(tried);
        Self {
            host: host.into(),
            addr: to.into(),
            state,
            reason: tried.reason,
            port: None,
            icmp: tried.icmp,
            rtt: (state == HostState::Up).then_some(tried.elapsed),
            tries: 1,
            target: 0,
            is_named: true,
        }
    }
}

/// How many hosts there are, and what it took.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct PingSummary {
    /// All addresses that were asked for.
    pub hosts: u64,
    /// Those that answered.
    pub up: u64,
    /// Those that did not.
    pub down: u64,
    /// Those of which nothing could be found out.
    pub undetermined: u64,
    /// Questions sent.
    pub probes_sent: u64,
    /// How long it took, in microseconds as JSON.
    #[serde(
        rename = "elapsed_us",
        serialize_with = "crate::probe::report::some_microseconds"
    )]
    pub elapsed: Duration,
    /// Whether every address was given its time.
    pub complete: bool,
}
