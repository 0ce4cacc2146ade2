//! A length of time.

use super::ValueError;
use super::decimal::Decimal;
use std::fmt::{self, Display, Formatter};
use std::str::FromStr;
use std::time;

/// The forms that a message offers.
const ACCEPTED: &str = "a time such as 500ms, 2s, 1m30s, forever, or a bare number of seconds";
/// The longest duration: a hundred years of 365.25 days, beyond what a clock can be asked for.
const LONGEST: time::Duration = time::Duration::from_secs(36_525 * 86_400);
/// Nanoseconds in a second.
const SECOND: u64 = 1_000_000_000;
/// Names of units and their nanoseconds.
type Units = &'static [(&'static str, u64)];

/// The units, from the longest down.
const UNITS: Units = &[
    ("d", 86_400 * SECOND),
    ("h", 3_600 * SECOND),
    ("m", 60 * SECOND),
    ("s", SECOND),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// A length of time, or `forever`.
///
/// Read from numbers with units, `1m30s`, the longest unit first (`d h m s ms us ns`), each with
/// decimals if need be (`1.5s`); a bare number is seconds, as in nc. At most 100 years, to the
/// nanosecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Duration(Option<time::Duration>);

impl Duration {
    /// No limit.
    pub const FOREVER: Self = Self(None);

    /// This long; what is longer than 100 years is cut to that.
    #[must_use]
    pub fn new(limit: time::Duration) -> Self {
        Self(Some(limit.min(LONGEST)))
    }

    /// How long, `None` for ever.
    #[must_use]
    pub fn limit(self) -> Option<time::Duration> {
        self.0
    }
}

impl FromStr for Duration {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        match text {
            "" => Err(refuse(text, "it is empty")),
            "forever" => Ok(Self::FOREVER),
            _ => parse_sum(text),
        }
    }
}

impl Display for Duration {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Some(limit) = self.0 else {
            return f.write_str("forever");
        };
        match limit.as_secs() {
            0 => write_short(f, limit.subsec_nanos()),
            seconds => write_long(f, seconds, limit.subsec_nanos()),
        }
    }
}

/// Reads numbers with units and adds them up.
fn parse_sum(text: &str) -> Result<Duration, ValueError> {
    let mut rest = text;
    let mut units = UNITS;
    let mut total = 0_u128;
    while !rest.is_empty() {
        let (number, after) = Decimal::take(rest).map_err(|e| refuse(text, e.problem()))?;
        let (unit, after) = take_unit(after);
        if unit.is_empty() && rest.len() != text.len() {
            return Err(refuse(text, "the last number has no unit"));
        }
        let nanos;
        (nanos, units) = find_unit(text, unit, units)?;
        total = total.saturating_add(to_nanos(text, number, nanos)?);
        rest = after;
    }
    from_nanos(total).ok_or_else(|| refuse(text, "longer than 100 years"))
}

/// Splits `text` after its unit: all that stands before the next digit.
fn take_unit(text: &str) -> (&str, &str) {
    let rest = text.trim_start_matches(|c: char| !c.is_ascii_digit());
    (text.strip_suffix(rest).unwrap_or(text), rest)
}

/// The nanoseconds of `unit`, and the `units` that may follow it; none is seconds.
fn find_unit(text: &str, unit: &str, units: Units) -> Result<(u64, Units), ValueError> {
    let name = if unit.is_empty() { "s" } else { unit };
    let mut left = units.iter();
    if let Some((_, nanos)) = left.find(|(known, _)| *known == name) {
        return Ok((*nanos, left.as_slice()));
    }
    if UNITS.iter().any(|(known, _)| *known == name) {
        return Err(refuse(
            text,
            "the units are not in order, each once, the longest first",
        ));
    }
    Err(refuse(text, "a unit is none of d h m s ms us ns"))
}

/// The nanoseconds of a number of units.
fn to_nanos(text: &str, number: Decimal, unit: u64) -> Result<u128, ValueError> {
    match number.times(unit) {
        (nanos, true) => Ok(nanos),
        (_, false) => Err(refuse(text, "finer than a nanosecond")),
    }
}

/// A duration of so many nanoseconds, unless it is too long.
fn from_nanos(nanos: u128) -> Option<Duration> {
    let billion = u128::from(SECOND);
    let seconds = u64::try_from(nanos / billion).ok()?;
    let nanos = u32::try_from(nanos % billion).ok()?;
    let limit = time::Duration::new(seconds, nanos);
    (limit <= LONGEST).then_some(Duration(Some(limit)))
}

/// Writes less than a second.
fn write_short(f: &mut Formatter<'_>, nanos: u32) -> fmt::Result {
    match nanos {
        0 => f.write_str("0s"),
        1..1_000 => write!(f, "{nanos}ns"),
        1_000..1_000_000 => write_decimal(f, u64::from(nanos / 1_000), nanos % 1_000, 3, "us"),
        _ => write_decimal(f, u64::from(nanos / 1_000_000), nanos % 1_000_000, 6, "ms"),
    }
}

/// Writes a second or more.
fn write_long(f: &mut Formatter<'_>, seconds: u64, nanos: u32) -> fmt::Result {
    let parts = [
        (seconds / 86_400, "d"),
        (seconds / 3_600 % 24, "h"),
        (seconds / 60 % 60, "m"),
    ];
    for (count, unit) in parts {
        if count > 0 {
            write!(f, "{count}{unit}")?;
        }
    }
    match (seconds % 60, nanos) {
        (0, 0) => Ok(()),
        (seconds, nanos) => write_decimal(f, seconds, nanos, 9, "s"),
    }
}

/// Writes `whole` and `fraction`, which has so many `digits`, without zeros at the end.
fn write_decimal(
    f: &mut Formatter<'_>,
    whole: u64,
    fraction: u32,
    digits: usize,
    unit: &str,
) -> fmt::Result {
    let padded = format!("{fraction:0digits$}");
    match padded.trim_end_matches('0') {
        "" => write!(f, "{whole}{unit}"),
        decimals => write!(f, "{whole}.{decimals}{unit}"),
    }
}

/// An error about `text` that offers every form.
fn refuse(text: &str, problem: &str) -> ValueError {
    ValueError::new("time", text, problem, ACCEPTED)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{any_text, assert_reads, assert_refused, check, check_round_trip};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_read() {
        let millis = |text: &str| {
            let duration: Result<Duration, _> = text.parse();
            duration.map(|duration| duration.limit().map(|limit| limit.as_millis()))
        };
        assert_eq!(millis("0"), Ok(Some(0)));
        assert_eq!(millis("5"), Ok(Some(5_000)));
        assert_eq!(millis("0.5"), Ok(Some(500)));
        assert_eq!(millis("500ms"), Ok(Some(500)));
        assert_eq!(millis("1m30s"), Ok(Some(90_000)));
        assert_eq!(millis("2h3m"), Ok(Some(7_380_000)));
        assert_eq!(millis("2d"), Ok(Some(172_800_000)));
        assert_eq!(millis("forever"), Ok(None));
    }

    #[test]
    fn times_are_written_in_the_units_that_fit() {
        assert_reads::<Duration>(&[
            ("0", "0s"),
            ("5s", "5s"),
            ("90", "1m30s"),
            ("1.5", "1.5s"),
            ("0.25", "250ms"),
            ("1.5ms", "1.5ms"),
            ("10us", "10us"),
            ("0.010us", "10ns"),
            ("1m500ms", "1m0.5s"),
            ("25h", "1d1h"),
            ("1.5h30m", "2h"),
            ("36525d", "36525d"),
            ("forever", "forever"),
        ]);
    }

    #[test]
    fn what_is_no_time_is_refused() {
        let (unit, digit) = ("a unit is none of", "does not begin with a digit");
        let long = "longer than 100 years";
        assert_refused::<Duration>(&[
            ("", "it is empty"),
            ("-1", "it is negative"),
            ("-.5", "it is negative"),
            ("--interface", "it does not begin with a digit"),
            ("1e400", unit),
            ("5 s", unit),
            ("5s ", unit),
            ("5S", unit),
            ("1m-30s", unit),
            ("1.2.3", unit),
            ("NaN", digit),
            ("inf", digit),
            ("５", digit),
            (".5", digit),
            ("+5", digit),
            (" 5", digit),
            ("s", digit),
            ("5.", "no digit follows the point"),
            ("5.s", "no digit follows the point"),
            ("1m30", "the last number has no unit"),
            ("30s1m", "the units are not in order"),
            ("1s1s", "the units are not in order"),
            ("0.1ns", "finer than a nanosecond"),
            ("0.0000000001", "finer than a nanosecond"),
            ("99999999999999h", long),
            ("99999999999999999999", "the number is too large"),
            ("36525d1ns", long),
            ("18446744073709551615d", long),
            ("Forever", digit),
        ]);
    }

    #[test]
    fn a_limit_is_cut_to_what_can_be_read() {
        assert_eq!(Duration::new(time::Duration::MAX).limit(), Some(LONGEST));
    }

    proptest! {
        #[test]
        fn any_text_is_read_back_or_refused(text in any_text()) {
            check::<Duration>(&text)?;
        }

        #[test]
        fn a_time_reads_back(
            seconds in prop_oneof![Just(0), 0..100_u64, any::<u64>()],
            nanos in prop_oneof![Just(0), 0..1000_u32, 0..1_000_000_000_u32],
        ) {
            check_round_trip(&Duration::new(time::Duration::new(seconds, nanos)))?;
        }
    }
}
