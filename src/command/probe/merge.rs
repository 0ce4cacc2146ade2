//! `nettool probe --merge`: one report of many.

mod fold;
mod line;

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use nettool::error::{Action, Error};
use nettool::probe::{PortReport, ScopedIp};

use super::super::{Failure, Status};
use crate::cli::{Form, ProbeArgs};
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
        read(path, &mut fold, &mut reasons, output)?;
    }
    let merged = fold.finish();
    for problem in &merged.problems {
        output.warn(problem);
    }
    report(arguments, output, &merged)?;
    let summary = &merged.summary;
    let holds = if arguments.all_open() {
        summary.open == summary.ports
    } else {
        summary.open > 0
    };
    Ok(match holds {
        _ if merged.is_doubtful || summary.undetermined > 0 => Status::Undetermined,
        true => Status::Done,
        false => Status::Failed,
    })
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
            "and {} more lines are no records",
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
    let mut findings = Findings::of_hosts(named, shown.clone());
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
