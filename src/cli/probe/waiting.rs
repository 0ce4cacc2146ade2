//! Waiting until ports are open, or closed.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time;

use clap::Args;
use nettool::probe::{Goal, Sought};
use nettool::value::{Duration, Endpoint, Host};

use super::{Party, ProbeArgs, Request, Usage, value};

/// The most ports that are waited for at once: each is a connection.
const MOST: usize = 1000;

/// What only a scan has.
pub(super) const OF_A_SCAN: [&str; 16] = [
    "all_addresses",
    "banner",
    "exclude",
    "fast",
    "patience",
    "tries",
    "rate",
    "concurrency",
    "deadline",
    "show",
    "plain",
    "connect_ex",
    "all_open",
    "shard",
    "resume",
    "merge",
];

/// Waiting.
#[derive(Args, Debug)]
#[command(next_help_heading = "Waiting")]
pub(super) struct WaitArgs {
    /// Wait until all ports are open, at most so long
    ///
    /// The exit status is 1 if they are not. A UDP port is open when it answers
    #[arg(long, value_name = "TIME", value_parser = value::<Duration>, conflicts_with_all = OF_A_SCAN)]
    #[arg(conflicts_with_all = ["try_timeout", "seed"])]
    wait: Option<Duration>,
    /// One open port is enough
    #[arg(long, requires = "wait")]
    any: bool,
    /// Wait until all ports are closed instead; silence does not count
    #[arg(long, requires = "wait")]
    until_closed: bool,
    /// It must still be so this much later
    #[arg(long, value_name = "TIME", value_parser = value::<Duration>, requires = "wait")]
    hold: Option<Duration>,
    /// Run this in our place once the wait is over
    #[arg(last = true, value_name = "COMMAND", requires = "wait")]
    command: Vec<OsString>,
}

/// A wait, as far as the command line says it.
#[derive(Debug)]
pub(crate) struct WaitWish {
    /// How long at most; nothing is for ever.
    pub(crate) limit: Option<time::Duration>,
    /// What is waited for.
    pub(crate) goal: Goal,
    /// What runs in our place afterwards.
    pub(crate) command: Vec<OsString>,
}

impl WaitArgs {
    /// The wait that was asked for, if one was.
    pub(super) fn wish(&self) -> Result<Option<WaitWish>, Usage> {
        let Some(wait) = self.wait else {
            return Ok(None);
        };
        if wait.limit().is_some_and(|limit| limit.is_zero()) {
            return Err(Usage::new(
                "--wait 0s is no time to wait; write forever to wait without an end",
            ));
        }
        let hold = match self.hold.map(Duration::limit) {
            None => time::Duration::ZERO,
            Some(Some(hold)) => hold,
            Some(None) => return Err(Usage::new("--hold forever never ends")),
        };
        if wait.limit().is_some_and(|limit| hold >= limit) {
            return Err(Usage::new(format!(
                "--hold {} cannot pass within --wait {wait}",
                Duration::new(hold)
            )));
        }
        Ok(Some(WaitWish {
            limit: wait.limit(),
            goal: Goal {
                any: self.any,
                closed: self.until_closed,
                hold,
            },
            command: self.command.clone(),
        }))
    }
}

impl ProbeArgs {
    /// The wait that was asked for, if one was.
    pub(crate) fn wait(&self) -> Result<Option<WaitWish>, Usage> {
        if self.ping() && self.waiting.until_closed {
            return Err(Usage::new(
                "--until-closed cannot be told with --ping: a host that is down is silent, and silence may be \
                 a loss as well",
            ));
        }
        self.waiting.wish()
    }
}

impl Request {
    /// All targets, for `option`, which follows each of them on its own: hosts with `ping`, else
    /// ports.
    pub(crate) fn sought(self, option: &str, ping: bool) -> Result<Vec<Sought>, Usage> {
        if ping {
            return self.hosts(option);
        }
        if let Some(word) = self.without_ports {
            return Err(Usage::new(format!(
                "{option} needs the port of {word:?}: write {word}:PORT"
            )));
        }
        let mut endpoints = Vec::new();
        for wanted in self.wanted {
            for host in each_host(wanted.party, option)? {
                let (tcp, udp) = (wanted.ports.tcp.iter(), wanted.ports.udp.iter());
                endpoints.extend(tcp.map(|port| Endpoint::Tcp(host.clone(), port)));
                endpoints.extend(udp.map(|port| Endpoint::Udp(host.clone(), port)));
                if endpoints.len() > MOST {
                    return Err(too_many(option));
                }
            }
        }
        let paths = self.paths.into_iter().map(Endpoint::Unix);
        endpoints.extend(paths);
        if endpoints.is_empty() {
            return Err(Usage::new(format!(
                "{option} has no target: the lists are empty"
            )));
        }
        Ok(endpoints.into_iter().map(Sought::Port).collect())
    }

    /// All hosts, without ports.
    fn hosts(self, option: &str) -> Result<Vec<Sought>, Usage> {
        if self.names_ports() || !self.paths.is_empty() {
            return Err(Usage::new(format!(
                "--ping asks hosts, and no ports: with {option} leave either it or the ports out"
            )));
        }
        let mut sought = Vec::new();
        for wanted in self.wanted {
            let hosts = each_host(wanted.party, option)?;
            sought.extend(hosts.into_iter().map(Sought::Host));
            if sought.len() > MOST {
                return Err(too_many(option));
            }
        }
        if sought.is_empty() {
            return Err(Usage::new(format!(
                "{option} has no target: the lists are empty"
            )));
        }
        Ok(sought)
    }

    /// Refuses paths where only hosts can be meant.
    pub(crate) fn refuse_paths(&self) -> Result<(), Usage> {
        match self.paths.first().map(PathBuf::as_path) {
            None => Ok(()),
            Some(path) => Err(Usage::new(format!(
                "unix:{} has no ports to scan: --wait waits for it, --count measures it",
                path.display()
            ))),
        }
    }
}

/// Every host of a target.
fn each_host(party: Party, option: &str) -> Result<Vec<Host>, Usage> {
    let range = match party {
        Party::Host(host) => return Ok(vec![host]),
        Party::Range(range) => range,
    };
    let all = (0..MOST as u64).map_while(|number| range.nth(number));
    let hosts = all.map(Host::from).collect::<Vec<_>>();
    let is_whole = range.span() < hosts.len() as u128;
    is_whole.then_some(hosts).ok_or_else(|| too_many(option))
}

/// More than anybody waits for.
fn too_many(option: &str) -> Usage {
    Usage::new(format!(
        "{option} follows at most {MOST} ports or hosts at once"
    ))
}
