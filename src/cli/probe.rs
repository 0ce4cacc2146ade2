//! `nettool probe`.

mod asking;
mod effort;
mod latency;
mod report;
mod scale;
mod targets;
mod waiting;
mod words;

use std::net::IpAddr;
use std::sync::Arc;

use clap::Args;
use nettool::net::Family;
use nettool::probe::{Binding, Limits, State};

pub(crate) use latency::LatencyWish;
pub(crate) use report::Form;
use targets::excluded;
pub(crate) use targets::{List, Party, Request, Wanted};
pub(crate) use waiting::WaitWish;

use super::place::family;
use super::{Usage, number, value};
use asking::{AskingArgs, WrittenPorts};
use effort::{EffortArgs, SourceArgs};
use latency::LatencyArgs;
use report::ReportArgs;
use scale::ScaleArgs;
use waiting::WaitArgs;

/// Find out which ports are open, and why the others are not.
///
/// A port is open when it accepts a connection, or answers over UDP.
/// Every port gets a state, the error number that connect(2) gives for it, and the time its answer
/// took. Nothing needs to be tuned: the speed follows what the path and this machine can bear.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES, override_usage = USAGE)]
pub(crate) struct ProbeArgs {
    /// Names, addresses, networks; the last of several may be the ports
    ///
    /// Also 10.0.0.1-50, HOST:PORTS, @FILE or - for lists, unix:PATH to wait for or measure
    #[arg(value_name = "TARGET", required_unless_present = "merge")]
    words: Vec<String>,
    /// The ports, as 22,80,8000-8100,https,u:53
    ///
    /// Or a range by its name: well-known, registered, dynamic, all, common [default: common]
    #[arg(short, long, value_name = "PORTS", value_parser = value::<WrittenPorts>)]
    ports: Option<WrittenPorts>,
    /// Leave these hosts, networks and ranges out, whoever names them
    #[arg(long, value_name = "TARGET", value_delimiter = ',', value_parser = excluded)]
    pub(crate) exclude: Vec<Party>,
    /// Leave these ports out, of TCP and UDP unless t: or u: stands before them
    #[arg(long, value_name = "PORTS", value_parser = value::<WrittenPorts>)]
    exclude_ports: Option<WrittenPorts>,
    /// Probe every address of a name, not only the first that answers
    #[arg(long)]
    pub(crate) all_addresses: bool,
    /// IPv4 alone
    #[arg(short = '4', conflicts_with = "ipv6")]
    ipv4: bool,
    /// IPv6 alone
    #[arg(short = '6')]
    ipv6: bool,
    #[command(flatten)]
    asking: AskingArgs,
    #[command(flatten)]
    effort: EffortArgs,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    report: ReportArgs,
    #[command(flatten)]
    waiting: WaitArgs,
    #[command(flatten)]
    latency: LatencyArgs,
    #[command(flatten)]
    scale: ScaleArgs,
}

const USAGE: &str = "nettool probe [OPTIONS] TARGET... [PORTS]
       nettool probe [OPTIONS] --ports PORTS TARGET...
       nettool probe --wait TIME [OPTIONS] TARGET... [PORTS] [-- COMMAND...]
       nettool probe --merge FILE... [OPTIONS]";

const EXAMPLES: &str = "\
Examples:
  nettool probe localhost 1-1024               which of these are open here
  nettool probe example.org https              is it up? the exit status tells
  nettool probe host                           the 100 most common ports
  nettool probe -p 22,443 web1 web2 db:5432    several hosts
  nettool probe 10.0.0.0/24 22,80              a whole network
  nettool probe --exclude 10.0.0.9 @hosts 22   all that a file names but one
  nettool probe -u host                        UDP ports that often answer
  nettool probe host t:22,80,u:53,123          both in one list
  nettool probe --ping 10.0.0.0/24             who is up in this network
  nettool probe --wait 5m --ping host          until it is up again
  nettool probe --show all ::1 20-25           the closed ones too
  nettool probe --wait 30s db:5432 -- ./app    start once the database listens
  nettool probe --wait 30s u:ns:53             wait until a name server answers
  nettool probe --count 10 --every 0.2 db:22   how long connections take
  nettool probe --shard 2/8 10.0.0.0/16 22     the second of eight parts
  nettool probe --json host all | jq 'select(.state==\"open\").port'";

impl ProbeArgs {
    /// Whom to probe on which ports, as far as the command line says it.
    pub(crate) fn request(&self) -> Result<Request, Usage> {
        let (words, ports) = self.words_and_ports()?;
        let excluded = self.exclude_ports.as_ref().map(WrittenPorts::of_both);
        let is_given = self.ports.is_some() || words.len() < self.words.len();
        let protocol = self.asking.protocol();
        let mut request = Request::new(&ports, excluded, protocol, is_given)?;
        for word in words {
            request.add_word(word)?;
        }
        request.check_number()?;
        self.check_families(&request)?;
        let is_one = match (request.wanted.as_slice(), request.lists.as_slice()) {
            ([one], []) => matches!(one.party, Party::Host(_)),
            _ => false,
        };
        if self.report.connect_ex && !is_one {
            return Err(Usage::new(
                "--connect-ex prints ports without their host: name one target, or use --plain",
            ));
        }
        if self.report.connect_ex && request.wanted.iter().any(|one| !one.ports.udp.is_empty()) {
            return Err(Usage::new(
                "--connect-ex tells what connect returns, and over UDP that says nothing: use --plain",
            ));
        }
        Ok(request)
    }

    /// Which addresses are wanted.
    pub(crate) fn family(&self) -> Family {
        let source = self.source.source.map(|source| source.to_canonical());
        match (family(self.ipv4, self.ipv6), source) {
            (Family::Any, Some(IpAddr::V4(_))) => Family::V4,
            (Family::Any, Some(IpAddr::V6(_))) => Family::V6,
            (family, _) => family,
        }
    }

    /// The option that says which addresses are wanted.
    fn family_option(&self) -> String {
        match (self.ipv4, self.source.source) {
            (false, Some(source)) if !self.ipv6 => format!("--source {source}"),
            (true, _) => "-4".to_owned(),
            (false, _) => "-6".to_owned(),
        }
    }

    /// Refuses an address of the command line that the options leave no way to.
    fn check_families(&self, request: &Request) -> Result<(), Usage> {
        let family = self.family();
        let is_lost = |address: IpAddr| !family.includes(address.to_canonical());
        let mut parties = request.wanted.iter().map(|wanted| &wanted.party);
        let lost = parties.find(|party| match party {
            Party::Host(host) => host.ip().is_some_and(is_lost),
            Party::Range(range) => is_lost(range.first()),
        });
        let Some(party) = lost else {
            return Ok(());
        };
        let option = self.family_option();
        let party = match party {
            Party::Host(host) => host.to_string(),
            Party::Range(range) => range.to_string(),
        };
        Err(Usage::new(format!("{party} cannot be used with {option}")))
    }

    /// What every connection is bound to.
    pub(crate) fn binding(&self) -> Result<Binding, Usage> {
        let source = self.source.source.map(|source| source.to_canonical());
        if let Some(source) = source.filter(|source| !self.family().includes(*source)) {
            let family = self.family_option();
            return Err(Usage::new(format!(
                "--source {source} cannot be used with {family}"
            )));
        }
        Ok(Binding {
            source,
            interface: self.source.interface.as_deref().map(Arc::from),
        })
    }

    /// What the order of the ports follows from, if that is given.
    pub(crate) fn seed(&self) -> Option<u64> {
        self.effort.seed
    }

    /// What the user has set of the effort.
    pub(crate) fn limits(&self) -> Limits {
        self.effort.limits()
    }

    /// How results are written, unless as records.
    pub(crate) fn form(&self) -> Form {
        self.report.form()
    }

    /// Ports of which states are listed.
    pub(crate) fn shown(&self, json: bool) -> Vec<State> {
        self.report.shown(json)
    }

    /// Whether open ports are listened to.
    pub(crate) fn banner(&self) -> bool {
        self.asking.banner
    }

    /// Whether it is asked first who is up.
    pub(crate) fn ping(&self) -> bool {
        self.asking.ping
    }

    /// Whether nobody is asked for a port, but only who is up. The lists must be read.
    pub(crate) fn is_ping_alone(&self, request: &Request) -> Result<bool, Usage> {
        let is_ping_alone = self.asking.ping && !request.names_ports();
        if is_ping_alone && self.report.all_open {
            return Err(Usage::new(
                "--all-open speaks of ports: name some beside --ping",
            ));
        }
        Ok(is_ping_alone)
    }

    /// Whether every port must be open.
    pub(crate) fn all_open(&self) -> bool {
        self.report.all_open
    }
}
