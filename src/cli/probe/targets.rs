//! Whom `probe` is to ask: words, and lists of them.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use nettool::probe::Binding;
use nettool::value::{
    AddressRange, Host, ProbePorts, Protocol, ValueError, parse_host_port, parse_unix_path,
};

use crate::cli::Usage;

/// As many addresses as IPv4 has: more are never probed.
const MOST: u128 = 1 << 32;

/// Whose ports are probed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Party {
    /// A name or an address.
    Host(Host),
    /// Addresses that follow one another.
    Range(AddressRange),
}

/// Somebody to probe.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Wanted {
    /// Whom.
    pub(crate) party: Party,
    /// Which ports.
    pub(crate) ports: Arc<ProbePorts>,
}

/// Where more targets are listed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum List {
    /// A file.
    File(PathBuf),
    /// Our stdin.
    Stdin,
}

/// All that is to be probed, as far as it is read.
#[derive(Debug, Default)]
pub(crate) struct Request {
    /// Each host once, with all its ports.
    pub(crate) wanted: Vec<Wanted>,
    /// Unix sockets.
    pub(crate) paths: Vec<PathBuf>,
    /// The first target that has no ports of its own where none are given for all.
    pub(crate) without_ports: Option<String>,
    /// What is still to be read.
    pub(crate) lists: Vec<List>,
    /// The ports of those that have none of their own.
    ports: Arc<ProbePorts>,
    /// Whether the user named them.
    is_given: bool,
    /// Whether somebody has ports of their own.
    has_own: bool,
    /// Ports that nobody is asked.
    excluded: ProbePorts,
    /// The transport of ports that name none.
    protocol: Option<Protocol>,
    /// Where each host is.
    known: HashMap<Host, usize>,
}

impl FromStr for Party {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let bracketed = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
        let inner = bracketed.unwrap_or(text);
        if is_range(inner) {
            return inner.parse().map(Self::Range);
        }
        text.parse().map(Self::Host)
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(host) => host.bracketed().fmt(f),
            Self::Range(range) => range.fmt(f),
        }
    }
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Stdin => f.write_str("stdin"),
        }
    }
}

impl Request {
    /// Nothing yet; who has no ports of their own is asked these.
    pub(super) fn new(
        ports: &ProbePorts,
        excluded: Option<ProbePorts>,
        protocol: Protocol,
        is_given: bool,
    ) -> Result<Self, Usage> {
        let excluded = excluded.unwrap_or_default();
        Ok(Self {
            ports: Arc::new(probed(ports, &excluded)?),
            excluded,
            protocol: Some(protocol),
            is_given,
            ..Self::default()
        })
    }

    /// Takes a word of the command line.
    pub(super) fn add_word(&mut self, word: &str) -> Result<(), Usage> {
        match (word, word.strip_prefix('@')) {
            ("-", _) => self.lists.push(List::Stdin),
            (_, Some("")) => return Err(Usage::new("write the file behind the @: @hosts.txt")),
            (_, Some(path)) => self.lists.push(List::File(path.into())),
            _ => return self.add(word),
        }
        Ok(())
    }

    /// Takes what a list says: targets separated by spaces or ends of lines, and comments. One that
    /// names nobody is the wrong one.
    pub(crate) fn add_list(&mut self, list: &List, text: &[u8]) -> Result<(), Usage> {
        let mut names_any = false;
        for (number, line) in text.split(|byte| *byte == b'\n').enumerate() {
            let result = match std::str::from_utf8(line) {
                Ok(line) => self.add_line(line),
                Err(_) => Err(Usage::new("it is not UTF-8")),
            };
            let number = number.saturating_add(1);
            let placed = |error| Usage::new(format!("line {number} of {list}: {error}"));
            names_any |= result.map_err(placed)?;
        }
        if !names_any {
            return Err(Usage::new(format!("{list} names no target")));
        }
        self.check_number()
    }

    /// Refuses more addresses than can be told apart.
    pub(super) fn check_number(&self) -> Result<(), Usage> {
        let count = |wanted: &Wanted| match &wanted.party {
            Party::Host(_) => 1,
            Party::Range(range) => range.span().saturating_add(1),
        };
        let counts = self.wanted.iter().map(count);
        if counts.fold(0, u128::saturating_add) > MOST {
            return Err(Usage::new(format!(
                "the targets are more than {MOST} addresses, as many as IPv4 has"
            )));
        }
        Ok(())
    }

    /// Gives link-local addresses without a zone the interface that everything leaves by, and
    /// refuses those of another link.
    pub(crate) fn bind(&mut self, binding: &Binding) -> Result<(), Usage> {
        let Some(interface) = &binding.interface else {
            return Ok(());
        };
        for wanted in &mut self.wanted {
            let Party::Host(Host::V6(address, zone)) = &mut wanted.party else {
                continue;
            };
            match zone {
                Some(zone) if !binding.reaches(zone) => {
                    return Err(Usage::new(format!(
                        "--interface {interface} does not lead to {address}%{zone}"
                    )));
                }
                None if address.is_unicast_link_local() => *zone = Some(interface.to_string()),
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether anybody names ports, so that they are not only those that are common.
    pub(crate) fn names_ports(&self) -> bool {
        self.is_given || self.has_own
    }

    /// Takes a line of a list, and tells whether it names anybody. A `#` that begins a word begins
    /// a comment.
    fn add_line(&mut self, line: &str) -> Result<bool, Usage> {
        let mut names_any = false;
        let words = line.split_whitespace();
        for word in words.take_while(|word| !word.starts_with('#')) {
            if word == "-" || word.starts_with('@') {
                return Err(Usage::new(format!("a list names no other list: {word:?}")));
            }
            self.add(word)?;
            names_any = true;
        }
        Ok(names_any)
    }

    /// Takes a target, perhaps with ports of its own; a host that is named twice gets both.
    fn add(&mut self, word: &str) -> Result<(), Usage> {
        if let Some(path) = word.strip_prefix("unix:") {
            let path = parse_unix_path(path.as_ref())?;
            if !self.paths.contains(&path) {
                self.paths.push(path);
            }
            return Ok(());
        }
        let named = split_transport(word).filter(|(_, rest)| split_ports(rest).is_some());
        let (protocol, rest) = match named {
            Some((protocol, rest)) => (protocol, rest),
            None => (self.protocol.unwrap_or(Protocol::Tcp), word),
        };
        let (party, ports) = if let Some((party, ports)) = split_ports(rest) {
            let ports = probed(&ProbePorts::read(ports, protocol)?, &self.excluded)?;
            self.has_own = true;
            (party.parse()?, Arc::new(ports))
        } else {
            if !self.is_given {
                refuse_unsure_port(rest)?;
            }
            if !self.is_given && self.without_ports.is_none() {
                self.without_ports = Some(word.to_owned());
            }
            (word.parse()?, self.ports.clone())
        };
        if let Party::Host(host) = &party {
            let number = *self.known.entry(host.clone()).or_insert(self.wanted.len());
            if let Some(known) = self.wanted.get_mut(number) {
                if known.ports != ports {
                    known.ports = Arc::new(known.ports.with(&ports));
                }
                return Ok(());
            }
        }
        self.wanted.push(Wanted { party, ports });
        Ok(())
    }
}

/// Reads whom nobody asks: without ports, which are left out for all alike.
pub(super) fn excluded(text: &str) -> Result<Party, String> {
    if let Some((party, ports)) = split_ports(text)
        && party.parse::<Party>().is_ok()
    {
        return Err(format!(
            "it has ports; write {party}, or leave ports out with --exclude-ports {ports}"
        ));
    }
    super::value::<Party>(text)
}

/// Refuses `::1:80`: nobody has that address, and somebody means port 80 of `::1`.
fn refuse_unsure_port(word: &str) -> Result<(), Usage> {
    let is_meant = word.rsplit_once(':').is_some_and(|(host, port)| {
        host.parse() == Ok(Ipv6Addr::LOCALHOST) && port.bytes().all(|b| b.is_ascii_digit())
    });
    match parse_host_port(word) {
        Err(error) if is_meant => Err(error.into()),
        _ => Ok(()),
    }
}

/// Whether a word is meant as a network or a range. A name may have a `-` in it, too.
fn is_range(text: &str) -> bool {
    let before = text.split_once('-').map(|(before, _)| before);
    let is_span = before.is_some_and(|before| before.parse::<IpAddr>().is_ok());
    is_span || text.contains('/') && !text.contains("://")
}

/// What is left of a list of ports to probe.
fn probed(ports: &ProbePorts, excluded: &ProbePorts) -> Result<ProbePorts, Usage> {
    let ports = ports.without(excluded).probed()?;
    if ports.is_empty() {
        return Err(Usage::new("--exclude-ports leaves no port to probe"));
    }
    Ok(ports)
}

/// The transport that stands before a whole target, as messages write it (`udp://host:53`) or as in
/// a list of ports (`u:host:53`), and the target behind it.
fn split_transport(word: &str) -> Option<(Protocol, &str)> {
    let prefixes = [
        ("udp://", Protocol::Udp),
        ("tcp://", Protocol::Tcp),
        ("u:", Protocol::Udp),
        ("t:", Protocol::Tcp),
    ];
    prefixes
        .into_iter()
        .find_map(|(prefix, protocol)| Some((protocol, word.strip_prefix(prefix)?)))
}

/// Splits `host:ports` and `[address]:ports`; more than one colon without brackets is an address.
pub(super) fn split_ports(word: &str) -> Option<(&str, &str)> {
    if word.contains("://") {
        return None;
    }
    if word.starts_with('[') {
        let (address, ports) = word.split_once("]:")?;
        let bracketed = word.get(..address.len().saturating_add(1))?;
        return Some((bracketed, ports));
    }
    let (host, ports) = word.split_once(':')?;
    // No group of an IPv6 address is a t or a u.
    let bare = |item: &str| {
        let named = item.strip_prefix("t:").or(item.strip_prefix("u:"));
        !named.unwrap_or(item).contains(':')
    };
    ports.split(',').all(bare).then_some((host, ports))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_list_says_is_read_or_refused() {
        crate::replay::replay("target_list", |bytes| {
            let ports = "22".parse().unwrap();
            let mut request = Request::new(&ports, None, Protocol::Tcp, true).unwrap();
            let _ = request.add_list(&List::File("hosts".into()), bytes);
        });
    }

    /// What a list means, or what is wrong with it.
    fn read(text: &str) -> Result<String, String> {
        let ports = "22".parse().unwrap();
        let mut request = Request::new(&ports, None, Protocol::Tcp, true).unwrap();
        let list = List::File("hosts".into());
        let result = request.add_list(&list, text.as_bytes());
        result.map_err(|error| error.to_string())?;
        let text = |wanted: &Wanted| format!("{}:{}", wanted.party, wanted.ports);
        Ok(request
            .wanted
            .iter()
            .map(text)
            .collect::<Vec<_>>()
            .join(" "))
    }

    #[test]
    fn a_list_has_targets_and_comments() {
        let text = "# all of them\nh1\r\n  h2:80,443 10.0.0.0/24\t#the lab\n\n10.0.0.1-9:1\n[fd00::/120]:7";
        let meaning = "h1:22 h2:80,443 10.0.0.0/24:22 10.0.0.1-10.0.0.9:1 fd00::/120:7";
        assert_eq!(read(text).as_deref(), Ok(meaning));
        assert_eq!(read("h1 h1:80").as_deref(), Ok("h1:22,80"));
    }

    #[test]
    fn a_mistake_in_a_list_is_told_with_its_line() {
        for (text, hint) in [
            (
                "h1\n10.0.0.1/24\n",
                "line 2 of hosts: invalid network \"10.0.0.1/24\"",
            ),
            ("\n\nh1 h2:0", "line 3 of hosts: invalid port"),
            ("10.0.0.9-1", "line 1 of hosts: invalid range"),
            ("@more", "a list names no other list"),
            ("::/64", "more than 4294967296 addresses"),
            ("", "hosts names no target"),
            ("\n# nobody\n", "hosts names no target"),
        ] {
            let error = read(text).expect_err(text);
            assert!(error.contains(hint), "{text}: {error}");
        }
    }
}
