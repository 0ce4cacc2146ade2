//! Where results go as they are found.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use nettool::error::Error;
use nettool::probe::{Banners, PortReport, Rationing, Sameness, ScopedIp, State};

use super::Open;
use crate::output::{Findings, Output, Probed, Remark};

/// Where results go.
pub(super) struct Sink<'a> {
    pub(super) sameness: Sameness,
    pub(super) rationing: Rationing,
    pub(super) output: &'a Output,
    pub(super) findings: &'a mut Findings,
    pub(super) open: &'a mut Open,
    /// Listens to open ports, if that is wanted.
    pub(super) banners: Option<Banners>,
    pub(super) progress: Probed<'a>,
    /// Why stdout takes no more.
    pub(super) broken: Option<Error>,
}

impl Sink<'_> {
    /// Takes results as they come.
    pub(super) fn take(&mut self, batch: Vec<PortReport>) -> ControlFlow<()> {
        for report in &batch {
            self.sameness.count(report);
            self.rationing.count(report);
        }
        let open = batch.iter().filter(|report| report.state == State::Open);
        let count = open.clone().count() as u64;
        self.progress.add(batch.len() as u64, count);
        self.open
            .extend(open.map(|report| (report.host.clone(), report.proto, report.port)));
        let batch = match &mut self.banners {
            Some(banners) => banners.exchange(batch),
            None => batch,
        };
        self.put(batch)
    }

    /// Waits for what open ports still have to say. Returns what is strange about hosts.
    pub(super) fn finish(
        mut self,
        stop: &AtomicBool,
        left: Option<Duration>,
    ) -> Result<Vec<(Arc<str>, ScopedIp, Remark)>, Error> {
        if let Some(banners) = self.banners.take() {
            let last = banners.finish(stop, left);
            // A stdout that takes no more is told of below.
            let _ = self.put(last);
        }
        if let Some(error) = self.broken {
            return Err(error);
        }
        let open = self.sameness.suspects().into_iter();
        let open = open.map(|(host, address, ports)| (host, address, Remark::AllOpen(ports)));
        let rationed = self.rationing.hosts().into_iter();
        let rationed = rationed.map(|(host, address, how)| (host, address, Remark::Rationed(how)));
        let rejecting = self.rationing.rejecting().into_iter();
        let rejecting = rejecting.map(|(host, address)| (host, address, Remark::Rejecting));
        Ok(open.chain(rationed).chain(rejecting).collect())
    }

    /// Keeps results for the end, or prints their records.
    fn put(&mut self, batch: Vec<PortReport>) -> ControlFlow<()> {
        if !self.output.is_json() {
            for report in batch {
                self.findings.add(report);
            }
            return ControlFlow::Continue(());
        }
        let shown = batch
            .iter()
            .filter(|report| self.findings.shows(report.state));
        match self.output.ports(shown) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.broken = Some(error);
                ControlFlow::Break(())
            }
        }
    }
}
