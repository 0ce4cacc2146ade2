//! One line of a file that is merged.

use std::collections::HashMap;
use std::time::Duration;

use nettool::error::errno_name;
use nettool::probe::{Icmp, PortReport, Proto, ScopedIp, State, Summary};
use nettool::value::{Protocol, service};
use serde::Deserialize;

/// The longest word that is a reason.
const LONGEST_REASON: usize = 40;
/// The most reasons that are kept: there are some dozens.
const MOST_REASONS: usize = 1000;

/// A record.
#[derive(Debug)]
pub(super) enum Line {
    /// What is known of a port.
    Port(Box<PortReport>),
    /// The end of a run.
    Summary(SummaryLine),
    /// What failed, in words.
    Failure(String),
    /// What somebody was warned of.
    Warning(String),
    /// The figures of hosts that were asked whether they are up.
    Hosts,
    /// Something that is no part of a report.
    Other,
}

/// The record that ends a run.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct SummaryLine {
    pub(super) ports: u64,
    open: u64,
    closed: u64,
    rejected: u64,
    filtered: u64,
    #[serde(default)]
    open_filtered: u64,
    unreachable: u64,
    undetermined: u64,
    probes_sent: u64,
    elapsed_us: u64,
    pub(super) complete: bool,
    /// What all parts of a job have in common.
    pub(super) job: Option<String>,
    pub(super) shard: Option<u32>,
    pub(super) shards: Option<u32>,
    pub(super) share_ports: Option<u64>,
    /// The states whose ports are listed, if not all are.
    listed: Option<Vec<State>>,
}

impl SummaryLine {
    /// Whether ports of this state are listed.
    pub(super) fn lists(&self, state: State) -> bool {
        let listed = self.listed.as_ref();
        listed.is_none_or(|listed| listed.contains(&state))
    }

    /// The figures.
    pub(super) fn figures(&self) -> Summary {
        Summary {
            ports: self.ports,
            open: self.open,
            closed: self.closed,
            rejected: self.rejected,
            filtered: self.filtered,
            open_filtered: self.open_filtered,
            unreachable: self.unreachable,
            undetermined: self.undetermined,
            probes_sent: self.probes_sent,
            elapsed: Duration::from_micros(self.elapsed_us),
            complete: self.complete,
        }
    }
}

/// What every record begins with.
#[derive(Deserialize)]
struct Head {
    v: u64,
    r#type: String,
}

/// `port`.
#[derive(Deserialize)]
struct PortLine {
    host: String,
    addr: ScopedIp,
    port: u16,
    proto: Proto,
    state: State,
    errno: Option<i32>,
    reason: String,
    icmp: Option<Icmp>,
    rtt_us: Option<u64>,
    tries: u8,
    #[serde(default)]
    service: Option<String>,
    banner: Option<String>,
}

/// `error`.
#[derive(Deserialize)]
struct FailureLine {
    action: String,
    target: Option<String>,
    cause: String,
}

/// `warning`.
#[derive(Deserialize)]
struct WarningLine {
    message: String,
}

/// The reasons and protocols that occur, each kept once and for good: reports have them for as long as we run.
#[derive(Debug, Default)]
pub(super) struct Reasons(HashMap<String, &'static str>);

impl Reasons {
    /// The same word, kept.
    fn keep(&mut self, word: &str) -> Result<&'static str, String> {
        if let Some(known) = self.0.get(word) {
            return Ok(known);
        }
        let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let is_reason = word.len() <= LONGEST_REASON && word.bytes().all(is_word);
        if !is_reason || self.0.len() >= MOST_REASONS {
            return Err(format!("{word:?} is no reason that a port has a state"));
        }
        let kept: &'static str = Box::leak(word.to_owned().into_boxed_str());
        self.0.insert(word.to_owned(), kept);
        Ok(kept)
    }
}

impl Line {
    /// Reads a record, or says what is wrong with it.
    pub(super) fn read(text: &[u8], reasons: &mut Reasons) -> Result<Self, String> {
        let head: Head = parsed(text)?;
        if head.v != 1 {
            return Err(format!("version {} of the records is unknown", head.v));
        }
        Ok(match head.r#type.as_str() {
            "port" => Self::Port(Box::new(report(parsed(text)?, reasons)?)),
            "summary" => Self::Summary(parsed(text)?),
            "error" => {
                let FailureLine {
                    action,
                    target,
                    cause,
                } = parsed(text)?;
                let target = target
                    .map(|target| format!(" {target}"))
                    .unwrap_or_default();
                Self::Failure(format!("{action}{target}: {cause}"))
            }
            "warning" => Self::Warning(parsed::<WarningLine>(text)?.message),
            "hosts" => Self::Hosts,
            _ => Self::Other,
        })
    }
}

/// Reads a piece of JSON.
fn parsed<'a, T: Deserialize<'a>>(text: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(text).map_err(|error| {
        let text = error.to_string();
        let problem = text.split(" at line 1").next().unwrap_or_default();
        format!("it is no record of nettool probe --json: {problem}")
    })
}

/// A port as a scan reports it.
fn report(line: PortLine, reasons: &mut Reasons) -> Result<PortReport, String> {
    if line.port == 0 {
        return Err("port 0 is never probed".to_owned());
    }
    let protocol = match line.proto {
        Proto::Tcp => Protocol::Tcp,
        Proto::Udp => Protocol::Udp,
    };
    let registered = service::name_of(line.port, protocol);
    // Who answered in a protocol of another port is named after that.
    let answered = match line.service {
        Some(name) if registered != Some(&name) => reasons.keep(&name).ok(),
        _ => None,
    };
    Ok(PortReport {
        host: line.host.into(),
        addr: line.addr,
        port: line.port,
        proto: line.proto,
        state: line.state,
        errno: line.errno,
        errname: line.errno.and_then(errno_name),
        reason: reasons.keep(&line.reason)?,
        icmp: line.icmp,
        rtt: line.rtt_us.map(Duration::from_micros),
        tries: line.tries,
        service: answered.or(registered),
        banner: line.banner,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_record_is_refused() {
        let mut reasons = Reasons::default();
        for (text, hint) in [
            ("hello", "it is no record"),
            ("{\"v\":1,\"type\":\"port\",\"host\":\"h\"", "EOF"),
            ("{\"v\":2,\"type\":\"port\"}", "version 2"),
            ("{\"type\":\"port\"}", "missing field `v`"),
            ("{\"v\":1,\"type\":\"port\"}", "missing field"),
            (
                "{\"v\":1,\"type\":\"summary\",\"ports\":-1}",
                "invalid value",
            ),
            (
                "{\"v\":1,\"type\":\"port\",\"host\":\"h\",\"addr\":\"192.0.2.1\",\"port\":0,\"proto\":\"tcp\",\
                 \"state\":\"open\",\"errno\":0,\"reason\":\"syn-ack\",\"rtt_us\":1,\"tries\":1}",
                "port 0 is never probed",
            ),
        ] {
            let problem = Line::read(text.as_bytes(), &mut reasons).unwrap_err();
            assert!(problem.contains(hint), "{text}: {problem}");
        }
        assert!(reasons.keep("bad\u{1b}[31m").is_err());
        assert!(matches!(
            Line::read(b"{\"v\":1,\"type\":\"wait\"}", &mut reasons),
            Ok(Line::Other)
        ));
    }
}
