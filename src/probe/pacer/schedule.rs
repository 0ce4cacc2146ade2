//! What the engine asks of whoever says when to try which port.

use crate::probe::network::{Outcome, ProbeId};
use crate::probe::plan::{Place, Plan};
use crate::probe::verdict::Finding;
use std::net::SocketAddr;
use std::num::NonZero;
use std::time::Duration;

/// What the user may set.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// The most one try may take; nothing: what the round-trip times teach.
    pub try_timeout: Option<Duration>,
    /// How often a silent port is tried; nothing: as the losses on the path demand.
    pub tries: Option<u8>,
    /// The most probes a second.
    pub rate: Option<NonZero<u32>>,
    /// The most sockets at once.
    pub concurrency: Option<NonZero<usize>>,
    /// How long hosts that limit their ICMP messages are asked at their own pace about silent UDP
    /// ports; nothing: half a minute.
    pub patience: Option<Duration>,
    /// How long the whole may take; what is not known then is not determined.
    pub deadline: Option<Duration>,
    /// Whether closed ports of a host that limits its resets may stay unknown.
    pub fast: bool,
}

impl Limits {
    /// What is left of them after some time.
    pub(in crate::probe) fn after(self, elapsed: Duration) -> Self {
        Self {
            deadline: self.deadline.map(|time| time.saturating_sub(elapsed)),
            ..self
        }
    }
}

/// What the engine is to do next.
#[derive(Debug)]
pub(in crate::probe) enum Step {
    /// Start a port's try of this number.
    Start(ProbeId, SocketAddr, u8),
    /// Close a probe that is under way.
    Abandon(ProbeId),
    /// Report a port.
    Found(Found),
    /// Wait for answers, at most until then.
    Wait(Duration),
    /// All ports are reported.
    Done,
}

/// One port's result.
#[derive(Clone, Copy, Debug)]
pub(in crate::probe) struct Found {
    /// Which port of which target.
    pub(in crate::probe) place: Place,
    /// Its number in the plan.
    pub(in crate::probe) number: u64,
    /// What was found out.
    pub(in crate::probe) finding: Finding,
    /// The round-trip time, if there is one.
    pub(in crate::probe) rtt: Option<Duration>,
    /// How many tries it took.
    pub(in crate::probe) tries: u8,
    /// What answered, if its answer says so.
    pub(in crate::probe) service: Option<&'static str>,
}

/// What says when to try which port: pure, without a socket or a clock.
pub(in crate::probe) trait Schedule {
    /// What is probed.
    fn plan(&self) -> &Plan;

    /// How long the whole may take.
    fn deadline(&self) -> Option<Duration>;

    /// How often a port was tried.
    fn sent(&self) -> u64;

    /// What to do now, when all answers that had come by `looked` are settled: what is later is no
    /// silence, however long we were kept from looking.
    fn step(&mut self, now: Duration, looked: Duration) -> Step;

    /// Nothing is called silent before its time and so much more: we stood still for so long, which
    /// is no time that an answer had.
    fn postpone(&mut self, time: Duration);

    /// A probe that was under way has an outcome.
    fn settle(&mut self, probe: ProbeId, outcome: Outcome, now: Duration);

    /// There is no way to a host, whatever its port.
    fn miss(&mut self, _host: u32, _finding: Finding) {}
}
