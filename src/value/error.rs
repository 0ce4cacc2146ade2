//! The error of every parser in this module.

use std::borrow::Cow;
use std::error::Error;
use std::fmt::{self, Display, Formatter, Write};

/// The most characters of a refused value that a message shows.
const SHOWN: usize = 80;

/// Letters and symbols of Unicode that are drawn as nothing, or as a space.
const BLANK: [char; 5] = ['\u{115f}', '\u{1160}', '\u{2800}', '\u{3164}', '\u{ffa0}'];

/// A value that does not read.
///
/// Displayed as one line, the value escaped and cut, the accepted form at the end:
/// `invalid port "80x": not a number and not a known service; write 0 to 65535 …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueError {
    /// The kind of value, such as `port`.
    pub what: &'static str,
    /// The value as it was given, or the part of it that is wrong.
    pub value: String,
    /// What is wrong with it.
    pub problem: String,
    /// What to write instead: the general form, or the very text where it is known.
    pub accepted: Cow<'static, str>,
}

impl ValueError {
    /// An error about `value`; `problem` and `accepted` are shown as they are.
    pub(crate) fn new(
        what: &'static str,
        value: &str,
        problem: impl Into<String>,
        accepted: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            what,
            value: value.to_owned(),
            problem: problem.into(),
            accepted: accepted.into(),
        }
    }
}

impl Display for ValueError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "invalid {} {}: {}; write {}",
            self.what,
            Quoted(&self.value),
            self.problem,
            self.accepted
        )
    }
}

impl Error for ValueError {}

/// Text in double quotes, on one line, with nothing in it that a terminal obeys or hides.
pub(super) struct Quoted<'a>(pub(super) &'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut shown = String::new();
        let mut room = SHOWN;
        for c in self.0.chars() {
            let escaped = escape(c);
            let Some(rest) = room.checked_sub(escaped.chars().count()) else {
                shown.push('…');
                break;
            };
            room = rest;
            shown.push_str(&escaped);
        }
        f.write_char('"')?;
        f.write_str(&shown)?;
        f.write_char('"')
    }
}

/// One character as it is shown inside double quotes.
fn escape(c: char) -> String {
    match c {
        '\'' => c.to_string(),
        c if BLANK.contains(&c) => c.escape_unicode().to_string(),
        c => c.escape_debug().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(value: &str) -> String {
        Quoted(value).to_string()
    }

    #[test]
    fn a_message_is_one_line_with_the_accepted_form() {
        let error = ValueError::new("port", "80x", "not a number", "0 to 65535");
        assert_eq!(
            error.to_string(),
            r#"invalid port "80x": not a number; write 0 to 65535"#
        );
    }

    #[test]
    fn what_a_terminal_obeys_or_hides_is_escaped() {
        assert_eq!(shown("it's"), r#""it's""#);
        assert_eq!(shown("a\"\\"), r#""a\"\\""#);
        assert_eq!(shown("\x1b[31m\n\0"), r#""\u{1b}[31m\n\0""#);
        assert_eq!(shown("\u{9b}\u{7f}"), r#""\u{9b}\u{7f}""#);
        assert_eq!(
            shown("\u{202e}\u{2066}\u{200b}\u{feff}"),
            r#""\u{202e}\u{2066}\u{200b}\u{feff}""#
        );
        assert_eq!(
            shown("\u{3164}\u{2028}\u{a0}\u{ad}"),
            r#""\u{3164}\u{2028}\u{a0}\u{ad}""#
        );
        assert_eq!(shown("münchen"), r#""münchen""#);
    }

    #[test]
    fn a_long_value_is_cut() {
        assert_eq!(shown(&"x".repeat(80)).chars().count(), 82);
        assert_eq!(shown(&"x".repeat(81)), format!("\"{}…\"", "x".repeat(80)));
        assert!(shown(&"\x1b".repeat(500)).chars().count() <= 83);
    }

    proptest! {
        #[test]
        fn any_text_stays_short_and_printable(text in any::<String>()) {
            let shown = shown(&text);
            prop_assert!(shown.chars().count() <= SHOWN + 3);
            prop_assert!(!shown.chars().any(char::is_control), "{shown:?}");
        }
    }
}
