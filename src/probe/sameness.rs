//! Hosts whose ports are all open: somebody else answers in their place.

use super::{PortReport, Proto, ScopedIp, State, Target, Whom};
use std::collections::HashMap;
use std::sync::Arc;

/// How many ports, all of them open, no real host has.
const MANY: usize = 32;

/// Counts open ports, so that a proxy or a tarpit that accepts whatever is asked is noticed.
#[derive(Debug)]
pub struct Sameness {
    targets: Vec<Target>,
    open: HashMap<(Arc<str>, ScopedIp), usize>,
}

impl Sameness {
    /// Nothing is known yet of these targets.
    #[must_use]
    pub fn new(targets: &[Target]) -> Self {
        Self {
            targets: targets.to_vec(),
            open: HashMap::new(),
        }
    }

    /// One more port is known.
    pub fn count(&mut self, report: &PortReport) {
        if report.state == State::Open && report.proto == Proto::Tcp {
            let key = (report.host.clone(), report.addr.clone());
            let open = self.open.entry(key).or_default();
            *open = open.saturating_add(1);
        }
    }

    /// The hosts of which every one of many ports is open, and how many.
    #[must_use]
    pub fn suspects(&self) -> Vec<(Arc<str>, ScopedIp, usize)> {
        let many = self.open.iter().filter(|(_, open)| **open >= MANY);
        let all = many.filter(|((host, address), open)| {
            let is_it = |target: &&Target| target.is_called(host, address);
            let target = self.targets.iter().find(is_it);
            target.is_some_and(|target| target.ports.count(Proto::Tcp) == **open)
        });
        let mut suspects: Vec<_> = all
            .map(|((host, address), open)| (host.clone(), address.clone(), *open))
            .collect();
        suspects.sort_unstable();
        suspects
    }
}

impl Target {
    /// Whether reports of this host and address are about it.
    fn is_called(&self, host: &str, address: &ScopedIp) -> bool {
        match &self.whom {
            Whom::Host(name, own) => **name == *host && ScopedIp::from(*own) == *address,
            Whom::Range(range) => range.contains(address.ip),
        }
    }
}
