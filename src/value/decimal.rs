//! Decimal numbers as sizes and durations have them.

/// The most decimals that are read: what `u128` holds of a fraction of the largest unit.
const DECIMALS_MAX: usize = 18;

/// A number without sign or exponent, such as `1.5`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    /// What stands before the point.
    whole: u64,
    /// What stands after it, as an integer.
    fraction: u64,
    /// Ten to the power of the number of decimals.
    scale: u64,
}

/// Why no number could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Malformed {
    /// A minus sign before a number.
    Negative,
    /// No digit where one must be.
    NoDigits,
    /// A point without a digit after it.
    NoDecimals,
    /// More decimals than are read.
    TooFine,
    /// More than `u64` holds.
    TooLarge,
}

impl Malformed {
    /// The problem in words.
    pub(super) fn problem(self) -> &'static str {
        match self {
            Self::Negative => "it is negative",
            Self::NoDigits => "it does not begin with a digit",
            Self::NoDecimals => "no digit follows the point",
            Self::TooFine => "it has more than 18 decimals",
            Self::TooLarge => "the number is too large",
        }
    }
}

impl Decimal {
    /// Reads the number at the start of `text`; returns it with what follows.
    pub(super) fn take(text: &str) -> Result<(Self, &str), Malformed> {
        if text
            .strip_prefix('-')
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit() || c == '.'))
        {
            return Err(Malformed::Negative);
        }
        let (whole, rest) = take_digits(text);
        if whole.is_empty() {
            return Err(Malformed::NoDigits);
        }
        let whole = whole.parse().map_err(|_| Malformed::TooLarge)?;
        let Some(rest) = rest.strip_prefix('.') else {
            return Ok((
                Self {
                    whole,
                    fraction: 0,
                    scale: 1,
                },
                rest,
            ));
        };
        let (digits, rest) = take_digits(rest);
        let (fraction, scale) = parse_fraction(digits)?;
        Ok((
            Self {
                whole,
                fraction,
                scale,
            },
            rest,
        ))
    }

    /// Whether it is a whole number.
    pub(super) fn is_whole(self) -> bool {
        self.fraction == 0
    }

    /// This many times `unit`: the whole result, and whether nothing was rounded off.
    pub(super) fn times(self, unit: u64) -> (u128, bool) {
        let whole = u128::from(self.whole).saturating_mul(unit.into());
        let fraction = u128::from(self.fraction).saturating_mul(unit.into());
        let scale = u128::from(self.scale).max(1);
        (
            whole.saturating_add(fraction / scale),
            fraction % scale == 0,
        )
    }
}

/// Splits `text` after its leading ASCII digits.
fn take_digits(text: &str) -> (&str, &str) {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    (text.strip_suffix(rest).unwrap_or(text), rest)
}

/// The digits after a point as an integer, and the power of ten to divide it by.
fn parse_fraction(digits: &str) -> Result<(u64, u64), Malformed> {
    if digits.is_empty() {
        return Err(Malformed::NoDecimals);
    }
    let digits = digits.trim_end_matches('0');
    if digits.len() > DECIMALS_MAX {
        return Err(Malformed::TooFine);
    }
    let fraction = digits.parse().unwrap_or(0);
    let scale = digits
        .bytes()
        .fold(1, |scale: u64, _| scale.saturating_mul(10));
    Ok((fraction, scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_number_and_leaves_the_rest() {
        let number = Decimal {
            whole: 12,
            fraction: 5,
            scale: 10,
        };
        assert_eq!(Decimal::take("12.50KiB"), Ok((number, "KiB")));
        assert_eq!(number.times(1024), (12_800, true));
        assert_eq!(number.times(1), (12, false));
    }

    #[test]
    fn refuses_what_is_no_number() {
        let cases = [
            ("-1", Malformed::Negative),
            ("", Malformed::NoDigits),
            (".5", Malformed::NoDigits),
            ("+1", Malformed::NoDigits),
            (" 1", Malformed::NoDigits),
            ("NaN", Malformed::NoDigits),
            ("５", Malformed::NoDigits),
            ("1.", Malformed::NoDecimals),
            ("1.s", Malformed::NoDecimals),
            ("0.1234567890123456789", Malformed::TooFine),
            ("18446744073709551616", Malformed::TooLarge),
        ];
        for (text, problem) in cases {
            assert_eq!(Decimal::take(text), Err(problem), "{text}");
        }
    }

    #[test]
    fn the_extremes_do_not_overflow() {
        let number = Decimal {
            whole: u64::MAX,
            fraction: 999_999_999_999_999_999,
            scale: 1_000_000_000_000_000_000,
        };
        let text = "18446744073709551615.999999999999999999";
        assert_eq!(Decimal::take(text), Ok((number, "")));
        let whole = u128::from(u64::MAX) * u128::from(u64::MAX);
        let (product, exact) = number.times(u64::MAX);
        assert!(whole < product && product < whole + u128::from(u64::MAX));
        assert!(!exact);
    }
}
