//! What comes in pieces, as lines.

/// A line that is longer than this is passed on in parts, in bytes.
const LONGEST: usize = 8 * 1024;

/// The beginning of a line that has not ended.
#[derive(Debug, Default)]
pub(super) struct Lines(Vec<u8>);

impl Lines {
    /// Takes a piece, and hands over each line that it completes, without its end.
    pub(super) fn take(&mut self, mut piece: &[u8], mut line: impl FnMut(&[u8])) {
        loop {
            let room = LONGEST.saturating_sub(self.0.len());
            let within = piece.get(..room).unwrap_or(piece);
            let end = within.iter().position(|byte| *byte == b'\n');
            let (part, rest) = match end {
                Some(end) => (within.get(..end), piece.get(end.saturating_add(1)..)),
                None => (Some(within), piece.get(within.len()..)),
            };
            self.0.extend_from_slice(part.unwrap_or_default());
            if end.is_none() && self.0.len() < LONGEST {
                return;
            }
            line(self.0.strip_suffix(b"\r").unwrap_or(&self.0));
            self.0.clear();
            piece = rest.unwrap_or_default();
        }
    }

    /// Whether no line has begun.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Hands over the rest: no more will come.
    pub(super) fn finish(&mut self, mut line: impl FnMut(&[u8])) {
        if !self.0.is_empty() {
            line(&self.0);
            self.0.clear();
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
}
