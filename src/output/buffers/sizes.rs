//! The sizes as a table, and what they mean.

use nettool::buffers::{BufferSizes, Direction, Origin, Transport};

use super::{heads, names, size};
use crate::output::Style;
use crate::output::layout::{Word, table};

/// The headlines.
const HEADS: [&str; 7] = [
    "proto",
    "buffer",
    "minimum",
    "default",
    "maximum",
    "tuned",
    "maximum from",
];

/// The table, and the sentences below it.
pub(super) fn text(sizes: &[BufferSizes], style: Style) -> String {
    let mut rows = vec![heads(&HEADS, 2..5)];
    rows.extend(sizes.iter().map(row));
    let mut text = table(0, &rows, style);
    for sentence in sentences(sizes) {
        text += &style.dim(sentence);
        text.push('\n');
    }
    text
}

/// A buffer.
fn row(sizes: &BufferSizes) -> Vec<Word> {
    let tuned = match sizes.autotuned {
        Some(true) => "yes",
        Some(false) => "no",
        None => "-",
    };
    let origin = sizes.maximum.map_or("-", |limit| limit.origin.name());
    let mut row = names(sizes).to_vec();
    row.extend([sizes.minimum, sizes.default, sizes.maximum].map(size));
    row.extend([Word::plain(tuned), Word::plain(origin)]);
    row
}

/// What the numbers are, each sentence at most a line.
fn sentences(sizes: &[BufferSizes]) -> Vec<String> {
    let tuned = sizes.iter().any(|sizes| sizes.autotuned == Some(true));
    let asking = Direction::BOTH
        .into_iter()
        .filter_map(|way| asking(sizes, way));
    let mut sentences = vec!["Bytes, as getsockopt reports them.".to_owned()];
    sentences.extend(asking);
    sentences.extend(connected(sizes));
    if tuned {
        sentences
            .push("TCP lets a tuned buffer grow; setting its size switches that off.".to_owned());
    }
    sentences
}

/// What a connection begins with, which is not what a new socket has.
fn connected(sizes: &[BufferSizes]) -> Option<String> {
    let of = |way| {
        let tcp =
            |sizes: &&BufferSizes| (sizes.transport, sizes.direction) == (Transport::Tcp, way);
        sizes.iter().find(tcp)?.connected
    };
    let (send, receive) = (of(Direction::Send)?, of(Direction::Receive)?);
    Some(format!(
        "A TCP connection over loopback begins with {send} to send and {receive} to receive."
    ))
}

/// What a program can have by asking.
fn asking(sizes: &[BufferSizes], way: Direction) -> Option<String> {
    let of_way = sizes.iter().find(|sizes| sizes.direction == way)?;
    let settable = of_way.settable?;
    let (way, request, bytes) = (way.name(), settable.request(), settable.bytes);
    let name = match settable.origin {
        Origin::Setting(name) => format!(" ({name})"),
        Origin::Measured => String::new(),
    };
    Some(format!(
        "Asking for {request}{name} or more gives a {way} buffer of {bytes}."
    ))
}
