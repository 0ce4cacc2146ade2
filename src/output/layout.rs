//! Text in columns and in lines, coloured after it is measured.

use super::{Style, escaped};

/// What stands between two words or columns.
const GAP: &str = "  ";

/// How a word looks.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Tone {
    /// As it is.
    #[default]
    Plain,
    /// As it should be.
    Good,
    /// Looked for first.
    Strong,
    /// There for completeness.
    Dim,
    /// Not as it should be.
    Warning,
}

/// A piece of text with its tone; its text is escaped.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Word {
    text: String,
    tone: Tone,
    right: bool,
}

impl Word {
    /// A word that may come from the kernel or the network.
    pub(crate) fn new(tone: Tone, text: impl AsRef<str>) -> Self {
        Self {
            text: escaped(text.as_ref()).into_owned(),
            tone,
            right: false,
        }
    }

    /// A word without a tone.
    pub(crate) fn plain(text: impl AsRef<str>) -> Self {
        Self::new(Tone::Plain, text)
    }

    /// The same at the right edge of its column, as numbers stand.
    pub(crate) fn right(self) -> Self {
        Self {
            right: true,
            ..self
        }
    }

    /// How many columns it takes.
    fn width(&self) -> usize {
        self.text.chars().count()
    }

    /// The word in its colours.
    fn painted(&self, style: Style) -> String {
        match self.tone {
            Tone::Plain => self.text.clone(),
            Tone::Good => style.good(&self.text),
            Tone::Strong => style.strong(&self.text),
            Tone::Dim => style.dim(&self.text),
            Tone::Warning => style.warning(&self.text),
        }
    }

    /// The word in its colours, in a column of this width.
    fn in_column(&self, width: usize, style: Style) -> String {
        let room = " ".repeat(width.saturating_sub(self.width()));
        let word = self.painted(style);
        if self.right {
            room + &word
        } else {
            word + &room
        }
    }
}

/// The widths of columns that several rows share.
#[derive(Clone, Debug, Default)]
pub(crate) struct Columns(Vec<usize>);

impl Columns {
    /// Columns wide enough for all of these rows.
    pub(crate) fn of<'a>(rows: impl IntoIterator<Item = &'a [Word]>) -> Self {
        let mut widths = Vec::new();
        for row in rows {
            widths.resize(row.len().max(widths.len()), 0);
            for (width, word) in widths.iter_mut().zip(row) {
                *width = word.width().max(*width);
            }
        }
        Self(widths)
    }

    /// A row in its columns and, after them, words that take new lines when one of a terminal is full.
    pub(crate) fn line(&self, indent: usize, row: &[Word], rest: &[Word], style: Style) -> String {
        let mut line = Line::new(indent, style);
        for (word, width) in row.iter().zip(&self.0) {
            line.column(word, *width);
        }
        for word in rest {
            line.word(word);
        }
        line.end()
    }
}

/// Rows in columns, each a line however long it is.
pub(crate) fn table(indent: usize, rows: &[Vec<Word>], style: Style) -> String {
    let columns = Columns::of(rows.iter().map(Vec::as_slice));
    let lines = rows.iter().map(|row| columns.line(indent, row, &[], style));
    lines.collect()
}

/// A line that is being written, and those before it that were full.
struct Line {
    style: Style,
    indent: usize,
    done: String,
    /// How many columns the last line takes, with the room that its last column leaves.
    width: usize,
    /// Spaces that are written if anything follows.
    room: String,
}

impl Line {
    /// An empty line; those that follow it are indented by four more.
    fn new(indent: usize, style: Style) -> Self {
        Self {
            style,
            indent: indent + 4,
            done: String::new(),
            width: indent,
            room: " ".repeat(indent),
        }
    }

    /// Adds a word in a column of its own.
    fn column(&mut self, word: &Word, width: usize) {
        let text = word.in_column(width, self.style);
        let trimmed = text.trim_end_matches(' ');
        let trailing = " ".repeat(text.len() - trimmed.len());
        if !trimmed.is_empty() {
            self.done.push_str(&std::mem::take(&mut self.room));
            self.done.push_str(trimmed);
        }
        self.room.push_str(&trailing);
        self.room.push_str(GAP);
        self.width += width + GAP.len();
    }

    /// Adds a word, on a new line if this one is full.
    fn word(&mut self, word: &Word) {
        let is_full = |width| self.width + word.width() > width && self.width > self.indent;
        if self.style.width().is_some_and(is_full) {
            self.done.push('\n');
            self.room = " ".repeat(self.indent);
            self.width = self.indent;
        }
        self.column(word, word.width());
    }

    /// The lines, with their ends.
    fn end(mut self) -> String {
        self.done.push('\n');
        self.done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words without a tone.
    fn words(texts: &[&str]) -> Vec<Word> {
        texts.iter().map(Word::plain).collect()
    }

    #[test]
    fn columns_are_as_wide_as_they_must_be() {
        let numbers = vec![
            Word::plain("lo"),
            Word::plain("7").right(),
            Word::plain("x"),
        ];
        let rows = [words(&["eth0", "1234", ""]), numbers];
        let text = table(2, &rows, Style::PLAIN);
        assert_eq!(text, "  eth0  1234\n  lo       7  x\n");
    }

    #[test]
    fn words_take_a_new_line_when_one_is_full() {
        let long = "x".repeat(40);
        let rest = words(&[&long, "end"]);
        let row = words(&["a".repeat(34).as_str()]);
        let line = |style| Columns::of([row.as_slice()]).line(0, &row, &rest, style);
        let first = "a".repeat(34);
        assert_eq!(
            line(Style::PLAIN.narrow(80)),
            format!("{first}  {long}\n    end\n")
        );
        assert_eq!(line(Style::PLAIN), format!("{first}  {long}  end\n"));
    }

    #[test]
    fn text_from_outside_is_escaped_before_it_is_measured() {
        let row = vec![words(&["\u{1b}[2J", "b"])];
        assert_eq!(table(0, &row, Style::PLAIN), "\\u{1b}[2J  b\n");
    }
}
