//! The ports to probe, of TCP and of UDP.

use super::common_ports::COMMON_UDP;
use super::service::{self, Protocol};
use super::{PortList, ValueError};
use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

/// Ports of both transports in one list: `22,80,u:53,123,t:443`.
///
/// `t:` and `u:` hold for their item and for all that follow, up to the next prefix, as in nmap. The
/// items are those of a [`PortList`]; behind `u:` a name means the UDP service, and `common` the UDP
/// ports that most often answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ProbePorts {
    /// Ports that are asked over TCP.
    pub tcp: PortList,
    /// Ports that are asked over UDP.
    pub udp: PortList,
}

impl ProbePorts {
    /// Reads a list whose items up to the first prefix are ports of `protocol`.
    pub fn read(text: &str, protocol: Protocol) -> Result<Self, ValueError> {
        let mut protocol = protocol;
        let (mut tcp, mut udp) = (Vec::new(), Vec::new());
        for item in text.split(',') {
            let item = match prefix(item) {
                Some((named, rest)) => {
                    protocol = named;
                    rest
                }
                None => item,
            };
            match protocol {
                Protocol::Tcp => tcp.push(item.to_owned()),
                Protocol::Udp => udp.push(udp_item(item)),
            }
        }
        Ok(Self {
            tcp: list(&tcp)?,
            udp: list(&udp)?,
        })
    }

    /// The ports that are probed when none are given.
    #[must_use]
    pub fn common(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Tcp => Self::from(PortList::common()),
            Protocol::Udp => Self {
                tcp: PortList::default(),
                udp: COMMON_UDP.into_iter().collect(),
            },
        }
    }

    /// How many ports there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tcp.len().saturating_add(self.udp.len())
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tcp.is_empty() && self.udp.is_empty()
    }

    /// These ports but not those of `other`.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        Self {
            tcp: self.tcp.without(&other.tcp),
            udp: self.udp.without(&other.udp),
        }
    }

    /// These ports and those of `other`.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        let join = |a: &PortList, b: &PortList| a.iter().chain(b.iter()).collect();
        Self {
            tcp: join(&self.tcp, &other.tcp),
            udp: join(&self.udp, &other.udp),
        }
    }

    /// The ports to probe; see [`PortList::probed`].
    pub fn probed(&self) -> Result<Self, ValueError> {
        Ok(Self {
            tcp: self.tcp.probed()?,
            udp: self.udp.probed()?,
        })
    }
}

impl From<PortList> for ProbePorts {
    /// TCP alone.
    fn from(tcp: PortList) -> Self {
        Self {
            tcp,
            udp: PortList::default(),
        }
    }
}

impl FromStr for ProbePorts {
    type Err = ValueError;

    /// TCP, unless a prefix says otherwise.
    fn from_str(text: &str) -> Result<Self, ValueError> {
        Self::read(text, Protocol::Tcp)
    }
}

impl Display for ProbePorts {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match (self.tcp.is_empty(), self.udp.is_empty()) {
            (_, true) => self.tcp.fmt(f),
            (true, false) => write!(f, "u:{}", self.udp),
            (false, false) => write!(f, "{},u:{}", self.tcp, self.udp),
        }
    }
}

/// The transport that an item names, and the rest of it.
fn prefix(item: &str) -> Option<(Protocol, &str)> {
    let (prefix, rest) = item.split_once(':')?;
    match prefix {
        "t" | "T" => Some((Protocol::Tcp, rest)),
        "u" | "U" => Some((Protocol::Udp, rest)),
        _ => None,
    }
}

/// An item as [`PortList`] reads it, where what it names is UDP's.
fn udp_item(item: &str) -> String {
    if item.eq_ignore_ascii_case("common") {
        return ProbePorts::common(Protocol::Udp).udp.to_string();
    }
    match service::port_of_udp(item) {
        Some(port) => port.to_string(),
        None => item.to_owned(),
    }
}

/// The list of these items; none is no mistake.
fn list(items: &[String]) -> Result<PortList, ValueError> {
    if items.is_empty() {
        return Ok(PortList::default());
    }
    items.join(",").parse()
}

#[cfg(test)]
mod tests {
    use super::super::testing::any_text;
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str, protocol: Protocol) -> String {
        match ProbePorts::read(text, protocol) {
            Ok(ports) => ports.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_prefix_holds_until_the_next() {
        for (text, tcp, udp) in [
            ("22,80", "22,80", "u:22,80"),
            ("t:22,u:53,443", "22,u:53,443", "22,u:53,443"),
            ("53,t:22", "22,53", "22,u:53"),
            ("U:53,T:53", "53,u:53", "53,u:53"),
            ("u:ntp,domain", "u:53,123", "u:53,123"),
            ("u:1-3,2-5", "u:1-5", "u:1-5"),
            ("u:all", "u:1-65535", "u:1-65535"),
            (
                "t:all,u:well-known",
                "1-65535,u:well-known",
                "1-65535,u:well-known",
            ),
        ] {
            assert_eq!(read(text, Protocol::Tcp), tcp, "{text}");
            assert_eq!(read(text, Protocol::Udp), udp, "{text}");
        }
    }

    #[test]
    fn common_is_another_list_for_each() {
        let udp = ProbePorts::common(Protocol::Udp);
        assert_eq!("u:common".parse(), Ok(udp.clone()));
        assert!(udp.tcp.is_empty() && udp.udp.contains(161) && !udp.udp.contains(80));
        assert_eq!("common".parse(), Ok(ProbePorts::from(PortList::common())));
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for (text, hint) in [
            ("", "it is empty"),
            ("u:", "it is empty"),
            ("u:53,", "is empty"),
            ("u:53,,t:1", "is empty"),
            ("t:70000", "larger than"),
            ("u:5-3", "write 3-5"),
            ("x:5", "not a number"),
            ("u:nosuchsvc", "nosuchsvc"),
            ("u:u:5", "u:5"),
        ] {
            assert!(
                read(text, Protocol::Tcp).contains(hint),
                "{text}: {}",
                read(text, Protocol::Tcp)
            );
        }
    }

    proptest! {
        #[test]
        fn what_is_read_reads_back(text in any_text(), list in "([tu]:)?[0-9]{1,4}(,([tu]:)?[0-9]{1,4}){0,4}") {
            for text in [text, list] {
                for protocol in [Protocol::Tcp, Protocol::Udp] {
                    if let Ok(ports) = ProbePorts::read(&text, protocol) {
                        prop_assert_eq!(ports.to_string().parse(), Ok(ports));
                    }
                }
            }
        }
    }
}
