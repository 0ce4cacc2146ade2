//! What a probe finds out.

use serde::{Deserialize, Serialize, Serializer};
use std::fmt::{self, Display, Formatter};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use super::attempt::Tried;
use super::scoped::ScopedIp;
use crate::error::errno_name;
use crate::value::{Protocol, service};

/// What is known about one port of one address.
#[derive(Clone, Debug, Serialize)]
pub struct PortReport {
    /// The name or address as it was asked for.
    #[serde(serialize_with = "text")]
    pub host: Arc<str>,
    /// The address that was probed.
    pub addr: ScopedIp,
    /// The port that was probed.
    pub port: u16,
    /// The transport.
    pub proto: Proto,
    /// The state of the port.
    pub state: State,
    /// What `connect_ex` would have returned: 0 for an open port, nothing for silence.
    pub errno: Option<i32>,
    /// The symbol of `errno`; nothing for 0 and for silence.
    pub errname: Option<&'static str>,
    /// Why the port has this state, in one word.
    pub reason: &'static str,
    /// The ICMP message that decided, if one did.
    pub icmp: Option<Icmp>,
    /// From the question to the answer, in microseconds as JSON; nothing when there was no answer
    /// or when it may belong to a retransmission.
    #[serde(rename = "rtt_us", serialize_with = "microseconds")]
    pub rtt: Option<Duration>,
    /// How many times it was tried.
    pub tries: u8,
    /// What answered, where its answer says so; else the name registered for the port.
    pub service: Option<&'static str>,
    /// What the port said, of itself or politely asked, escaped; `tls` if it speaks that.
    pub banner: Option<String>,
}

impl PortReport {
    /// What one try of an address found out.
    #[must_use]
    pub fn of_try(host: impl Into<Arc<str>>, to: SocketAddr, proto: Proto, tried: &Tried) -> Self {
        let registered = service::name_of(to.port(), proto.protocol());
        Self {
            host: host.into(),
            addr: to.into(),
            port: to.port(),
            proto,
            state: tried.state,
            errno: tried.errno,
            errname: tried.errno.and_then(errno_name),
            reason: tried.reason,
            icmp: tried.icmp,
            rtt: tried.is_heard.then_some(tried.elapsed),
            tries: 1,
            service: tried.service.or(registered),
            banner: None,
        }
    }
}

/// The transport of a probe.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Proto {
    /// TCP, by a full connection.
    Tcp,
    /// UDP, by a question.
    Udp,
}

impl Proto {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }

    /// Whose port names are meant.
    pub(super) const fn protocol(self) -> Protocol {
        match self {
            Self::Tcp => Protocol::Tcp,
            Self::Udp => Protocol::Udp,
        }
    }
}

/// The state of a port.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// A connection was accepted, or a question answered.
    Open,
    /// The host answered that nobody listens.
    Closed,
    /// An ICMP message says that the port may not be reached.
    Rejected,
    /// Every try met silence.
    Filtered,
    /// Every try over UDP met silence, which a server may keep as well as a filter.
    #[serde(rename = "open|filtered")]
    OpenFiltered,
    /// There is no way to the host.
    Unreachable,
    /// We could not find out; the fault is on our side.
    Undetermined,
}

impl State {
    /// Every state, in the order of reports.
    pub const ALL: [Self; 7] = [
        Self::Open,
        Self::Closed,
        Self::Rejected,
        Self::Filtered,
        Self::OpenFiltered,
        Self::Unreachable,
        Self::Undetermined,
    ];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Rejected => "rejected",
            Self::Filtered => "filtered",
            Self::OpenFiltered => "open|filtered",
            Self::Unreachable => "unreachable",
            Self::Undetermined => "undetermined",
        }
    }
}

impl Display for State {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// An ICMP or `ICMPv6` error message about a probe.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Icmp {
    /// The message's type.
    #[serde(rename = "type")]
    pub kind: u8,
    /// The message's code.
    pub code: u8,
    /// Who sent it, where the system says so.
    pub from: Option<IpAddr>,
}

/// How many ports of each state there were, and what it took.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Summary {
    /// All ports that were asked for.
    pub ports: u64,
    /// Ports that are open.
    pub open: u64,
    /// Ports that are closed.
    pub closed: u64,
    /// Ports that an ICMP message says may not be reached.
    pub rejected: u64,
    /// Ports that were silent.
    pub filtered: u64,
    /// Ports that are open or filtered (UDP).
    pub open_filtered: u64,
    /// Ports of hosts there is no way to.
    pub unreachable: u64,
    /// Ports whose state could not be found out.
    pub undetermined: u64,
    /// Connections tried.
    pub probes_sent: u64,
    /// How long it took, in microseconds as JSON.
    #[serde(rename = "elapsed_us", serialize_with = "some_microseconds")]
    pub elapsed: Duration,
    /// Whether every port was given its time.
    pub complete: bool,
}

impl Summary {
    /// Nothing is known yet of this many ports.
    pub(super) fn of_ports(ports: u64) -> Self {
        Self {
            ports,
            ..Self::default()
        }
    }

    /// Nothing was found out of this many ports.
    pub(super) fn of_nothing_in(ports: u64) -> Self {
        Self {
            undetermined: ports,
            complete: ports == 0,
            ..Self::of_ports(ports)
        }
    }

    /// All is known that will be.
    pub(super) fn close(&mut self, probes_sent: u64, elapsed: Duration) {
        let known = State::ALL.iter().map(|state| self.of(*state));
        let missing = self.ports.saturating_sub(known.sum());
        self.undetermined = self.undetermined.saturating_add(missing);
        self.probes_sent = probes_sent;
        self.elapsed = elapsed;
    }

    /// Adds what a part of the same probe found out.
    pub(super) const fn add(&mut self, part: &Self) {
        self.ports = self.ports.saturating_add(part.ports);
        self.open = self.open.saturating_add(part.open);
        self.closed = self.closed.saturating_add(part.closed);
        self.rejected = self.rejected.saturating_add(part.rejected);
        self.filtered = self.filtered.saturating_add(part.filtered);
        self.open_filtered = self.open_filtered.saturating_add(part.open_filtered);
        self.unreachable = self.unreachable.saturating_add(part.unreachable);
        self.undetermined = self.undetermined.saturating_add(part.undetermined);
        self.probes_sent = self.probes_sent.saturating_add(part.probes_sent);
        self.complete &= part.complete;
    }

    /// Counts a port of `state`.
    pub(super) const fn count(&mut self, state: State) {
        self.add_ports(state, 1);
    }

    /// Counts so many ports of `state`.
    pub const fn add_ports(&mut self, state: State, number: u64) {
        let counter = match state {
            State::Open => &mut self.open,
            State::Closed => &mut self.closed,
            State::Rejected => &mut self.rejected,
            State::Filtered => &mut self.filtered,
            State::OpenFiltered => &mut self.open_filtered,
            State::Unreachable => &mut self.unreachable,
            State::Undetermined => &mut self.undetermined,
        };
        *counter = counter.saturating_add(number);
    }

    /// How many ports of `state` there were.
    #[must_use]
    pub const fn of(&self, state: State) -> u64 {
        match state {
            State::Open => self.open,
            State::Closed => self.closed,
            State::Rejected => self.rejected,
            State::Filtered => self.filtered,
            State::OpenFiltered => self.open_filtered,
            State::Unreachable => self.unreachable,
            State::Undetermined => self.undetermined,
        }
    }
}

/// A shared text as any other.
pub(super) fn text<S: Serializer>(text: &Arc<str>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(text)
}

/// Whole microseconds, as the JSON records have them.
pub(super) fn some_microseconds<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u64(u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
}

/// Whole microseconds, or nothing.
#[expect(clippy::ref_option, reason = "serde passes fields by reference")]
pub(super) fn microseconds<S: Serializer>(
    time: &Option<Duration>,
    to: S,
) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => some_microseconds(time, to),
        None => to.serialize_none(),
    }
}
