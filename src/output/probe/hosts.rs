//! Which hosts are up, for people and for scripts.

use nettool::error::Error;
use nettool::probe::{HostReport, HostState, PingSummary};

use super::called;
use super::text::span;
use crate::output::layout::{Tone, Word, table};
use crate::output::{Output, Report, Style, escaped, record};

/// All hosts of which something is known.
#[derive(Debug, Default)]
pub(crate) struct Hosts {
    reports: Vec<HostReport>,
}

/// The end of a ping: all that is known, and the figures.
pub(crate) struct Roll<'a> {
    hosts: &'a Hosts,
    summary: &'a PingSummary,
    /// Whether somebody is missing who was to be asked, and is in none of the figures.
    is_lacking: bool,
}

impl Hosts {
    /// One more host is known.
    pub(crate) fn add(&mut self, report: HostReport) {
        self.reports.push(report);
    }

    /// Nothing more will come: the hosts are put in the order of the targets.
    pub(crate) fn conclude<'a>(
        &'a mut self,
        summary: &'a PingSummary,
        is_lacking: bool,
    ) -> Roll<'a> {
        self.sort();
        Roll {
            hosts: self,
            summary,
            is_lacking,
        }
    }

    /// The lines of `--plain`.
    pub(crate) fn plain(&mut self) -> String {
        self.sort();
        self.reports.iter().map(plain_line).collect()
    }

    /// Puts the hosts in the order of the targets.
    fn sort(&mut self) {
        self.reports
            .sort_by(|one, next| (one.target, &one.addr).cmp(&(next.target, &next.addr)));
    }
}

impl Report for Roll<'_> {
    /// The hosts themselves were printed as they were found.
    fn records(&self) -> String {
        let summary = PingSummary {
            complete: self.summary.complete && !self.is_lacking,
            ..*self.summary
        };
        record::line("hosts", &summary)
    }

    /// Every host that was named, and of those that were meant with others who is up.
    fn text(&self, style: Style) -> String {
        let shown = self.hosts.reports.iter();
        let shown = shown.filter(|report| report.is_named || report.state != HostState::Down);
        let rows: Vec<Vec<Word>> = shown.map(row).collect();
        table(0, &rows, style) + &figures(self.summary, style)
    }
}

impl Output {
    /// Prints the record of a host.
    pub(crate) fn host(&self, report: &HostReport) -> Result<(), Error> {
        self.result(&record::line("host", report))
    }
}

/// One host with its fields; what is not known is `-`.
fn plain_line(report: &HostReport) -> String {
    let known = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let fields = [
        escaped(&report.host).into_owned(),
        escaped(&report.addr.to_string()).into_owned(),
        report.state.as_str().to_owned(),
        report.reason.to_owned(),
        known(report.port.map(|port| port.to_string())),
        known(report.rtt.map(|rtt| rtt.as_micros().to_string())),
        report.tries.to_string(),
    ];
    fields.join("\t") + "\n"
}

/// One host: `example.org (192.0.2.9)  up  0.31 ms  echo-reply`.
fn row(report: &HostReport) -> Vec<Word> {
    let tone = match report.state {
        HostState::Up => Tone::Good,
        HostState::Down | HostState::Undetermined => Tone::Plain,
    };
    let rtt = report.rtt.map_or_else(|| "-".to_owned(), span);
    let port = report
        .port
        .map(|port| format!(" of port {port}"))
        .unwrap_or_default();
    let from = report.icmp.and_then(|icmp| icmp.from);
    let from = from.filter(|from| *from != report.addr.ip);
    let from = from.map(|from| format!(" from {from}")).unwrap_or_default();
    vec![
        Word::plain(escaped(&called(&report.host, &report.addr))),
        Word::new(tone, report.state.as_str()),
        Word::plain(rtt).right(),
        Word::new(Tone::Dim, format!("{}{port}{from}", report.reason)),
    ]
}

/// The last line.
fn figures(summary: &PingSummary, style: Style) -> String {
    let hosts = match summary.hosts {
        1 => "1 host".to_owned(),
        hosts => format!("{hosts} hosts"),
    };
    let unknown = match summary.undetermined {
        0 => String::new(),
        unknown => format!(", {unknown} not determined"),
    };
    let end = if summary.complete {
        "in"
    } else {
        "stopped after"
    };
    let time = span(summary.elapsed);
    let line = format!("{hosts}, {} up{unknown}, {end} {time}", summary.up);
    format!("{}\n", style.dim(line))
}
