//! What comes in pieces, as lines.

/// A line that is longer than this is passed on in parts, in bytes.
const LONGEST: usize = 8 * 1024;

/// The beginning of a line that has not ended.
#[derive(Debug, Default)]
pub(super) struct Lines {
    part: Vec<u8>,
    /// A part of that line was handed over already.
    goes_on: bool,
}

impl Lines {
    /// Takes a piece, and hands over each line that it completes, without its end.
    pub(super) fn take(&mut self, mut piece: &[u8], mut line: impl FnMut(&[u8])) {
        loop {
            let room = LONGEST.saturating_sub(self.part.len());
            let within = piece.get(..room).unwrap_or(piece);
            let Some(end) = within.iter().position(|byte| *byte == b'\n') else {
                self.part.extend_from_slice(within);
                piece = piece.get(within.len()..).unwrap_or_default();
                if self.part.len() < LONGEST {
                    return;
                }
                line(&self.part);
                self.part.clear();
                self.goes_on = true;
                continue;
            };
            let (last, rest) = piece.split_at_checked(end).unwrap_or_default();
            self.part.extend_from_slice(last);
            let whole = self.part.strip_suffix(b"\r").unwrap_or(&self.part);
            // The end of a line whose last part was handed over is no line of its own.
            if !(whole.is_empty() && self.goes_on) {
                line(whole);
            }
            self.part.clear();
            self.goes_on = false;
            piece = rest.get(1..).unwrap_or_default();
        }
    }

    /// Whether no line has begun.
    pub(super) fn is_empty(&self) -> bool {
        self.part.is_empty()
    }

    /// Hands over the rest: no more will come.
    pub(super) fn finish(&mut self, mut line: impl FnMut(&[u8])) {
        if !self.part.is_empty() {
            line(&self.part);
            self.part.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of these pieces.
    fn lines(pieces: &[&[u8]]) -> Vec<Vec<u8>> {
        let (mut lines, mut all) = (Lines::default(), Vec::new());
        for piece in pieces {
            lines.take(piece, |line| all.push(line.to_vec()));
        }
        lines.finish(|line| all.push(line.to_vec()));
        all
    }

    #[test]
    fn lines_are_put_together() {
        assert_eq!(
            lines(&[b"a\nb", b"c\r\n", b"\n", b"d"]),
            [&b"a"[..], b"bc", b"", b"d"]
        );
        assert!(lines(&[b""]).is_empty());
    }

    #[test]
    fn a_line_without_an_end_takes_no_memory_for_ever() {
        let long = vec![b'x'; LONGEST * 2 + 5];
        let parts: Vec<_> = lines(&[&long]).iter().map(Vec::len).collect();
        assert_eq!(parts, [LONGEST, LONGEST, 5]);
        let exact = [vec![b'x'; LONGEST - 1], b"\ny\n".to_vec()].concat();
        assert_eq!(lines(&[&exact])[1], b"y");
    }

    #[test]
    fn a_line_of_parts_loses_nothing_and_has_one_end() {
        let part = vec![b'x'; LONGEST];
        for end in [&b"\ny\n"[..], b"\r\ny\n"] {
            assert_eq!(lines(&[&part, end]), [&part[..], b"y"]);
        }
        assert_eq!(lines(&[&part, b"\n\n"]), [&part[..], b""]);
        // A carriage return is a line's end only before a line feed.
        let returns = [vec![b'x'; LONGEST - 1], b"\r".to_vec()].concat();
        assert_eq!(lines(&[&returns, b"y\n"]), [&returns[..], b"y"]);
    }
}
