//! The world that a scan talks to.

use super::report::Icmp;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// One connection attempt. The pacer chooses the number, small and dense; it is free again once
/// the attempt is answered or abandoned.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ProbeId(pub usize);

/// Connections and the clock they are measured by.
pub trait Network {
    /// The time since some fixed moment. It never goes back.
    fn now(&self) -> Duration;

    /// How many probes may be under way at once.
    fn capacity(&self) -> usize;

    /// Starts to connect, and returns the outcome if it is known at once.
    fn start(&mut self, probe: ProbeId, to: SocketAddr) -> Option<Outcome>;

    /// The same for a port's try of this `number`, from 1, where it makes a difference.
    fn start_try(&mut self, probe: ProbeId, to: SocketAddr, _number: u8) -> Option<Outcome> {
        self.start(probe, to)
    }

    /// What our own system knows about a host that met a try with silence, or that there is said to be
    /// no way to, if that explains it.
    fn explain(&mut self, _host: IpAddr) -> Option<Outcome> {
        None
    }

    /// Closes a probe that has no outcome yet.
    fn abandon(&mut self, probe: ProbeId);

    /// Waits for outcomes until there is one, or until `until`.
    fn wait(&mut self, until: Duration, answers: &mut Vec<Answer>) -> io::Result<()>;
}

/// The outcome of a probe that was under way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// The probe, which is over.
    pub probe: ProbeId,
    /// When the outcome was noticed.
    pub at: Duration,
    /// The outcome.
    pub outcome: Outcome,
}

/// How a connection attempt ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// The handshake is complete.
    Connected,
    /// A question was answered, perhaps in a protocol that we know.
    Replied(Option<&'static str>),
    /// The socket was given the probed port as its own and connected to itself, which can only
    /// happen where nobody listens.
    SelfConnected,
    /// Our own system has looked for the host on the link, and nobody answered.
    NoNeighbour,
    /// Our own system refused before anything was sent.
    Local(i32),
    /// It refused because of the source address that we were given: it knows a way without it.
    UnfitSource(i32),
    /// The attempt was under way and failed, with no ICMP message known.
    Remote(i32),
    /// An ICMP message ended the attempt.
    Icmp {
        /// The error that the system made of it.
        errno: i32,
        /// The message.
        icmp: Icmp,
        /// Who sent it, as far as it decides what it means.
        sender: Sender,
    },
}

/// Who sent an ICMP message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sender {
    /// The host that was probed.
    Target,
    /// Our own system, which found no neighbour or no route.
    Ourselves,
    /// Some router or firewall on the way.
    Path,
}
