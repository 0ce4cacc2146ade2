//! What came of asking for a size.

use nettool::buffers::{BufferSizes, Grant, Outcome};

use super::{heads, names};
use crate::output::Style;
use crate::output::layout::{Tone, Word, table};

/// The headlines.
const HEADS: [&str; 5] = ["proto", "buffer", "requested", "granted", "why"];

/// A line a buffer.
pub(super) fn text(sizes: &[BufferSizes], style: Style) -> String {
    let mut rows = vec![heads(&HEADS, 2..4)];
    let granted = sizes.iter().filter_map(|sizes| Some((sizes, sizes.grant?)));
    rows.extend(granted.map(|(sizes, grant)| row(sizes, grant)));
    table(0, &rows, style)
}

/// A buffer.
fn row(sizes: &BufferSizes, grant: Grant) -> Vec<Word> {
    let mut row = names(sizes).to_vec();
    let number = |bytes: u64| Word::plain(bytes.to_string()).right();
    row.extend([
        number(grant.requested),
        number(grant.granted),
        why(grant.outcome),
    ]);
    row
}

/// Why it is what it is.
fn why(outcome: Outcome) -> Word {
    match outcome {
        Outcome::AsAsked => Word::new(Tone::Good, "as asked"),
        Outcome::Doubled => Word::new(Tone::Good, "all of it, doubled by the system"),
        Outcome::Raised => Word::plain("raised to the minimum"),
        Outcome::Capped(cap) => {
            let (bytes, from) = (cap.bytes, cap.origin.name());
            Word::new(
                Tone::Warning,
                format!("at most {bytes} can be had ({from})"),
            )
        }
    }
}
