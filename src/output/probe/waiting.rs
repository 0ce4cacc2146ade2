//! What `probe --wait` tells: nothing but why it was in vain, unless it is asked for more.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use nettool::error::Error;
use nettool::probe::{HostReport, News, PortReport, Proto, Sought, Tried, Waited};
use nettool::value::Endpoint;
use serde::Serialize;

use super::text::{name_of, span, words_of};
use crate::output::record::microseconds;
use crate::output::{Output, record};

/// The talk of one wait.
pub(crate) struct WaitTalk<'a> {
    output: &'a Output,
    targets: &'a [Sought],
    /// What was last told of each address of each target.
    told: HashMap<(usize, Option<SocketAddr>), &'static str>,
    /// How often each address was tried.
    tries: HashMap<(usize, Option<SocketAddr>), u64>,
    /// What was last told of names without an address.
    unresolved: HashMap<usize, String>,
}

impl<'a> WaitTalk<'a> {
    /// Nothing is told yet.
    pub(crate) fn new(output: &'a Output, targets: &'a [Sought]) -> Self {
        Self {
            output,
            targets,
            told: HashMap::new(),
            tries: HashMap::new(),
            unresolved: HashMap::new(),
        }
    }

    /// Tells of a try: a person who asked for it of each, records of what has changed.
    pub(crate) fn tell(&mut self, news: &News) -> Result<(), Error> {
        match *news {
            News::Tried {
                target,
                address,
                tried,
                since_start,
            } => {
                let key = (target, address);
                let tries = self.tries.entry(key).or_default();
                *tries = tries.saturating_add(1);
                let tries = *tries;
                let is_new = self.told.insert(key, tried.reason) != Some(tried.reason);
                self.tell_try(key, &tried, tries, since_start, is_new)
            }
            News::Unresolved {
                target,
                error,
                since_start,
            } => {
                let cause = error.cause_text();
                let is_new = self.unresolved.get(&target) != Some(&cause);
                if self.output.is_json() {
                    if is_new || self.output.is_verbose() {
                        self.output.warn(&error.to_string());
                    }
                } else {
                    let when = span(since_start);
                    let name = self.name(target, None);
                    let line = format!("{name}: has no address at {when}: {cause}");
                    self.output.detail(1, &line);
                }
                self.unresolved.insert(target, cause);
                Ok(())
            }
        }
    }

    /// Tells of one try.
    fn tell_try(
        &self,
        (target, address): (usize, Option<SocketAddr>),
        tried: &Tried,
        number: u64,
        when: Duration,
        is_new: bool,
    ) -> Result<(), Error> {
        let Some(sought) = self.targets.get(target) else {
            return Ok(());
        };
        if !self.output.is_json() {
            let (name, what) = (name_of(sought, address), words_of(sought, tried));
            let line = format!("{name}: {what}, try {number} at {}", span(when));
            self.output.detail(1, &line);
            return Ok(());
        }
        if !is_new && !self.output.is_verbose() {
            return Ok(());
        }
        let line = record_of_try(sought, address, tried);
        self.output.result(&line)
    }

    /// What a target is called, with its address if that says more.
    fn name(&self, target: usize, address: Option<SocketAddr>) -> String {
        let target = self.targets.get(target);
        target.map_or_else(String::new, |target| name_of(target, address))
    }

    /// Tells how the wait has ended: who is missing, and why.
    pub(crate) fn end(&self, waited: &Waited) -> Result<(), Error> {
        for unmet in &waited.unmet {
            self.output.error(&unmet.error);
        }
        if self.output.is_json() {
            return self
                .output
                .result(&record::line("wait", &WaitRecord::new(waited)));
        }
        if waited.is_met {
            let time = span(waited.elapsed);
            let tries = match waited.tries {
                1 => "1 try".to_owned(),
                tries => format!("{tries} tries"),
            };
            self.output
                .detail(1, &format!("the wait is over after {time} and {tries}"));
        }
        Ok(())
    }
}

/// `wait`.
#[derive(Serialize)]
struct WaitRecord {
    met: bool,
    missing: Vec<String>,
    tries: u64,
    elapsed_us: u64,
}

impl WaitRecord {
    /// What came of a wait.
    fn new(waited: &Waited) -> Self {
        let missing = waited.unmet.iter().map(|unmet| unmet.target.to_string());
        Self {
            met: waited.is_met,
            missing: missing.collect(),
            tries: waited.tries,
            elapsed_us: microseconds(waited.elapsed),
        }
    }
}

/// A try as a record: `port`, or `host` where no port is asked for.
pub(super) fn record_of_try(sought: &Sought, address: Option<SocketAddr>, tried: &Tried) -> String {
    let (host, address) = match (sought.host(), address, sought) {
        (Some(host), Some(address), _) => (host.to_string(), address),
        (_, _, Sought::Port(Endpoint::Unix(path))) => {
            return record::line("port", &PathReport::new(path.display().to_string(), tried));
        }
        _ => return String::new(),
    };
    let proto = match sought {
        Sought::Host(_) => {
            let report = HostReport::of_try(host, address, tried);
            return record::line("host", &report);
        }
        Sought::Port(Endpoint::Udp(..)) => Proto::Udp,
        Sought::Port(_) => Proto::Tcp,
    };
    record::line("port", &PortReport::of_try(host, address, proto, tried))
}

/// `port` of a Unix socket.
#[derive(Serialize)]
struct PathReport {
    host: Option<String>,
    addr: Option<String>,
    port: Option<u16>,
    proto: &'static str,
    path: String,
    state: &'static str,
    errno: Option<i32>,
    errname: Option<&'static str>,
    reason: &'static str,
    icmp: Option<u8>,
    rtt_us: Option<u64>,
    tries: u64,
    service: Option<&'static str>,
    banner: Option<String>,
}

impl PathReport {
    /// What a try of a path found out.
    fn new(path: String, tried: &Tried) -> Self {
        let time = microseconds(tried.elapsed);
        Self {
            host: None,
            addr: None,
            port: None,
            proto: "unix",
            path,
            state: tried.state.as_str(),
            errno: tried.errno,
            errname: tried.errno.and_then(nettool::error::errno_name),
            reason: tried.reason,
            icmp: None,
            rtt_us: tried.is_answer().then_some(time),
            tries: 1,
            service: None,
            banner: None,
        }
    }
}
