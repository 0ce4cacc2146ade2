//! `nettool probe`.

mod targets;

use std::net::IpAddr;
use std::num::NonZero;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use nettool::net::Family;
use nettool::probe::{Binding, Limits, State};
use nettool::value::{Duration, PortList};

pub(crate) use targets::{List, Party, Request, Wanted};

use super::{Usage, value};

/// Find out which TCP ports accept a connection, and why the others do not.
///
/// Every port gets a state, the error number that connect(2) gives for it, and the time its answer
/// took. Nothing needs to be tuned: the speed follows what the path and this machine can bear.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES, override_usage = USAGE)]
pub(crate) struct ProbeArgs {
    /// Names, addresses, 10.0.0.0/24, 10.0.0.1-50, HOST:PORTS, @FILE or - for lists; the last of
    /// several words may be the ports
    #[arg(value_name = "TARGET", required = true)]
    words: Vec<String>,
    /// The ports: 22,80,8000-8100,https or well-known, registered, dynamic, all, common [default:
    /// common]
    #[arg(short, long, value_name = "PORTS", value_parser = value::<PortList>)]
    ports: Option<PortList>,
    /// Leave these hosts, networks and ranges out, whoever names them
    #[arg(long, value_name = "TARGET", value_delimiter = ',', value_parser = value::<Party>)]
    pub(crate) exclude: Vec<Party>,
    /// Leave these ports out
    #[arg(long, value_name = "PORTS", value_parser = value::<PortList>)]
    exclude_ports: Option<PortList>,
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
    effort: EffortArgs,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    report: ReportArgs,
}

/// How long and how often.
#[derive(Args, Debug)]
#[command(next_help_heading = "Effort")]
struct EffortArgs {
    /// The most that one try may take [default: what the round-trip times teach]
    #[arg(long, value_name = "TIME", value_parser = value::<Duration>)]
    try_timeout: Option<Duration>,
    /// How often a silent port is tried [default: as the losses on the path demand]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..))]
    tries: Option<u8>,
    /// The most probes a second [default: as fast as the path and this machine bear]
    #[arg(long, value_name = "N")]
    rate: Option<NonZero<u32>>,
    /// The most connections under way at once [default: as the answers and open files allow]
    #[arg(long, value_name = "N")]
    concurrency: Option<NonZero<usize>>,
    /// The most that everything may take; what is not known then is undetermined: exit status 3
    #[arg(long, value_name = "TIME", value_parser = value::<Duration>)]
    deadline: Option<Duration>,
    /// The same number gives the same order of ports [default: another order each time]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

/// Where connections come from.
#[derive(Args, Debug)]
#[command(next_help_heading = "Source")]
struct SourceArgs {
    /// Probe from this address of ours, and only addresses of its family
    #[arg(long, value_name = "ADDRESS")]
    source: Option<IpAddr>,
    /// Probe by this interface alone
    #[arg(long, value_name = "NAME")]
    interface: Option<String>,
}

/// What is told.
#[derive(Args, Debug)]
#[command(next_help_heading = "Report")]
#[expect(clippy::doc_markdown, reason = "the help is plain text")]
struct ReportArgs {
    /// Ports of which states to list [default: open; with --plain and --json all]
    #[arg(long, value_name = "STATE", value_delimiter = ',')]
    show: Option<Vec<Shown>>,
    /// One line a port: host addr port proto state errno errname rtt_us tries service, with tabs
    #[arg(long, conflicts_with_all = ["json", "connect_ex"])]
    plain: bool,
    /// One line a port: PORT ERRNO, as connect_ex of Python returns it
    #[arg(long, conflicts_with_all = ["json", "show"])]
    connect_ex: bool,
    /// The exit status is 0 only if all ports are open
    #[arg(long)]
    all_open: bool,
}

const USAGE: &str = "nettool probe [OPTIONS] TARGET... [PORTS]
       nettool probe [OPTIONS] --ports PORTS TARGET...";

const EXAMPLES: &str = "\
Examples:
  nettool probe localhost 1-1024               which of these ports are open here
  nettool probe example.org https              is it up? the exit status tells
  nettool probe host                           the 100 most common ports
  nettool probe -p 22,443 web1 web2 db:5432    several hosts, one with ports of its own
  nettool probe 10.0.0.0/24 22,80              a whole network
  nettool probe --exclude 10.0.0.9 @hosts 22   all that a file names, but for one
  nettool probe --show all ::1 20-25           the closed ones too
  nettool probe --json host all | jq 'select(.state==\"open\").port'";

/// A state to list.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Shown {
    /// A connection was accepted
    Open,
    /// The host answered that nobody listens
    Closed,
    /// ICMP says that the port may not be reached
    Rejected,
    /// Silence
    Filtered,
    /// There is no way to the host
    Unreachable,
    /// We could not find out
    Undetermined,
    /// Every state
    All,
}

/// How results are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Form {
    /// For a person.
    Human,
    /// One line of fields a port.
    Plain,
    /// `PORT ERRNO`.
    ConnectEx,
}

impl ProbeArgs {
    /// Whom to probe on which ports, as far as the command line says it.
    pub(crate) fn request(&self) -> Result<Request, Usage> {
        let (words, ports) = self.words_and_ports()?;
        let mut request = Request::new(&ports, self.exclude_ports.as_ref())?;
        for word in words {
            request.add_word(word)?;
        }
        request.check_number()?;
        let is_one = match (request.wanted.as_slice(), request.lists.as_slice()) {
            ([one], []) => matches!(one.party, Party::Host(_)),
            _ => false,
        };
        if self.report.connect_ex && !is_one {
            return Err(Usage::new(
                "--connect-ex prints ports without their host: name one target, or use --plain",
            ));
        }
        Ok(request)
    }

    /// Which addresses are wanted.
    pub(crate) fn family(&self) -> Family {
        let source = self.source.source;
        match (self.ipv4, self.ipv6) {
            (true, _) => Family::V4,
            (_, true) => Family::V6,
            _ => match source {
                Some(IpAddr::V4(_)) => Family::V4,
                Some(IpAddr::V6(_)) => Family::V6,
                None => Family::Any,
            },
        }
    }

    /// What every connection is bound to.
    pub(crate) fn binding(&self) -> Result<Binding, Usage> {
        let source = self.source.source.map(|source| source.to_canonical());
        if source.is_some_and(|source| !self.family().includes(source)) {
            return Err(Usage::new(
                "--source is no address of the family of -4 or -6",
            ));
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
        Limits {
            try_timeout: self.effort.try_timeout.and_then(Duration::limit),
            tries: self.effort.tries,
            rate: self.effort.rate,
            concurrency: self.effort.concurrency,
            deadline: self.effort.deadline.and_then(Duration::limit),
        }
    }

    /// How results are written, unless as records.
    pub(crate) fn form(&self) -> Form {
        match (self.report.plain, self.report.connect_ex) {
            (true, _) => Form::Plain,
            (_, true) => Form::ConnectEx,
            _ => Form::Human,
        }
    }

    /// Ports of which states are listed.
    pub(crate) fn shown(&self, json: bool) -> Vec<State> {
        let Some(wanted) = &self.report.show else {
            let all = json || self.form() != Form::Human;
            return if all {
                State::ALL.to_vec()
            } else {
                vec![State::Open]
            };
        };
        let shows = |state: &State| wanted.iter().any(|shown| shown.includes(*state));
        State::ALL.into_iter().filter(shows).collect()
    }

    /// Whether every port must be open.
    pub(crate) fn all_open(&self) -> bool {
        self.report.all_open
    }

    /// The words that are targets, and the ports of those that have none of their own.
    fn words_and_ports(&self) -> Result<(&[String], PortList), Usage> {
        if let Some(ports) = &self.ports {
            return Ok((&self.words, ports.clone()));
        }
        let common = (self.words.as_slice(), PortList::common());
        let Some((last, rest)) = self.words.split_last().filter(|(_, rest)| !rest.is_empty())
        else {
            return Ok(common);
        };
        match last.parse::<PortList>() {
            Ok(ports) => {
                check_one_list(&self.words)?;
                check_bare_service(last, rest)?;
                Ok((rest, ports))
            }
            Err(error) if looks_like_ports(last) => Err(error.into()),
            Err(_) => Ok(common),
        }
    }
}

impl Shown {
    /// Whether ports of this state are meant.
    fn includes(self, state: State) -> bool {
        match self {
            Self::All => true,
            Self::Open => state == State::Open,
            Self::Closed => state == State::Closed,
            Self::Rejected => state == State::Rejected,
            Self::Filtered => state == State::Filtered,
            Self::Unreachable => state == State::Unreachable,
            Self::Undetermined => state == State::Undetermined,
        }
    }
}

/// Ports in several words are probably meant as one list.
fn check_one_list(words: &[String]) -> Result<(), Usage> {
    let is_list = |word: &&String| looks_like_ports(word) && word.parse::<PortList>().is_ok();
    let mut lists: Vec<&str> = words
        .iter()
        .rev()
        .take_while(is_list)
        .map(String::as_str)
        .collect();
    if lists.len() < 2 {
        return Ok(());
    }
    lists.reverse();
    Err(Usage::new(format!(
        "the ports are one word: write {}",
        lists.join(",")
    )))
}

/// The name of a service may as well be that of a third host.
fn check_bare_service(last: &str, rest: &[String]) -> Result<(), Usage> {
    let named = ["well-known", "registered", "dynamic", "all", "common"].contains(&last);
    if rest.len() < 2 || named || !last.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        return Ok(());
    }
    if last.starts_with(|c: char| c.is_ascii_digit()) {
        return Ok(());
    }
    Err(Usage::new(format!(
        "is {last:?} a host or a service? for the service write: nettool probe -p {last} {}",
        rest.join(" ")
    )))
}

/// Whether a word can only be meant as ports: no host has a comma, or is a number or a range of
/// numbers.
fn looks_like_ports(word: &str) -> bool {
    word != "-"
        && !word.starts_with('@')
        && (word.contains(',') || word.chars().all(|c| c.is_ascii_digit() || c == '-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Arguments, Command};
    use clap::Parser as _;

    /// What the words after `nettool probe` mean: `host:ports` each.
    fn read(words: &str) -> Result<String, String> {
        let words = ["nettool", "probe"].into_iter().chain(words.split(' '));
        let line = Arguments::try_parse_from(words).map_err(|error| error.to_string())?;
        let Command::Probe(probe) = line.command else {
            return Err("another command".to_owned());
        };
        let request = probe.request().map_err(|error| error.to_string())?;
        let common = PortList::common();
        let ports = |list: &PortList| {
            if *list == common {
                "common".to_owned()
            } else {
                list.to_string()
            }
        };
        let text = |w: &Wanted| format!("{}:{}", w.party, ports(&w.ports));
        let lists = request.lists.iter().map(|list| format!("<{list}"));
        let targets = request.wanted.iter().map(text).chain(lists);
        Ok(targets.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn words_are_targets_and_ports() {
        for (words, meaning) in [
            ("h", "h:common"),
            ("h 22", "h:22"),
            ("h 22,80,8000-8002,https", "h:22,80,443,8000-8002"),
            ("h ssh", "h:22"),
            ("localhost", "localhost:common"),
            ("h1 h2", "h1:common h2:common"),
            ("h1 h2 80", "h1:80 h2:80"),
            ("h1 h2 common", "h1:common h2:common"),
            ("h1 h2 ssh,80", "h1:22,80 h2:22,80"),
            ("-p ssh h1 h2 h3", "h1:22 h2:22 h3:22"),
            ("-p 1-3 h:9", "h:9"),
            ("h1:22,80 h2 443", "h1:22,80 h2:443"),
            ("[::1]:9 ::2 7", "[::1]:9 [::2]:7"),
            ("::1", "[::1]:common"),
            ("h well-known", "h:1-1023"),
            ("h 20-30 --exclude-ports 22-29", "h:20-21,30"),
            ("h:1 h:2 h 3", "h:1-3"),
            ("10.0.0.0/24 22", "10.0.0.0/24:22"),
            ("10.0.0.1-50", "10.0.0.1-10.0.0.50:common"),
            ("fd00::/120 a-b.c 7", "fd00::/120:7 a-b.c:7"),
            ("- 22", "<stdin"),
            ("h @hosts -", "h:common <hosts <stdin"),
            ("@a,b", "<a,b"),
        ] {
            assert_eq!(read(words).as_deref(), Ok(meaning), "{words}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_explained() {
        for (words, hint) in [
            ("h 22 80", "write 22,80"),
            ("h 22 80 8000-8100", "write 22,80,8000-8100"),
            ("h1 h2 https", "nettool probe -p https h1 h2"),
            ("h 70000", "larger than 65535"),
            ("h 22,", "is empty"),
            ("h 0", "port 0 cannot be probed"),
            ("h:0", "port 0 cannot be probed"),
            ("h 22 --exclude-ports 22", "leaves no port"),
            ("127.1 22", "127.1"),
            ("http://h/ 80", "URL"),
            ("10.0.0.1/24 22", "write 10.0.0.0/24"),
            ("10.0.0.9-1", "it ends before it begins"),
            ("::/0", "more than 4294967296 addresses"),
            ("@", "@hosts.txt"),
            ("--exclude 10.0.0.300 h", "10.0.0.300"),
            ("--connect-ex 10.0.0.0/30 80", "one target"),
            ("h 22 --tries 0", "--tries"),
            ("--connect-ex h1 h2 80", "one target"),
            ("--show ajar h", "--show"),
            ("--plain --json h", "--json"),
        ] {
            let error = read(words).expect_err(words);
            assert!(error.contains(hint), "{words}: {error}");
        }
    }
}
