//! What the tests of every value share.

use super::ValueError;
use super::error::Quoted;
use proptest::prelude::*;
use std::fmt::{Debug, Display};
use std::str::FromStr;

/// Any text, and text out of the characters and words that the values are made of.
pub(super) fn any_text() -> impl Strategy<Value = String> {
    let alike = "([0-9a-fA-FxX:.%/,_+ \\[\\]\\-\u{ff15}\u{202e}\0\u{1b}]|::|://|tcp|udp|unix|well-known\
        |common|http|KiB|kB|M|P|ms|us|ns|s|m|h|d|forever|fe80::1|255|65535|1023-|\\[::1\\]:){0,12}";
    prop_oneof![any::<String>(), alike]
}

/// Fails unless what was read from `text` reads back from what it is written as, and the error of
/// what does not read quotes it on one printable line.
pub(super) fn check<T>(text: &str) -> Result<(), TestCaseError>
where
    T: FromStr<Err = ValueError> + Display + Debug + PartialEq,
{
    match text.parse::<T>() {
        Ok(value) => check_round_trip(&value),
        Err(error) => {
            let line = error.to_string();
            prop_assert!(
                line.starts_with(&format!("invalid {} \"", error.what)),
                "{line}"
            );
            prop_assert!(text.contains(&error.value), "{text:?} {line}");
            prop_assert!(!line.chars().any(char::is_control), "{line:?}");
            prop_assert!(!line.contains('\u{202e}'), "{line:?}");
            Ok(())
        }
    }
}

/// Fails unless `value` reads back from what it is written as.
pub(super) fn check_round_trip<T>(value: &T) -> Result<(), TestCaseError>
where
    T: FromStr<Err = ValueError> + Display + Debug + PartialEq,
{
    let written = value.to_string();
    let read = written.parse::<T>();
    prop_assert_eq!(read.as_ref(), Ok(value), "{:?}", written);
    Ok(())
}

/// Asserts that each text is refused with a message that quotes it and has the other text in it.
pub(super) fn assert_refused<T>(cases: &[(&str, &str)])
where
    T: FromStr<Err = ValueError> + Debug,
{
    for (text, part) in cases {
        let line = text.parse::<T>().map_err(|error| error.to_string());
        let as_expected = |line: &String| line.contains(&quoted(text)) && line.contains(part);
        assert!(
            line.as_ref().is_err_and(as_expected),
            "{text:?} {part:?}: {line:?}"
        );
    }
}

/// Asserts that each text reads as a value that is written as the other.
pub(super) fn assert_reads<T>(cases: &[(&str, &str)])
where
    T: FromStr<Err = ValueError> + Display,
{
    for (text, written) in cases {
        let value = text.parse::<T>().map(|value| value.to_string());
        assert_eq!(value, Ok((*written).to_owned()), "{text:?}");
    }
}

/// A value as a message shows it.
fn quoted(text: &str) -> String {
    Quoted(text).to_string()
}
