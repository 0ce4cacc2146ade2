//! Addresses with the zone that they may need.

use crate::sys::interface_name;
use crate::value::{Host, ValueError};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt::{self, Display, Formatter};
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

/// An address, with its zone where that is known: the name of an interface, or its number where it
/// has no name that can be read again (RFC 4007, section 11). Written `fe80::1%eth0`, in JSON too.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ScopedIp {
    /// The address.
    pub ip: IpAddr,
    /// Its zone.
    pub zone: Option<Arc<str>>,
}

impl ScopedIp {
    /// The address where a probe connects to, with the name of its zone.
    pub(super) fn new(address: SocketAddr, zone: impl FnOnce(u32) -> Option<Arc<str>>) -> Self {
        let zone = match scope_of(address) {
            0 => None,
            scope => Some(zone(scope).unwrap_or_else(|| scope.to_string().into())),
        };
        Self {
            ip: address.ip(),
            zone,
        }
    }

    /// With a port, as an endpoint is written: `[fe80::1%eth0]:22`.
    pub(super) fn with_port(&self, port: u16) -> String {
        match self.ip {
            IpAddr::V4(_) => format!("{self}:{port}"),
            IpAddr::V6(_) => format!("[{self}]:{port}"),
        }
    }
}

/// The number of the zone of an address, 0 for none.
pub(super) const fn scope_of(address: SocketAddr) -> u32 {
    match address {
        SocketAddr::V4(_) => 0,
        SocketAddr::V6(address) => address.scope_id(),
    }
}

/// What a zone is called, if there is an interface with its number.
pub(super) fn zone_name(scope: u32) -> Option<Arc<str>> {
    interface_name(scope).map(|name| Host::zone(&name, scope).into())
}

impl From<IpAddr> for ScopedIp {
    fn from(ip: IpAddr) -> Self {
        Self { ip, zone: None }
    }
}

impl From<SocketAddr> for ScopedIp {
    /// Asks the system for the name of the zone, if there is one.
    fn from(address: SocketAddr) -> Self {
        Self::new(address, zone_name)
    }
}

impl FromStr for ScopedIp {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        match text.parse()? {
            Host::V4(ip) => Ok(IpAddr::from(ip).into()),
            Host::V6(ip, zone) => Ok(Self {
                ip: ip.into(),
                zone: zone.map(Arc::from),
            }),
            Host::Name(_) => Err(ValueError::new(
                "address",
                text,
                "it is a name",
                "192.0.2.1, 2001:db8::1 or fe80::1%eth0",
            )),
        }
    }
}

impl Display for ScopedIp {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.zone {
            None => self.ip.fmt(f),
            Some(zone) => write!(f, "{}%{zone}", self.ip),
        }
    }
}

impl Serialize for ScopedIp {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ScopedIp {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_as_it_is_written() {
        for text in ["192.0.2.1", "2001:db8::1", "fe80::1%eth0", "fe80::1%2"] {
            let address: ScopedIp = text.parse().unwrap();
            assert_eq!(address.to_string(), text);
            assert_eq!(serde_json::to_value(&address).unwrap(), text);
        }
        for wrong in ["", "host", "192.0.2.1%eth0", "fe80::1%"] {
            assert!(wrong.parse::<ScopedIp>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_zone_without_a_name_is_its_number() {
        let scoped = |text: &str| ScopedIp::from(text.parse::<SocketAddr>().unwrap()).to_string();
        assert_eq!(scoped("[fe80::1%4294967295]:9"), "fe80::1%4294967295");
        assert_eq!(scoped("[fe80::1]:9"), "fe80::1");
        assert_eq!(scoped("192.0.2.1:9"), "192.0.2.1");
    }
}
