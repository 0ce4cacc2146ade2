//! A report that is shown again and again: in place on a terminal, else below the one before.

use std::io::stdout;

use nettool::error::Error;
use nettool::process;

use super::{Output, Report, terminal_understands};

/// Where the report was drawn.
#[derive(Debug)]
pub(crate) struct Live<'a> {
    output: &'a Output,
    in_place: bool,
    /// How many lines the last one took.
    drawn: usize,
}

impl<'a> Live<'a> {
    /// Nothing drawn yet. A terminal that does not say what it understands gets lines.
    pub(crate) fn new(output: &'a Output) -> Self {
        let in_place =
            terminal_understands() && !output.is_json() && process::is_terminal(stdout());
        Self {
            output,
            in_place,
            drawn: 0,
        }
    }

    /// Shows the report in the place of the one before. Nothing is drawn on a terminal that is not
    /// ours at the moment.
    pub(crate) fn show(&mut self, report: &impl Report) -> Result<(), Error> {
        if !self.in_place {
            return self.output.report(report);
        }
        if !process::foreground(stdout()) {
            self.drawn = 0;
            return Ok(());
        }
        let text = report.text(self.output.stdout.on_stdout());
        let lines = fitting(&text, process::terminal_lines(stdout()));
        let drawing = drawing(self.drawn, &lines);
        self.drawn = lines.len();
        self.output.result(&drawing)
    }
}

/// Goes up over what was drawn and draws over it. The terminal cuts what is too wide, as it would
/// otherwise take lines that nobody counts (DECAWM, VT510 manual).
fn drawing(above: usize, lines: &[String]) -> String {
    let up = match above {
        0 => String::new(),
        lines => format!("\u{1b}[{lines}A"),
    };
    let lines = lines.iter().flat_map(|line| [line.as_str(), "\u{1b}[K\n"]);
    let lines: String = lines.collect();
    format!("\r{up}\u{1b}[?7l{lines}\u{1b}[?7h\u{1b}[J")
}

/// The lines that a terminal of this height shows at once, above the one that the cursor is in.
fn fitting(text: &str, height: Option<usize>) -> Vec<String> {
    let all: Vec<&str> = text.lines().collect();
    let room = height.map_or(usize::MAX, |height| height.saturating_sub(1).max(1));
    if all.len() <= room {
        return all.into_iter().map(str::to_owned).collect();
    }
    let kept = room.saturating_sub(1);
    let left = all.len().saturating_sub(kept);
    let lines = all.into_iter().take(kept).map(str::to_owned);
    lines
        .chain([format!("... and {left} more lines")])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_drawn_is_drawn_over() {
        let lines = ["a".to_owned(), "b".to_owned()];
        let first = drawing(0, &lines);
        assert_eq!(
            first,
            "\r\u{1b}[?7la\u{1b}[K\nb\u{1b}[K\n\u{1b}[?7h\u{1b}[J"
        );
        assert!(drawing(2, &lines).starts_with("\r\u{1b}[2A\u{1b}[?7la"));
    }

    #[test]
    fn no_more_lines_than_there_are() {
        assert_eq!(fitting("a\nb\n", Some(3)), ["a", "b"]);
        assert_eq!(fitting("a\nb\nc\n", Some(3)), ["a", "... and 2 more lines"]);
        assert_eq!(fitting("a\nb\n", Some(1)), ["... and 2 more lines"]);
        assert_eq!(fitting("a\n", None), ["a"]);
    }
}
