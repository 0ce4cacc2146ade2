//! What `probe` found out, for people and for scripts.

mod script;
mod text;

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use nettool::error::Error;
use nettool::probe::{PortReport, State, Summary, Target};

use super::{Output, Report, Style, record};

/// All that is known, by address, in the order of the targets.
#[derive(Debug)]
pub(crate) struct Findings {
    shown: Vec<State>,
    addresses: Vec<AddressFindings>,
    numbers: HashMap<(Arc<str>, IpAddr), usize>,
}

/// What is known of one address.
#[derive(Debug)]
struct AddressFindings {
    host: Arc<str>,
    address: IpAddr,
    /// The ports that are listed.
    listed: Vec<PortReport>,
    /// How many ports there are of each other kind.
    others: BTreeMap<Kind, u64>,
    /// Addresses of the same host that are not probed.
    left_out: Vec<IpAddr>,
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
}

impl Findings {
    /// Nothing is known of `targets` yet; ports of the `shown` states will be listed.
    pub(crate) fn new(targets: &[Target], shown: Vec<State>) -> Self {
        let key = |target: &Target| (target.host.clone(), target.address.ip());
        let numbered = targets.iter().enumerate();
        Self {
            shown,
            addresses: targets.iter().map(AddressFindings::new).collect(),
            numbers: numbered
                .map(|(number, target)| (key(target), number))
                .collect(),
        }
    }

    /// These addresses of `host` are not probed.
    pub(crate) fn leave_out(&mut self, host: &str, addresses: Vec<IpAddr>) {
        if let Some(known) = self.addresses.iter_mut().find(|known| *known.host == *host) {
            known.left_out = addresses;
        }
    }

    /// Whether ports of this state are listed.
    pub(crate) fn shows(&self, state: State) -> bool {
        self.shown.contains(&state)
    }

    /// One more port is known.
    pub(crate) fn add(&mut self, report: PortReport) {
        let shows = self.shows(report.state);
        let number = self.numbers.get(&(report.host.clone(), report.addr));
        let Some(findings) = number.and_then(|number| self.addresses.get_mut(*number)) else {
            return;
        };
        if shows {
            findings.listed.push(report);
        } else {
            let count = findings.others.entry(kind(&report)).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// Nothing more will come: the ports of each address are put in order.
    pub(crate) fn sort(&mut self) {
        for address in &mut self.addresses {
            address.listed.sort_unstable_by_key(|report| report.port);
        }
    }
}

impl AddressFindings {
    /// Nothing is known of this address yet.
    fn new(target: &Target) -> Self {
        Self {
            host: target.host.clone(),
            address: target.address.ip(),
            listed: Vec::new(),
            others: BTreeMap::new(),
            left_out: Vec::new(),
        }
    }
}

/// What a port that is not listed counts as.
fn kind(report: &PortReport) -> Kind {
    let why = match report.state {
        State::Open | State::Closed | State::Filtered => None,
        State::Rejected | State::Unreachable | State::Undetermined => {
            Some((report.reason, report.icmp.and_then(|icmp| icmp.from)))
        }
    };
    (report.state, why)
}

impl Report for Conclusion<'_> {
    /// The ports themselves were printed as they were found.
    fn records(&self) -> String {
        record::line("summary", self.summary)
    }

    fn text(&self, style: Style) -> String {
        text::of(self, style)
    }
}

impl Output {
    /// Prints the record of a port.
    pub(crate) fn port(&self, report: &PortReport) -> Result<(), Error> {
        self.result(&record::line("port", report))
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
        let target = Target {
            host: "host".into(),
            address: SocketAddr::new(address("192.0.2.1"), 0),
            ports: Arc::new(Ports::from(&PortList::common())),
        };
        let mut findings = Findings::new(&[target], shown);
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
