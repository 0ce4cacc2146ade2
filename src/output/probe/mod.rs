//! What `probe` found out, for people and for scripts.

mod findings;
mod hosts;
mod latency;
mod remark;
mod script;
#[cfg(test)]
mod testing;
mod text;
mod waiting;

use nettool::error::Error;
use nettool::probe::{PortReport, ScopedIp, State, Summary};
use serde::Serialize;

use super::{Output, Report, Style, record};

pub(crate) use findings::Findings;
pub(crate) use hosts::Hosts;
pub(crate) use latency::LatencyTalk;
pub(crate) use remark::Remark;
pub(crate) use waiting::WaitTalk;

/// The end of a probe: all that is known, and the figures.
pub(crate) struct Conclusion<'a> {
    /// What is known of each port.
    pub(crate) findings: &'a Findings,
    /// The figures.
    pub(crate) summary: &'a Summary,
    /// Whether somebody is missing who was to be probed, and is in none of the figures.
    pub(crate) is_lacking: bool,
    /// Which part of a job it is, if it is one.
    pub(crate) part: Option<PartRecord>,
}

/// Which part of a job a summary is of, for whoever merges the parts.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PartRecord {
    /// What all parts of a job have in common.
    pub(crate) job: String,
    /// What the order of the ports follows from.
    pub(crate) seed: u64,
    /// The number of the part, from 1 on.
    pub(crate) shard: u32,
    /// How many parts there are.
    pub(crate) shards: u32,
    /// How many ports the part has, those of earlier runs too.
    pub(crate) share_ports: u64,
}

/// `summary`.
#[derive(Serialize)]
struct SummaryRecord<'a> {
    #[serde(flatten)]
    summary: Summary,
    #[serde(flatten)]
    part: Option<&'a PartRecord>,
    /// The states whose ports were printed, if not all were.
    #[serde(skip_serializing_if = "Option::is_none")]
    listed: Option<Vec<State>>,
}

impl Report for Conclusion<'_> {
    /// The ports themselves were printed as they were found.
    fn records(&self) -> String {
        let record = SummaryRecord {
            summary: Summary {
                complete: self.summary.complete && !self.is_lacking,
                ..*self.summary
            },
            part: self.part.as_ref(),
            listed: self.findings.listed(),
        };
        record::line("summary", &record)
    }

    fn text(&self, style: Style) -> String {
        text::of(self, style)
    }
}

impl Output {
    /// Prints the records of ports.
    pub(crate) fn ports<'a>(
        &self,
        reports: impl Iterator<Item = &'a PortReport>,
    ) -> Result<(), Error> {
        let lines: String = reports.map(|report| record::line("port", report)).collect();
        self.result(&lines)
    }

    /// Warns of what is strange about an address.
    pub(crate) fn remark(&self, host: &str, address: &ScopedIp, remark: &Remark) {
        let name = called(host, address);
        self.warn(&format!("{name}: {remark}"));
    }

    /// Warns that some addresses of a host are not probed.
    pub(crate) fn not_probed(&self, host: &str, addresses: &[ScopedIp]) {
        let addresses: Vec<String> = addresses.iter().map(ScopedIp::to_string).collect();
        let addresses = addresses.join(", ");
        self.warn(&format!(
            "{host}: not probed: {addresses}; --all-addresses probes each"
        ));
    }
}

/// A host with its address, if that is another text.
fn called(host: &str, address: &ScopedIp) -> String {
    if host == address.to_string() {
        return host.to_owned();
    }
    format!("{host} ({address})")
}
