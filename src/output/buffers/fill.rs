//! Where the bytes are that send took.

use nettool::buffers::{Fill, Kept, Transport};

use super::record;
use crate::output::layout::{Tone, Word, table};
use crate::output::{Report, Style, quantity, record as records};

/// Who has what was read.
const BY_PEER: &str = "by the peer's program";

/// How many letters the bar takes.
const BAR: u64 = 60;

/// A peer that does not read has been sent all that it takes.
#[derive(Debug)]
pub(crate) struct Filled(pub(crate) Fill);

/// The same after the peer has read some of it.
#[derive(Debug)]
pub(crate) struct Drained(pub(crate) Fill);

impl Report for Filled {
    fn records(&self) -> String {
        records::line("fill", &record::Fill::new(&self.0))
    }

    fn text(&self, style: Style) -> String {
        let fill = &self.0;
        let took = quantity::bytes(fill.accepted);
        let end = match (fill.blocked, fill.at_rest) {
            (true, true) => " before it would block",
            (true, false) => " before it would block; they still move",
            (false, _) => " and would take more: they are being read, or still move",
        };
        let mut text = format!("send() took {took}{end}\n");
        text += &table(2, &places(fill), style);
        text += &bar(fill);
        text
    }
}

impl Report for Drained {
    fn records(&self) -> String {
        records::line("fill", &record::Fill::new(&self.0))
    }

    fn text(&self, style: Style) -> String {
        let fill = &self.0;
        let words = [
            ("read", fill.read),
            ("not sent", fill.unsent),
            ("in flight", fill.in_flight),
            ("at peer", fill.peer_queue),
            (
                "acknowledged",
                fill.acknowledged().filter(|_| fill.read.is_none()),
            ),
        ];
        let known = words.into_iter().filter(|(_, bytes)| bytes.is_some());
        let row = known.flat_map(|(name, bytes)| {
            let number = bytes.map_or_else(|| "-".to_owned(), |bytes| bytes.to_string());
            let room = " ".repeat(9_usize.saturating_sub(number.len()));
            [
                Word::new(Tone::Dim, name),
                Word::plain(format!("{room}{number}")),
            ]
        });
        table(0, &[row.collect()], style)
    }
}

impl Report for Kept {
    fn records(&self) -> String {
        records::line("fill", &record::Fill::of_datagrams(self))
    }

    fn text(&self, style: Style) -> String {
        let mut text = format!(
            "send() took {} of {} B, and never waited\n",
            quantity::counted(self.sent, "datagram"),
            self.size
        );
        let row = |name: &str, count: Option<u64>, what: &str| {
            let count = count.map_or_else(|| "-".to_owned(), |count| count.to_string());
            vec![
                Word::new(Tone::Dim, name),
                Word::plain(count).right(),
                Word::plain(what),
            ]
        };
        let rows = [
            row("kept", Some(self.kept), "waited in the receive buffer"),
            row("dropped", self.dropped, "had no room there; nobody is told"),
        ];
        text += &table(2, &rows, style);
        text + &format!(
            "The receive buffer has {}.\n",
            quantity::bytes(self.receive_buffer)
        )
    }
}

/// A line for each place where bytes can be.
fn places(fill: &Fill) -> Vec<Vec<Word>> {
    let row = |name: &str, bytes: Option<u64>, place: String| {
        let number = bytes.map_or_else(|| "-".to_owned(), |bytes| bytes.to_string());
        vec![
            Word::new(Tone::Dim, name),
            Word::plain(number).right(),
            Word::plain(place),
        ]
    };
    let here = format!("in our send buffer of {}", size(fill.send_buffer));
    let there = format!(
        "in the peer's receive buffer of {}",
        size(fill.peer_receive_buffer)
    );
    let flight = "sent, and not acknowledged".to_owned();
    match (fill.transport, fill.peer_queue) {
        (Transport::UnixStream, _) => {
            let there = format!(
                "wait for the peer, in our send buffer of {}",
                size(fill.send_buffer)
            );
            vec![row("queued", fill.peer_queue, there)]
        }
        (_, None) => vec![
            row("not sent", fill.unsent, here),
            row("in flight", fill.in_flight, flight),
            row(
                "acknowledged",
                fill.acknowledged(),
                "with the peer's system".to_owned(),
            ),
        ],
        (_, queue) => {
            let mut rows = vec![
                row("not sent", fill.unsent, here),
                row("in flight", fill.in_flight, flight),
                row("peer's queue", queue, there),
            ];
            let read = fill.read.filter(|read| *read > 0);
            rows.extend(read.map(|read| row("read", Some(read), BY_PEER.to_owned())));
            rows
        }
    }
}

/// A size, or that it is not known.
fn size(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| "unknown size".to_owned(), |bytes| format!("{bytes} B"))
}

/// What is here and what is there, as far as both are known.
fn bar(fill: &Fill) -> String {
    let here = fill.unsent.zip(fill.in_flight);
    let here = here.map(|(unsent, flying)| unsent.saturating_add(flying));
    let there = fill.peer_queue.or(fill.acknowledged());
    let (Some(here), Some(there)) = (here, there) else {
        return String::new();
    };
    let whole = u128::from(here) + u128::from(there);
    let part = u128::from(here) * u128::from(BAR);
    let Some(part) = (part + whole / 2).checked_div(whole) else {
        return String::new();
    };
    let ours = usize::try_from(part).unwrap_or_default();
    let theirs = usize::try_from(BAR)
        .unwrap_or_default()
        .saturating_sub(ours);
    let (ours, theirs) = ("#".repeat(ours), "=".repeat(theirs));
    format!("  here [{ours}{theirs}] peer\n")
}
