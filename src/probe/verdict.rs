//! What an outcome says, about the port or about ourselves: one table for every errno.

use super::network::{Outcome, Sender};
use super::report::{Icmp, State};
use std::net::IpAddr;

/// Why nothing is known of who cannot be asked from our source address.
pub(crate) const UNFIT_SOURCE: &str = "unfit-source";
/// The same for a person: the error that goes with it is not what the system would say of it.
pub(crate) const UNFIT_SOURCE_WORDS: &str = "our source address has no way there";
/// Why nothing is known of whom our system does not let us ask.
pub(super) const NOT_PERMITTED: &str = "not-permitted";

/// What one outcome says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Verdict {
    /// The port has a state.
    Port(Finding),
    /// We ran out of something. It says nothing about the port.
    Short(Shortage, i32),
}

/// A port's state and what it rests on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Finding {
    /// The state.
    pub(super) state: State,
    /// The error number, 0 for none.
    pub(super) errno: Option<i32>,
    /// Why, in one word.
    pub(super) reason: &'static str,
    /// The ICMP message that decided.
    pub(super) icmp: Option<Icmp>,
}

/// What we ran out of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Shortage {
    /// Open files.
    Files,
    /// Local ports.
    LocalPorts,
    /// Buffers or other memory of the system.
    Memory,
}

impl Shortage {
    /// The reason that an undetermined port is given.
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::Files => "no-files",
            Self::LocalPorts => "no-local-ports",
            Self::Memory => "no-memory",
        }
    }
}

impl Verdict {
    /// What `outcome` of a probe to `target` says.
    pub(super) fn of(outcome: Outcome, target: IpAddr) -> Self {
        match outcome {
            Outcome::Connected => port(State::Open, 0, "syn-ack"),
            Outcome::Replied(Some(_)) => port(State::Open, 0, "protocol-reply"),
            Outcome::Replied(None) => port(State::Open, 0, "reply"),
            Outcome::SelfConnected => port(State::Closed, libc::ECONNREFUSED, "self-connect"),
            Outcome::NoNeighbour => {
                // Called as where the system tells of it itself.
                let reason = if target.is_ipv4() {
                    "host-unreachable"
                } else {
                    "address-unreachable"
                };
                port(State::Unreachable, libc::EHOSTUNREACH, reason)
            }
            Outcome::Local(errno) => shortage(errno).unwrap_or_else(|| local(errno)),
            Outcome::UnfitSource(errno) => port(State::Undetermined, errno, UNFIT_SOURCE),
            Outcome::Remote(errno) => shortage(errno).unwrap_or_else(|| remote(errno)),
            Outcome::Icmp {
                errno,
                icmp,
                sender,
            } => rejection(errno, icmp, sender, target),
        }
    }

    /// What `outcome` of a datagram to `target` says: that the target's own system has nobody on
    /// that port it tells by ICMP (RFC 1122, 4.1.3.1).
    pub(super) fn of_datagram(outcome: Outcome, target: IpAddr) -> Self {
        match (Self::of(outcome, target), outcome) {
            (
                Self::Port(finding),
                Outcome::Icmp {
                    sender: Sender::Target,
                    ..
                },
            ) if finding.reason == "port-unreachable" => Self::Port(Finding {
                state: State::Closed,
                ..finding
            }),
            // Where the system keeps no ICMP messages.
            (Self::Port(finding), Outcome::Remote(libc::ECONNREFUSED)) => Self::Port(Finding {
                reason: "port-unreachable",
                ..finding
            }),
            (Self::Port(finding), _) if finding.state == State::Filtered => {
                Self::Port(Finding::NO_REPLY)
            }
            (verdict, _) => verdict,
        }
    }

    /// What is known after a single try, which is not repeated where we lack something.
    pub(super) const fn finding(self) -> Finding {
        match self {
            Self::Port(finding) => finding,
            Self::Short(shortage, errno) => Finding::undetermined(shortage, errno),
        }
    }
}

impl Finding {
    /// Every try met silence.
    pub(super) const SILENCE: Self = Self {
        state: State::Filtered,
        errno: None,
        reason: "no-response",
        icmp: None,
    };

    /// Every question met silence.
    pub(super) const NO_REPLY: Self = Self {
        state: State::OpenFiltered,
        ..Self::SILENCE
    };

    /// The same, of a host that rations what it says of closed ports.
    pub(super) const RATIONED: Self = Self {
        reason: "icmp-limited",
        ..Self::NO_REPLY
    };

    /// Every try met silence, and the host had perhaps no reset left for it.
    pub(super) const LEFT: Self = Self {
        reason: "reset-limit",
        ..Self::SILENCE
    };

    /// The port could not be probed for want of something.
    pub(super) const fn undetermined(shortage: Shortage, errno: i32) -> Self {
        Self {
            state: State::Undetermined,
            errno: Some(errno),
            reason: shortage.reason(),
            icmp: None,
        }
    }
}

/// A verdict about the port without ICMP.
const fn port(state: State, errno: i32, reason: &'static str) -> Verdict {
    Verdict::Port(Finding {
        state,
        errno: Some(errno),
        reason,
        icmp: None,
    })
}

/// What we lack, if `errno` says so.
const fn shortage(errno: i32) -> Option<Verdict> {
    let what = match errno {
        libc::EMFILE | libc::ENFILE => Shortage::Files,
        libc::EADDRNOTAVAIL | libc::EADDRINUSE | libc::EAGAIN => Shortage::LocalPorts,
        libc::ENOBUFS | libc::ENOMEM => Shortage::Memory,
        _ => return None,
    };
    Some(Verdict::Short(what, errno))
}

/// Our own system refused: there is no route, or it does not let us.
const fn local(errno: i32) -> Verdict {
    match errno {
        libc::ECONNREFUSED => port(State::Closed, errno, "reset"),
        libc::ETIMEDOUT => Verdict::Port(Finding::SILENCE),
        // EINVAL: a blackhole route, or a link-local address without its zone (Linux).
        libc::ENETUNREACH | libc::EHOSTUNREACH | libc::EHOSTDOWN | libc::EINVAL => {
            port(State::Unreachable, errno, "no-route")
        }
        libc::ENETDOWN => port(State::Unreachable, errno, "network-down"),
        libc::EAFNOSUPPORT => port(State::Unreachable, errno, "no-address-family"),
        libc::EACCES | libc::EPERM => port(State::Undetermined, errno, NOT_PERMITTED),
        _ => port(State::Undetermined, errno, "local-error"),
    }
}

/// The network answered.
const fn remote(errno: i32) -> Verdict {
    match errno {
        libc::ECONNREFUSED => port(State::Closed, errno, "reset"),
        // The handshake was complete and then torn down: tcp_abort_on_overflow, a SYN proxy
        // without a backend.
        // EPIPE: the same after the other end had finished sending (Linux: `tcp_reset`).
        libc::ECONNRESET | libc::EPIPE => port(State::Open, errno, "reset-after-accept"),
        libc::ETIMEDOUT => Verdict::Port(Finding::SILENCE),
        libc::EHOSTUNREACH | libc::EHOSTDOWN => port(State::Unreachable, errno, "host-unreachable"),
        libc::ENETUNREACH | libc::ENETDOWN | libc::ENETRESET => {
            port(State::Unreachable, errno, "net-unreachable")
        }
        libc::EACCES | libc::EPERM => port(State::Rejected, errno, "prohibited"),
        libc::ENOPROTOOPT => port(State::Rejected, errno, "protocol-unreachable"),
        libc::EPROTO => port(State::Rejected, errno, "parameter-problem"),
        _ => port(State::Undetermined, errno, "error"),
    }
}

/// An ICMP message answered. What the target says of itself is a rejection whatever its words,
/// since somebody is there to say it.
const fn rejection(errno: i32, icmp: Icmp, sender: Sender, target: IpAddr) -> Verdict {
    let (reason, no_way) = match target {
        IpAddr::V4(_) => meaning(icmp),
        IpAddr::V6(_) => meaning_v6(icmp),
    };
    let is_missing = matches!(sender, Sender::Ourselves) && no_way;
    let state = match sender {
        Sender::Ourselves | Sender::Path if no_way => State::Unreachable,
        _ => State::Rejected,
    };
    Verdict::Port(Finding {
        state,
        errno: Some(errno),
        reason,
        // That nobody answers on the link no message came to tell.
        icmp: if is_missing { None } else { Some(icmp) },
    })
}

/// The name of an ICMP message, and whether a router that sends it says that there is no way
/// (RFC 792, RFC 1122, RFC 1812).
const fn meaning(icmp: Icmp) -> (&'static str, bool) {
    match (icmp.kind, icmp.code) {
        (3, 0) => ("net-unreachable", true),
        (3, 1) => ("host-unreachable", true),
        (3, 2) => ("protocol-unreachable", false),
        (3, 3) => ("port-unreachable", false),
        (3, 4) => ("fragmentation-needed", true),
        (3, 5) => ("source-route-failed", true),
        (3, 6) => ("net-unknown", true),
        (3, 7) => ("host-unknown", true),
        (3, 8) => ("host-isolated", true),
        (3, 9) => ("net-prohibited", false),
        (3, 10) => ("host-prohibited", false),
        (3, 11) => ("net-unreachable-for-service", true),
        (3, 12) => ("host-unreachable-for-service", true),
        (3, 13) => ("admin-prohibited", false),
        (3, 14) => ("precedence-violation", false),
        (3, 15) => ("precedence-cutoff", false),
        (11, _) => ("time-exceeded", true),
        (12, _) => ("parameter-problem", false),
        _ => ("icmp", false),
    }
}

/// The same for `ICMPv6` (RFC 4443).
const fn meaning_v6(icmp: Icmp) -> (&'static str, bool) {
    match (icmp.kind, icmp.code) {
        (1, 0) => ("no-route", true),
        (1, 1) => ("admin-prohibited", false),
        (1, 2) => ("beyond-scope", true),
        (1, 3) => ("address-unreachable", true),
        (1, 4) => ("port-unreachable", false),
        (1, 5) => ("policy-failed", false),
        (1, 6) => ("reject-route", false),
        (3, _) => ("time-exceeded", true),
        (4, _) => ("parameter-problem", false),
        _ => ("icmp", false),
    }
}

#[cfg(test)]
mod tests;
