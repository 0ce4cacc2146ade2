//! The scan of all ports, or of a part of them, and its report.

use std::time::Instant;

use nettool::error::Error;
use nettool::probe::{Banners, Job, Left, Rationing, Results, Sameness, State, Summary, Target};

use super::sharing::Work;
use super::sink::Sink;
use super::{LeftOut, Open, Probe, failed};
use crate::cli::Form;
use crate::output::{Conclusion, Findings, PartRecord, Probed, Remark};

impl Probe<'_> {
    /// Probes all ports and reports.
    pub(super) fn do_all(
        &mut self,
        job: Job,
        mut findings: Findings,
        open: &mut Open,
    ) -> Result<Summary, Error> {
        let targets = job.targets.clone();
        let (summary, _) = self.scan(&targets, Work::Whole(job), &mut findings, open)?;
        self.report(findings, &summary, None)?;
        Ok(summary)
    }

    /// Probes, and prints records as they are found.
    pub(super) fn scan(
        &mut self,
        targets: &[Target],
        work: Work,
        findings: &mut Findings,
        open: &mut Open,
    ) -> Result<(Summary, Left), Error> {
        let mut sink = Sink {
            sameness: Sameness::new(targets),
            rationing: Rationing::default(),
            output: self.output,
            findings,
            open,
            banners: self.banners(targets)?,
            progress: Probed::new(self.output, work.ports()),
            broken: None,
        };
        let (stop, began) = (self.interruption.stop(), Instant::now());
        let take = |batch| sink.take(batch);
        let done = work.run(&mut self.sockets, stop, take);
        let (
            Results {
                mut summary,
                limited,
            },
            left,
        ) = done.map_err(failed)?;
        let mut strange = sink.finish(stop, self.limits().deadline)?;
        summary.elapsed = began.elapsed();
        let fast = self.limits().fast;
        strange.extend(limited.into_iter().map(|one| {
            let rate = one.rate;
            (one.host, one.addr, Remark::Limited { rate, fast })
        }));
        for (host, address, remark) in strange {
            if self.is_for_scripts() {
                if remark.is_sure() || self.output.is_json() {
                    self.output.remark(&host, &address, &remark);
                }
            } else {
                findings.remark(&host, &address, &remark);
            }
        }
        Ok((summary, left))
    }

    /// What listens to open ports, if that is wanted and they are told of.
    fn banners(&self, targets: &[Target]) -> Result<Option<Banners>, Error> {
        let shown = self.arguments.shown(self.output.is_json());
        if !self.arguments.banner() || !shown.contains(&State::Open) {
            return Ok(None);
        }
        let banners = Banners::new(targets, self.sockets.binding());
        banners.map(Some).map_err(failed)
    }

    /// Whether remarks stand beside the report, and not in it.
    fn is_for_scripts(&self) -> bool {
        self.output.is_json() || self.arguments.form() != Form::Human
    }

    /// Names the addresses that are left out: in a person's report, or beside one for a script.
    pub(super) fn leave_out(&self, left_out: LeftOut, findings: &mut Findings) {
        for (host, addresses) in left_out {
            if self.is_for_scripts() {
                self.output.not_probed(&host, &addresses);
            } else {
                findings.leave_out(&host, addresses);
            }
        }
    }

    /// Prints what is known, or the record that ends the records.
    pub(super) fn report(
        &self,
        mut findings: Findings,
        summary: &Summary,
        part: Option<PartRecord>,
    ) -> Result<(), Error> {
        findings.sort();
        match self.arguments.form() {
            Form::Human => self.output.report(&Conclusion {
                findings: &findings,
                summary,
                is_lacking: self.is_lacking,
                part,
            }),
            Form::Plain => findings
                .plain()
                .try_for_each(|piece| self.output.result(&piece)),
            Form::ConnectEx => self.output.result(&findings.connect_ex()),
        }
    }
}
