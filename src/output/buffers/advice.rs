//! What a path needs.

use nettool::buffers::{Advice, Need};
use nettool::value::Duration;

use super::record;
use crate::output::layout::{Tone, Word, table};
use crate::output::{Report, Style, quantity, record as records};

impl Report for Advice {
    fn records(&self) -> String {
        let lines = self.needs.iter();
        lines
            .map(|need| records::line("advice", &record::Advised::new(self, need)))
            .collect()
    }

    fn text(&self, style: Style) -> String {
        let (bytes, bits) = quantity::rate(self.bandwidth);
        let rtt = Duration::new(self.round_trip);
        let product = quantity::bytes(self.product);
        let mut text = format!("A path of {bytes} ({bits}) and {rtt} holds {product}.\n");
        let rows: Vec<_> = self.needs.iter().map(row).collect();
        text += &table(2, &rows, style);
        let mut remedies = String::new();
        for need in &self.needs {
            let Some(remedy) = &need.remedy else { continue };
            let line = format!("  sysctl -w {}=\"{remedy}\"\n", need.setting);
            // What is off is off for both directions.
            if !remedies.contains(&line) {
                remedies += &line;
            }
        }
        if !remedies.is_empty() {
            text += "As root, here; the peer needs the same for its side:\n";
            text += &remedies;
        }
        if !self.fits_one_connection() {
            text += "No setting helps: a TCP connection has at most 1 GiB on the way (RFC 7323).\n";
            text += "Share the bytes between several connections.\n";
        }
        text + &style.dim(RULE)
    }
}

/// What to do besides.
const RULE: &str = "Leave the sizes to the system: a program that sets one switches autotuning off.
A send buffer larger than the path only adds delay.
";

/// A direction.
fn row(need: &Need) -> Vec<Word> {
    let (tone, verdict) = match need.is_met() {
        Some(true) => (Tone::Good, "enough"),
        Some(false) => (Tone::Warning, "too little"),
        None => (Tone::Dim, "unknown"),
    };
    let largest = need
        .largest
        .map_or_else(|| "-".to_owned(), |bytes| bytes.to_string());
    vec![
        Word::plain(need.direction.name()),
        Word::plain(format!("needs {}", need.needed)),
        Word::plain(format!("may have {largest}")),
        Word::new(Tone::Dim, format!("({})", need.setting)),
        Word::new(tone, verdict),
    ]
}
