//! One of several equal parts of a job.

use super::ValueError;
use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

/// The forms that a message offers.
const ACCEPTED: &str = "a part and the number of parts, such as 1/8 or 8/8";
/// The most parts.
const MOST: u32 = 1_000_000;

/// The part with this number, from 1 on, of so many: read from `2/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shard {
    number: u32,
    of: u32,
}

impl Shard {
    /// All of it.
    pub const WHOLE: Self = Self { number: 1, of: 1 };

    /// Which part it is, from 1 on.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.number
    }

    /// How many parts there are.
    #[must_use]
    pub const fn of(self) -> u32 {
        self.of
    }
}

impl FromStr for Shard {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let refuse = |problem| ValueError::new("shard", text, problem, ACCEPTED);
        let (number, of) = text.split_once('/').ok_or_else(|| refuse("it has no /"))?;
        let parse = |digits: &str| {
            let is_plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            let value = is_plain.then(|| digits.parse::<u32>().unwrap_or(u32::MAX));
            value.ok_or_else(|| refuse("both sides of the / are numbers"))
        };
        let (number, of) = (parse(number)?, parse(of)?);
        match (number, of) {
            (0, _) => Err(refuse("the first part is number 1")),
            (_, of) if of > MOST => Err(refuse("there are more than a million parts")),
            (number, of) if number > of => Err(refuse("there are fewer parts")),
            (number, of) => Ok(Self { number, of }),
        }
    }
}

impl Display for Shard {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{any_text, assert_reads, assert_refused, check, check_round_trip};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn shards_read() {
        assert_reads::<Shard>(&[("1/1", "1/1"), ("3/8", "3/8"), ("007/8", "7/8")]);
    }

    #[test]
    fn what_is_no_shard_is_refused() {
        assert_refused::<Shard>(&[
            ("", "it has no /"),
            ("3", "it has no /"),
            ("0/3", "the first part is number 1"),
            ("4/3", "there are fewer parts"),
            ("1/0", "there are fewer parts"),
            ("1/1000001", "more than a million parts"),
            ("99999999999/99999999999", "more than a million parts"),
            ("-1/3", "are numbers"),
            ("1/3/3", "are numbers"),
            ("/", "are numbers"),
        ]);
    }

    proptest! {
        #[test]
        fn any_text_is_read_back_or_refused(text in any_text()) {
            check::<Shard>(&text)?;
        }

        #[test]
        fn a_shard_reads_back(of in 1..=MOST, part in any::<prop::sample::Index>()) {
            let number = u32::try_from(part.index(of as usize)).unwrap() + 1;
            check_round_trip(&Shard { number, of })?;
        }
    }
}
