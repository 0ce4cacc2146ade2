//! A host: a name or an address.

use super::ValueError;
use super::host_name::check_name;
use std::fmt::{self, Display, Formatter};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// The forms that a message offers.
const ACCEPTED: &str = "a name, an IPv4 address such as 192.0.2.1 or an IPv6 address such as ::1";

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

    /// Whether this reads as a zone.
    #[must_use]
    pub fn is_zone(text: &str) -> bool {
        // Linux refuses `/`, `:` and spaces (dev_valid_name), the rest is our own syntax. An
        // interface whose name is not ASCII can be given by its index.
        let is_strange = |c: char| !c.is_ascii_graphic() || "/:%[]".contains(c);
        !text.is_empty() && !text.contains(is_strange)
    }

    /// The zone that stands for the interface of this name and index: its name, or its index where the
    /// name is not read back as this zone, since digits are read as an index (RFC 4007, section 11).
    #[must_use]
    pub fn zone(name: &str, index: u32) -> String {
        if Self::is_zone(name) && name.parse::<u32>().is_err() {
            return name.to_owned();
        }
        index.to_string()
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
        if let Some((_, rest)) = text.split_once("://") {
            return Err(refuse_for(text, "it is a URL", authority(rest)));
        }
        if text.contains(':') {
            return parse_v6(text, text);
        }
        if let Some((_, rest)) = text.rsplit_once('@') {
            return Err(refuse_for(text, "a host has no user before it", rest));
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
        return Err(refuse(text, unclosed(rest)));
    };
    match inner.split_once('%') {
        Some((addr, zone)) => parse_v6(text, &format!("{addr}%{}", unescape_zone(zone))),
        None => parse_v6(text, inner),
    }
}

/// What is wrong with a bracket that does not close at the end.
fn unclosed(rest: &str) -> &'static str {
    if rest.contains(']') {
        return "something follows the bracket";
    }
    "the bracket is not closed"
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
    if !Host::is_zone(zone) {
        let problem = "the zone has a character that is not accepted";
        return Err(ValueError::new("host", text, problem, accepted));
    }
    Ok(())
}

/// What stands between the `//` and the path of a URL, without a user (RFC 3986, section 3.2).
pub(super) fn authority(rest: &str) -> &str {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@');
    host.map_or(authority, |(_, host)| host)
}

/// An error about `text` that offers what is meant, if that is a host, perhaps with its port.
fn refuse_for(text: &str, problem: &str, meant: &str) -> ValueError {
    let host = meant.rsplit_once(':').map_or(meant, |(host, _)| host);
    match meant.parse::<Host>().or_else(|_| host.parse()) {
        Ok(host) => ValueError::new("host", text, problem, host.to_string()),
        Err(_) => refuse(text, problem),
    }
}

/// An error about `text` that offers every form.
pub(super) fn refuse(text: &str, problem: impl Into<String>) -> ValueError {
    ValueError::new("host", text, problem, ACCEPTED)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{any_text, assert_reads, assert_refused, check, check_round_trip};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_kind_of_host_reads() {
        let addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
        let cases = [
            ("example.org", Host::Name("example.org".into())),
            ("192.0.2.1", Host::V4(Ipv4Addr::new(192, 0, 2, 1))),
            ("::1", Host::V6(Ipv6Addr::LOCALHOST, None)),
            ("[::1]", Host::V6(Ipv6Addr::LOCALHOST, None)),
            ("fe80::1%eth0", Host::V6(addr, Some("eth0".into()))),
            ("[fe80::1%eth0]", Host::V6(addr, Some("eth0".into()))),
            ("[fe80::1%25eth0]", Host::V6(addr, Some("eth0".into()))),
            ("[fe80::1%25]", Host::V6(addr, Some("25".into()))),
            ("fe80::1%25eth0", Host::V6(addr, Some("25eth0".into()))),
        ];
        for (text, host) in cases {
            assert_eq!(text.parse(), Ok(host), "{text}");
        }
    }

    #[test]
    fn unusual_hosts_read_as_they_are() {
        assert_reads::<Host>(&[
            ("example.org.", "example.org."),
            ("my_host", "my_host"),
            ("xn--mnchen-3ya.example", "xn--mnchen-3ya.example"),
            ("0x7f.example", "0x7f.example"),
            ("127.1.example", "127.1.example"),
            ("dead.beef", "dead.beef"),
            ("::ffff:1.2.3.4", "::ffff:1.2.3.4"),
            ("[2001:DB8:0::1]", "2001:db8::1"),
        ]);
        let (label, name) = ("a".repeat(63), "ab.".repeat(83) + "abcd");
        let dotted = format!("{name}.");
        assert_reads::<Host>(&[(&label, &label), (&name, &name), (&dotted, &dotted)]);
    }

    #[test]
    fn what_is_no_host_is_refused() {
        assert_refused::<Host>(&[
            ("", "it is empty"),
            (":", "not an IPv6 address"),
            ("[::1", "the bracket is not closed"),
            ("[", "the bracket is not closed"),
            ("::1]", "never opened"),
            ("[::1]:80", "something follows the bracket"),
            ("[]", "not an IPv6 address"),
            ("[192.0.2.1]", "not an IPv6 address"),
            ("[example.org]", "not an IPv6 address"),
            ("::ffff:01.2.3.4", "not an IPv6 address"),
            ("http://example.org", "it is a URL; write example.org"),
            ("https://me@example.org:8443/a?b", "write example.org"),
            ("http://[::1]:80/", "write ::1"),
            ("http://", "it is a URL; write a name"),
            ("me@example.org", "no user before it; write example.org"),
            ("me@a b", "no user before it; write a name"),
            ("\n", "in it"),
            ("\x1b[31m", r"no '\u{1b}' in it"),
            ("a\0b", r"no '\0' in it"),
            ("a b", "no ' ' in it"),
            ("10.0.0.0/8", "no '/' in it"),
            ("münchen.example", "write the ASCII form"),
            ("xn--…bad", "write the ASCII form"),
            ("１２７.0.0.1", "write the ASCII form"),
            ("-host", "does not begin with -"),
            ("a..b", "a part between the dots is empty"),
            (".", "a part between the dots is empty"),
            (".a", "a part between the dots is empty"),
            ("a..", "a part between the dots is empty"),
            (&"a".repeat(64), "longer than 63"),
            (&"ab.".repeat(100), "longer than 253"),
            (&("ab.".repeat(83) + "abcde"), "longer than 253"),
        ]);
    }

    #[test]
    fn what_a_resolver_takes_for_an_address_is_refused() {
        let texts = [
            "1.2.3",
            "0177.0.0.1",
            "127.1",
            "127.1.",
            "256.1.1.1",
            "1.2.3.4.",
            "1.2.3.4.5",
            "2130706433",
            "0",
            "0x7f000001",
            "0x7f.0.0.1",
            "127.0.0.0x1",
            "127.0X1",
            "0x",
            "host.1",
            "1.2.3.04",
        ];
        for text in texts {
            assert_refused::<Host>(&[(text, "write all four decimal numbers")]);
        }
    }

    #[test]
    fn a_zone_is_an_interface_of_an_ipv6_address() {
        assert_refused::<Host>(&[
            ("fe80::1%", "the zone is empty"),
            ("[fe80::1%]", "the zone is empty"),
            ("fe80::1%a b", "a character that is not accepted"),
            ("fe80::1%a\n", "a character that is not accepted"),
            ("fe80::1%\u{202e}a", "a character that is not accepted"),
            ("fe80::1%a/b", "a character that is not accepted"),
            ("fe80::1%a%b", "a character that is not accepted"),
            ("fe80::1%a:80", "a character that is not accepted"),
            ("[fe80::1%a]]", "a character that is not accepted"),
            ("192.0.2.1%eth0", "only an IPv6 address has a zone"),
            ("host%eth0", "only an IPv6 address has a zone"),
        ]);
    }

    #[test]
    fn what_is_not_read_back_as_a_zone_is_given_by_its_index() {
        for (name, zone) in [
            ("eth0", "eth0"),
            ("@a", "@a"),
            ("5", "7"),
            ("+5", "7"),
            ("w\u{fc}", "7"),
            ("a]", "7"),
            ("x\u{1b}[m", "7"),
        ] {
            assert_eq!(Host::zone(name, 7), zone);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_back_or_refused(text in any_text()) {
            check::<Host>(&text)?;
        }

        #[test]
        fn a_name_reads_back(name in "[a-z][a-z0-9_-]{0,30}(\\.[a-zA-Z0-9][a-z-]{1,30}){0,3}\\.?") {
            prop_assert_eq!(name.parse(), Ok(Host::Name(name)));
        }

        #[test]
        fn an_address_reads_back(addr in any::<IpAddr>()) {
            let host = Host::from(addr);
            check_round_trip(&host)?;
            prop_assert_eq!(host.ip(), Some(addr));
            prop_assert_eq!(host.bracketed().to_string().parse::<Host>(), Ok(host));
        }

        #[test]
        fn a_zone_reads_back(addr in any::<Ipv6Addr>(), zone in "(25){0,2}[a-z0-9.@-]{1,10}|25|252") {
            let host = Host::V6(addr, Some(zone));
            check_round_trip(&host)?;
            prop_assert_eq!(host.bracketed().to_string().parse::<Host>(), Ok(host));
        }
    }
}
