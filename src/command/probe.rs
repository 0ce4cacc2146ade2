//! `nettool probe`.

mod targets;

use std::collections::HashSet;
use std::future::pending;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use nettool::error::{Action, Cause, Error};
use nettool::net::Family;
use nettool::probe::{
    Binding, Job, Limits, PortReport, Ports, Sameness, Sockets, State, Summary, Target, Targets,
    first_that_answers,
};
use nettool::process;
use nettool::value::{AddressRange, PortList};

use targets::{Answer, Shared, look_up, own_name, questions, read_lists};

use super::interruption::Interruption;
use super::talk::check_numeric;
use super::{Failure, Status, runtime};
use crate::cli::{Form, Party, ProbeArgs, Usage, Wanted};
use crate::output::{Conclusion, Findings, Output};

/// Probes all targets and reports.
pub(super) fn run(
    arguments: &ProbeArgs,
    numeric: bool,
    output: &Output,
) -> Result<Status, Failure> {
    let began = Instant::now();
    let mut request = arguments.request()?;
    let binding = arguments.binding()?;
    check_binding(&binding)?;
    read_lists(&mut request)?;
    let parties = request.wanted.iter().map(|wanted| &wanted.party);
    for party in parties.chain(&arguments.exclude) {
        if let Party::Host(host) = party {
            check_numeric(host, numeric)?;
        }
    }
    process::raise_open_files();
    let interruption = Interruption::watch().map_err(failed)?;
    let sockets = Sockets::bound(binding).map_err(failed)?;
    let mut probe = Probe {
        began,
        arguments,
        output,
        interruption,
        sockets,
    };
    let status = probe.run(request.wanted)?;
    Ok(probe.interruption.status(status))
}

/// The event queue or a thread could not be had.
fn failed(error: io::Error) -> Error {
    Error::new(Action::Inspect, "the event queue", error)
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

/// Waits until a deadline, if there is one.
async fn passed(left: Option<Duration>) {
    match left {
        Some(left) => tokio::time::sleep(left).await,
        None => pending().await,
    }
}

/// One run.
struct Probe<'a> {
    began: Instant,
    arguments: &'a ProbeArgs,
    output: &'a Output,
    interruption: Arc<Interruption>,
    sockets: Sockets,
}

/// Somebody to probe, with all addresses.
struct Resolved {
    party: Party,
    ports: Arc<PortList>,
    addresses: Vec<SocketAddr>,
}

/// The ports that are open on any address of their host.
type Open = HashSet<(Arc<str>, u16)>;

/// Hosts with their addresses that are not probed.
type LeftOut = Vec<(Arc<str>, Vec<IpAddr>)>;

impl Probe<'_> {
    /// From names to the exit status.
    fn run(&mut self, wanted: Vec<Wanted>) -> Result<Status, Failure> {
        let named = wanted.len();
        let excluded = self.excluded()?;
        let resolved = self.resolve(wanted)?;
        let is_lacking = resolved.len() < named;
        let (targets, left_out) = self.targets(resolved, &excluded)?;
        if targets.is_empty() && !is_lacking && named > 0 {
            return Err(Usage::new("--exclude leaves nobody to probe").into());
        }
        let ports = questions(&targets);
        let mut findings = Findings::new(&targets, self.arguments.shown(self.output.is_json()));
        self.leave_out(left_out, &mut findings);
        let mut open = Open::new();
        let summary = self.scan(targets, &mut findings, &mut open)?;
        self.report(findings, &summary)?;
        Ok(match self.holds(&summary, open.len() as u64, ports) {
            _ if is_lacking || summary.undetermined > 0 => Status::Undetermined,
            true => Status::Done,
            false => Status::Failed,
        })
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
    fn excluded(&self) -> Result<Vec<AddressRange>, Error> {
        let mut ranges = Vec::new();
        let wanted = self.arguments.exclude.iter().map(|party| Wanted {
            party: party.clone(),
            ports: Arc::default(),
        });
        let answers = self.look_up(wanted.collect(), Family::Any)?;
        let is_lacking = answers.len() < self.arguments.exclude.len();
        if is_lacking && !self.interruption.stop().load(Ordering::Acquire) {
            let allowed = self.arguments.limits().deadline.unwrap_or_default();
            return Err(Error::new(
                Action::Resolve,
                "--exclude",
                Cause::TimedOut(allowed),
            ));
        }
        for (wanted, answer) in answers {
            match wanted.party {
                Party::Range(range) => ranges.push(range),
                Party::Host(_) => {
                    ranges.extend(answer?.iter().map(|a| AddressRange::from(a.ip())));
                }
            }
        }
        Ok(ranges)
    }

    /// Looks all hosts up at once; nothing once a signal has come.
    fn look_up(&self, wanted: Vec<Wanted>, family: Family) -> Result<Vec<Answer>, Error> {
        if self.interruption.stop().load(Ordering::Acquire) {
            return Ok(Vec::new());
        }
        let runtime = runtime::on_this_thread().map_err(failed)?;
        let answers = runtime.block_on(async {
            tokio::select! {
                () = self.interruption.came() => Vec::new(),
                () = passed(self.limits().deadline) => Vec::new(),
                answers = look_up(wanted, family) => answers,
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
        excluded: &[AddressRange],
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
            addresses.retain(|a| !excluded.iter().any(|range| range.contains(a.ip())));
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
        Ok((targets.without(excluded), left_out))
    }

    /// Leaves the addresses to probe, all that are this machine's own or else the first that
    /// answers, and returns the others.
    fn choose(
        &mut self,
        addresses: &mut Vec<SocketAddr>,
        ports: &Ports,
    ) -> Result<Vec<IpAddr>, Error> {
        let is_local = addresses.iter().any(|address| address.ip().is_loopback());
        if addresses.len() < 2 || is_local || self.arguments.all_addresses {
            return Ok(Vec::new());
        }
        let (limits, stop) = (self.limits(), self.interruption.stop());
        let first = first_that_answers(&mut self.sockets, addresses, ports, limits, stop);
        addresses.swap(0, first.map_err(failed)?.unwrap_or(0));
        let others = addresses.split_off(1);
        Ok(others.iter().map(SocketAddr::ip).collect())
    }

    /// Whether remarks stand beside the report, and not in it.
    fn is_for_scripts(&self) -> bool {
        self.output.is_json() || self.arguments.form() != Form::Human
    }

    /// Names the addresses that are left out: in a person's report, or beside one for a script.
    fn leave_out(&self, left_out: LeftOut, findings: &mut Findings) {
        for (host, addresses) in left_out {
            if self.is_for_scripts() {
                self.output.not_probed(&host, &addresses);
            } else {
                findings.leave_out(&host, addresses);
            }
        }
    }

    /// Probes, and prints records as they are found.
    fn scan(
        &mut self,
        targets: Vec<Target>,
        findings: &mut Findings,
        open: &mut Open,
    ) -> Result<Summary, Error> {
        let seed = self.arguments.seed();
        let job = Job {
            targets,
            seed: seed.unwrap_or_else(|| RandomState::new().build_hasher().finish()),
            limits: self.limits(),
        };
        let mut sink = Sink {
            sameness: Sameness::new(&job.targets),
            output: self.output,
            findings,
            open,
            broken: None,
        };
        let stop = self.interruption.stop();
        let summary = job
            .run(&mut self.sockets, stop, |batch| sink.take(batch))
            .map_err(failed)?;
        let suspects = sink.sameness.suspects();
        if let Some(error) = sink.broken {
            return Err(error);
        }
        for (host, address, ports) in suspects {
            if self.is_for_scripts() {
                self.output.suspect(&host, address, ports);
            } else {
                findings.suspect(&host, address, ports);
            }
        }
        Ok(summary)
    }

    /// Prints what is known, or the record that ends the records.
    fn report(&self, mut findings: Findings, summary: &Summary) -> Result<(), Error> {
        findings.sort();
        match self.arguments.form() {
            Form::Human => self.output.report(&Conclusion {
                findings: &findings,
                summary,
            }),
            Form::Plain => self.output.result(&findings.plain()),
            Form::ConnectEx => self.output.result(&findings.connect_ex()),
        }
    }

    /// Whether the condition holds: a port is open, or all are. A name with several addresses that
    /// are this machine's own has a port open where any of them has.
    fn holds(&self, summary: &Summary, open: u64, ports: u64) -> bool {
        match (self.arguments.all_open(), self.arguments.all_addresses) {
            (true, true) => summary.open == summary.ports,
            (true, false) => open == ports,
            (false, _) => open > 0,
        }
    }
}

/// Where results go.
struct Sink<'a> {
    sameness: Sameness,
    output: &'a Output,
    findings: &'a mut Findings,
    open: &'a mut Open,
    /// Why stdout takes no more.
    broken: Option<Error>,
}

impl Sink<'_> {
    /// Keeps results for the end, or prints their records.
    fn take(&mut self, batch: Vec<PortReport>) -> ControlFlow<()> {
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
