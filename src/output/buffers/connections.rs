//! Connections, and what holds them up.

use nettool::buffers::{Connection, Verdict};

use super::record;
use crate::output::layout::{Columns, Tone, Word};
use crate::output::{Report, Style, quantity, record as records};

/// Connections, as they are to be shown.
#[derive(Debug)]
pub(crate) struct Connections<'a>(pub(crate) &'a [Connection]);

impl Report for Connections<'_> {
    fn records(&self) -> String {
        let lines = self.0.iter();
        lines
            .map(|connection| records::line("connection", &record::Connection::new(connection)))
            .collect()
    }

    fn text(&self, style: Style) -> String {
        if self.0.is_empty() {
            return format!("{}\n", style.dim("no connection"));
        }
        let blocks = self.0.iter().map(|connection| {
            let line = |indent, words: &[Word]| Columns::default().line(indent, &[], words, style);
            line(0, &ends(connection)) + &line(4, &numbers(connection))
        });
        blocks.collect()
    }
}

/// Who talks to whom, and what holds it up.
fn ends(connection: &Connection) -> Vec<Word> {
    let end = |end: Option<String>| end.unwrap_or_else(|| "-".to_owned());
    let socket = &connection.socket;
    let (local, peer) = (end(socket.local_end()), end(socket.peer_end()));
    vec![
        Word::new(Tone::Strong, format!("{local} > {peer}")),
        verdict(connection.verdict),
    ]
}

/// What holds it up, in words.
fn verdict(verdict: Option<Verdict>) -> Word {
    let (tone, text) = match verdict {
        None => (Tone::Dim, "-"),
        Some(Verdict::Idle) => (Tone::Dim, "nothing to send"),
        Some(Verdict::Application) => (Tone::Good, "limited by the program"),
        Some(Verdict::Receiver) => (Tone::Warning, "limited by the receiver's window"),
        Some(Verdict::SendBuffer) => (Tone::Warning, "limited by our send buffer"),
        Some(Verdict::Network) => (Tone::Plain, "limited by the network"),
    };
    Word::new(tone, text)
}

/// What was measured.
fn numbers(connection: &Connection) -> Vec<Word> {
    let tcp = &connection.tcp;
    let rate = |way: &str, bytes: Option<u64>| {
        let text = bytes.map_or_else(|| "-".to_owned(), |bytes| quantity::rate(bytes).0);
        Word::plain(format!("{way} {text}"))
    };
    let queue = |name: &str, bytes: Option<u64>| {
        let text = bytes.map_or_else(|| "-".to_owned(), |bytes| bytes.to_string());
        Word::plain(format!("{name} {text}"))
    };
    let (milliseconds, rest) = (tcp.rtt_us / 1000, tcp.rtt_us % 1000);
    vec![
        rate("tx", connection.sent),
        rate("rx", connection.received),
        Word::plain(format!("rtt {milliseconds}.{rest:03} ms")),
        Word::plain(format!(
            "window {} x {}",
            tcp.congestion_window, tcp.segment
        )),
        queue("resent", Some(tcp.retransmissions.into())),
        queue("not sent", tcp.unsent.map(u64::from)),
        queue("send-q", connection.socket.send_queue),
        queue("recv-q", connection.socket.receive_queue),
    ]
}
