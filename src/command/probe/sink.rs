//! Where results go as they are found.

use std::ops::ControlFlow;

use nettool::error::Error;
use nettool::probe::{PortReport, Sameness, State};

use super::Open;
use crate::output::{Findings, Output};

/// Where results go.
pub(super) struct Sink<'a> {
    pub(super) sameness: Sameness,
    pub(super) output: &'a Output,
    pub(super) findings: &'a mut Findings,
    pub(super) open: &'a mut Open,
    /// Why stdout takes no more.
    pub(super) broken: Option<Error>,
}

impl Sink<'_> {
    /// Keeps results for the end, or prints their records.
    pub(super) fn take(&mut self, batch: Vec<PortReport>) -> ControlFlow<()> {
        for report in &batch {
            self.sameness.count(report);
        }
        let open = batch.iter().filter(|report| report.state == State::Open);
        self.open
            .extend(open.map(|report| (report.host.clone(), report.port)));
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
