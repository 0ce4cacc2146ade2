//! A network of addresses.

use super::{ValueError, port};
use std::fmt::{self, Display, Formatter};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;
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
    /// The network of `prefix` bits that `addr` is in; none if the address has fewer bits, or is
    /// IPv4-mapped and the prefix ends before the bits that say so.
    #[must_use]
    pub fn new(addr: IpAddr, prefix: u8) -> Option<Self> {
        let prefixes = prefixes(addr);
        if !prefixes.contains(&prefix) {
            return None;
        }
        let prefix = prefix.saturating_sub(*prefixes.start());
        let network = mask(addr.to_canonical(), prefix);
        Some(Self { network, prefix })
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
            let (first, last) = prefixes(addr).into_inner();
            let problem = format!("the prefix is no number from {first} to {last}");
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

/// The prefixes that `addr` can have, as it is written.
fn prefixes(addr: IpAddr) -> RangeInclusive<u8> {
    match addr {
        IpAddr::V4(_) => 0..=32,
        IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some() => MAPPED..=128,
        IpAddr::V6(_) => 0..=128,
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

#[cfg(test)]
mod tests {
    use super::super::testing::{any_text, assert_reads, assert_refused, check, check_round_trip};
    use super::*;
    use proptest::prelude::*;

    /// Whether the address is in the network; `None` if either does not read.
    fn contains(cidr: &str, addr: &str) -> Option<bool> {
        Some(cidr.parse::<Cidr>().ok()?.contains(addr.parse().ok()?))
    }

    #[test]
    fn networks_read() {
        assert_reads::<Cidr>(&[
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("192.0.2.1", "192.0.2.1/32"),
            ("192.0.2.1/32", "192.0.2.1/32"),
            ("::1", "::1/128"),
            ("::/0", "::/0"),
            ("FD00::/8", "fd00::/8"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
            ("::ffff:10.1.2.3", "10.1.2.3/32"),
            ("::ffff:0:0/96", "0.0.0.0/0"),
        ]);
    }

    #[test]
    fn what_is_no_network_is_refused() {
        let (v4, v6) = ("no number from 0 to 32", "no number from 0 to 128");
        assert_refused::<Cidr>(&[
            ("", "the address is empty"),
            ("/33", "the address is empty"),
            ("10.0.0.0/33", v4),
            ("::/129", v6),
            ("::ffff:10.0.0.0/8", "no number from 96 to 128"),
            ("10.0.0.0/", v4),
            ("10.0.0.0/08", v4),
            ("10.0.0.0/+8", v4),
            ("10.0.0.0/-1", v4),
            ("10.0.0.0/8/8", v4),
            ("10.0.0.0/256", v4),
            ("10.0.0.0/255.0.0.0", v4),
            ("10.0.0.0/ 8", v4),
            ("10.0.0.1/8", "write 10.0.0.0/8"),
            ("1.2.3.4/0", "write 0.0.0.0/0"),
            ("fd00::1/8", "write fd00::/8"),
            ("::ffff:10.0.0.1/104", "write 10.0.0.0/8"),
            ("010.0.0.0/8", "without leading zeros"),
            ("10.1", "not four decimal numbers"),
            ("[::1]", "not an IPv4 or IPv6 address"),
            ("fe80::1%eth0", "not an IPv4 or IPv6 address"),
            ("example.org/8", "not an IPv4 or IPv6 address"),
            ("\u{feff}10.0.0.0/8", "not an IPv4 or IPv6 address"),
            ("10.0.0.0/8\r", v4),
        ]);
    }

    #[test]
    fn addresses_are_compared_in_their_canonical_form() {
        assert_eq!(contains("10.0.0.0/8", "10.255.255.255"), Some(true));
        assert_eq!(contains("10.0.0.0/8", "11.0.0.0"), Some(false));
        assert_eq!(contains("10.0.0.0/8", "::ffff:10.1.1.1"), Some(true));
        assert_eq!(contains("::ffff:10.0.0.0/104", "10.1.1.1"), Some(true));
        assert_eq!(contains("0.0.0.0/0", "255.1.2.3"), Some(true));
        assert_eq!(contains("0.0.0.0/0", "::1"), Some(false));
        assert_eq!(contains("::/0", "::1"), Some(true));
        assert_eq!(contains("::/0", "10.0.0.1"), Some(false));
        assert_eq!(contains("::/0", "::ffff:10.0.0.1"), Some(false));
        assert_eq!(contains("::1", "::1"), Some(true));
        assert_eq!(contains("::1", "::2"), Some(false));
    }

    proptest! {
        #[test]
        fn any_text_is_read_back_or_refused(text in any_text()) {
            check::<Cidr>(&text)?;
        }

        #[test]
        fn a_network_reads_back_and_has_its_addresses(addr in any::<IpAddr>(), prefix in 0..=130_u8) {
            let cidr = Cidr::new(addr, prefix);
            prop_assert_eq!(cidr.is_some(), prefixes(addr).contains(&prefix));
            if let Some(cidr) = cidr {
                check_round_trip(&cidr)?;
                prop_assert!(cidr.contains(addr) && cidr.contains(cidr.network()));
            }
        }

        #[test]
        fn only_the_bits_of_the_prefix_count(bits in any::<u32>(), prefix in 0..=32_u8, flip in 0..32_u8) {
            let addr = |bits| IpAddr::V4(Ipv4Addr::from_bits(bits));
            let cidr = Cidr::new(addr(bits), prefix);
            let flipped = addr(bits ^ (1_u32 << (31 - flip)));
            prop_assert_eq!(cidr.map(|cidr| cidr.contains(flipped)), Some(flip >= prefix));
        }
    }
}
