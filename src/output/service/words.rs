//! What a person reads of a server and its clients.

use nettool::error::Error;
use nettool::net::Address;
use nettool::relay::Transfer;
use nettool::serve::Totals;

use crate::output::quantity::{bytes, counted, seconds};

/// How much of what a client said is shown.
const SHOWN: usize = 60;

/// What a client is called: by its address, or by its number where it has none.
pub(super) fn name(client: u64, peer: &Address) -> String {
    match peer {
        Address::Unix(None) => format!("client {client}"),
        peer => format!("client {peer}"),
    }
}

/// How much came, and the beginning of it where that is text and all.
pub(super) fn said(came: &[u8], untold: u64) -> String {
    let count = bytes(untold);
    if untold > came.len() as u64 {
        return format!(": {count} came");
    }
    let shown: String = text(came).trim_end().chars().take(SHOWN).collect();
    match shown.as_str() {
        "" => format!(": {count} came"),
        text => format!(": {count} came: {text}"),
    }
}

/// What came, if it is text; a character that was cut in two at its end is left out.
fn text(came: &[u8]) -> &str {
    match std::str::from_utf8(came) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            let valid = came.get(..error.valid_up_to()).unwrap_or_default();
            std::str::from_utf8(valid).unwrap_or_default()
        }
        Err(_) => "",
    }
}

/// The figures of a client that is gone.
pub(super) fn gone(client: u64, transfer: &Transfer) -> String {
    let unnamed = Address::Unix(None);
    let name = name(client, transfer.peer.as_ref().unwrap_or(&unnamed));
    let (received, sent) = (bytes(transfer.received), bytes(transfer.sent));
    let elapsed = seconds(transfer.elapsed);
    let error = transfer
        .error
        .as_ref()
        .map_or_else(String::new, |error| format!(": {}", why(error, transfer)));
    format!("{name} gone: received {received}, sent {sent}, {elapsed}{error}")
}

/// Why a client is gone, and who else it was that failed.
fn why(error: &Error, transfer: &Transfer) -> String {
    let peer = transfer.peer.as_ref().map(ToString::to_string);
    if peer.as_ref() == Some(&error.target) {
        error.cause_text()
    } else {
        error.to_string()
    }
}

/// The figures of all clients.
pub(super) fn totals_text(totals: &Totals) -> String {
    let clients = counted(totals.clients, "client");
    let failed = match totals.failed {
        0 => String::new(),
        count => format!(" ({count} broken off)"),
    };
    let refused = match totals.refused {
        0 => String::new(),
        count => format!(", refused {count}"),
    };
    let lost = match totals.datagrams_lost {
        None | Some(0) => String::new(),
        Some(count) => format!(", {} lost", counted(count, "datagram")),
    };
    let cut = match totals.datagrams_cut {
        0 => String::new(),
        count => format!(", {} cut off", counted(count, "datagram")),
    };
    let unsent = match totals.datagrams_unsent {
        0 => String::new(),
        count => format!(", {} not sent", counted(count, "datagram")),
    };
    let uncounted = match totals.uncounted {
        0 => String::new(),
        count => format!(", of {} not known", counted(count, "client")),
    };
    let (received, sent) = (bytes(totals.received), bytes(totals.sent));
    let elapsed = seconds(totals.elapsed);
    let moved =
        format!("received {received}, sent {sent}{uncounted}, {elapsed}{lost}{cut}{unsent}");
    format!("served {clients}{failed}{refused}: {moved}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn one_datagram_is_no_plural() {
        let totals = Totals {
            clients: 1,
            datagrams_lost: Some(1),
            datagrams_unsent: 2,
            elapsed: Duration::from_secs(1),
            ..Totals::default()
        };
        let text = totals_text(&totals);
        assert!(text.starts_with("served 1 client: "), "{text}");
        assert!(
            text.ends_with(", 1 datagram lost, 2 datagrams not sent"),
            "{text}"
        );
    }
}
