//! What `probe` found out, for people and for scripts.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use nettool::probe::{PortReport, State, Summary, Target};

use super::{Output, Report, Style, escaped};

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

impl Findings {
    /// Nothing is known of `targets` yet; ports of the `shown` states will be listed.
    pub(crate) fn new(targets: &[Target], shown: Vec<State>) -> Self {
        let numbered = targets.iter().enumerate();
        let number =
            |(n, target): (usize, &Target)| ((target.host.clone(), target.address.ip()), n);
        let of = |target: &Target| AddressFindings {
            host: target.host.clone(),
            address: target.address.ip(),
            listed: Vec::new(),
            others: BTreeMap::new(),
            left_out: Vec::new(),
        };
        Self {
            shown,
            addresses: targets.iter().map(of).collect(),
            numbers: numbered.map(number).collect(),
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

    /// The report for a person.
    pub(crate) fn text(&mut self, summary: &Summary, style: Style) -> String {
        if self.addresses.is_empty() {
            return String::new();
        }
        self.sort();
        let mut text: String = self.addresses.iter().map(|a| a.text(style)).collect();
        text.push_str(&summary.text(style));
        text
    }

    /// The lines of `--plain`.
    pub(crate) fn plain(&mut self) -> String {
        self.sort();
        self.addresses
            .iter()
            .flat_map(|address| &address.listed)
            .map(plain_line)
            .collect()
    }

    /// The lines of `--connect-ex`: of each port the best that any address has to say, so that a
    /// name that is served on one of its addresses is open. Silence is what connect(2) makes of it
    /// in the end.
    pub(crate) fn connect_ex(&self) -> String {
        let mut best: BTreeMap<u16, (State, i32)> = BTreeMap::new();
        for report in self.addresses.iter().flat_map(|address| &address.listed) {
            let answer = (report.state, report.errno.unwrap_or(libc::ETIMEDOUT));
            let known = best.entry(report.port).or_insert(answer);
            *known = (*known).min(answer);
        }
        let line = |(port, (_, errno))| format!("{port} {errno}\n");
        best.into_iter().map(line).collect()
    }

    fn sort(&mut self) {
        for address in &mut self.addresses {
            address.listed.sort_unstable_by_key(|report| report.port);
        }
    }
}

impl Output {
    /// Warns that some addresses of a host are not probed.
    pub(crate) fn not_probed(&self, host: &str, addresses: &[IpAddr]) {
        let addresses: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
        let addresses = addresses.join(", ");
        self.warn(&format!(
            "{host}: not probed: {addresses}; --all-addresses probes each"
        ));
    }
}

impl AddressFindings {
    /// The address, its ports in columns, and how many others there are.
    fn text(&self, style: Style) -> String {
        let mut text = format!("{}\n", self.title(style));
        let widths = Widths::of(&self.listed);
        for report in &self.listed {
            let _ = writeln!(text, "  {}", port_line(report, widths, style));
        }
        if !self.others.is_empty() {
            let counts: Vec<String> = self
                .others
                .iter()
                .map(|(kind, n)| count(*kind, *n))
                .collect();
            let _ = writeln!(text, "  {}", style.dim(counts.join(", ")));
        }
        if !self.left_out.is_empty() {
            let others: Vec<String> = self.left_out.iter().map(IpAddr::to_string).collect();
            let others = format!("not probed: {}", others.join(", "));
            let _ = writeln!(text, "  {}", style.dim(others));
        }
        text
    }

    /// The host as it was asked for, and the address if that is another text.
    fn title(&self, style: Style) -> String {
        let (host, address) = (escaped(&self.host), self.address.to_string());
        if host == address {
            return style.strong(host);
        }
        format!("{} ({address})", style.strong(host))
    }
}

impl Report for PortReport {
    const KIND: &'static str = "port";
    type Record<'a> = &'a Self;

    fn record(&self) -> &Self {
        self
    }

    fn text(&self, style: Style) -> String {
        let widths = Widths::of(std::slice::from_ref(self));
        format!("{}\n", port_line(self, widths, style))
    }
}

impl Report for Summary {
    const KIND: &'static str = "summary";
    type Record<'a> = &'a Self;

    fn record(&self) -> &Self {
        self
    }

    fn text(&self, style: Style) -> String {
        let ports = match self.ports {
            1 => "1 port".to_owned(),
            ports => format!("{ports} ports"),
        };
        let end = if self.complete { "in" } else { "stopped after" };
        style.dim(format!(
            "{ports}, {} open, {end} {}",
            self.open,
            span(self.elapsed)
        )) + "\n"
    }
}

/// How wide the columns of a list of ports are.
#[derive(Clone, Copy)]
struct Widths {
    port: usize,
    state: usize,
    service: usize,
}

impl Widths {
    /// As wide as the widest in each.
    fn of(reports: &[PortReport]) -> Self {
        let widest = |of: fn(&PortReport) -> usize| reports.iter().map(of).max().unwrap_or(0);
        Self {
            port: widest(|report| report.port.to_string().len()),
            state: widest(|report| report.state.as_str().len()),
            service: widest(|report| report.service.unwrap_or("-").len()),
        }
    }
}

/// One port for a person: `22/tcp  open  ssh  0.04 ms`.
fn port_line(report: &PortReport, widths: Widths, style: Style) -> String {
    let state = format!("{:1$}", report.state, widths.state);
    let state = if report.state == State::Open {
        style.good(state)
    } else {
        state
    };
    let service = format!(
        "{:1$}",
        escaped(report.service.unwrap_or("-")),
        widths.service
    );
    let rtt = report.rtt.map_or_else(|| "-".to_owned(), span);
    let port = format!("{:>1$}/tcp", report.port, widths.port);
    let mut line = format!("{port}  {state}  {service}  {rtt:>8}");
    if report.state != State::Open || report.reason != "syn-ack" {
        let _ = write!(line, "  {}", style.dim(why(report)));
    }
    line
}

/// Why a port has its state.
fn why(report: &PortReport) -> String {
    let from = report.icmp.and_then(|icmp| icmp.from);
    let from = from.map(|from| format!(" from {from}")).unwrap_or_default();
    match report.tries {
        0 | 1 => format!("{}{from}", report.reason),
        tries => format!("{}{from}, {tries} tries", report.reason),
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

/// How many ports there are of a kind.
fn count((state, why): Kind, number: u64) -> String {
    match why {
        None => format!("{number} {state}"),
        Some((reason, None)) => format!("{number} {state} ({reason})"),
        Some((reason, Some(from))) => format!("{number} {state} ({reason} from {from})"),
    }
}

/// A length of time as a person reads it: `0.04 ms`, `12.3 ms`, `1.20 s`.
fn span(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match seconds {
        ..0.01 => format!("{:.2} ms", seconds * 1e3),
        ..1.0 => format!("{:.1} ms", seconds * 1e3),
        ..60.0 => format!("{seconds:.2} s"),
        _ => format!("{seconds:.0} s"),
    }
}

/// One port for a script; what is not known is `-`.
fn plain_line(report: &PortReport) -> String {
    let known = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let fields = [
        escaped(&report.host).into_owned(),
        report.addr.to_string(),
        report.port.to_string(),
        "tcp".to_owned(),
        report.state.to_string(),
        known(report.errno.map(|errno| errno.to_string())),
        known(report.errname.map(str::to_owned)),
        known(report.rtt.map(|rtt| rtt.as_micros().to_string())),
        report.tries.to_string(),
        known(report.service.map(|service| escaped(service).into_owned())),
    ];
    fields.join("\t") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use nettool::probe::{Icmp, Ports, Proto};
    use nettool::value::PortList;
    use std::net::SocketAddr;

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
    fn findings(shown: Vec<State>) -> Findings {
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
        findings
    }

    fn summary() -> Summary {
        Summary {
            ports: 5,
            open: 2,
            elapsed: Duration::from_millis(1234),
            complete: true,
            ..Summary::default()
        }
    }

    #[test]
    fn a_person_gets_the_open_ports_and_counts() {
        let text = findings(vec![State::Open]).text(&summary(), Style::PLAIN);
        let expected = "host (192.0.2.1)
    22/tcp  open  ssh   1.50 ms
  8080/tcp  open  -     1.50 ms
  1 closed, 1 rejected (admin-prohibited from 192.0.2.254), 1 filtered
  not probed: 2001:db8::1
5 ports, 2 open, in 1.23 s
";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_person_may_see_the_others_with_their_reasons() {
        let others = vec![State::Filtered, State::Rejected];
        let text = findings(others).text(&summary(), Style::PLAIN);
        let expected = "host (192.0.2.1)
  24/tcp  filtered  -         -  no-response, 3 tries
  25/tcp  rejected  -   1.50 ms  admin-prohibited from 192.0.2.254
  2 open, 1 closed
  not probed: 2001:db8::1
5 ports, 2 open, in 1.23 s
";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_script_gets_fields_and_never_an_empty_one() {
        let text = findings(State::ALL.to_vec()).plain();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[0],
            "host\t192.0.2.1\t22\ttcp\topen\t0\t-\t1500\t1\tssh"
        );
        assert_eq!(
            lines[2],
            "host\t192.0.2.1\t24\ttcp\tfiltered\t-\t-\t-\t3\t-"
        );
    }

    #[test]
    fn silence_is_what_connect_makes_of_it() {
        let text = findings(State::ALL.to_vec()).connect_ex();
        assert_eq!(text, "22 0\n23 111\n24 110\n25 113\n8080 0\n");
    }

    #[test]
    fn times_are_as_long_as_they_need_to_be() {
        for (micros, text) in [
            (38, "0.04 ms"),
            (12_345, "12.3 ms"),
            (2_500_000, "2.50 s"),
            (150_000_000, "150 s"),
        ] {
            assert_eq!(span(Duration::from_micros(micros)), text);
        }
    }
}
