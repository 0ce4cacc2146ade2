//! `nettool probe --ping`.

use std::ops::ControlFlow;

use nettool::error::Error;
use nettool::probe::{Ping, PingSummary, Target};

use super::{Probe, failed};
use crate::cli::Form;
use crate::output::Hosts;

impl Probe<'_> {
    /// Asks who is up and tells it, in a report for scripts only where no ports follow. Returns the
    /// figures and those that are up.
    pub(super) fn ping(
        &mut self,
        targets: &[Target],
        is_alone: bool,
    ) -> Result<(PingSummary, Vec<Target>), Error> {
        let ping = Ping {
            targets,
            limits: self.limits(),
            stop: self.interruption.stop(),
        };
        let mut hosts = Hosts::default();
        let mut broken = None;
        let output = self.output;
        let answer = ping.run(&mut self.sockets, |report| {
            if !output.is_json() {
                hosts.add(report);
                return ControlFlow::Continue(());
            }
            match output.host(&report) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    broken = Some(error);
                    ControlFlow::Break(())
                }
            }
        });
        let (summary, up) = answer.map_err(failed)?;
        if let Some(error) = broken {
            return Err(error);
        }
        match self.arguments.form() {
            Form::Plain if is_alone => output.result(&hosts.plain())?,
            Form::Plain | Form::ConnectEx => {}
            Form::Human => output.report(&hosts.conclude(&summary, self.is_lacking))?,
        }
        Ok((summary, up))
    }
}
