//! A port.

use super::{ValueError, service};
use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

/// The forms that a message offers.
const ACCEPTED: &str = "0 to 65535 or a service name such as https";

/// A port, read from plain decimal digits or a service name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Port(pub u16);

impl FromStr for Port {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        parse_port(text).map(Self)
    }
}

impl Display for Port {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Reads a port: 0 to 65535 in plain decimal digits, or the name of a service.
pub fn parse_port(text: &str) -> Result<u16, ValueError> {
    if text.is_empty() {
        return Err(refuse(text, "it is empty"));
    }
    if is_number(text) {
        return parse_number(text);
    }
    service::port_of(text).ok_or_else(|| refuse(text, "not a number and not a known service"))
}

/// Whether `text` is digits and nothing else.
pub(super) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// Reads a port from digits.
pub(super) fn parse_number(digits: &str) -> Result<u16, ValueError> {
    if digits.len() > 1 && digits.starts_with('0') {
        return Err(refuse(digits, "a port has no leading zeros"));
    }
    digits
        .parse()
        .map_err(|_| refuse(digits, "larger than 65535"))
}

/// An error about `text` that offers both forms.
fn refuse(text: &str, problem: &str) -> ValueError {
    ValueError::new("port", text, problem, ACCEPTED)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{any_text, assert_reads, assert_refused, check, check_round_trip};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_and_names_read() {
        assert_reads::<Port>(&[
            ("0", "0"),
            ("65535", "65535"),
            ("http", "80"),
            ("HTTPS", "443"),
        ]);
    }

    #[test]
    fn what_is_no_port_is_refused() {
        let (large, unknown) = ("larger than 65535", "not a number and not a known service");
        assert_refused::<Port>(&[
            ("", "it is empty"),
            ("65536", large),
            ("99999999999999999999", large),
            ("080", "no leading zeros"),
            ("00", "no leading zeros"),
            ("-5", unknown),
            ("+80", unknown),
            ("80x", unknown),
            (" 80", unknown),
            ("80 ", unknown),
            ("0x50", unknown),
            ("８０", unknown),
            ("nosuchsvc", unknown),
        ]);
    }

    #[test]
    fn the_message_shows_the_accepted_form() {
        let message = parse_port("80x").map_err(|error| error.to_string());
        let expected = "invalid port \"80x\": not a number and not a known service; \
            write 0 to 65535 or a service name such as https";
        assert_eq!(message, Err(expected.to_owned()));
    }

    proptest! {
        #[test]
        fn any_text_is_read_back_or_refused(text in any_text()) {
            check::<Port>(&text)?;
        }

        #[test]
        fn a_port_reads_back(port in any::<u16>()) {
            check_round_trip(&Port(port))?;
        }
    }
}
