//! What both kinds of reports are tested with.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use nettool::probe::{Icmp, PortReport, Ports, Proto, State, Target};
use nettool::value::PortList;

use super::findings::Findings;

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// A report of a port of `host` at 192.0.2.1.
fn report(port: u16, state: State, errno: Option<i32>, reason: &'static str) -> PortReport {
    let rtt = (state != State::Filtered).then_some(Duration::from_micros(1500));
    PortReport {
        host: "host".into(),
        addr: address("192.0.2.1").into(),
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
    findings.leave_out("host", vec![address("2001:db8::1").into()]);
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
