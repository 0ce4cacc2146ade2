//! A number of bytes.

use super::ValueError;
use super::decimal::{Decimal, Malformed};
use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

/// The forms that a message offers.
const ACCEPTED: &str = "bytes such as 1400, 64K or 64KiB (1024 each), 64kB (1000 each), up to P";
/// The letters of the units, each 1024 or 1000 times the one before.
const LETTERS: [char; 5] = ['K', 'M', 'G', 'T', 'P'];

/// A number of bytes.
///
/// Read from bare bytes, or a number and a unit: `64K`, `64KiB` are 1024 each, `64kB` is 1000, so
/// too with M, G, T and P. Decimals (`1.5M`) are rounded down to the byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Size(pub u64);

impl Size {
    /// The bytes.
    #[must_use]
    pub fn bytes(self) -> u64 {
        self.0
    }
}

impl FromStr for Size {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        if text.is_empty() {
            return Err(refuse(text, "it is empty"));
        }
        parse_bytes(text)
            .map(Self)
            .map_err(|problem| refuse(text, problem))
    }
}

/// Bare bytes, or the largest unit of 1024 that leaves no rest.
impl Display for Size {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (mut count, mut unit) = (self.0, None);
        for letter in LETTERS {
            if count == 0 || count % 1024 != 0 {
                break;
            }
            (count, unit) = (count / 1024, Some(letter));
        }
        match unit {
            Some(letter) => write!(f, "{count}{letter}"),
            None => write!(f, "{count}"),
        }
    }
}

/// Reads a number of bytes, or says what the problem is.
pub(super) fn parse_bytes(text: &str) -> Result<u64, &'static str> {
    let (number, unit) = Decimal::take(text).map_err(Malformed::problem)?;
    let unit = unit_of(unit).ok_or("the unit is unknown")?;
    if unit == 1 && !number.is_whole() {
        return Err("a fraction of a byte");
    }
    let (bytes, _) = number.times(unit);
    u64::try_from(bytes).map_err(|_| "the number is too large")
}

/// The bytes of a unit.
fn unit_of(text: &str) -> Option<u64> {
    let mut rest = text.chars();
    let Some(letter) = rest.next().filter(|letter| *letter != 'B') else {
        return rest.next().is_none().then_some(1);
    };
    let letter = letter.to_ascii_uppercase();
    let power = LETTERS.iter().position(|known| *known == letter)?;
    let base: u64 = match rest.as_str() {
        "" | "iB" => 1024,
        "B" => 1000,
        _ => return None,
    };
    base.checked_pow(u32::try_from(power).ok()?.checked_add(1)?)
}

/// An error about `text` that offers every form.
fn refuse(text: &str, problem: &str) -> ValueError {
    ValueError::new("size", text, problem, ACCEPTED)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{any_text, assert_refused, check, check_round_trip};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_read() {
        let cases = [
            ("0", 0),
            ("5", 5),
            ("512B", 512),
            ("64K", 65_536),
            ("64k", 65_536),
            ("64KiB", 65_536),
            ("64kB", 64_000),
            ("1M", 1 << 20),
            ("1MB", 1_000_000),
            ("1.5M", 1_572_864),
            ("0.0001K", 0),
            ("1.0", 1),
            ("1G", 1 << 30),
            ("1T", 1 << 40),
            ("2P", 2 << 50),
            ("2PB", 2_000_000_000_000_000),
            ("18446744073709551615", u64::MAX),
        ];
        for (text, bytes) in cases {
            assert_eq!(text.parse(), Ok(Size(bytes)), "{text}");
        }
    }

    #[test]
    fn sizes_are_written_in_the_largest_exact_unit() {
        let written = [
            (0, "0"),
            (1023, "1023"),
            (1536, "1536"),
            (3 << 20, "3M"),
            (1 << 60, "1024P"),
        ];
        for (bytes, text) in written {
            assert_eq!(Size(bytes).to_string(), text);
        }
    }

    #[test]
    fn what_is_no_size_is_refused() {
        let (unit, large) = ("the unit is unknown", "the number is too large");
        assert_refused::<Size>(&[
            ("", "it is empty"),
            ("-1", "it is negative"),
            ("NaN", "does not begin with a digit"),
            ("５", "does not begin with a digit"),
            (".5K", "does not begin with a digit"),
            ("1.K", "no digit follows the point"),
            ("1.5", "a fraction of a byte"),
            ("1.5B", "a fraction of a byte"),
            ("1e400", unit),
            ("5 K", unit),
            ("5s", unit),
            ("10Mb", unit),
            ("10Mbit", unit),
            ("1KK", unit),
            ("1BB", unit),
            ("1iB", unit),
            ("1E", unit),
            ("1K\u{130}B", unit),
            ("18446744073709551616", large),
            ("16384P", large),
        ]);
    }

    proptest! {
        #[test]
        fn any_text_is_read_back_or_refused(text in any_text()) {
            check::<Size>(&text)?;
        }

        #[test]
        fn a_size_reads_back(bytes in any::<u64>(), zeros in 0..64_u32) {
            check_round_trip(&Size(bytes))?;
            check_round_trip(&Size(bytes << zeros))?;
        }
    }
}
