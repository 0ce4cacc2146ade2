//! `nettool probe`.

mod latency;
mod merge;
mod parts;
mod ping;
mod scan;
mod sharing;
mod sink;
mod targets;
mod waiting;

use std::collections::HashSet;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use nettool::error::{Action, Error};
use nettool::net::Family;
use nettool::probe::{
    Binding, Job, Limits, Ports, Proto, ScopedIp, Sockets, Sought, Summary, Target, Targets,
    first_that_answers,
};
use nettool::process;
use nettool::value::{Host, ProbePorts};

use parts::Assignment;
use targets::{
    Answer, Excluded, Shared, Time, joined, look_up, of_all_zones, own_name, questions, read_lists,
};

use super::interruption::Interruption;
use super::talk::check_numeric;
use super::{Failure, Status, runtime};
use crate::cli::{Form, Party, ProbeArgs, Usage, Wanted};
use crate::output::{Findings, Output};

/// Probes all targets and reports.
pub(super) fn run(
    arguments: &ProbeArgs,
    numeric: bool,
    output: &Output,
) -> Result<Status, Failure> {
    let began = Instant::now();
    if !arguments.merged().is_empty() {
        return merge::run(arguments, output);
    }
    let mut request = arguments.request()?;
    arguments.wait()?;
    let binding = arguments.binding()?;
    check_binding(&binding)?;
    read_lists(&mut request)?;
    request.bind(&binding)?;
    let parties = request.wanted.iter().map(|wanted| &wanted.party);
    for party in parties.chain(&arguments.exclude) {
        if let Party::Host(host) = party {
            check_numeric(host, numeric)?;
        }
    }
    if let Some(wish) = arguments.wait()? {
        return waiting::run(arguments, &wish, request, binding, output);
    }
    if let Some(wish) = arguments.latency() {
        return latency::run(arguments, wish, request, binding, output);
    }
    request.refuse_paths()?;
    let is_ping_alone = arguments.is_ping_alone(&request)?;
    let assignment = Assignment::of(arguments)?;
    process::raise_open_files();
    let interruption = Interruption::watch().map_err(failed)?;
    let sockets = Sockets::bound(binding).map_err(failed)?;
    let mut probe = Probe {
        began,
        arguments,
        output,
        interruption,
        sockets,
        assignment,
        is_lacking: false,
    };
    let status = probe.run(request.wanted, is_ping_alone)?;
    Ok(probe.interruption.status(status))
}

/// The event queue or a thread could not be had.
fn failed(error: io::Error) -> Error {
    Error::new(Action::Inspect, "the event queue", error)
}

/// The ports of these targets, which no connection of ours may take.
fn ports(sought: &[Sought]) -> Vec<u16> {
    sought.iter().filter_map(Sought::port).collect()
}

/// Fails if no socket can be bound as the user wants it.
fn check_binding(binding: &Binding) -> Result<(), Error> {
    let interface = binding.interface.as_deref().unwrap_or_default();
    let end = match binding.source {
        Some(source) => format!("{source} {interface}"),
        None => interface.to_owned(),
    };
    let told = |error| Error::new(Action::Bind, end.trim_end(), error);
    binding.check().map_err(told)
}

/// One run.
struct Probe<'a> {
    began: Instant,
    arguments: &'a ProbeArgs,
    output: &'a Output,
    interruption: Arc<Interruption>,
    sockets: Sockets,
    /// The part that we are to do, if it is not simply all.
    assignment: Option<Assignment>,
    /// Whether somebody is not probed: they have no address, or it is not known whether they are up.
    is_lacking: bool,
}

/// Somebody to probe, with all addresses.
struct Resolved {
    party: Party,
    ports: Arc<ProbePorts>,
    addresses: Vec<SocketAddr>,
}

impl Resolved {
    /// Whether it is a name, and not an address.
    fn is_name(&self) -> bool {
        match &self.party {
            Party::Host(host) => own_name(&host.to_string(), &self.addresses).is_none(),
            Party::Range(_) => false,
        }
    }

    /// Whether it is written as an address with a zone, which has two names: an interface's and its
    /// number.
    fn is_zoned(&self) -> bool {
        matches!(&self.party, Party::Host(Host::V6(_, Some(_))))
    }
}

/// The ports that are open on any address of their host.
type Open = HashSet<(Arc<str>, Proto, u16)>;

/// Hosts with their addresses that are not probed.
type LeftOut = Vec<(Arc<str>, Vec<ScopedIp>)>;

impl Probe<'_> {
    /// From names to the exit status.
    fn run(&mut self, wanted: Vec<Wanted>, is_ping_alone: bool) -> Result<Status, Failure> {
        let named = wanted.len();
        let excluded = self.excluded()?;
        let resolved = self.resolve(wanted)?;
        self.is_lacking = resolved.len() < named;
        if self.is_lacking && self.assignment.is_some() {
            self.output
                .warn("nothing is probed: --shard and --resume need every name to have an address");
            return Ok(Status::Undetermined);
        }
        let resolved = joined(resolved);
        self.check_names(&resolved)?;
        let by_name = resolved.iter().filter(|one| one.is_name()).count();
        let (mut targets, left_out) = self.targets(resolved, &excluded)?;
        self.check_excluded(&targets, by_name)?;
        if targets.is_empty() && !self.is_lacking && named > 0 {
            return Err(Usage::new("--exclude leaves nobody to probe").into());
        }
        // Of hosts that are down too: a port that nobody can ask is not open.
        let ports = self.wanted_open(&targets);
        if self.arguments.ping() {
            let (summary, up) = self.ping(&targets, is_ping_alone)?;
            self.is_lacking |= summary.undetermined > 0;
            if is_ping_alone {
                return Ok(match summary.up {
                    _ if self.is_lacking => Status::Undetermined,
                    0 => Status::Failed,
                    _ => Status::Done,
                });
            }
            targets = up;
        }
        let mut findings = Findings::new(&targets, self.arguments.shown(self.output.is_json()));
        if self.arguments.form() == Form::Plain {
            findings = findings.into_lines(self.arguments.banner());
        }
        self.leave_out(left_out, &mut findings);
        let mut open = Open::new();
        let (seed, is_part) = (self.seed(), self.assignment.is_some());
        let job = Job {
            targets,
            seed,
            limits: self.limits(),
        };
        let summary = match self.assignment.take() {
            None => self.do_all(job, findings, &mut open)?,
            Some(assignment) => self.do_part(&assignment, job, findings, &mut open)?,
        };
        Ok(
            match self.holds(&summary, open.len() as u64, ports, is_part) {
                _ if self.is_lacking || summary.undetermined > 0 => Status::Undetermined,
                true => Status::Done,
                false => Status::Failed,
            },
        )
    }

    /// What the user has set, with what is left of the time.
    fn limits(&self) -> Limits {
        let limits = self.arguments.limits();
        let left = |time: Duration| time.saturating_sub(self.began.elapsed());
        Limits {
            deadline: limits.deadline.map(left),
            ..limits
        }
    }

    /// What nobody may be asked for. A name that does not resolve could be anyone's: nothing is
    /// probed then.
    fn excluded(&self) -> Result<Excluded, Error> {
        let mut excluded = Excluded::default();
        let wanted = self.arguments.exclude.iter().map(|party| Wanted {
            party: of_all_zones(party.clone()),
            ports: Arc::default(),
        });
        let answers = self.look_up(wanted.collect(), Family::Any)?;
        for (wanted, answer) in answers {
            match wanted.party {
                Party::Range(range) => excluded.ranges.push(range),
                Party::Host(_) => answer?.into_iter().for_each(|a| excluded.add(a)),
            }
        }
        Ok(excluded)
    }

    /// Looks all hosts up at once; nothing once a signal has come.
    fn look_up(&self, wanted: Vec<Wanted>, family: Family) -> Result<Vec<Answer>, Error> {
        if self.interruption.stop().load(Ordering::Acquire) {
            return Ok(Vec::new());
        }
        let whole = self.arguments.limits().deadline;
        let limit = self.limits().deadline.zip(whole);
        let limit = limit.map(|(left, whole)| Time { left, whole });
        let runtime = runtime::on_this_thread().map_err(failed)?;
        let answers = runtime.block_on(async {
            tokio::select! {
                () = self.interruption.came() => Vec::new(),
                answers = look_up(wanted, family, limit) => answers,
            }
        });
        // A look-up in progress does not hold the exit.
        runtime.shutdown_background();
        Ok(answers)
    }

    /// The addresses of all hosts. Who has none is told of, and left out.
    fn resolve(&self, wanted: Vec<Wanted>) -> Result<Vec<Resolved>, Error> {
        let mut resolved = Vec::new();
        for (wanted, answer) in self.look_up(wanted, self.arguments.family())? {
            let Wanted { party, ports } = wanted;
            match answer {
                Ok(addresses) => resolved.push(Resolved {
                    party,
                    ports,
                    addresses,
                }),
                Err(error) => self.output.error(&error),
            }
        }
        Ok(resolved)
    }

    /// Whom to probe without whom is excluded, and the addresses that are left out.
    fn targets(
        &mut self,
        resolved: Vec<Resolved>,
        excluded: &Excluded,
    ) -> Result<(Vec<Target>, LeftOut), Error> {
        let mut targets = Targets::default();
        let mut left_out = LeftOut::new();
        let mut shared = Shared::default();
        for resolved in resolved {
            let ports = shared.ports(&resolved.ports);
            let host = match resolved.party {
                Party::Range(range) => {
                    targets.add(Target::range(range, ports));
                    continue;
                }
                Party::Host(host) => Arc::from(host.to_string()),
            };
            let mut addresses = resolved.addresses;
            if let Some(range) = own_name(&host, &addresses) {
                targets.add(Target::range(range, ports));
                continue;
            }
            addresses.retain(|address| !excluded.contains(address));
            let others = self.choose(&mut addresses, &ports)?;
            if !others.is_empty() {
                left_out.push((Arc::clone(&host), others));
            }
            let target = |address| Target::host(Arc::clone(&host), address, ports.clone());
            addresses
                .into_iter()
                .map(target)
                .for_each(|t| targets.add(t));
        }
        Ok((targets.without(&excluded.ranges), left_out))
    }

    /// Leaves the addresses to probe, all that are this machine's own or else the first that
    /// answers, and returns the others.
    fn choose(
        &mut self,
        addresses: &mut Vec<SocketAddr>,
        ports: &Ports,
    ) -> Result<Vec<ScopedIp>, Error> {
        let is_local = addresses.iter().any(|address| address.ip().is_loopback());
        if addresses.len() < 2 || is_local || self.arguments.all_addresses {
            return Ok(Vec::new());
        }
        let (limits, stop) = (self.limits(), self.interruption.stop());
        let first = first_that_answers(&mut self.sockets, addresses, ports, limits, stop);
        addresses.swap(0, first.map_err(failed)?.unwrap_or(0));
        let others = addresses.split_off(1);
        Ok(others.into_iter().map(ScopedIp::from).collect())
    }

    /// Whether the condition holds: a port is open, or all are. A name with several addresses that
    /// are this machine's own has a port open where any of them has.
    fn holds(&self, summary: &Summary, open: u64, ports: u64, is_part: bool) -> bool {
        match self.arguments.all_open() {
            true if is_part => summary.open == summary.ports,
            true if self.arguments.all_addresses => summary.open == ports,
            true => open == ports,
            false => open > 0,
        }
    }

    /// How many ports must be open for all to be.
    fn wanted_open(&self, targets: &[Target]) -> u64 {
        if self.arguments.all_addresses {
            Target::all_questions(targets)
        } else {
            questions(targets)
        }
    }
}
