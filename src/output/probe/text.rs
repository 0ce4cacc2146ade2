//! The report for a person.

use std::net::SocketAddr;
use std::time::Duration;

use nettool::probe::{HostState, PortReport, ScopedIp, Sought, State, Summary, Tried};

use super::Conclusion;
use super::findings::{AddressFindings, Kind};
use crate::output::layout::{Tone, Word, table};
use crate::output::{Style, escaped};

/// Each address with its ports, and the figures; nothing if there was nobody to probe.
pub(super) fn of(conclusion: &Conclusion<'_>, style: Style) -> String {
    let addresses = &conclusion.findings.addresses;
    if addresses.is_empty() {
        return String::new();
    }
    let mut text: String = addresses
        .iter()
        .filter(|address| address.crowd.is_none() || !address.others.is_empty())
        .map(|address| block(address, style))
        .collect();
    text.push_str(&figures(conclusion.summary, style));
    text
}

/// An address, its ports in columns, and how many others there are.
fn block(address: &AddressFindings, style: Style) -> String {
    let rows: Vec<Vec<Word>> = address.listed.iter().map(row).collect();
    let mut text = title(address, style) + &table(2, &rows, style);
    if !address.others.is_empty() {
        let counts = address
            .others
            .iter()
            .map(|(kind, number)| count(*kind, *number));
        text.push_str(&remark(&counts.collect::<Vec<_>>().join(", "), style));
    }
    for strange in &address.remarks {
        text.push_str(&remark(strange, style));
    }
    if !address.left_out.is_empty() {
        let others: Vec<String> = address.left_out.iter().map(ScopedIp::to_string).collect();
        text.push_str(&remark(
            &format!("not probed: {}", others.join(", ")),
            style,
        ));
    }
    text
}

/// The host as it was asked for, and the address if that is another text.
fn title(known: &AddressFindings, style: Style) -> String {
    let (host, address) = (escaped(&known.host), known.address.to_string());
    let address = escaped(&address);
    if let Some(size) = known.crowd {
        return format!("{} ({size} addresses)\n", style.strong(host));
    }
    if host == address {
        return format!("{}\n", style.strong(host));
    }
    format!("{} ({address})\n", style.strong(host))
}

/// One port: `22/tcp  open  ssh  0.04 ms`.
fn row(report: &PortReport) -> Vec<Word> {
    let tone = if report.state == State::Open {
        Tone::Good
    } else {
        Tone::Plain
    };
    let rtt = report.rtt.map_or_else(|| "-".to_owned(), span);
    let mut words = vec![
        Word::plain(format!("{}/{}", report.port, report.proto.as_str())).right(),
        Word::new(tone, report.state.as_str()),
        Word::plain(report.service.unwrap_or("-")),
        Word::plain(rtt).right(),
    ];
    if report.state != State::Open || !EXPECTED.contains(&report.reason) {
        words.push(Word::new(Tone::Dim, why(report)));
    }
    if let Some(banner) = &report.banner {
        words.push(Word::plain(first_line(banner)));
    }
    words
}

/// As much of a banner as a person wants to read beside a port.
fn first_line(banner: &str) -> String {
    const LONGEST: usize = 72;
    let line = banner.split("\\r\\n").next().unwrap_or(banner);
    let line = line.split("\\n").next().unwrap_or(line);
    let mut letters = line.chars();
    let mut text: String = letters.by_ref().take(LONGEST).collect();
    if letters.next().is_some() {
        text.push_str(" ...");
    }
    escaped(&text).into_owned()
}

/// The reasons of open ports that say no more than their state.
const EXPECTED: [&str; 3] = ["syn-ack", "reply", "protocol-reply"];

/// Why a port has its state.
fn why(report: &PortReport) -> String {
    let from = report.icmp.and_then(|icmp| icmp.from);
    let from = from.map(|from| format!(" from {from}")).unwrap_or_default();
    match report.tries {
        0 | 1 => format!("{}{from}", report.reason),
        tries => format!("{}{from}, {tries} tries", report.reason),
    }
}

/// What a target is called, with its address if that says more.
pub(super) fn name_of(sought: &Sought, address: Option<SocketAddr>) -> String {
    let name = escaped(&sought.to_string()).into_owned();
    let written = sought.host().map(ToString::to_string).unwrap_or_default();
    match address.map(|address| ScopedIp::from(address).to_string()) {
        Some(address) if address != written => format!("{name} ({})", escaped(&address)),
        _ => name,
    }
}

/// What one try of a target found out, in words.
pub(super) fn words_of(sought: &Sought, tried: &Tried) -> String {
    let from = tried.icmp.and_then(|icmp| icmp.from);
    let from = from.map(|from| format!(" from {from}")).unwrap_or_default();
    let state = match sought {
        Sought::Port(_) => tried.state.as_str(),
        Sought::Host(_) => HostState::of_try(tried).as_str(),
    };
    format!("{state} ({}{from})", tried.reason)
}

/// How many ports there are of a kind.
fn count((state, why): Kind, number: u64) -> String {
    match why {
        None => format!("{number} {state}"),
        Some((reason, None)) => format!("{number} {state} ({reason})"),
        Some((reason, Some(from))) => format!("{number} {state} ({reason} from {from})"),
    }
}

/// A line about an address as a whole.
fn remark(text: &str, style: Style) -> String {
    format!("  {}\n", style.dim(text))
}

/// The last line.
fn figures(summary: &Summary, style: Style) -> String {
    let ports = match summary.ports {
        1 => "1 port".to_owned(),
        ports => format!("{ports} ports"),
    };
    let end = if summary.complete {
        "in"
    } else {
        "stopped after"
    };
    let time = span(summary.elapsed);
    let unknown = match summary.undetermined {
        0 => String::new(),
        unknown => format!(", {unknown} not determined"),
    };
    format!(
        "{}\n",
        style.dim(format!(
            "{ports}, {} open{unknown}, {end} {time}",
            summary.open
        ))
    )
}

/// A length of time as a person reads it: `0.04 ms`, `12.3 ms`, `1.20 s`.
pub(super) fn span(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match seconds {
        ..0.01 => format!("{:.2} ms", seconds * 1e3),
        ..1.0 => format!("{:.1} ms", seconds * 1e3),
        ..60.0 => format!("{seconds:.2} s"),
        _ => format!("{seconds:.0} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::findings;
    use super::*;

    /// The report that lists ports of these states.
    fn report(shown: Vec<State>) -> String {
        let summary = Summary {
            ports: 5,
            open: 2,
            elapsed: Duration::from_millis(1234),
            complete: true,
            ..Summary::default()
        };
        let findings = findings(shown);
        of(
            &Conclusion {
                findings: &findings,
                summary: &summary,
                is_lacking: false,
                part: None,
            },
            Style::PLAIN,
        )
    }

    #[test]
    fn a_person_gets_the_open_ports_and_counts() {
        let expected = "host (192.0.2.1)
    22/tcp  open  ssh  1.50 ms
  8080/tcp  open  -    1.50 ms
  1 closed, 1 rejected (admin-prohibited from 192.0.2.254), 1 filtered
  not probed: 2001:db8::1
5 ports, 2 open, in 1.23 s
";
        assert_eq!(report(vec![State::Open]), expected);
    }

    #[test]
    fn a_person_may_see_the_others_with_their_reasons() {
        let expected = "host (192.0.2.1)
  24/tcp  filtered  -        -  no-response, 3 tries
  25/tcp  rejected  -  1.50 ms  admin-prohibited from 192.0.2.254
  2 open, 1 closed
  not probed: 2001:db8::1
5 ports, 2 open, in 1.23 s
";
        assert_eq!(report(vec![State::Filtered, State::Rejected]), expected);
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
