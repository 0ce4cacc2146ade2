//! A class of traffic.

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

use super::ValueError;

/// The forms that a message offers.
const ACCEPTED: &str = "ef, va, le, af11 to af43, cs0 to cs7, or 0 to 63";

/// The largest code point (RFC 2474, section 3).
const LARGEST: u8 = 63;

/// A differentiated services code point: what routers are asked to make of a packet.
///
/// Read from the names of RFC 4594, RFC 5865 and RFC 8622, in any case, or from a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Dscp(u8);

impl Dscp {
    /// The octet of the header that carries it, the bits of congestion notification empty.
    #[must_use]
    pub fn octet(self) -> u8 {
        self.0 << 2
    }
}

impl FromStr for Dscp {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let refuse = |problem| Err(ValueError::new("class", text, problem, ACCEPTED));
        if let Some(code) = named(&text.to_ascii_lowercase()) {
            return Ok(Self(code));
        }
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return refuse("no class has this name");
        }
        match text.parse() {
            Ok(code) if code <= LARGEST => Ok(Self(code)),
            _ => refuse("the number is too large"),
        }
    }
}

impl Display for Dscp {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The code point of a name in small letters.
fn named(name: &str) -> Option<u8> {
    match name.as_bytes() {
        b"ef" => Some(46),
        b"va" => Some(44),
        b"le" => Some(1),
        [b'c', b's', class @ b'0'..=b'7'] => Some((class - b'0') << 3),
        // RFC 2597, section 6: the class in the first three bits, the drop precedence in two.
        [b'a', b'f', class @ b'1'..=b'4', drop @ b'1'..=b'3'] => {
            Some(((class - b'0') << 3) | ((drop - b'0') << 1))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_code_points() {
        let octet = |text: &str| text.parse::<Dscp>().unwrap().octet() >> 2;
        let known = [
            ("ef", 46),
            ("EF", 46),
            ("le", 1),
            ("va", 44),
            ("af11", 10),
            ("af23", 22),
            ("af43", 38),
            ("cs0", 0),
            ("cs7", 56),
            ("0", 0),
            ("63", 63),
        ];
        for (text, code) in known {
            assert_eq!(octet(text), code, "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "", "64", "256", "-1", "+1", "af14", "af51", "af10", "cs8", "cs", "ef ", "best", "4.0",
        ] {
            assert!(text.parse::<Dscp>().is_err(), "{text}");
        }
        let error = "cs8".parse::<Dscp>().unwrap_err().to_string();
        assert!(error.starts_with("invalid class \"cs8\": "), "{error}");
    }
}
