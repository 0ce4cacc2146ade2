//! A network of addresses.

use super::{ValueError, port};
use std::fmt::{self, Display, Formatter};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// The forms that a message offers.
const ACCEPTED: &str = "an address such as 192.0.2.1 or a network such as 192.0.2.0/24 or fd00::/8";
/// The bits of an IPv6 address before those of an IPv4-mapped one (RFC 4291, section 2.5.5.2).
const MAPPED: u8 = 96;

/// The addresses that share a prefix (RFC 4632), compared in their canonical form: an IPv4-mapped
/// address is the IPv4 address.
///
/// Read from `address/prefix`, or a bare address, which is a network of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cidr {
    /// The first address; no bit beyond the prefix is set.
    network: IpAddr,
    /// The number of leading bits that count.
    prefix: u8,
}

impl Cidr {
    /// The network of `prefix` bits that `addr` is in; none if the address has fewer bits.
    #[must_use]
    pub fn new(addr: IpAddr, prefix: u8) -> Option<Self> {
        let (addr, prefix) = canonical(addr, prefix);
        (prefix <= width(addr)).then(|| Self {
            network: mask(addr, prefix),
            prefix,
        })
    }

    /// The first address.
    #[must_use]
    pub fn network(&self) -> IpAddr {
        self.network
    }

    /// The number of leading bits that count.
    #[must_use]
    pub fn prefix(&self) -> u8 {
        self.prefix
    }

    /// Whether `addr` is in the network.
    #[must_use]
    pub fn contains(&self, addr: IpAddr) -> bool {
        mask(addr.to_canonical(), self.prefix) == self.network
    }
}

impl From<IpAddr> for Cidr {
    fn from(addr: IpAddr) -> Self {
        let network = addr.to_canonical();
        Self {
            network,
            prefix: width(network),
        }
    }
}

impl FromStr for Cidr {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let Some((addr, prefix)) = text.split_once('/') else {
            return parse_addr(text, text).map(Self::from);
        };
        let addr = parse_addr(text, addr)?;
        let cidr = parse_prefix(prefix).and_then(|prefix| Self::new(addr, prefix));
        let Some(cidr) = cidr else {
            let problem = format!("the prefix is no number from 0 to {}", width(addr));
            return Err(refuse(text, problem));
        };
        if cidr.network != addr.to_canonical() {
            let problem = "bits are set beyond the prefix";
            return Err(ValueError::new("network", text, problem, cidr.to_string()));
        }
        Ok(cidr)
    }
}

impl Display for Cidr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix)
    }
}

/// Reads the address of `text`.
fn parse_addr(text: &str, addr: &str) -> Result<IpAddr, ValueError> {
    addr.parse().map_err(|_| match addr {
        "" => refuse(text, "the address is empty"),
        _ if addr.bytes().all(|b| b.is_ascii_digit() || b == b'.') => refuse(
            text,
            "not four decimal numbers of 0 to 255 without leading zeros",
        ),
        _ => refuse(text, "not an IPv4 or IPv6 address"),
    })
}

/// Reads plain digits without leading zeros.
fn parse_prefix(text: &str) -> Option<u8> {
    let zeros = text.len() > 1 && text.starts_with('0');
    (port::is_number(text) && !zeros).then(|| text.parse().ok())?
}

/// An IPv4-mapped network as the IPv4 network it is.
fn canonical(addr: IpAddr, prefix: u8) -> (IpAddr, u8) {
    match (addr.to_canonical(), prefix.checked_sub(MAPPED)) {
        (IpAddr::V4(v4), Some(prefix)) if addr.is_ipv6() => (IpAddr::V4(v4), prefix),
        _ => (addr, prefix),
    }
}

/// The number of bits of an address.
fn width(addr: IpAddr) -> u8 {
    match addr {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

/// The address with only its first `prefix` bits.
fn mask(addr: IpAddr, prefix: u8) -> IpAddr {
    let host_bits = u32::from(width(addr).saturating_sub(prefix));
    match addr {
        IpAddr::V4(addr) => {
            let mask = u32::MAX.checked_shl(host_bits).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from_bits(addr.to_bits() & mask))
        }
        IpAddr::V6(addr) => {
            let mask = u128::MAX.checked_shl(host_bits).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(addr.to_bits() & mask))
        }
    }
}

/// An error about `text` that offers both forms.
fn refuse(text: &str, problem: impl Into<String>) -> ValueError {
    ValueError::new("network", text, problem, ACCEPTED)
}
