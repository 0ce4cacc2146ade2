//! Line ends as network protocols have them.

/// Turns each line end into CR LF; one that is so already stays as it is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LineEnds {
    /// Whether the last byte so far was a CR.
    after_cr: bool,
}

impl LineEnds {
    /// The next bytes with their line ends turned.
    pub(super) fn turned(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len().saturating_add(bytes.len() / 16));
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            if let [text @ .., b'\n'] = line {
                out.extend_from_slice(text);
                let after_cr = text.last().map_or(self.after_cr, |byte| *byte == b'\r');
                out.extend_from_slice(if after_cr { b"\n" } else { b"\r\n" });
            } else {
                out.extend_from_slice(line);
            }
            self.after_cr = line.last() == Some(&b'\r');
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Turned in pieces is turned whole: each LF has a CR before it, once, and nothing else is
        /// added.
        #[test]
        fn reads_do_not_matter(text in "[ab\r\n]{0,60}", cut in 1..9_usize) {
            let mut ends = LineEnds::default();
            let pieces = text.as_bytes().chunks(cut);
            let out: Vec<u8> = pieces.flat_map(|piece| ends.turned(piece)).collect();
            let out = String::from_utf8(out).unwrap();
            prop_assert_eq!(&out, &text.replace("\r\n", "\n").replace('\n', "\r\n"));
        }
    }

    #[test]
    fn however_it_is_cut_it_is_the_same() {
        let text = b"a\nb\r\nc\r\r\n\n\rd\n";
        let expected = b"a\r\nb\r\nc\r\r\n\r\n\rd\r\n";
        for first in 0..=text.len() {
            for second in first..=text.len() {
                let mut ends = LineEnds::default();
                let pieces = [&text[..first], &text[first..second], &text[second..]];
                let out: Vec<u8> = pieces.iter().flat_map(|piece| ends.turned(piece)).collect();
                assert_eq!(out, expected);
            }
        }
    }
}
