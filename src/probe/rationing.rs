//! Hosts that say of few of their ports what they could say of all.

use super::{PortReport, Proto, ScopedIp, State};
use std::collections::HashMap;
use std::sync::Arc;

/// Counts ports, so that a host that limits its ICMP messages can be named.
#[derive(Debug, Default)]
pub struct Rationing {
    hosts: HashMap<(Arc<str>, ScopedIp), Rationed>,
    /// Who rejected TCP ports by ICMP, and whether others were silent.
    rejecting: HashMap<(Arc<str>, ScopedIp), bool>,
}

/// How much a host said.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Rationed {
    /// How many ports it was asked about.
    pub asked: u64,
    /// Of how many it said something.
    pub answered: u64,
    /// Of how many it said nothing for want of ICMP messages, as far as is known.
    pub limited: u64,
}

impl Rationing {
    /// One more port is known.
    pub fn count(&mut self, report: &PortReport) {
        if report.proto == Proto::Tcp {
            return self.count_rejected(report);
        }
        let key = (report.host.clone(), report.addr.clone());
        let host = self.hosts.entry(key).or_default();
        host.asked = host.asked.saturating_add(1);
        let is_answered = !matches!(report.state, State::OpenFiltered | State::Undetermined);
        host.answered = host.answered.saturating_add(u64::from(is_answered));
        let is_limited = report.reason == "icmp-limited";
        host.limited = host.limited.saturating_add(u64::from(is_limited));
    }

    /// A host is of interest from its first rejected port on: silence takes longer to be known.
    fn count_rejected(&mut self, report: &PortReport) {
        let key = || (report.host.clone(), report.addr.clone());
        if report.state == State::Rejected && report.icmp.is_some() {
            self.rejecting.entry(key()).or_default();
        } else if report.state == State::Filtered
            && !self.rejecting.is_empty()
            && let Some(is_silent) = self.rejecting.get_mut(&key())
        {
            *is_silent = true;
        }
    }

    /// The hosts that rejected some ports by ICMP, and said nothing of others: Linux sends six such
    /// messages to somebody in a row, and then one a second (`XRLIM_BURST_FACTOR` in
    /// `net/ipv4/inetpeer.c`, icmp(7)), whoever has had them before.
    #[must_use]
    pub fn rejecting(&self) -> Vec<(Arc<str>, ScopedIp)> {
        let silent = self.rejecting.iter().filter(|(_, is_silent)| **is_silent);
        let mut hosts: Vec<_> = silent.map(|(host, _)| host.clone()).collect();
        hosts.sort_unstable();
        hosts
    }

    /// The hosts that limit their ICMP messages so that ports are left.
    #[must_use]
    pub fn hosts(&self) -> Vec<(Arc<str>, ScopedIp, Rationed)> {
        let limited = self.hosts.iter().filter(|(_, host)| host.limited > 0);
        let mut hosts: Vec<_> = limited
            .map(|((host, address), rationed)| (host.clone(), address.clone(), *rationed))
            .collect();
        hosts.sort_unstable_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
        hosts
    }
}
