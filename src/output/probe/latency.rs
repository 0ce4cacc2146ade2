//! What `probe --count` tells: each try, and the figures at the end.

use std::collections::BTreeMap;
use std::io::{self, stdout};
use std::time::Duration;

use nettool::error::{Action, Cause, Error};
use nettool::probe::{Aim, Latency, ScopedIp, Sought, State, Tried};
use nettool::process;
use serde::Serialize;

use super::text::{name_of, span, words_of};
use super::waiting::record_of_try;
use crate::output::record::microseconds;
use crate::output::{Output, Style, record};

/// How wide the longest bar of the chart is.
const WIDTH: u64 = 40;

/// The talk of one series.
pub(crate) struct LatencyTalk<'a> {
    output: &'a Output,
    targets: Vec<Measured>,
}

/// A target and its times.
struct Measured {
    sought: Sought,
    aim: Aim,
    latency: Latency,
}

impl<'a> LatencyTalk<'a> {
    /// Nobody is measured yet.
    pub(crate) fn new(output: &'a Output) -> Self {
        Self {
            output,
            targets: Vec::new(),
        }
    }

    /// One more target is measured.
    pub(crate) fn add(&mut self, sought: Sought, aim: Aim) {
        self.targets.push(Measured {
            sought,
            aim,
            latency: Latency::default(),
        });
    }

    /// Tells of a try.
    pub(crate) fn tell(&mut self, target: usize, number: u64, tried: &Tried) -> Result<(), Error> {
        let Some(measured) = self.targets.get_mut(target) else {
            return Ok(());
        };
        measured.latency.add(tried);
        if self.output.is_json() {
            return {
                let address = measured.aim.address();
                let record = record_of_try(&measured.sought, address, tried);
                self.output.result(&record)
            };
        }
        if self.output.is_quiet() {
            return Ok(());
        }
        let line = measured.line_of_try(number, tried);
        self.output.result(&line)
    }

    /// Tells the figures.
    pub(crate) fn end(&self) -> Result<(), Error> {
        let is_drawn = process::is_terminal(stdout()) && process::foreground(stdout());
        for measured in &self.targets {
            let text = if self.output.is_json() {
                record::line("latency", &LatencyRecord::new(measured))
            } else {
                measured.figures(self.output.style(), is_drawn)
            };
            self.output.result(&text)?;
        }
        for measured in &self.targets {
            measured
                .unmade()
                .for_each(|error| self.output.error(&error));
        }
        Ok(())
    }

    /// Whether every try was made.
    pub(crate) fn is_whole(&self) -> bool {
        let mut all = self.targets.iter();
        all.all(|measured| measured.latency.unmade().is_empty())
    }

    /// Whether any try was answered.
    pub(crate) fn is_answered(&self) -> bool {
        self.targets
            .iter()
            .any(|measured| measured.latency.answered() > 0)
    }
}

impl Output {
    /// Names the addresses of a host that are not measured.
    pub(crate) fn not_measured(&self, host: &str, addresses: &[ScopedIp]) {
        let addresses: Vec<String> = addresses.iter().map(ScopedIp::to_string).collect();
        self.warn(&format!("{host}: not measured: {}", addresses.join(", ")));
    }
}

impl Measured {
    /// The endpoint, with the address that is measured if that is another text.
    fn name(&self) -> String {
        name_of(&self.sought, self.aim.address())
    }

    /// What kept us from tries.
    fn unmade(&self) -> impl Iterator<Item = Error> {
        let action = match self.aim {
            Aim::Echo(_) => Action::Send,
            Aim::Tcp(_) | Aim::Udp(..) | Aim::Unix(_) => Action::Connect,
        };
        let unmade = self.latency.unmade().iter();
        unmade.map(move |(reason, unmade)| {
            let cause = Cause::Unmade {
                tries: unmade.count,
                reason,
                error: io::Error::from_raw_os_error(unmade.errno),
            };
            Error::new(action, self.name(), cause)
        })
    }

    /// `host:22 (192.0.2.9): try 1: open in 0.31 ms`.
    fn line_of_try(&self, number: u64, tried: &Tried) -> String {
        let time = span(tried.elapsed);
        let what = match tried.state {
            State::Open if matches!(self.sought, Sought::Host(_)) => format!("up in {time}"),
            State::Open => match tried.service {
                Some(service) => format!("open ({service}) in {time}"),
                None => format!("open in {time}"),
            },
            _ if tried.is_answer() => format!("{} in {time}", words_of(&self.sought, tried)),
            _ => format!("{} after {time}", words_of(&self.sought, tried)),
        };
        let again = match tried.retransmissions {
            None | Some(0) => String::new(),
            Some(again) => format!(", SYN sent {} times", again.saturating_add(1)),
        };
        format!("{}: try {number}: {what}{again}\n", self.name())
    }

    /// The figures for a person.
    fn figures(&self, style: Style, is_drawn: bool) -> String {
        let mut text = format!("{}{}\n", style.strong(self.name()), self.counts());
        let Some(figures) = self.latency.figures() else {
            return text;
        };
        let named = [
            ("min", Some(figures.min)),
            ("mean", Some(figures.mean)),
            ("p50", Some(figures.p50)),
            ("p95", Some(figures.p95)),
            ("p99", Some(figures.p99)),
            ("max", Some(figures.max)),
            ("jitter", figures.jitter),
        ];
        let named = named.into_iter().filter_map(|(name, time)| {
            let time = time?;
            Some(format!("{name} {}", span(time)))
        });
        text.push_str("  ");
        text.push_str(&named.collect::<Vec<_>>().join(", "));
        text.push('\n');
        let again = match self.latency.retransmissions() {
            0 => String::new(),
            1 => "  one SYN was sent again\n".to_owned(),
            many => format!("  {many} SYNs were sent again\n"),
        };
        text.push_str(&again);
        if is_drawn {
            text.push_str(&chart(self.latency.times()));
        }
        text
    }

    /// `: 10 tries, 9 answered, 1 lost (10.0 %): 1 no-response`.
    fn counts(&self) -> String {
        let (sent, answered) = (self.latency.sent(), self.latency.answered());
        let lost = sent.saturating_sub(answered);
        let tries = if sent == 1 { "try" } else { "tries" };
        let text = format!(": {sent} {tries}, {answered} answered");
        if lost == 0 {
            return text;
        }
        let reasons = self.latency.lost().iter();
        let reasons: Vec<String> = reasons.map(|(why, n)| format!("{n} {why}")).collect();
        let part = percent(lost, sent);
        format!("{text}, {lost} lost ({part}): {}", reasons.join(", "))
    }
}

/// A part of a whole: `12.5 %`.
fn percent(part: u64, whole: u64) -> String {
    let thousandths = part.saturating_mul(1000).checked_div(whole).unwrap_or(0);
    format!("{}.{} %", thousandths / 10, thousandths % 10)
}

/// How many answers took how long, in steps of 1, 2 and 5.
fn chart(times: &[Duration]) -> String {
    let mut counts: BTreeMap<usize, u64> = BTreeMap::new();
    let steps = steps();
    for time in times {
        let step = steps.partition_point(|step| step <= time);
        let count = counts.entry(step).or_default();
        *count = count.saturating_add(1);
    }
    let (Some(first), Some(last)) = (counts.keys().next(), counts.keys().next_back()) else {
        return String::new();
    };
    let most = counts.values().copied().max().unwrap_or(1);
    let mut text = String::new();
    for step in *first..=*last {
        let count = counts.get(&step).copied().unwrap_or(0);
        let length = count.saturating_mul(WIDTH).div_ceil(most.max(1));
        let bar = "#".repeat(usize::try_from(length).unwrap_or(0));
        let below = steps
            .get(step)
            .map_or_else(|| "more".to_owned(), |below| format!("< {}", span(*below)));
        let line = format!("  {below:>9}  {count:>6}  {bar}");
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// From 10 µs to 50 s, in steps of 1, 2 and 5.
fn steps() -> Vec<Duration> {
    let tens = (1..=7).map(|power| 10_u64.saturating_pow(power));
    let steps = tens.flat_map(|ten| [1, 2, 5].map(|digit| ten.saturating_mul(digit)));
    steps.map(Duration::from_micros).collect()
}

/// `latency`.
#[derive(Serialize)]
struct LatencyRecord<'a> {
    addr: Option<ScopedIp>,
    port: Option<u16>,
    sent: u64,
    answered: u64,
    min_us: Option<u64>,
    mean_us: Option<u64>,
    p50_us: Option<u64>,
    p95_us: Option<u64>,
    p99_us: Option<u64>,
    max_us: Option<u64>,
    jitter_us: Option<u64>,
    host: Option<String>,
    proto: &'static str,
    path: Option<String>,
    lost: &'a BTreeMap<&'static str, u64>,
    retransmissions: u64,
}

impl<'a> LatencyRecord<'a> {
    /// The figures of one target.
    fn new(measured: &'a Measured) -> Self {
        let figures = measured.latency.figures();
        let (proto, path) = match &measured.aim {
            Aim::Tcp(_) => ("tcp", None),
            Aim::Udp(..) => ("udp", None),
            Aim::Echo(_) => ("icmp", None),
            Aim::Unix(path) => ("unix", Some(path.display().to_string())),
        };
        let addr = measured.aim.address().map(ScopedIp::from);
        let port = measured.sought.port();
        let host = measured.sought.host().map(ToString::to_string);
        Self {
            addr,
            port,
            sent: measured.latency.sent(),
            answered: measured.latency.answered(),
            min_us: figures.map(|figures| microseconds(figures.min)),
            mean_us: figures.map(|figures| microseconds(figures.mean)),
            p50_us: figures.map(|figures| microseconds(figures.p50)),
            p95_us: figures.map(|figures| microseconds(figures.p95)),
            p99_us: figures.map(|figures| microseconds(figures.p99)),
            max_us: figures.map(|figures| microseconds(figures.max)),
            jitter_us: figures.and_then(|figures| figures.jitter).map(microseconds),
            host,
            proto,
            path,
            lost: measured.latency.lost(),
            retransmissions: measured.latency.retransmissions(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_has_a_bar_for_each_step_that_occurs_and_those_between() {
        let times = [110, 120, 130, 140, 700].map(Duration::from_micros);
        let expected = "  < 0.20 ms       4  ########################################
  < 0.50 ms       0
  < 1.00 ms       1  ##########
";
        assert_eq!(chart(&times), expected);
        assert_eq!(chart(&[]), "");
    }

    #[test]
    fn a_part_is_told_in_percent() {
        assert_eq!(percent(1, 8), "12.5 %");
        assert_eq!(percent(3, 3), "100.0 %");
    }
}
