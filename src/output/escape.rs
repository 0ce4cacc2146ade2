//! Text from the network and the kernel is hostile: no control sequence of theirs reaches a
//! terminal.

use std::borrow::Cow;
use std::fmt::Write as _;

use nettool::relay::Transform;

/// Metadata (a name, a banner, a path) with everything that a terminal might obey, or that hides
/// or reorders text, spelt out: `\u{1b}`.
pub(crate) fn escaped(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_harmless) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            harmless if is_harmless(harmless) => safe.push(harmless),
            other => safe.extend(other.escape_default()),
        }
    }
    Cow::Owned(safe)
}

/// The same for a text of several lines, whose line ends are ours.
pub(crate) fn escaped_lines(text: &str) -> String {
    text.split('\n').map(escaped).collect::<Vec<_>>().join("\n")
}

/// Neither a control character nor one that is invisible or turns the text around it
/// (`Default_Ignorable_Code_Point` of Unicode, but for the selectors that follow an emoji, and what is
/// drawn as nothing).
fn is_harmless(letter: char) -> bool {
    let unseen = matches!(letter,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}');
    !unseen && !letter.is_control()
}

/// Payload on its way to a terminal: text, `\t \r \n \b \a` and colours pass, every other control
/// sequence is shown instead of obeyed: `^[[2J`, `<9b>`.
#[derive(Debug, Default)]
pub(crate) struct TerminalFilter {
    /// The start of a sequence or of a UTF-8 letter that the next bytes complete.
    held: Vec<u8>,
    /// Whether anything was shown instead of obeyed.
    escaped: bool,
}

/// The longest colour sequence that is waited for; a longer one is no colour.
const LONGEST_COLOR: usize = 64;

/// What the bytes at the front of the payload are.
enum Piece {
    /// This many bytes may pass.
    Pass(usize),
    /// This many bytes are shown.
    Show(usize),
    /// More bytes must come before that can be said.
    Undecided,
}

impl Transform for TerminalFilter {
    fn transform(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.held.extend_from_slice(bytes);
        let taken = self.pass_on(out, false);
        self.held.drain(..taken);
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        self.pass_on(out, true);
        self.held.clear();
    }

    fn noticed(&mut self) -> bool {
        std::mem::take(&mut self.escaped)
    }
}

impl TerminalFilter {
    /// Passes on what can be decided, and says how many bytes that took.
    fn pass_on(&mut self, out: &mut Vec<u8>, at_end: bool) -> usize {
        let mut rest = self.held.as_slice();
        while !rest.is_empty() {
            let (length, shown) = match first_piece(rest) {
                Piece::Pass(length) => (length, false),
                Piece::Show(length) => (length, true),
                Piece::Undecided if at_end => (1, true),
                Piece::Undecided => break,
            };
            let (piece, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            if shown {
                self.escaped = true;
                for byte in piece {
                    show(*byte, out);
                }
            } else {
                out.extend_from_slice(piece);
            }
            rest = after;
        }
        self.held.len() - rest.len()
    }
}

/// Decides on the first letter or sequence.
fn first_piece(bytes: &[u8]) -> Piece {
    match bytes.first() {
        Some(b'\t' | b'\r' | b'\n' | 0x08 | 0x07 | b' '..=b'~') => {
            let plain = |byte: &&u8| matches!(byte, b'\n' | b' '..=b'~');
            Piece::Pass(bytes.iter().take_while(plain).count().max(1))
        }
        Some(0x1b) => color_sequence(bytes),
        Some(0x80..) => letter(bytes),
        Some(_) | None => Piece::Show(1),
    }
}

/// `ESC [ digits and separators m` passes; of anything else the ESC alone is shown, and what
/// follows is then only text.
fn color_sequence(bytes: &[u8]) -> Piece {
    let mut rest = bytes.iter().skip(1);
    match rest.next() {
        None => return Piece::Undecided,
        Some(b'[') => {}
        Some(_) => return Piece::Show(1),
    }
    match rest.position(|byte| !matches!(byte, b'0'..=b'9' | b';' | b':')) {
        // One that is too long to be waited for is none when it comes whole either.
        Some(parameters)
            if parameters + 2 <= LONGEST_COLOR && bytes.get(parameters + 2) == Some(&b'm') =>
        {
            Piece::Pass(parameters + 3)
        }
        None if bytes.len() <= LONGEST_COLOR => Piece::Undecided,
        _ => Piece::Show(1),
    }
}

/// A letter of UTF-8 passes unless it is a control character in disguise.
fn letter(bytes: &[u8]) -> Piece {
    let front = bytes.get(..bytes.len().min(4)).unwrap_or_default();
    let valid = match std::str::from_utf8(front) {
        Ok(text) => text,
        Err(error) if error.valid_up_to() > 0 => {
            let valid = front.get(..error.valid_up_to()).unwrap_or_default();
            std::str::from_utf8(valid).unwrap_or_default()
        }
        Err(error) if error.error_len().is_none() => return Piece::Undecided,
        Err(_) => return Piece::Show(1),
    };
    match valid.chars().next() {
        Some(letter) if !letter.is_control() => Piece::Pass(letter.len_utf8()),
        Some(letter) => Piece::Show(letter.len_utf8()),
        None => Piece::Show(1),
    }
}

/// Caret form for the ASCII controls, hexadecimal for the rest.
fn show(byte: u8, out: &mut Vec<u8>) {
    let mut text = String::new();
    let _ = match byte {
        0x00..0x20 | 0x7f => write!(text, "^{}", char::from(byte ^ 0x40)),
        _ => write!(text, "<{byte:02x}>"),
    };
    out.extend_from_slice(text.as_bytes());
}

/// What must hold whatever comes, for fuzzing: the same text however it is cut, and no control
/// character but those that are harmless and the ends of colours.
#[cfg(any(test, feature = "fuzz"))]
pub(crate) fn check(bytes: &[u8]) {
    let filtered = |size: usize| {
        let (mut filter, mut out) = (TerminalFilter::default(), Vec::new());
        for piece in bytes.chunks(size) {
            filter.transform(piece, &mut out);
        }
        filter.finish(&mut out);
        String::from_utf8(out)
    };
    let whole = filtered(bytes.len().max(1));
    assert!(whole.is_ok(), "{bytes:?} becomes no text");
    assert_eq!(whole, filtered(1), "{bytes:?} depends on how it is cut");
    let whole = whole.unwrap_or_default();
    for (number, part) in whole.split('\u{1b}').enumerate() {
        let color = part.strip_prefix('[').and_then(|rest| {
            let length =
                rest.find(|letter: char| !letter.is_ascii_digit() && !";:".contains(letter))?;
            rest.get(length..)?.strip_prefix('m')
        });
        assert!(number == 0 || color.is_some(), "{whole:?} has a command");
        let harmless = |letter: char| !letter.is_control() || "\t\r\n\u{8}\u{7}".contains(letter);
        assert!(
            part.chars().all(harmless),
            "{whole:?} has a control character"
        );
    }
    let text = String::from_utf8_lossy(bytes);
    assert!(!escaped(&text).contains(char::is_control), "{text:?}");
    let written = serde_json::to_string(&text);
    let read = written.as_deref().map(serde_json::from_str::<String>);
    assert!(matches!(read, Ok(Ok(read)) if read == text), "{text:?}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_comes_commands_nothing() {
        crate::replay::replay("escape", check);
    }

    /// Filters it in pieces of this size.
    fn filtered(bytes: &[u8], piece: usize) -> String {
        let mut filter = TerminalFilter::default();
        let mut out = Vec::new();
        for bytes in bytes.chunks(piece) {
            filter.transform(bytes, &mut out);
        }
        filter.finish(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn metadata_cannot_move_the_cursor() {
        assert_eq!(escaped("eth0"), "eth0");
        assert_eq!(escaped("\u{1b}[2J\n\u{9b}x"), "\\u{1b}[2J\\n\\u{9b}x");
        assert_eq!(escaped("a\u{202e}b"), "a\\u{202e}b");
        assert_eq!(
            escaped("\u{3164}\u{2800}\u{e0141}"),
            "\\u{3164}\\u{2800}\\u{e0141}"
        );
        assert_eq!(escaped("\u{2764}\u{fe0f}"), "\u{2764}\u{fe0f}");
        assert_eq!(escaped("münchen \"x\" \\"), "münchen \"x\" \\");
    }

    #[test]
    fn a_terminal_gets_text_and_colours() {
        let text = "he\u{301}llo \u{1b}[1;31mred\u{1b}[0m\ttab\r\n日本\u{7}";
        for piece in 1..text.len() {
            assert_eq!(filtered(text.as_bytes(), piece), text);
        }
    }

    #[test]
    fn a_terminal_is_never_commanded() {
        let hostile = b"\x1b[2J\x1b]52;c;eA==\x07\xc2\x9b1m\x9b2m\x00\x7f\x1bc\x1b[31";
        for piece in 1..hostile.len() {
            let safe = filtered(hostile, piece);
            assert!(
                !safe.contains(['\u{1b}', '\u{9b}', '\0', '\u{7f}']),
                "{safe:?}"
            );
            assert!(safe.starts_with("^[[2J^[]52;c;eA==\u{7}<c2><9b>1m<9b>2m^@^?^[c^[[31"));
        }
    }

    #[test]
    fn what_was_shown_is_noticed_once() {
        let mut filter = TerminalFilter::default();
        filter.transform(b"plain", &mut Vec::new());
        assert!(!filter.noticed());
        filter.transform(b"\x1b[H", &mut Vec::new());
        assert!(filter.noticed());
        assert!(!filter.noticed());
    }
}
