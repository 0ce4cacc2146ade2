//! Bytes a second.

use super::{Size, ValueError, size};
use std::fmt::{self, Display, Formatter};
use std::num::NonZeroU64;
use std::str::FromStr;

/// The forms that a message offers.
const ACCEPTED: &str = "a size a second, such as 500K, 10MB or 10MB/s";

/// Bytes a second, never none: read from a [`Size`] with or without `/s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Rate(NonZeroU64);

impl Rate {
    /// A rate of so many bytes a second.
    #[must_use]
    pub fn new(bytes_per_second: NonZeroU64) -> Self {
        Self(bytes_per_second)
    }

    /// The bytes a second.
    #[must_use]
    pub fn bytes_per_second(self) -> NonZeroU64 {
        self.0
    }
}

impl FromStr for Rate {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        if text.is_empty() {
            return Err(refuse(text, "it is empty"));
        }
        let size = text.strip_suffix("/s").unwrap_or(text);
        let bytes = size::parse_bytes(size).map_err(|problem| match in_bytes(text) {
            Some(rate) => ValueError::new("rate", text, "those are bits", rate),
            None => refuse(text, problem),
        })?;
        let rate = NonZeroU64::new(bytes).ok_or_else(|| refuse(text, "nothing would ever move"))?;
        Ok(Self(rate))
    }
}

impl Display for Rate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", Size(self.0.get()))
    }
}

/// The bytes a second of a rate in bits, as networks have it: `100Mbit/s`, `100Mbps`, `100Mb`. Its
/// units are of 1000, or of 1024 with an `i`: `100Mibit/s`.
fn in_bytes(text: &str) -> Option<String> {
    let endings = ["bits/s", "bit/s", "bits", "bit", "bps", "b/s", "b"];
    let number = endings.into_iter().find_map(|end| text.strip_suffix(end))?;
    let bits = size::parse_bytes(&format!("{number}B")).ok()?;
    let bytes = bits.checked_div(8).filter(|bytes| *bytes > 0)?;
    Some(match (bytes % 1_000_000, bytes % 1000) {
        (0, _) => format!("{}MB", bytes / 1_000_000),
        (_, 0) => format!("{}kB", bytes / 1000),
        _ => bytes.to_string(),
    })
}

/// An error about `text` that offers the form.
fn refuse(text: &str, problem: &str) -> ValueError {
    ValueError::new("rate", text, problem, ACCEPTED)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{any_text, assert_reads, assert_refused, check, check_round_trip};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rates_read() {
        assert_reads::<Rate>(&[
            ("1", "1/s"),
            ("64K", "64K/s"),
            ("64kB/s", "64000/s"),
            ("1.5M/s", "1536K/s"),
        ]);
    }

    #[test]
    fn what_is_no_rate_is_refused() {
        assert_refused::<Rate>(&[
            ("", "it is empty"),
            ("0", "nothing would ever move"),
            ("0/s", "nothing would ever move"),
            ("0.0001K", "nothing would ever move"),
            ("-1", "it is negative"),
            ("/s", "does not begin with a digit"),
            ("1/s/s", "the unit is unknown"),
            ("1/m", "the unit is unknown"),
            ("1e400", "the unit is unknown"),
            ("16384P/s", "the number is too large"),
            ("100Mbit", "those are bits; write 12500kB"),
            ("100Mbit/s", "those are bits; write 12500kB"),
            ("100Mbits/s", "those are bits; write 12500kB"),
            ("100Mibit/s", "those are bits; write 13107200"),
            ("1Kib", "those are bits; write 128"),
            ("1Gbps", "those are bits; write 125MB"),
            ("10Mb/s", "those are bits; write 1250kB"),
            ("9600bps", "those are bits; write 1200"),
            ("100ibit", "the unit is unknown"),
            ("1bit", "the unit is unknown"),
            ("bps", "does not begin with a digit"),
        ]);
    }

    proptest! {
        #[test]
        fn any_text_is_read_back_or_refused(text in any_text()) {
            check::<Rate>(&text)?;
        }

        #[test]
        fn a_rate_reads_back(bytes in any::<NonZeroU64>()) {
            check_round_trip(&Rate::new(bytes))?;
        }
    }
}
