//! What `probe` found out, for people and for scripts.

mod hosts;
mod latency;
mod script;
mod text;
mod waiting;

use std::collections::{BTreeMap, HashMap};
use std::fmt::{self, Display, Formatter};
use std::net::IpAddr;
use std::sync::Arc;

use script::Lines;

use nettool::error::Error;
use nettool::probe::{PortReport, Rationed, State, Summary, Target, Whom};
use nettool::value::AddressRange;

use serde::Serialize;

pub(crate) use hosts::Hosts;

use super::{Output, Report, Style, record};

pub(crate) use latency::LatencyTalk;
pub(crate) use waiting::WaitTalk;

/// All that is known, by address, in the order of the targets.
#[derive(Debug)]
pub(crate) struct Findings {
    /// The ports of `--plain`, if these are what is wanted.
    lines: Option<Lines>,
    shown: Vec<State>,
    addresses: Vec<AddressFindings>,
    numbers: HashMap<(Arc<str>, IpAddr), usize>,
    /// The ranges by their first addresses.
    ranges: BTreeMap<IpAddr, (AddressRange, usize)>,
}

/// What is known of one address, or of all those of a range that have no ports to list.
#[derive(Debug)]
struct AddressFindings {
    host: Arc<str>,
    /// The address, or the last one of a range.
    address: IpAddr,
    /// Which target it belongs to.
    target: usize,
    /// Where the range is that it belongs to.
    range: Option<usize>,
    /// How many addresses a range has.
    crowd: Option<u64>,
    /// The ports that are listed.
    listed: Vec<PortReport>,
    /// How many ports there are of each other kind.
    others: BTreeMap<Kind, u64>,
    /// Addresses of the same host that are not probed.
    left_out: Vec<IpAddr>,
    /// What is strange about it.
    remarks: Vec<String>,
}

/// What ports that are not listed have in common: their state, and why they have it where the
/// state leaves that open.
type Kind = (State, Option<(&'static str, Option<IpAddr>)>);

/// The end of a probe: all that is known, and the figures.
pub(crate) struct Conclusion<'a> {
    /// What is known of each port.
    pub(crate) findings: &'a Findings,
    /// The figures.
    pub(crate) summary: &'a Summary,
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
    summary: &'a Summary,
    #[serde(flatten)]
    part: Option<&'a PartRecord>,
}

impl Findings {
    /// Nothing is known of `targets` yet; ports of the `shown` states will be listed.
    pub(crate) fn new(targets: &[Target], shown: Vec<State>) -> Self {
        let mut findings = Self {
            lines: None,
            shown,
            addresses: Vec::new(),
            numbers: HashMap::new(),
            ranges: BTreeMap::new(),
        };
        for (number, target) in targets.iter().enumerate() {
            match &target.whom {
                Whom::Host(host, address) => {
                    findings.open(host.clone(), address.ip(), number);
                }
                Whom::Range(range) if range.span() == 0 => {
                    findings.open(range.to_string().into(), range.first(), number);
                }
                Whom::Range(range) => findings.open_range(*range, number, target.addresses()),
            }
        }
        findings
    }

    /// The same for `--plain`: what is listed is kept as lines, with a field for banners or not.
    pub(crate) fn into_lines(self, has_banners: bool) -> Self {
        Self {
            lines: Some(Lines::new(has_banners)),
            ..self
        }
    }

    /// Makes room for an address of a target. Returns where it is.
    fn open(&mut self, host: Arc<str>, address: IpAddr, target: usize) -> usize {
        let place = self.addresses.len();
        self.numbers.insert((host.clone(), address), place);
        self.addresses
            .push(AddressFindings::new(host, address, target));
        place
    }

    /// Makes room for the addresses of a range.
    fn open_range(&mut self, range: AddressRange, target: usize, size: u64) {
        let place = self.addresses.len();
        self.ranges.insert(range.first(), (range, place));
        let host = range.to_string().into();
        self.addresses.push(AddressFindings {
            crowd: Some(size),
            ..AddressFindings::new(host, range.last(), target)
        });
    }

    /// Where a port is listed, or counted: an address of a range is named only if something of it
    /// is listed.
    fn place(&mut self, report: &PortReport, shows: bool) -> Option<usize> {
        let key = (report.host.clone(), report.addr);
        let known = self.numbers.get(&key).copied();
        let range = match known {
            Some(place) => self.addresses.get(place)?.range,
            None => Some(self.range(report.addr)?),
        };
        match (known, range) {
            (_, Some(range)) if !shows => Some(range),
            (None, Some(range)) => {
                let target = self.addresses.get(range)?.target;
                let place = self.open(report.host.clone(), report.addr, target);
                self.addresses.get_mut(place)?.range = Some(range);
                Some(place)
            }
            (known, _) => known,
        }
    }

    /// Where the range is that an address belongs to.
    fn range(&self, address: IpAddr) -> Option<usize> {
        let (_, (range, place)) = self.ranges.range(..=address).next_back()?;
        range.contains(address).then_some(*place)
    }

    /// These addresses of `host` are not probed.
    pub(crate) fn leave_out(&mut self, host: &str, addresses: Vec<IpAddr>) {
        if let Some(known) = self.addresses.iter_mut().find(|known| *known.host == *host) {
            known.left_out = addresses;
        }
    }

    /// Something is to be said of an address as a whole, if it is in the report.
    pub(crate) fn remark(&mut self, host: &Arc<str>, address: IpAddr, remark: &Remark) {
        let place = self.numbers.get(&(host.clone(), address));
        if let Some(known) = place.and_then(|place| self.addresses.get_mut(*place)) {
            known.remarks.push(remark.to_string());
        }
    }

    /// Whether ports of this state are listed.
    pub(crate) fn shows(&self, state: State) -> bool {
        self.shown.contains(&state)
    }

    /// Which target a port belongs to.
    fn target(&self, report: &PortReport) -> Option<usize> {
        let key = (report.host.clone(), report.addr);
        let known = self.numbers.get(&key).copied();
        let place = known.or_else(|| self.range(report.addr))?;
        Some(self.addresses.get(place)?.target)
    }

    /// One more port is known.
    pub(crate) fn add(&mut self, report: PortReport) {
        let shows = self.shows(report.state);
        if self.lines.is_some() {
            let target = self.target(&report).filter(|_| shows);
            if let (Some(lines), Some(target)) = (&mut self.lines, target) {
                lines.add(&report, target);
            }
            return;
        }
        let place = self.place(&report, shows);
        let Some(findings) = place.and_then(|place| self.addresses.get_mut(place)) else {
            return;
        };
        if shows {
            findings.listed.push(report);
        } else {
            let count = findings.others.entry(kind(&report)).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// Nothing more will come: addresses and their ports are put in order.
    pub(crate) fn sort(&mut self) {
        if let Some(lines) = &mut self.lines {
            lines.sort();
        }
        self.addresses.sort_by_key(|known| {
            let is_range = known.crowd.is_some();
            (known.target, is_range, known.address)
        });
        for address in &mut self.addresses {
            address
                .listed
                .sort_unstable_by_key(|report| (report.proto, report.port));
        }
    }
}

impl AddressFindings {
    /// Nothing is known of this address yet.
    fn new(host: Arc<str>, address: IpAddr, target: usize) -> Self {
        Self {
            host,
            address,
            target,
            range: None,
            crowd: None,
            listed: Vec::new(),
            others: BTreeMap::new(),
            left_out: Vec::new(),
            remarks: Vec::new(),
        }
    }
}

/// What is strange about an address.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Remark {
    /// All of its ports are open, and they are so many.
    AllOpen(usize),
    /// It limits its resets to about so many a second, and was given the time that takes, or not.
    Limited {
        /// Resets a second.
        rate: f64,
        /// Whether its closed ports may be unknown.
        fast: bool,
    },
    /// It says of few of its closed UDP ports that they are closed.
    Rationed(Rationed),
}

impl Display for Remark {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::AllOpen(ports) => write!(
                f,
                "all {ports} ports are open: perhaps a proxy or a tarpit answers in its place"
            ),
            Self::Limited { rate, fast } => {
                let rate = rounded(*rate);
                write!(f, "limits its resets to about {rate} a second: ")?;
                f.write_str(if *fast {
                    "what is filtered for reset-limit may be closed; without --fast it is told"
                } else {
                    "closed ports took their time; --fast does without"
                })
            }
            Self::Rationed(Rationed {
                asked, answered, ..
            }) => write!(
                f,
                "{answered} of {asked} UDP ports answered, the host limits its ICMP"
            ),
        }
    }
}

/// A rate with two digits that count.
fn rounded(rate: f64) -> f64 {
    let unit = 10_f64.powf((rate.max(1.0).log10().floor() - 1.0).max(0.0));
    (rate / unit).round() * unit
}

/// What a port that is not listed counts as.
fn kind(report: &PortReport) -> Kind {
    let why = match report.state {
        State::Open | State::Closed | State::Filtered => None,
        State::OpenFiltered => (report.reason == "icmp-limited").then_some((report.reason, None)),
        State::Rejected | State::Unreachable | State::Undetermined => {
            Some((report.reason, report.icmp.and_then(|icmp| icmp.from)))
        }
    };
    (report.state, why)
}

impl Report for Conclusion<'_> {
    /// The ports themselves were printed as they were found.
    fn records(&self) -> String {
        let record = SummaryRecord {
            summary: self.summary,
            part: self.part.as_ref(),
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
    pub(crate) fn remark(&self, host: &str, address: IpAddr, remark: &Remark) {
        let name = called(host, address);
        self.warn(&format!("{name}: {remark}"));
    }

    /// Warns that some addresses of a host are not probed.
    pub(crate) fn not_probed(&self, host: &str, addresses: &[IpAddr]) {
        let addresses: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
        let addresses = addresses.join(", ");
        self.warn(&format!(
            "{host}: not probed: {addresses}; --all-addresses probes each"
        ));
    }
}

/// A host with its address, if that is another text.
fn called(host: &str, address: IpAddr) -> String {
    if host == address.to_string() {
        return host.to_owned();
    }
    format!("{host} ({address})")
}

/// What both kinds of reports are tested with.
#[cfg(test)]
mod testing {
    use super::*;
    use nettool::probe::{Icmp, Ports, Proto};
    use nettool::value::PortList;
    use std::net::SocketAddr;
    use std::time::Duration;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// A report of a port of `host` at 192.0.2.1.
    fn report(port: u16, state: State, errno: Option<i32>, reason: &'static str) -> PortReport {
        let rtt = (state != State::Filtered).then_some(Duration::from_micros(1500));
        PortReport {
            host: "host".into(),
            addr: address("192.0.2.1"),
            port,
            proto: Proto::Tcp,
            state,
            errno,
            errname: errno.and_then(nettool::error::errno_name),
            reason,
            icmp: None,
            rtt,
            tries: if rtt.is_some() { 1 } else { 3 },
            service: (port == 22).then_some("ssh"),
            banner: None,
        }
    }

    /// What is known of five ports, of which those of the `shown` states are listed.
    pub(super) fn findings(shown: Vec<State>) -> Findings {
        filled(empty(shown))
    }

    /// The same for `--plain`.
    pub(super) fn lines(shown: Vec<State>) -> Findings {
        filled(empty(shown).into_lines(false))
    }

    /// Nothing is known of one host.
    fn empty(shown: Vec<State>) -> Findings {
        let ports = Arc::new(Ports::from(&PortList::common()));
        let target = Target::host("host", SocketAddr::new(address("192.0.2.1"), 0), ports);
        Findings::new(&[target], shown)
    }

    /// Its five ports.
    fn filled(mut findings: Findings) -> Findings {
        findings.leave_out("host", vec![address("2001:db8::1")]);
        let icmp = Some(Icmp {
            kind: 3,
            code: 13,
            from: Some(address("192.0.2.254")),
        });
        findings.add(report(8080, State::Open, Some(0), "syn-ack"));
        findings.add(report(22, State::Open, Some(0), "syn-ack"));
        findings.add(report(23, State::Closed, Some(libc::ECONNREFUSED), "reset"));
        findings.add(report(24, State::Filtered, None, "no-response"));
        let rejected = report(
            25,
            State::Rejected,
            Some(libc::EHOSTUNREACH),
            "admin-prohibited",
        );
        findings.add(PortReport { icmp, ..rejected });
        findings.sort();
        findings
    }
}
