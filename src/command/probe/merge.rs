//! `nettool probe --merge`: one report of many.

mod fold;
mod line;

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use nettool::error::{Action, Error};
use nettool::probe::{PortReport, Proto, ScopedIp, State};

use super::super::{Failure, Status};
use crate::cli::{Form, ProbeArgs, Usage};
use crate::output::{Conclusion, Findings, Output};
use fold::{Fold, Merged};
use line::{Line, Reasons};

/// How many addresses are named in a person's report even if nothing of them is listed.
const FEW: usize = 64;
/// How many problems of one kind are told one by one; of the others it is told how many they are.
const TOLD: u64 = 10;

/// Reads all files and reports.
pub(super) fn run(arguments: &ProbeArgs, output: &Output) -> Result<Status, Failure> {
    let mut fold = Fold::default();
    let mut reasons = Reasons::default();
    for path in arguments.merged() {
        // What the others say is not lost for it.
        if let Err(error) = read(path, &mut fold, &mut reasons, output) {
            output.error(&error);
            fold.doubt();
        }
    }
    let merged = fold.finish();
    if arguments.form() == Form::ConnectEx {
        check_connect_ex(&merged)?;
    }
    for problem in &merged.problems {
        output.warn(problem);
    }
    report(arguments, output, &merged)?;
    let summary = &merged.summary;
    let holds = if arguments.all_open() {
        summary.open == summary.ports && summary.ports > 0
    } else {
        summary.open > 0
    };
    Ok(match holds {
        _ if merged.is_doubtful || summary.undetermined > 0 => Status::Undetermined,
        true => Status::Done,
        false => Status::Failed,
    })
}

/// Refuses lines that name neither host nor protocol where that makes a difference.
fn check_connect_ex(merged: &Merged) -> Result<(), Usage> {
    let mut reports = merged.reports.iter();
    if reports.clone().any(|report| report.proto == Proto::Udp) {
        return Err(Usage::new(
            "--connect-ex tells what connect returns, and these files tell of UDP: use --plain",
        ));
    }
    let first = reports.next().map(|report| &report.host);
    if reports.any(|report| Some(&report.host) != first) {
        return Err(Usage::new(
            "--connect-ex prints ports without their host, and these files tell of several: use \
             --plain",
        ));
    }
    Ok(())
}

/// Reads one file. A line that is no record is told, unless there are too many, and the others
/// count.
fn read(path: &Path, fold: &mut Fold, reasons: &mut Reasons, output: &Output) -> Result<(), Error> {
    let name = path.display().to_string();
    let failed = |action, error: io::Error| Error::new(action, &name, error);
    let source: Box<dyn Read> = match name.as_str() {
        "-" => Box::new(io::stdin()),
        _ => Box::new(File::open(path).map_err(|error| failed(Action::Open, error))?),
    };
    fold.begin(&name);
    let mut refused = 0_u64;
    for (number, text) in BufReader::new(source).split(b'\n').enumerate() {
        let text = text.map_err(|error| failed(Action::Read, error))?;
        if text.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        match Line::read(&text, reasons) {
            Ok(line) => fold.take(line),
            Err(problem) => {
                if refused < TOLD {
                    let place = format!("line {} of {name}", number.saturating_add(1));
                    output.error(&Error::new(Action::Read, place, problem));
                }
                refused = refused.saturating_add(1);
                fold.doubt();
            }
        }
    }
    if refused > TOLD {
        let problem = format!(
            "further lines that are no records: {}",
            refused.saturating_sub(TOLD)
        );
        output.error(&Error::new(Action::Read, &name, problem));
    }
    fold.end();
    Ok(())
}

/// Prints the report as a scan would.
fn report(arguments: &ProbeArgs, output: &Output, merged: &Merged) -> Result<(), Error> {
    let shown = arguments.shown(output.is_json());
    for (state, number) in &merged.unlisted {
        if shown.contains(state) {
            output.warn(&format!(
                "some ports are counted and not listed, as --show had it then: {number} {state}"
            ));
        }
    }
    let lists = |report: &&PortReport| shown.contains(&report.state);
    if output.is_json() {
        output.ports(merged.reports.iter().filter(lists))?;
    }
    let named = hosts(&merged.reports);
    let named = if arguments.form() == Form::Human && named.len() > FEW {
        hosts(merged.reports.iter().filter(lists))
    } else {
        named
    };
    let is_listed = |state: &State| !merged.unlisted.contains_key(state);
    let mut listed = shown.clone();
    // Whoever merges the records again is to miss nothing that was not there.
    listed.retain(|state| !output.is_json() || is_listed(state));
    let mut findings = Findings::of_hosts(named, listed);
    if arguments.form() == Form::Plain {
        findings = findings.into_lines(arguments.banner());
    }
    if !output.is_json() {
        for report in &merged.reports {
            findings.add(report.clone());
        }
    }
    findings.sort();
    match arguments.form() {
        Form::Human => output.report(&Conclusion {
            findings: &findings,
            summary: &merged.summary,
            is_lacking: false,
            part: None,
        }),
        Form::Plain => findings.plain().try_for_each(|piece| output.result(&piece)),
        Form::ConnectEx => output.result(&findings.connect_ex()),
    }
}

/// The hosts of reports with their addresses, in order.
fn hosts<'a>(reports: impl IntoIterator<Item = &'a PortReport>) -> Vec<(Arc<str>, ScopedIp)> {
    let hosts = reports
        .into_iter()
        .map(|report| (&report.host, &report.addr));
    let mut hosts: Vec<_> = hosts.collect();
    hosts.sort_unstable();
    hosts.dedup();
    let owned = |(host, address): (&Arc<str>, &ScopedIp)| (host.clone(), address.clone());
    hosts.into_iter().map(owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_file_says_is_read_or_refused() {
        crate::replay::replay("merged", |bytes| {
            let (mut fold, mut reasons) = (Fold::default(), Reasons::default());
            fold.begin("file");
            for text in bytes.split(|byte| *byte == b'\n') {
                match Line::read(text, &mut reasons) {
                    Ok(line) => fold.take(line),
                    Err(_) => fold.doubt(),
                }
            }
            fold.end();
            let merged = fold.finish();
            Findings::of_hosts(hosts(&merged.reports), Vec::new()).sort();
        });
    }
}
