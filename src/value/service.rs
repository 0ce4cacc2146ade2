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
        for name in std::iter::once(name).chain(words) {
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
