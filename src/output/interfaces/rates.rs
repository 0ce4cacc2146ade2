//! How fast bytes go through interfaces.

use nettool::interfaces::Rate;

use super::record;
use crate::output::layout::{Tone, Word, table};
use crate::output::{Report, Style, quantity, record as records};

/// The rates of interfaces.
#[derive(Debug)]
pub(crate) struct Rates<'a>(pub(crate) &'a [Rate]);

impl Report for Rates<'_> {
    fn records(&self) -> String {
        let lines = self.0.iter();
        lines
            .map(|rate| records::line("rate", &record::Rate::new(rate)))
            .collect()
    }

    fn text(&self, style: Style) -> String {
        let rows: Vec<_> = self.0.iter().map(row).collect();
        table(0, &rows, style)
    }
}

/// An interface.
fn row(rate: &Rate) -> Vec<Word> {
    let mut row = vec![Word::new(Tone::Strong, &rate.name)];
    for (way, bytes) in [("rx", rate.received), ("tx", rate.sent)] {
        let tone = if bytes == 0 { Tone::Dim } else { Tone::Plain };
        let (bytes, bits) = quantity::rate(bytes);
        row.push(Word::new(Tone::Dim, way));
        row.extend([bytes, bits].map(|text| Word::new(tone, text).right()));
    }
    row
}
