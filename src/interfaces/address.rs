//! An address of an interface.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use crate::net::is_link_local;
use crate::value::Host;

/// An address of an interface.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InterfaceAddress {
    /// The address itself.
    pub address: IpAddr,
    /// How many leading bits name the network.
    pub prefix: u8,
    /// Where a packet for the whole IPv4 network goes.
    pub broadcast: Option<IpAddr>,
    /// The other end of a point-to-point link; the prefix is then that of its network.
    pub peer: Option<IpAddr>,
    /// How far the address is valid.
    pub scope: Option<Scope>,
    /// The interface that a link-local IPv6 address needs to mean anything (RFC 4007): its name, or
    /// its index where that name cannot stand in an address.
    pub zone: Option<String>,
    /// A name of its own that an IPv4 address has, as `eth0:1`; not that of the interface.
    pub label: Option<String>,
    /// What is special about it.
    pub flags: Option<Vec<AddressFlag>>,
    /// How long it is still valid; `None` is for ever, or unknown.
    pub valid: Option<Duration>,
    /// How long it is still used for new connections; `None` is for ever, or unknown.
    pub preferred: Option<Duration>,
}

impl InterfaceAddress {
    /// An address of the interface with this name and index, of which nothing else is known.
    pub(crate) fn new(address: IpAddr, prefix: u8, (name, index): (&str, u32)) -> Self {
        let zoned = matches!(address, IpAddr::V6(address) if is_link_local(address));
        Self {
            address,
            prefix,
            broadcast: None,
            peer: None,
            scope: None,
            zone: zoned.then(|| Host::zone(name, index)),
            label: None,
            flags: None,
            valid: None,
            preferred: None,
        }
    }
}

/// The address with what it needs to be used on this machine, and its prefix:
/// `192.0.2.2/24`, `fe80::1%eth0/64`.
impl fmt::Display for InterfaceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.zone {
            Some(zone) => write!(f, "{}%{zone}/{}", self.address, self.prefix),
            None => write!(f, "{}/{}", self.address, self.prefix),
        }
    }
}

/// How far an address is valid.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scope {
    /// Everywhere.
    Global,
    /// Within a site.
    Site,
    /// On one link.
    Link,
    /// Inside this machine.
    Host,
    /// Nowhere.
    Nowhere,
    /// One that an administrator made up (`rt_scopes` in iproute2).
    Other(u8),
}

impl Scope {
    /// The word for it.
    #[must_use]
    pub fn name(self) -> Cow<'static, str> {
        match self {
            Self::Global => "global".into(),
            Self::Site => "site".into(),
            Self::Link => "link".into(),
            Self::Host => "host".into(),
            Self::Nowhere => "nowhere".into(),
            Self::Other(number) => number.to_string().into(),
        }
    }
}

/// What is special about an address (ip-address(8) has the same words).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum AddressFlag {
    /// Not the first IPv4 address of its network: new connections leave from the first.
    Secondary,
    /// An IPv6 address for privacy, replaced now and then (RFC 8981).
    Temporary,
    /// Not checked for duplicates.
    NoDad,
    /// In use although the check for duplicates is not over (RFC 4429).
    Optimistic,
    /// Somebody else has it: it is not used.
    DadFailed,
    /// The home address of a mobile node (RFC 6275).
    Home,
    /// Not used for new connections any more.
    Deprecated,
    /// Not usable yet: the check for duplicates is not over.
    Tentative,
    /// Given by the network, for a time.
    Dynamic,
    /// Temporary addresses are made from it.
    ManagesTemporary,
    /// Its network is not entered in the routing table.
    NoPrefixRoute,
    /// Multicast groups are joined for it.
    AutoJoin,
    /// Made so that it says nothing about the hardware (RFC 7217).
    StablePrivacy,
}

impl AddressFlag {
    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Secondary => "secondary",
            Self::Temporary => "temporary",
            Self::NoDad => "nodad",
            Self::Optimistic => "optimistic",
            Self::DadFailed => "dadfailed",
            Self::Home => "home",
            Self::Deprecated => "deprecated",
            Self::Tentative => "tentative",
            Self::Dynamic => "dynamic",
            Self::ManagesTemporary => "mngtmpaddr",
            Self::NoPrefixRoute => "noprefixroute",
            Self::AutoJoin => "autojoin",
            Self::StablePrivacy => "stable-privacy",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_local_address_can_be_pasted() {
        let text = |address: &str, prefix| {
            InterfaceAddress::new(address.parse().unwrap(), prefix, ("eth0", 2)).to_string()
        };
        assert_eq!(text("fe80::1", 64), "fe80::1%eth0/64");
        assert_eq!(text("fd00::1", 64), "fd00::1/64");
        assert_eq!(text("169.254.1.1", 16), "169.254.1.1/16");
    }
}
