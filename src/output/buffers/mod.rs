//! The report of `nettool buffers`.

mod advice;
mod connections;
mod fill;
mod grants;
mod record;
mod sizes;
mod sockets;

use std::ops::Range;

use nettool::buffers::{BufferSizes, Limit};

pub(crate) use connections::Connections;
pub(crate) use fill::{Drained, Filled};
pub(crate) use sockets::SocketTable;

use super::layout::{Tone, Word};
use super::{Report, Style, record as records};

/// The sizes of buffers, or what came of asking for one.
#[derive(Debug)]
pub(crate) struct BufferTable<'a>(pub(crate) &'a [BufferSizes]);

impl Report for BufferTable<'_> {
    fn records(&self) -> String {
        let lines = self
            .0
            .iter()
            .map(|sizes| records::line("buffer", &record::Buffer::new(sizes)));
        lines.collect()
    }

    fn text(&self, style: Style) -> String {
        if self.0.iter().any(|sizes| sizes.grant.is_some()) {
            return grants::text(self.0, style);
        }
        sizes::text(self.0, style)
    }
}

/// The two words that say which buffer it is.
fn names(sizes: &BufferSizes) -> [Word; 2] {
    [
        Word::new(Tone::Strong, sizes.transport.name()),
        Word::plain(sizes.direction.name()),
    ]
}

/// The headlines of columns; those of numbers, which are these, stand at the right as they do.
fn heads(texts: &[&str], numbers: Range<usize>) -> Vec<Word> {
    let heads = texts.iter().enumerate().map(|(place, text)| {
        let head = Word::new(Tone::Dim, text);
        if numbers.contains(&place) {
            head.right()
        } else {
            head
        }
    });
    heads.collect()
}

/// A size, exactly.
fn size(limit: Option<Limit>) -> Word {
    let text = limit.map_or_else(|| "-".to_owned(), |limit| limit.bytes.to_string());
    Word::plain(text).right()
}
