//! `nettool probe`.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::ControlFlow;
use std::sync::Arc;

use nettool::error::{Action, Error};
use nettool::net::{Family, resolve};
use nettool::probe::{
    Network as _, Pacer, Plan, PortReport, Ports, Sockets, State, Summary, Target,
    first_that_answers,
};
use nettool::process;

use super::interruption::Interruption;
use super::talk::check_numeric;
use super::{Failure, Status};
use crate::cli::{Form, ProbeArgs, Wanted};
use crate::output::{Conclusion, Findings, Output};

/// Probes all targets and reports.
pub(super) fn run(
    arguments: &ProbeArgs,
    numeric: bool,
    output: &Output,
) -> Result<Status, Failure> {
    let wanted = arguments.targets()?;
    for Wanted { host, .. } in &wanted {
        check_numeric(host, numeric)?;
    }
    process::raise_open_files();
    let interruption = Interruption::watch().map_err(failed)?;
    let sockets = Sockets::new().map_err(failed)?;
    let mut probe = Probe {
        arguments,
        output,
        interruption,
        sockets,
    };
    let status = probe.run(wanted)?;
    Ok(probe.interruption.status(status))
}

/// The event queue or a thread could not be had.
fn failed(error: io::Error) -> Error {
    Error::new(Action::Inspect, "the event queue", error)
}

/// One run.
struct Probe<'a> {
    arguments: &'a ProbeArgs,
    output: &'a Output,
    interruption: Arc<Interruption>,
    sockets: Sockets,
}

/// Somebody to probe, with all addresses.
struct Resolved {
    wanted: Wanted,
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
        let resolved = self.resolve(wanted)?;
        let is_lacking = resolved.len() < named;
        let ports = resolved
            .iter()
            .map(|resolved| resolved.wanted.ports.len())
            .sum();
        let (targets, left_out) = self.targets(resolved)?;
        let mut findings = Findings::new(&targets, self.arguments.shown(self.output.is_json()));
        self.leave_out(left_out, &mut findings);
        let mut open = Open::new();
        let summary = self.scan(targets, &mut findings, &mut open)?;
        self.report(findings, &summary)?;
        Ok(match self.holds(&summary, open.len(), ports) {
            _ if is_lacking || summary.undetermined > 0 => Status::Undetermined,
            true => Status::Done,
            false => Status::Failed,
        })
    }

    /// The addresses of all hosts, looked up at once. Who has none is told of, and left out.
    fn resolve(&self, wanted: Vec<Wanted>) -> Result<Vec<Resolved>, Error> {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().build().map_err(failed)?;
        let answers = runtime.block_on(async {
            tokio::select! {
                () = self.interruption.came() => Vec::new(),
                answers = look_up(wanted, self.arguments.family()) => answers,
            }
        });
        // A look-up in progress does not hold the exit.
        runtime.shutdown_background();
        let mut resolved = Vec::new();
        for (wanted, answer) in answers {
            match answer {
                Ok(addresses) => resolved.push(Resolved { wanted, addresses }),
                Err(error) => self.output.error(&error),
            }
        }
        Ok(resolved)
    }

    /// The addresses to probe, all that are this machine's own or else the first that answers, and
    /// those that are left out.
    fn targets(&mut self, resolved: Vec<Resolved>) -> Result<(Vec<Target>, LeftOut), Error> {
        let mut targets = Vec::new();
        let mut left_out = LeftOut::new();
        for Resolved {
            wanted,
            mut addresses,
        } in resolved
        {
            let host: Arc<str> = wanted.host.to_string().into();
            let ports = Arc::new(Ports::from(&wanted.ports));
            let is_local = addresses.iter().any(|address| address.ip().is_loopback());
            if addresses.len() > 1 && !is_local && !self.arguments.all_addresses {
                let stop = self.interruption.stop();
                let first = first_that_answers(&mut self.sockets, &addresses, &ports, stop);
                addresses.swap(0, first.map_err(failed)?.unwrap_or(0));
                let others = addresses.split_off(1);
                left_out.push((host.clone(), others.iter().map(SocketAddr::ip).collect()));
            }
            let target = |address| Target {
                host: host.clone(),
                address,
                ports: ports.clone(),
            };
            targets.extend(addresses.into_iter().map(target));
        }
        Ok((targets, left_out))
    }

    /// Names the addresses that are left out: in a person's report, or beside one for a script.
    fn leave_out(&self, left_out: LeftOut, findings: &mut Findings) {
        let beside = self.output.is_json() || self.arguments.form() != Form::Human;
        for (host, addresses) in left_out {
            if beside {
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
        let plan = Plan::new(targets, RandomState::new().build_hasher().finish());
        let pacer = Pacer::new(plan, self.arguments.limits(), self.sockets.capacity());
        let output = self.output;
        let mut broken = None;
        let take = |report: PortReport| {
            if report.state == State::Open {
                open.insert((report.host.clone(), report.port));
            }
            if !output.is_json() {
                findings.add(report);
            } else if findings.shows(report.state)
                && let Err(error) = output.port(&report)
            {
                broken = Some(error);
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        };
        let stop = self.interruption.stop();
        let summary = nettool::probe::run(&mut self.sockets, pacer, stop, take).map_err(failed)?;
        broken.map_or(Ok(summary), Err)
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
    fn holds(&self, summary: &Summary, open: usize, ports: usize) -> bool {
        match (self.arguments.all_open(), self.arguments.all_addresses) {
            (true, true) => summary.open == summary.ports,
            (true, false) => open == ports,
            (false, _) => open > 0,
        }
    }
}

/// Looks all hosts up at once.
async fn look_up(
    wanted: Vec<Wanted>,
    family: Family,
) -> Vec<(Wanted, Result<Vec<SocketAddr>, Error>)> {
    let ask = |wanted: Wanted| {
        tokio::spawn(async move {
            let answer = resolve(&wanted.host, 0, family).await;
            (wanted, answer)
        })
    };
    let asked: Vec<_> = wanted.into_iter().map(ask).collect();
    let mut answers = Vec::new();
    for answer in asked {
        answers.extend(answer.await);
    }
    answers
}
