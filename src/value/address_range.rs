//! Addresses that follow one another.

use super::{Cidr, ValueError};
use std::fmt::{self, Display, Formatter};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// The forms that a message offers.
const ACCEPTED: &str =
    "a range such as 10.0.0.1-50 or 10.0.0.1-10.0.1.20, or a network such as 10.0.0.0/24";

/// All addresses from one to another, of one family. They are never listed: a /8 takes no more
/// room than one address.
///
/// Read from an address, `address/prefix`, `10.0.0.1-50` (of IPv4 the last number alone) or
/// `address-address`. The first and the last address of a network belong to it like all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AddressRange {
    first: IpAddr,
    last: IpAddr,
}

impl AddressRange {
    /// From `first` to `last`; nothing if that is backwards or of two families.
    #[must_use]
    pub fn new(first: IpAddr, last: IpAddr) -> Option<Self> {
        let fits = first.is_ipv4() == last.is_ipv4() && first <= last;
        fits.then_some(Self { first, last })
    }

    /// The first address.
    #[must_use]
    pub const fn first(&self) -> IpAddr {
        self.first
    }

    /// The last address.
    #[must_use]
    pub const fn last(&self) -> IpAddr {
        self.last
    }

    /// How many addresses come after the first.
    #[must_use]
    pub fn span(&self) -> u128 {
        bits(self.last).saturating_sub(bits(self.first))
    }

    /// The address that comes so many after the first, if it belongs to the range.
    #[must_use]
    pub fn nth(&self, number: u64) -> Option<IpAddr> {
        let number = u128::from(number);
        if number > self.span() {
            return None;
        }
        let bits = bits(self.first).checked_add(number)?;
        from_bits(bits, self.first)
    }

    /// Whether `address` is in the range; an IPv4-mapped one is the IPv4 address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.first.is_ipv4() && (self.first..=self.last).contains(&address)
    }

    /// What both ranges have.
    #[must_use]
    pub fn common(&self, other: &Self) -> Option<Self> {
        Self::new(self.first.max(other.first), self.last.min(other.last))
            .filter(|_| self.first.is_ipv4() == other.first.is_ipv4())
    }

    /// What lies before `other` and what lies behind it.
    #[must_use]
    pub fn without(&self, other: &Self) -> [Option<Self>; 2] {
        if self.common(other).is_none() {
            return [Some(*self), None];
        }
        let before = beside(other.first, u128::checked_sub);
        let behind = beside(other.last, u128::checked_add);
        [
            before.and_then(|last| Self::new(self.first, last)),
            behind.and_then(|first| Self::new(first, self.last)),
        ]
    }
}

impl From<IpAddr> for AddressRange {
    fn from(address: IpAddr) -> Self {
        let address = address.to_canonical();
        Self {
            first: address,
            last: address,
        }
    }
}

impl From<Cidr> for AddressRange {
    fn from(cidr: Cidr) -> Self {
        let (first, prefix) = (cidr.network(), u32::from(cidr.prefix()));
        let hosts = match first {
            IpAddr::V4(_) => u128::from(u32::MAX.checked_shr(prefix).unwrap_or(0)),
            IpAddr::V6(_) => u128::MAX.checked_shr(prefix).unwrap_or(0),
        };
        Self {
            first,
            last: from_bits(bits(first) | hosts, first).unwrap_or(first),
        }
    }
}

impl FromStr for AddressRange {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let Some((first, last)) = text.split_once('-') else {
            return text.parse::<Cidr>().map(Self::from);
        };
        let Ok(first) = first.parse::<IpAddr>() else {
            return Err(refuse(text, "what stands before the - is no address"));
        };
        let first = first.to_canonical();
        let Some(last) = last_address(first, last) else {
            return Err(refuse(
                text,
                "what stands behind the - is no address of the same family and no number from 0 to 255",
            ));
        };
        Self::new(first, last).ok_or_else(|| refuse(text, "it ends before it begins"))
    }
}

impl Display for AddressRange {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let size = self.span().wrapping_add(1);
        if self.first == self.last {
            return write!(f, "{}", self.first);
        }
        if (size == 0 || size.is_power_of_two()) && bits(self.first) & self.span() == 0 {
            let width: u32 = if self.first.is_ipv4() { 32 } else { 128 };
            let hosts = u128::BITS.saturating_sub(self.span().leading_zeros());
            return write!(f, "{}/{}", self.first, width.saturating_sub(hosts));
        }
        write!(f, "{}-{}", self.first, self.last)
    }
}

/// Reads what stands behind the `-`: an address, or of IPv4 its last number.
fn last_address(first: IpAddr, text: &str) -> Option<IpAddr> {
    if let Ok(last) = text.parse::<IpAddr>().map(|last| last.to_canonical()) {
        return (first.is_ipv4() == last.is_ipv4()).then_some(last);
    }
    let IpAddr::V4(first) = first else {
        return None;
    };
    let is_number = text.bytes().all(|b| b.is_ascii_digit());
    let is_short = text.len() == 1 || !text.starts_with('0');
    let last: u8 = text.parse().ok().filter(|_| is_number && is_short)?;
    let [a, b, c, _] = first.octets();
    Some(Ipv4Addr::new(a, b, c, last).into())
}

/// An address as a number.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// The address of this number, of the same family as `like`.
fn from_bits(bits: u128, like: IpAddr) -> Option<IpAddr> {
    match like {
        IpAddr::V4(_) => Some(Ipv4Addr::from_bits(u32::try_from(bits).ok()?).into()),
        IpAddr::V6(_) => Some(Ipv6Addr::from_bits(bits).into()),
    }
}

/// The address next to this one on the side that `step` goes to.
fn beside(address: IpAddr, step: fn(u128, u128) -> Option<u128>) -> Option<IpAddr> {
    step(bits(address), 1).and_then(|bits| from_bits(bits, address))
}

/// An error about `text` that offers every form.
fn refuse(text: &str, problem: &str) -> ValueError {
    ValueError::new("range of addresses", text, problem, ACCEPTED)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{any_text, assert_reads, assert_refused, check};
    use super::*;
    use proptest::prelude::*;

    fn range(text: &str) -> AddressRange {
        text.parse().expect("a range")
    }

    #[test]
    fn ranges_read() {
        assert_reads::<AddressRange>(&[
            ("10.0.0.1-50", "10.0.0.1-10.0.0.50"),
            ("10.0.0.1-10.0.1.20", "10.0.0.1-10.0.1.20"),
            ("10.0.0.0-255", "10.0.0.0/24"),
            ("10.0.0.7-7", "10.0.0.7"),
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("::/0", "::/0"),
            ("fd00::1-fd00::ff", "fd00::1-fd00::ff"),
            ("fd00::/120", "fd00::/120"),
        ]);
    }

    #[test]
    fn what_is_no_range_is_refused() {
        assert_refused::<AddressRange>(&[
            ("10.0.0.50-1", "ends before it begins"),
            ("10.0.0.1-256", "no number from 0 to 255"),
            ("10.0.0.1-", "no number from 0 to 255"),
            ("10.0.0.1-05", "no number from 0 to 255"),
            ("10.0.0.1-+5", "no number from 0 to 255"),
            ("10.0.0.1-::5", "of the same family"),
            ("::1-5", "of the same family"),
            ("10.0.0-50", "before the - is no address"),
            ("10.0.0.1/24", "write 10.0.0.0/24"),
            ("10.0.0.0/33", "no number from 0 to 32"),
        ]);
    }

    #[test]
    fn a_part_is_cut_out() {
        let parts = |whole: &str, part: &str| {
            let parts = range(whole).without(&range(part)).into_iter().flatten();
            parts.map(|r| r.to_string()).collect::<Vec<_>>().join(" ")
        };
        for (whole, part, rest) in [
            ("10.0.0.0/24", "10.0.0.0/25", "10.0.0.128/25"),
            (
                "10.0.0.1-9",
                "10.0.0.5",
                "10.0.0.1-10.0.0.4 10.0.0.6-10.0.0.9",
            ),
            ("10.0.0.1-9", "10.0.0.0/8", ""),
            ("10.0.0.1-9", "10.0.1.0/24", "10.0.0.1-10.0.0.9"),
            ("10.0.0.1-9", "::/0", "10.0.0.1-10.0.0.9"),
            ("0.0.0.0/0", "255.255.255.255", "0.0.0.0-255.255.255.254"),
            ("::/0", "::", "::1-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ] {
            assert_eq!(parts(whole, part), rest, "{whole} without {part}");
        }
    }

    #[test]
    fn addresses_are_counted_from_the_first() {
        let network = range("10.255.255.0/24");
        let nth = |number| network.nth(number).map(|address| address.to_string());
        assert_eq!(nth(0).as_deref(), Some("10.255.255.0"));
        assert_eq!(nth(255).as_deref(), Some("10.255.255.255"));
        assert_eq!(nth(256), None);
        assert!(network.contains("::ffff:10.255.255.9".parse().expect("an address")));
        assert_eq!(range("::/0").span(), u128::MAX);
    }

    proptest! {
        #[test]
        fn any_text_is_read_back_or_refused(text in any_text()) {
            check::<AddressRange>(&text)?;
        }
    }
}
