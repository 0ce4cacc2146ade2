//! A probe that is only a part of a job.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io;
use std::ops::ControlFlow;
use std::sync::atomic::AtomicBool;

use nettool::probe::{Job, Left, Part, PortReport, Results, Sockets, Summary, Target, Whom};

use super::parts::Assignment;
use super::{Open, Probe, Resolved};
use crate::cli::{Party, Usage};
use crate::command::Failure;
use crate::output::Findings;

/// What is to be done: all, on all cores, or a part in its order.
pub(super) enum Work {
    /// All.
    Whole(Job),
    /// A part.
    Part(Box<Part>),
}

impl Work {
    /// How many ports there are to probe.
    pub(super) fn ports(&self) -> u64 {
        match self {
            Self::Whole(job) => job.len(),
            Self::Part(part) => part.len(),
        }
    }

    /// Does it, and tells what is left of a part.
    pub(super) fn run(
        self,
        sockets: &mut Sockets,
        stop: &AtomicBool,
        found: impl FnMut(Vec<PortReport>) -> ControlFlow<()>,
    ) -> io::Result<(Results, Left)> {
        match self {
            Self::Whole(job) => {
                let results = job.results(sockets, stop, found)?;
                Ok((results, Left::default()))
            }
            Self::Part(part) => part.run(sockets, stop, found),
        }
    }
}

impl Probe<'_> {
    /// Does a part of a job, and keeps what is left over of it.
    pub(super) fn do_part(
        &mut self,
        assignment: &Assignment,
        job: Job,
        mut findings: Findings,
        open: &mut Open,
    ) -> Result<Summary, Failure> {
        let (identity, targets) = (job.identity(), job.targets.clone());
        let left = assignment.left(&job)?;
        // What cannot be written is told before the work and not after it.
        assignment.save(identity, &left)?;
        let part = assignment.part(job, &left);
        let record = assignment.record(identity, part.size());
        let work = Work::Part(Box::new(part));
        let (summary, left) = self.scan(&targets, work, &mut findings, open)?;
        self.report(findings, &summary, Some(record))?;
        if summary.complete {
            assignment.finish()?;
            return Ok(summary);
        }
        assignment.save(identity, &left)?;
        if let Some(file) = assignment.file() {
            self.output.note(&format!(
                "{} ports are left: the same command goes on with them, as {} says",
                summary.undetermined,
                file.display()
            ));
        }
        Ok(summary)
    }

    /// What the order of the ports follows from.
    pub(super) fn seed(&self) -> u64 {
        let assigned = self.assignment.as_ref().map(|assignment| assignment.seed);
        let random = || RandomState::new().build_hasher().finish();
        assigned.or(self.arguments.seed()).unwrap_or_else(random)
    }

    /// Refuses what would give each machine another order of the ports, or another host to ask.
    pub(super) fn check_names(&self, resolved: &[Resolved]) -> Result<(), Usage> {
        let mut names = resolved.iter().filter(|one| one.is_name());
        match names.find(|name| name.addresses.len() > 1) {
            Some(Resolved {
                party: Party::Host(name),
                ..
            }) if self.is_shared() => Err(Usage::new(format!(
                "{name} has several addresses here, and may have others on another machine: with \
                 --shard write the address that is meant, or -4 or -6"
            ))),
            _ => Ok(()),
        }
    }

    /// Refuses that one of so many names has lost its address.
    pub(super) fn check_excluded(&self, targets: &[Target], names: usize) -> Result<(), Usage> {
        let hosts = targets.iter();
        let hosts = hosts.filter(|target| matches!(target.whom, Whom::Host(..)));
        if self.is_shared() && hosts.count() < names {
            return Err(Usage::new(
                "--exclude leaves out the address of a name: with --shard leave the name itself out",
            ));
        }
        Ok(())
    }

    /// Whether other machines do the rest of the job.
    fn is_shared(&self) -> bool {
        self.assignment.as_ref().is_some_and(Assignment::is_shared)
    }
}
