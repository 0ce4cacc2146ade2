//! Which words of `nettool probe` are targets, and which are ports.

use nettool::value::ProbePorts;

use super::asking::WrittenPorts;
use super::targets::split_ports;
use super::{ProbeArgs, Usage};

impl ProbeArgs {
    /// The words that are targets, and the ports of those that have none of their own.
    pub(super) fn words_and_ports(&self) -> Result<(&[String], ProbePorts), Usage> {
        let protocol = self.asking.protocol();
        if let Some(ports) = &self.ports {
            check_given_twice(&self.words)?;
            return Ok((&self.words, ports.of(protocol).clone()));
        }
        let common = (self.words.as_slice(), ProbePorts::common(protocol));
        let Some((last, rest)) = self.words.split_last().filter(|(_, rest)| !rest.is_empty())
        else {
            return Ok(common);
        };
        match last.parse::<WrittenPorts>() {
            Ok(ports) => {
                check_one_list(&self.words)?;
                check_bare_service(last, rest)?;
                Ok((rest, ports.of(protocol).clone()))
            }
            Err(error) if looks_like_ports(last) => Err(error.into()),
            Err(_) => {
                check_order(&self.words)?;
                check_dots(last)?;
                Ok(common)
            }
        }
    }
}

/// Ports among the targets, where an option has named them.
fn check_given_twice(words: &[String]) -> Result<(), Usage> {
    match words.iter().find(|word| looks_like_ports(word)) {
        None => Ok(()),
        Some(word) => Err(Usage::new(format!(
            "{word:?} is no target: all ports stand in one word after --ports, as 22,80"
        ))),
    }
}

/// Ports before the last target.
fn check_order(words: &[String]) -> Result<(), Usage> {
    let (ports, targets): (Vec<&String>, Vec<&String>) =
        words.iter().partition(|word| looks_like_ports(word));
    if ports.is_empty() {
        return Ok(());
    }
    let join = |words: Vec<&String>, mark| {
        let words: Vec<&str> = words.into_iter().map(String::as_str).collect();
        words.join(mark)
    };
    Err(Usage::new(format!(
        "the ports stand last: nettool probe {} {}",
        join(targets, " "),
        join(ports, ",")
    )))
}

/// A range as some languages write it.
fn check_dots(word: &str) -> Result<(), Usage> {
    let is_number = |text: &str| text.parse::<u16>().is_ok();
    match word.split_once("..") {
        Some((first, last)) if is_number(first) && is_number(last) => Err(Usage::new(format!(
            "{word:?} is no range of ports: write {first}-{last}"
        ))),
        _ => Ok(()),
    }
}

/// Ports in several words are probably meant as one list.
fn check_one_list(words: &[String]) -> Result<(), Usage> {
    let is_list = |word: &&String| looks_like_ports(word) && word.parse::<WrittenPorts>().is_ok();
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
/// numbers; but the ports of a target of its own may have some.
fn looks_like_ports(word: &str) -> bool {
    let prefix = PREFIXES.into_iter().find_map(|p| word.strip_prefix(p));
    let word = prefix.unwrap_or(word);
    let is_target = split_ports(word).is_some_and(|(host, _)| !host.contains(','));
    word != "-"
        && !word.starts_with('@')
        && !is_target
        && (word.contains(',') || word.chars().all(|c| c.is_ascii_digit() || c == '-'))
}

/// What stands before ports of one transport.
const PREFIXES: [&str; 4] = ["t:", "T:", "u:", "U:"];

#[cfg(test)]
mod tests {
    use crate::cli::Wanted;
    use crate::cli::{Arguments, Command};
    use clap::Parser as _;
    use nettool::value::{ProbePorts, Protocol};

    /// What the words after `nettool probe` mean: `host:ports` each.
    fn read(words: &str) -> Result<String, String> {
        let words = ["nettool", "probe"].into_iter().chain(words.split(' '));
        let line = Arguments::try_parse_from(words).map_err(|error| error.to_string())?;
        let Command::Probe(probe) = line.command else {
            return Err("another command".to_owned());
        };
        let request = probe.request().map_err(|error| error.to_string())?;
        let commons = [(Protocol::Tcp, "common"), (Protocol::Udp, "u:common")];
        let ports = |list: &ProbePorts| {
            let is_it = |(protocol, _): &&(_, _)| ProbePorts::common(*protocol) == *list;
            let common = commons.iter().find(is_it);
            common.map_or_else(|| list.to_string(), |(_, name)| (*name).to_owned())
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
            ("h t:22,u:53,443", "h:22,u:53,443"),
            ("h1 h2 u:53", "h1:u:53 h2:u:53"),
            ("u:53", "u:53"),
            ("-u h", "h:u:common"),
            ("-u h1 h2 t:80,u:53", "h1:80,u:53 h2:80,u:53"),
            ("-u h 53,t:80", "h:80,u:53"),
            ("-u h:53 [::1]:u:5,t:6 7", "h:u:53 [::1]:6,u:5"),
            ("h:u:53,t:80 9", "h:80,u:53"),
            ("h:80 h:u:80 9", "h:80,u:80"),
            ("h1 h2:22,80", "h1:common h2:22,80"),
            ("h u:[::1]:53,54", "h:common [::1]:u:53-54"),
            ("u:h:53,t:80 udp://h2:1 9", "h:80,u:53 h2:u:1"),
            ("-u tcp://[::1]:22 t:h:22,80", "[::1]:22 h:22,80"),
            (
                "h 20-30,u:20-30 --exclude-ports 22-29",
                "h:20-21,30,u:20-21,30",
            ),
            ("h 20-22,u:20-22 --exclude-ports u:20-21", "h:20-22,u:22"),
        ] {
            assert_eq!(read(words).as_deref(), Ok(meaning), "{words}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_explained() {
        for (words, hint) in [
            ("h 22 80", "write 22,80"),
            ("22 h", "nettool probe h 22"),
            ("22,80 443 h1 h2", "nettool probe h1 h2 22,80,443"),
            ("-p 22 h 80", "as 22,80"),
            ("h 1..100", "write 1-100"),
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
            ("-u --connect-ex h 53", "--udp"),
            ("--connect-ex h 22,u:53", "over UDP"),
            ("h u:53 u:54", "write u:53,u:54"),
            ("h u:0", "port 0 cannot be probed"),
            ("h 22,x:53", "x:53"),
            ("u:h", "known service"),
            ("h udp://h2", "URL"),
        ] {
            let error = read(words).expect_err(words);
            assert!(error.contains(hint), "{words}: {error}");
        }
    }
}
