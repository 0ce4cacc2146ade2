//! Lines for scripts.

use std::collections::{BTreeMap, HashMap};
use std::fmt::{self, Display, Write as _};
use std::net::IpAddr;
use std::num::NonZero;
use std::sync::Arc;

use nettool::error::errno_name;
use nettool::probe::{PortReport, Proto, ScopedIp, State};
use nettool::value::{Protocol, service};

use super::findings::Findings;
use crate::output::escaped;

/// The ports of `--plain`, which may be millions: little more than numbers is kept of each.
#[derive(Debug, Default)]
pub(super) struct Lines {
    all: Vec<Line>,
    /// Whether there is a field for the banner.
    has_banners: bool,
    /// The hosts that are called otherwise than their addresses.
    names: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, NonZero<u32>>,
    /// The host that was called last, its address, and its name's number: most often the next one
    /// is the same.
    last: Option<(Arc<str>, ScopedIp, Option<NonZero<u32>>)>,
}

/// One port, in the order of the lines.
#[derive(Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Line {
    target: u32,
    addr: IpAddr,
    proto: Proto,
    port: u16,
    state: State,
    tries: u8,
    /// Which name it has, counted from 1, if another than its address.
    name: Option<NonZero<u32>>,
    errno: Option<i16>,
    /// Microseconds, and one more.
    rtt: Option<NonZero<u32>>,
    more: Option<Box<More>>,
}

/// What few ports have.
#[derive(Debug, Eq, Ord, PartialEq, PartialOrd)]
struct More {
    zone: Option<Arc<str>>,
    /// What answered, if it is not what the port is registered for.
    service: Option<&'static str>,
    banner: Option<Box<str>>,
}

impl Lines {
    /// No lines yet, with a field for the banner or without.
    pub(super) fn new(has_banners: bool) -> Self {
        Self {
            has_banners,
            ..Self::default()
        }
    }

    /// One more port of a target.
    pub(super) fn add(&mut self, report: &PortReport, target: usize) {
        let micros = report.rtt.map(|rtt| rtt.as_micros().saturating_add(1));
        let is_usual = report.service == registered(report.proto, report.port);
        let zone = report.addr.zone.clone();
        let is_usual = is_usual && report.banner.is_none() && zone.is_none();
        let more = (!is_usual).then(|| More {
            zone,
            service: report.service,
            banner: report.banner.as_deref().map(Box::from),
        });
        let name = self.name(report);
        self.all.push(Line {
            target: u32::try_from(target).unwrap_or(u32::MAX),
            addr: report.addr.ip,
            port: report.port,
            proto: report.proto,
            state: report.state,
            tries: report.tries,
            name,
            errno: report.errno.and_then(|errno| i16::try_from(errno).ok()),
            rtt: micros.and_then(|micros| NonZero::new(u32::try_from(micros).unwrap_or(u32::MAX))),
            more: more.map(Box::new),
        });
    }

    /// The number of a host's name, if it has one.
    fn name(&mut self, report: &PortReport) -> Option<NonZero<u32>> {
        if let Some((host, addr, number)) = &self.last
            && *addr == report.addr
            && *host == report.host
        {
            return *number;
        }
        let number = self.name_anew(report);
        self.last = Some((report.host.clone(), report.addr.clone(), number));
        number
    }

    /// Likewise, of another host than the last one.
    fn name_anew(&mut self, report: &PortReport) -> Option<NonZero<u32>> {
        if *report.host == *report.addr.to_string() {
            return None;
        }
        if let Some(number) = self.numbers.get(&report.host) {
            return Some(*number);
        }
        self.names.push(report.host.clone());
        let number = NonZero::new(u32::try_from(self.names.len()).ok()?)?;
        self.numbers.insert(report.host.clone(), number);
        Some(number)
    }

    /// Nothing more will come.
    pub(super) fn sort(&mut self) {
        self.all.sort_unstable();
    }

    /// Writes lines.
    fn write_all(&self, all: &[Line]) -> String {
        let mut text = String::with_capacity(all.len().saturating_mul(USUAL));
        let (mut addr, mut shown) = (None, String::new());
        for line in all {
            if addr.as_ref().is_none_or(|addr| !line.is_of(addr)) {
                let scoped = line.scoped();
                shown = escaped(&scoped.to_string()).into_owned();
                addr = Some(scoped);
            }
            // A string takes what is written to it.
            let _ = self.write(line, &shown, &mut text);
        }
        text
    }

    /// Writes a line with its fields; what is not known is `-`.
    fn write(&self, line: &Line, addr: &str, text: &mut String) -> fmt::Result {
        let number = line.name.and_then(|name| usize::try_from(name.get()).ok());
        let number = number.and_then(|number| number.checked_sub(1));
        match number.and_then(|number| self.names.get(number)) {
            Some(name) => text.push_str(&escaped(name)),
            None => text.push_str(addr),
        }
        let (proto, state) = (line.proto.as_str(), line.state.as_str());
        write!(text, "\t{addr}\t{}\t{proto}\t{state}\t", line.port)?;
        let (service, banner) = match &line.more {
            Some(more) => (more.service, more.banner.as_deref()),
            None => (registered(line.proto, line.port), None),
        };
        known(text, line.errno)?;
        known(text, line.errno.map(i32::from).and_then(errno_name))?;
        known(text, line.rtt.map(|rtt| rtt.get().saturating_sub(1)))?;
        write!(text, "{}\t", line.tries)?;
        text.push_str(&escaped(service.unwrap_or("-")));
        if self.has_banners {
            write!(text, "\t{}", escaped(banner.unwrap_or("-")))?;
        }
        text.write_char('\n')
    }
}

impl Line {
    /// Its address.
    fn scoped(&self) -> ScopedIp {
        ScopedIp {
            ip: self.addr,
            zone: self.zone().cloned(),
        }
    }

    /// Whether it is of this address.
    fn is_of(&self, addr: &ScopedIp) -> bool {
        self.addr == addr.ip && self.zone() == addr.zone.as_ref()
    }

    /// The zone of its address.
    fn zone(&self) -> Option<&Arc<str>> {
        self.more.as_ref()?.zone.as_ref()
    }
}

/// The name that is registered for a port.
fn registered(proto: Proto, port: u16) -> Option<&'static str> {
    let protocol = match proto {
        Proto::Tcp => Protocol::Tcp,
        Proto::Udp => Protocol::Udp,
    };
    service::name_of(port, protocol)
}

/// A field with the tab behind it.
fn known(text: &mut String, field: Option<impl Display>) -> fmt::Result {
    match field {
        Some(field) => write!(text, "{field}\t"),
        None => text.write_str("-\t"),
    }
}

impl Findings {
    /// The lines of `--plain`, in pieces.
    pub(crate) fn plain(&self) -> impl Iterator<Item = String> {
        let lines = self.lines.iter();
        lines.flat_map(|lines| {
            let pieces = lines.all.chunks(PIECE);
            pieces.map(|piece| lines.write_all(piece))
        })
    }

    /// The lines of `--connect-ex`: of each port the best that any address has to say, so that a
    /// name that is served on one of its addresses is open. Silence is EAGAIN, which `connect_ex` of Python
    /// returns when the timeout of its socket has passed (`sock_call_ex` of socketmodule.c).
    pub(crate) fn connect_ex(&self) -> String {
        let mut best: BTreeMap<u16, (State, i32)> = BTreeMap::new();
        for report in self.addresses.iter().flat_map(|address| &address.listed) {
            let answer = (report.state, report.errno.unwrap_or(libc::EAGAIN));
            let known = best.entry(report.port).or_insert(answer);
            *known = (*known).min(answer);
        }
        let line = |(port, (_, errno))| format!("{port} {errno}\n");
        best.into_iter().map(line).collect()
    }
}

/// How many lines are written at once.
const PIECE: usize = 1024;

/// How long a line usually is, in bytes.
const USUAL: usize = 80;

#[cfg(test)]
mod tests {
    use super::super::testing::{findings, lines};
    use nettool::probe::State;

    #[test]
    fn fields_are_separated_by_tabs_and_never_empty() {
        let text: String = lines(State::ALL.to_vec()).plain().collect();
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
    fn silence_is_what_connect_ex_makes_of_it() {
        let text = findings(State::ALL.to_vec()).connect_ex();
        assert_eq!(text, "22 0\n23 111\n24 11\n25 113\n8080 0\n");
    }
}
