//! The sockets of this machine.

use nettool::buffers::{Process, Socket};

use super::{heads, record};
use crate::output::layout::{Columns, Tone, Word};
use crate::output::{Report, Style, record as records};

/// Sockets, as they are to be shown.
#[derive(Debug)]
pub(crate) struct SocketTable<'a> {
    /// Which ones.
    pub(crate) sockets: &'a [Socket],
    /// Whether their processes were looked for.
    pub(crate) processes: bool,
    /// Whether what there was no room for has a column.
    pub(crate) drops: bool,
}

/// The headlines; the last one's column is there if it is wanted.
const HEADS: [&str; 7] = [
    "proto", "state", "recv-q", "send-q", "recv-buf", "send-buf", "drops",
];

impl Report for SocketTable<'_> {
    fn records(&self) -> String {
        let lines = self.sockets.iter();
        lines
            .map(|socket| records::line("socket", &record::Socket::new(socket)))
            .collect()
    }

    fn text(&self, style: Style) -> String {
        let mut head = heads(&HEADS, 2..HEADS.len());
        let mut rows: Vec<Vec<Word>> = self.sockets.iter().map(numbers).collect();
        if !self.drops {
            for row in std::iter::once(&mut head).chain(&mut rows) {
                row.pop();
            }
        }
        let all = std::iter::once(&head).chain(&rows).map(Vec::as_slice);
        let columns = Columns::of(all);
        let last = if self.processes {
            &["local", "peer", "process"][..]
        } else {
            &["local", "peer"]
        };
        let mut text = columns.line(0, &head, &heads(last, 0..0), style);
        for (socket, row) in self.sockets.iter().zip(&rows) {
            text += &columns.line(0, row, &self.ends(socket), style);
        }
        text
    }
}

impl SocketTable<'_> {
    /// Who talks to whom, and for which process.
    fn ends(&self, socket: &Socket) -> Vec<Word> {
        let text = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let mut words = Vec::new();
        if socket.kind.is_unix() {
            words.push(Word::plain(text(socket.path.clone())));
        } else {
            words.push(Word::plain(text(socket.local_end())));
            words.push(Word::plain(text(socket.peer_end())));
        }
        if self.processes {
            let process = socket.process.as_ref();
            let process = process.map(|Process { pid, name }| format!("{name} ({pid})"));
            words.push(Word::new(Tone::Dim, text(process)));
        }
        words
    }
}

/// Kind, state, queues, sizes and drops.
fn numbers(socket: &Socket) -> Vec<Word> {
    let number = |bytes: Option<u64>, tone| {
        let text = bytes.map_or_else(|| "-".to_owned(), |bytes| bytes.to_string());
        Word::new(tone, text).right()
    };
    let waits = |queue: Option<u64>| match queue {
        Some(0) | None => Tone::Dim,
        Some(_) => Tone::Strong,
    };
    let received = socket.receive_queue.or(socket.accept_queue);
    let sent = socket.send_queue.or(socket.backlog);
    let send_tone = if socket.backlog.is_some() {
        Tone::Dim
    } else {
        waits(sent)
    };
    vec![
        Word::plain(socket.kind.name()),
        Word::plain(socket.state.name()),
        number(received, waits(received)),
        number(sent, send_tone),
        number(socket.receive_buffer, Tone::Dim),
        number(socket.send_buffer, Tone::Dim),
        number(socket.drops, waits(socket.drops)),
    ]
}
