//! What `probe --wait` tells: nothing but why it was in vain, unless it is asked for more.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use nettool::error::Error;
use nettool::probe::{News, PortReport, Tried, Waited};
use nettool::value::Endpoint;
use serde::Serialize;

use super::text::{span, words_of};
use crate::output::record::microseconds;
use crate::output::{Output, record};

/// The talk of one wait.
pub(crate) struct WaitTalk<'a> {
    output: &'a Output,
    targets: &'a [Endpoint],
    /// What was last told of each address of each target.
    told: HashMap<(usize, Option<SocketAddr>), &'static str>,
    /// How often each address was tried.
    tries: HashMap<(usize, Option<SocketAddr>), u64>,
    /// What was last told of names without an address.
    unresolved: HashMap<usize, String>,
}

impl<'a> WaitTalk<'a> {
    /// Nothing is told yet.
    pub(crate) fn new(output: &'a Output, targets: &'a [Endpoint]) -> Self {
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
        if !self.output.is_json() {
            let (name, what) = (self.name(target, address), words_of(tried));
            let line = format!("{name}: {what}, try {number} at {}", span(when));
            self.output.detail(1, &line);
            return Ok(());
        }
        if !is_new && !self.output.is_verbose() {
            return Ok(());
        }
        let line = match (self.targets.get(target), address) {
            (Some(Endpoint::Tcp(host, _)), Some(address)) => {
                let report = PortReport::of_try(host.to_string(), address, tried);
                record::line("port", &report)
            }
            (Some(Endpoint::Unix(path)), _) => {
                record::line("port", &PathReport::new(path.display().to_string(), tried))
            }
            _ => return Ok(()),
        };
        self.output.result(&line)
    }

    /// What a target is called, with its address if that is another text.
    fn name(&self, target: usize, address: Option<SocketAddr>) -> String {
        let target = self.targets.get(target).map(Endpoint::to_string);
        let target = target.unwrap_or_default();
        match address.map(|address| address.to_string()) {
            Some(address) if address != target => {
                let address = address.rsplit_once(':').map_or("", |(host, _)| host);
                format!("{target} ({})", address.trim_matches(['[', ']']))
            }
            _ => target,
        }
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
            let tries = waited.tries;
            self.output.detail(
                1,
                &format!("the wait is over after {time} and {tries} tries"),
            );
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

/// `port` of a Unix socket.
#[derive(Serialize)]
pub(super) struct PathReport {
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
    pub(super) fn new(path: String, tried: &Tried) -> Self {
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
