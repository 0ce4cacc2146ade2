//! Names of ports: those of `/etc/services`, then those we know ourselves.

use super::service_table::KNOWN;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::sync::OnceLock;

/// The file of names, as services(5) describes it.
const FILE: &str = "/etc/services";
/// The most of the file that is read, in bytes: a real one has tens of thousands.
const FILE_MAX: u64 = 4 << 20;

/// A transport that has ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// The port of a service, its name in any case; where TCP and UDP differ, that of TCP.
#[must_use]
pub fn port_of(name: &str) -> Option<u16> {
    let name = name.to_ascii_lowercase();
    installed().port_of(&name).or_else(|| known_port(&name))
}

/// The port of a UDP service, its name in any case.
#[must_use]
pub fn port_of_udp(name: &str) -> Option<u16> {
    let name = name.to_ascii_lowercase();
    let installed = installed().ports.get(&(name.clone(), Protocol::Udp));
    installed.copied().or_else(|| port_of(&name))
}

/// The name of the service that has `port`.
#[must_use]
pub fn name_of(port: u16, protocol: Protocol) -> Option<&'static str> {
    let installed = installed().names.get(&(port, protocol));
    installed
        .map(String::as_str)
        .or_else(|| known_name(port, protocol))
}

/// What `/etc/services` says, read once; nothing if it cannot be read.
fn installed() -> &'static Services {
    static INSTALLED: OnceLock<Services> = OnceLock::new();
    INSTALLED.get_or_init(|| Services::parse(&read_file().unwrap_or_default()))
}

/// Reads the file, whatever is in it.
fn read_file() -> io::Result<String> {
    let mut bytes = Vec::new();
    // Opening a FIFO would wait for its writer.
    if std::fs::metadata(FILE)?.is_file() {
        File::open(FILE)?.take(FILE_MAX).read_to_end(&mut bytes)?;
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The table in both directions.
#[derive(Debug, Default)]
struct Services {
    /// From a name or alias in lower case.
    ports: HashMap<(String, Protocol), u16>,
    /// To the first name.
    names: HashMap<(u16, Protocol), String>,
}

impl Services {
    /// Reads the lines that make sense; of two that disagree the first counts.
    fn parse(text: &str) -> Self {
        let mut services = Self::default();
        text.lines()
            .for_each(|line| services.add_line(line).unwrap_or_default());
        services
    }

    /// Adds `name port/protocol alias...`; what is no such line is `None`, and passed over.
    fn add_line(&mut self, line: &str) -> Option<()> {
        let line = line.split('#').next()?;
        let mut words = line.split_ascii_whitespace();
        let name = words.next().filter(|name| is_printable(name))?;
        let (port, protocol) = parse_port(words.next()?)?;
        self.names
            .entry((port, protocol))
            .or_insert_with(|| name.to_owned());
        for name in std::iter::once(name).chain(words.filter(|alias| is_printable(alias))) {
            self.ports
                .entry((name.to_ascii_lowercase(), protocol))
                .or_insert(port);
        }
        Some(())
    }

    /// The port of a name in lower case.
    fn port_of(&self, name: &str) -> Option<u16> {
        let port = |protocol| self.ports.get(&(name.to_owned(), protocol)).copied();
        port(Protocol::Tcp).or_else(|| port(Protocol::Udp))
    }
}

/// Reads `port/protocol`; other protocols have no place here.
fn parse_port(text: &str) -> Option<(u16, Protocol)> {
    let (port, protocol) = text.split_once('/')?;
    let protocol = match protocol {
        "tcp" => Protocol::Tcp,
        "udp" => Protocol::Udp,
        _ => return None,
    };
    Some((port.parse().ok()?, protocol))
}

/// Whether a name can be shown as it is.
fn is_printable(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_graphic())
}

/// The port of a name in lower case, in our own table.
fn known_port(name: &str) -> Option<u16> {
    let known = KNOWN.iter().find(|(known, ..)| *known == name);
    known.map(|(_, port, _)| *port)
}

/// The name of a port, in our own table.
fn known_name(port: u16, protocol: Protocol) -> Option<&'static str> {
    let known = KNOWN
        .iter()
        .find(|(_, known, carrier)| *known == port && carrier.has(protocol));
    known.map(|(name, ..)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    #[test]
    fn well_known_names_have_their_ports() {
        for (name, port) in [
            ("ssh", 22),
            ("HTTPS", 443),
            ("domain", 53),
            ("postgresql", 5432),
        ] {
            assert_eq!(port_of(name), Some(port), "{name}");
        }
        assert_eq!(port_of("nosuchsvc"), None);
        assert_eq!(port_of(""), None);
        assert_eq!(name_of(22, Protocol::Tcp), Some("ssh"));
        assert_eq!(name_of(1, Protocol::Udp), None);
    }

    #[test]
    fn a_file_reads_as_services_describes_it() {
        let services = Services::parse(
            "# comment\n\
             www 8000/tcp web WWW-Alt # the first counts\n\
             other 8000/tcp\n\
             www 9000/tcp\n\
             both 1/udp\n\
             both\t2/tcp\r\n\
             datagrams 3/udp\n",
        );
        assert_eq!(services.port_of("www"), Some(8000));
        assert_eq!(services.port_of("www-alt"), Some(8000));
        assert_eq!(services.port_of("other"), Some(8000));
        assert_eq!(services.port_of("both"), Some(2));
        assert_eq!(services.port_of("datagrams"), Some(3));
        let name = |port, protocol| services.names.get(&(port, protocol)).map(String::as_str);
        assert_eq!(name(8000, Protocol::Tcp), Some("www"));
        assert_eq!(name(8000, Protocol::Udp), None);
    }

    #[test]
    fn lines_that_make_no_sense_are_passed_over() {
        let services = Services::parse(
            "alone\na 80\nb tcp/80\nc 65536/tcp\nd -1/tcp\ne 5/sctp\n\x1b[31m 6/tcp\n\
             f\u{fffd} 7/tcp\n / /\n#\n\n\0\ng 8/tcp \x1b[31m",
        );
        assert_eq!(services.ports.len(), 1);
        assert_eq!(services.port_of("g"), Some(8));
    }

    #[test]
    fn our_own_table_has_each_name_once_in_order() {
        let names: HashSet<_> = KNOWN.iter().map(|(name, ..)| *name).collect();
        assert_eq!(names.len(), KNOWN.len());
        assert!(KNOWN.is_sorted_by_key(|(_, port, _)| *port));
        assert!(
            names
                .iter()
                .all(|name| is_printable(name) && *name == name.to_ascii_lowercase())
        );
        assert_eq!(known_port("redis"), Some(6379));
        assert_eq!(known_name(514, Protocol::Udp), Some("syslog"));
        assert_eq!(known_name(514, Protocol::Tcp), Some("shell"));
        assert_eq!(known_name(22, Protocol::Udp), None);
        assert_eq!(known_name(5900, Protocol::Tcp), Some("rfb"));
    }

    proptest! {
        #[test]
        fn any_file_gives_names_that_can_be_shown(
            text in "([a-z\u{1b}\u{e9}#]{0,3}[ \t]{0,2}[0-9]{0,6}/?(tcp|udp|sctp)?[ \t]?[a-z]{0,3}\n){0,9}",
        ) {
            let services = Services::parse(&text);
            prop_assert!(services.names.values().all(|name| is_printable(name)));
            let known = |((_, protocol), name): (&(u16, Protocol), &String)| {
                services.ports.contains_key(&(name.to_ascii_lowercase(), *protocol))
            };
            prop_assert!(services.names.iter().all(known));
            prop_assert!(services.ports.keys().all(|(name, _)| is_printable(name)));
        }

        #[test]
        fn any_name_is_known_or_not(name in any::<String>()) {
            prop_assert_eq!(port_of(&name), port_of(&name.to_ascii_uppercase()));
        }
    }
}
