//! A multicast group.

use std::fmt::{self, Display, Formatter};
use std::net::IpAddr;
use std::str::FromStr;

use super::ValueError;

/// The forms that a message offers.
const ACCEPTED: &str = "GROUP or GROUP%INTERFACE: 239.1.2.3, ff02::fb%eth0";

/// A group that datagrams are sent to, and the interface that they come by.
///
/// Read from `GROUP` or `GROUP%INTERFACE`, the interface by its name or its number.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Group {
    /// The group's address.
    pub address: IpAddr,
    /// The interface; none is the system's choice.
    pub interface: Option<String>,
}

impl FromStr for Group {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let refuse = |problem| Err(ValueError::new("group", text, problem, ACCEPTED));
        let (address, interface) = match text.split_once('%') {
            Some((_, "")) => return refuse("the interface is missing"),
            Some((address, interface)) => (address, Some(interface.to_owned())),
            None => (text, None),
        };
        let bare = address
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        match bare.unwrap_or(address).parse::<IpAddr>() {
            Ok(address) if address.is_multicast() => Ok(Self { address, interface }),
            Ok(_) => refuse("that is no address of a group"),
            Err(_) => refuse("that is no address"),
        }
    }
}

impl Display for Group {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)?;
        match &self.interface {
            Some(interface) => write!(f, "%{interface}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_read_as_they_are_written() {
        for text in ["239.1.2.3", "224.0.0.251%eth0", "ff02::fb%2", "ff05::2"] {
            assert_eq!(text.parse::<Group>().unwrap().to_string(), text);
        }
        assert_eq!(
            "[ff02::1]%lo".parse::<Group>().unwrap().to_string(),
            "ff02::1%lo"
        );
        for text in [
            "",
            "10.0.0.1",
            "fe80::1%eth0",
            "239.1.2.3%",
            "name",
            "224.1",
        ] {
            assert!(text.parse::<Group>().is_err(), "{text}");
        }
    }
}
