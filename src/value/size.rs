//! A number of bytes.

use super::ValueError;
use super::decimal::Decimal;
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
    let (number, unit) = Decimal::take(text).map_err(|error| error.problem())?;
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
