//! A host: a name or an address.

use super::ValueError;
use std::fmt::{self, Display, Formatter};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// The forms that a message offers.
const ACCEPTED: &str = "a name, an IPv4 address such as 192.0.2.1 or an IPv6 address such as ::1";
/// The longest name, in octets, without a final dot (RFC 1035, section 3.1).
const NAME_MAX: usize = 253;
/// The longest label of a name, in octets (RFC 1035, section 2.3.4).
const LABEL_MAX: usize = 63;

/// A host as a user names it: nothing is resolved yet.
///
/// Read from a name, an IPv4 address, or an IPv6 address with or without brackets and with or
/// without a `%zone` (inside brackets also `%25zone`, RFC 6874). What a resolver would take for an
/// octal, hexadecimal or short IPv4 address (`0177.0.0.1`, `127.1`) is refused.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// A name for the resolver: ASCII letters, digits, `-`, `_` and dots, kept as it was written.
    Name(String),
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address and its zone: the name or the index of an interface.
    V6(Ipv6Addr, Option<String>),
}

impl Host {
    /// The address, unless this is a name.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Name(_) => None,
            Self::V4(addr) => Some(IpAddr::V4(*addr)),
            Self::V6(addr, _) => Some(IpAddr::V6(*addr)),
        }
    }

    /// The host as it stands before `:port`: an IPv6 address in brackets.
    #[must_use]
    pub fn bracketed(&self) -> Bracketed<'_> {
        Bracketed(self)
    }
}

impl From<IpAddr> for Host {
    fn from(addr: IpAddr) -> Self {
        match addr {
            IpAddr::V4(addr) => Self::V4(addr),
            IpAddr::V6(addr) => Self::V6(addr, None),
        }
    }
}

impl FromStr for Host {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        if text.is_empty() {
            return Err(refuse(text, "it is empty"));
        }
        if let Some(rest) = text.strip_prefix('[') {
            return parse_bracketed(text, rest);
        }
        if text.ends_with(']') {
            return Err(refuse(text, "a bracket is closed and never opened"));
        }
        if text.contains("://") {
            return Err(refuse(text, "it is a URL"));
        }
        if text.contains(':') {
            return parse_v6(text, text);
        }
        if text.contains('%') {
            return Err(refuse(text, "only an IPv6 address has a zone"));
        }
        if let Ok(addr) = text.parse() {
            return Ok(Self::V4(addr));
        }
        check_name(text)?;
        Ok(Self::Name(text.to_owned()))
    }
}

impl Display for Host {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::V4(addr) => write!(f, "{addr}"),
            Self::V6(addr, None) => write!(f, "{addr}"),
            Self::V6(addr, Some(zone)) => write!(f, "{addr}%{zone}"),
        }
    }
}

/// A [`Host`] with brackets around an IPv6 address.
#[derive(Clone, Copy, Debug)]
pub struct Bracketed<'a>(&'a Host);

impl Display for Bracketed<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            // Inside brackets a leading `25` reads as the escape of `%`: it is written twice.
            Host::V6(addr, Some(zone)) if unescape_zone(zone) != zone => {
                write!(f, "[{addr}%25{zone}]")
            }
            Host::V6(..) => write!(f, "[{}]", self.0),
            host => write!(f, "{host}"),
        }
    }
}

/// Reads what follows the opening bracket of `text`.
fn parse_bracketed(text: &str, rest: &str) -> Result<Host, ValueError> {
    let Some(inner) = rest.strip_suffix(']') else {
        return Err(refuse(text, "the bracket is not closed"));
    };
    match inner.split_once('%') {
        Some((addr, zone)) => parse_v6(text, &format!("{addr}%{}", unescape_zone(zone))),
        None => parse_v6(text, inner),
    }
}

/// A zone without the `25` of `%25`; a bare `25` is the index of an interface.
fn unescape_zone(zone: &str) -> &str {
    match zone.strip_prefix("25") {
        Some(rest) if !rest.is_empty() => rest,
        _ => zone,
    }
}

/// Reads `inner`, an IPv6 address and its zone, which stands in `text`.
fn parse_v6(text: &str, inner: &str) -> Result<Host, ValueError> {
    let (addr, zone) = match inner.split_once('%') {
        Some((addr, zone)) => (addr, Some(zone)),
        None => (inner, None),
    };
    let Ok(addr) = addr.parse() else {
        return Err(refuse(text, "not an IPv6 address"));
    };
    if let Some(zone) = zone {
        check_zone(text, zone)?;
    }
    Ok(Host::V6(addr, zone.map(str::to_owned)))
}

/// Refuses a zone that can be no interface.
fn check_zone(text: &str, zone: &str) -> Result<(), ValueError> {
    let accepted = "an interface after the %, such as fe80::1%eth0";
    if zone.is_empty() {
        return Err(ValueError::new("host", text, "the zone is empty", accepted));
    }
    // The characters that Linux refuses in names (dev_valid_name), and those of our own syntax.
    if zone.contains(|c: char| c.is_control() || c.is_whitespace() || "/:%[]".contains(c)) {
        let problem = "the zone has a character that no interface name has";
        return Err(ValueError::new("host", text, problem, accepted));
    }
    Ok(())
}

/// Refuses what is no host name, or is one that a resolver takes for an address.
fn check_name(text: &str) -> Result<(), ValueError> {
    if !text.is_ascii() {
        let accepted = "the ASCII form of the name, such as xn--mnchen-3ya.example";
        return Err(ValueError::new(
            "host",
            text,
            "not all characters are ASCII",
            accepted,
        ));
    }
    if text.starts_with('-') {
        return Err(refuse(text, "a name does not begin with -"));
    }
    if let Some(c) = text.chars().find(|c| !is_name_char(*c)) {
        return Err(refuse(text, format!("a name has no {c:?} in it")));
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    if name.len() > NAME_MAX {
        return Err(refuse(text, "the name is longer than 253 characters"));
    }
    name.split('.')
        .try_for_each(|label| check_label(text, label))?;
    check_no_number(text, name)
}

/// Whether a host name may have `c` in it; underscores are common, whatever RFC 952 says.
fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

/// Refuses a label that is empty or too long.
fn check_label(text: &str, label: &str) -> Result<(), ValueError> {
    match label.len() {
        0 => Err(refuse(text, "a part between the dots is empty")),
        1..=LABEL_MAX => Ok(()),
        _ => Err(refuse(
            text,
            "a part between the dots is longer than 63 characters",
        )),
    }
}

/// Refuses a last label that is a number: `inet_aton` reads `127.1` and `0177.0.0.1` as addresses.
fn check_no_number(text: &str, name: &str) -> Result<(), ValueError> {
    let last = name.rsplit('.').next().unwrap_or(name);
    let hex = last.strip_prefix("0x").or(last.strip_prefix("0X"));
    let number = match hex {
        Some(digits) => digits.bytes().all(|b| b.is_ascii_hexdigit()),
        None => last.bytes().all(|b| b.is_ascii_digit()),
    };
    if number {
        let accepted = "all four decimal numbers without leading zeros, such as 127.0.0.1";
        return Err(ValueError::new(
            "host",
            text,
            "not a full IPv4 address",
            accepted,
        ));
    }
    Ok(())
}

/// An error about `text` that offers every form.
fn refuse(text: &str, problem: impl Into<String>) -> ValueError {
    ValueError::new("host", text, problem, ACCEPTED)
}
