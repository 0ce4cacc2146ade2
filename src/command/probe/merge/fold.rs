//! Folding the records of many runs into one report. Pure.

mod gaps;
mod run;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use nettool::probe::{PortReport, ScopedIp, State, Summary};

use super::TOLD;
use super::line::{Line, SummaryLine};
use gaps::{gaps, words};
use run::Run;

/// What makes a port the same one in two files.
type Key = (Arc<str>, ScopedIp, u16, &'static str);

/// The report of all files.
#[derive(Debug)]
pub(super) struct Merged {
    /// Each port once.
    pub(super) reports: Vec<PortReport>,
    /// The figures of all runs together.
    pub(super) summary: Summary,
    /// Ports of each state that are counted in the figures, and listed by no run.
    pub(super) unlisted: BTreeMap<State, u64>,
    /// What a reader should know.
    pub(super) problems: Vec<String>,
    /// Whether the report may be wrong or lacks something.
    pub(super) is_doubtful: bool,
}

/// What was read so far.
#[derive(Debug, Default)]
pub(super) struct Fold {
    file: String,
    run: Run,
    known: BTreeMap<Key, Known>,
    groups: BTreeMap<GroupKey, Group>,
    /// Ports of each state that runs counted and did not list.
    unlisted: BTreeMap<State, u64>,
    same: u64,
    /// How many ports have different states in different files.
    conflicts: u64,
    probes_sent: u64,
    elapsed: std::time::Duration,
    runs: usize,
    /// How many of the runs are of the file that is being read.
    runs_of_file: usize,
    /// Whether it tells of hosts, which no report of ports does.
    has_hosts: bool,
    problems: Vec<String>,
    is_doubtful: bool,
}

/// A port and the file that told it first.
#[derive(Debug)]
struct Known {
    report: PortReport,
    file: String,
    /// When it came, among all.
    order: usize,
}

/// A part of a job, or a run that is none.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum GroupKey {
    /// The job, how many parts it has, and which one this is.
    Part(String, u32, u32),
    /// The number of the run.
    Run(usize),
}

/// What the runs of a part found out together.
#[derive(Debug, Default)]
struct Group {
    size: u64,
    keys: BTreeSet<Key>,
    unlisted: u64,
}

impl Fold {
    /// A file begins.
    pub(super) fn begin(&mut self, file: &str) {
        file.clone_into(&mut self.file);
        self.run = Run::default();
        (self.runs_of_file, self.has_hosts) = (0, false);
    }

    /// The file ends. What follows the last summary is of a run that was cut off.
    pub(super) fn end(&mut self) {
        if self.has_hosts {
            let problem = "it tells with --ping which hosts are up: that is left out";
            self.problems.push(format!("{}: {problem}", self.file));
            self.is_doubtful |= self.runs_of_file == 0;
        }
        let has_ended = self.runs_of_file > 0 || self.has_hosts;
        if !has_ended || !self.run.is_empty() {
            let problem = format!(
                "{} has no summary at its end: the run was cut off",
                self.file
            );
            self.problem(problem);
        }
        self.run = Run::default();
    }

    /// Something could not be read.
    pub(super) fn doubt(&mut self) {
        self.is_doubtful = true;
    }

    /// Takes a record.
    pub(super) fn take(&mut self, line: Line) {
        match line {
            Line::Port(report) => self.take_port(*report),
            Line::Summary(summary) => self.take_summary(&summary),
            Line::Failure(text) => {
                let problem = format!("{}: {text}", self.file);
                self.problem(problem);
            }
            Line::Warning(text) => self.problems.push(format!("{}: {text}", self.file)),
            Line::Hosts => self.has_hosts = true,
            Line::Other => {}
        }
    }

    /// What makes the report doubtful.
    fn problem(&mut self, problem: String) {
        self.problems.push(problem);
        self.is_doubtful = true;
    }

    /// Takes a port. Of two states that one is kept that says more, and the other is told.
    fn take_port(&mut self, report: PortReport) {
        let proto = report.proto.as_str();
        let addr = report.addr.clone();
        let key = (report.host.clone(), addr, report.port, proto);
        self.run.tell(key.clone(), report.state);
        let order = self.known.len();
        let conflict = match self.known.entry(key) {
            Entry::Vacant(place) => {
                place.insert(Known {
                    report,
                    file: self.file.clone(),
                    order,
                });
                None
            }
            Entry::Occupied(mut place) => {
                self.same = self.same.saturating_add(1);
                place.get_mut().meet(report, &self.file)
            }
        };
        if let Some(conflict) = conflict {
            if self.conflicts < TOLD {
                self.problems.push(conflict);
            }
            self.conflicts = self.conflicts.saturating_add(1);
            self.is_doubtful = true;
        }
    }

    /// Takes the end of a run.
    fn take_summary(&mut self, summary: &SummaryLine) {
        let run = std::mem::take(&mut self.run).end(summary);
        let figures = summary.figures();
        self.runs = self.runs.saturating_add(1);
        self.runs_of_file = self.runs_of_file.saturating_add(1);
        self.probes_sent = self.probes_sent.saturating_add(figures.probes_sent);
        self.elapsed = self.elapsed.max(figures.elapsed);
        let key = match (&summary.job, summary.shards, summary.shard) {
            (Some(job), Some(of), Some(number)) => GroupKey::Part(job.clone(), of, number),
            _ => GroupKey::Run(self.runs),
        };
        let group = self.groups.entry(key).or_default();
        group.size = group.size.max(summary.share_ports.unwrap_or(summary.ports));
        group.keys.extend(run.keys);
        for (state, unlisted) in run.unlisted {
            group.unlisted = group.unlisted.saturating_add(unlisted);
            let all = self.unlisted.entry(state).or_default();
            *all = all.saturating_add(unlisted);
        }
        if run.missing > 0 {
            let problem = format!(
                "{} lacks {} of the ports that its summary counts",
                self.file, run.missing
            );
            self.problem(problem);
        }
        if run.surplus > 0 {
            let problem = format!(
                "{} lists more ports than its summary counts, by {}",
                self.file, run.surplus
            );
            self.problem(problem);
        }
    }

    /// All is read.
    pub(super) fn finish(mut self) -> Merged {
        let missing = self.missing_shards();
        let is_lacking = !missing.is_empty();
        for problem in missing.into_iter().chain(self.moved_names()) {
            self.problem(problem);
        }
        if self.conflicts > TOLD {
            self.problems.push(format!(
                "further ports that have different states in different files: {}",
                self.conflicts.saturating_sub(TOLD)
            ));
        }
        if self.same > 0 {
            self.problems.push(format!(
                "ports that are told more than once, and counted once: {}",
                self.same
            ));
        }
        let known = |group: &Group| (group.keys.len() as u64).saturating_add(group.unlisted);
        let is_double = |group: &Group| group.unlisted > 0 && known(group) > group.size;
        if self.groups.values().any(is_double) {
            self.problem(
                "a part was probed twice without listing all its ports: they are counted twice"
                    .to_owned(),
            );
        }
        let unknown = self
            .groups
            .values()
            .map(|group| group.size.saturating_sub(known(group)));
        let unknown = unknown.fold(0, u64::saturating_add);
        let mut summary = Summary {
            probes_sent: self.probes_sent,
            elapsed: self.elapsed,
            complete: unknown == 0 && !is_lacking && !self.is_doubtful,
            ..Summary::default()
        };
        let mut reports: Vec<Known> = self.known.into_values().collect();
        reports.sort_by_key(|known| known.order);
        let reports: Vec<PortReport> = reports.into_iter().map(|known| known.report).collect();
        for report in &reports {
            summary.add_ports(report.state, 1);
        }
        for (state, number) in &self.unlisted {
            summary.add_ports(*state, *number);
        }
        summary.add_ports(State::Undetermined, unknown);
        summary.ports = State::ALL
            .iter()
            .fold(0, |all, state| summary.of(*state).saturating_add(all));
        Merged {
            reports,
            summary,
            unlisted: self.unlisted,
            problems: self.problems,
            is_doubtful: self.is_doubtful,
        }
    }

    /// The names that do not have the same address in all parts of a job, in words: on none of the
    /// addresses were all ports asked.
    fn moved_names(&self) -> Vec<String> {
        let mut known: BTreeMap<(&str, u32, &str), BTreeSet<&ScopedIp>> = BTreeMap::new();
        for (key, group) in &self.groups {
            let GroupKey::Part(job, of @ 2.., _) = key else {
                continue;
            };
            for (host, address, ..) in &group.keys {
                let addresses = known.entry((job, *of, host)).or_default();
                addresses.insert(address);
            }
        }
        let moved = known.iter().filter(|(_, addresses)| addresses.len() > 1);
        let moved: BTreeSet<&str> = moved.map(|((_, _, host), _)| *host).collect();
        let words = |host| format!("{host} has other addresses in other shards");
        moved.into_iter().map(words).collect()
    }

    /// What jobs lack, in words.
    fn missing_shards(&self) -> Vec<String> {
        let mut seen: BTreeMap<(&str, u32), BTreeSet<u32>> = BTreeMap::new();
        for key in self.groups.keys() {
            if let GroupKey::Part(job, of, number) = key {
                seen.entry((job, *of)).or_default().insert(*number);
            }
        }
        let mut problems = Vec::new();
        if seen.len() > 1 {
            problems.push(format!(
                "the files are of {} jobs with other targets, ports, seeds or numbers of shards",
                seen.len()
            ));
        }
        for ((_, of), numbers) in seen {
            match gaps(of, &numbers).as_slice() {
                [] => {}
                [(one, last)] if one == last => {
                    problems.push(format!("shard {one} of {of} is missing"));
                }
                many => {
                    let many: Vec<_> = many.iter().copied().map(words).collect();
                    problems.push(format!("shards {} of {of} are missing", many.join(", ")));
                }
            }
        }
        problems
    }
}

impl Known {
    /// The same port once more. Returns how the two disagree, if they do.
    fn meet(&mut self, other: PortReport, file: &str) -> Option<String> {
        let (state, other_state) = (self.report.state, other.state);
        if state == other_state {
            return None;
        }
        let text = format!(
            "{} port {}/{} is {state} in {} and {other_state} in {file}",
            other.host,
            other.port,
            other.proto.as_str(),
            self.file
        );
        if other_state < state {
            self.report = other;
            file.clone_into(&mut self.file);
        }
        let is_open_question = [state, other_state].contains(&State::Undetermined);
        (!is_open_question).then_some(text)
    }
}

#[cfg(test)]
mod tests;
