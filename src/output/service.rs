//! What `listen` tells of its clients, when there may be many.

use std::path::Path;

use nettool::error::{Action, Error};
use nettool::event::Event;
use nettool::net::{Address, Proto};
use nettool::relay::Transfer;
use nettool::serve::{ChildEnd, Refusal, Standing, Totals};
use serde::Serialize;

use super::quantity::bytes;
use super::session::seconds;
use super::{Output, record};

/// Said when a program is given to whoever connects, and nobody said to whom.
const LOOPBACK: &str = "only this machine can connect; \
    for others name an address to listen on: 0.0.0.0 is every one";

/// `child`.
#[derive(Serialize)]
struct Child {
    client: u64,
    pid: u32,
    status: Option<i32>,
    signal: Option<i32>,
}

/// How much of what a client said is shown.
const SHOWN: usize = 60;

/// `served`.
#[derive(Serialize)]
struct Served {
    clients: u64,
    failed: u64,
    refused: u64,
    bytes_sent: u64,
    bytes_received: u64,
    datagrams_lost: Option<u64>,
    datagrams_unsent: u64,
    elapsed_us: u64,
}

/// `progress` of a server for many.
#[derive(Serialize)]
struct Stands {
    client: Option<u64>,
    bytes_sent: u64,
    bytes_acked: Option<u64>,
    bytes_received: u64,
    elapsed_us: u64,
    bytes_total: Option<u64>,
    clients_now: u64,
    clients: u64,
    failed: u64,
    refused: u64,
}

/// `saved`.
#[derive(Serialize)]
struct Saved<'a> {
    client: u64,
    path: &'a str,
    bytes: u64,
}

impl Output {
    /// What a server has done for all its clients.
    pub(crate) fn totals(&self, totals: &Totals) {
        if self.is_json() {
            let served = Served {
                clients: totals.clients,
                failed: totals.failed,
                refused: totals.refused,
                bytes_sent: totals.sent,
                bytes_received: totals.received,
                datagrams_lost: totals.datagrams_lost,
                datagrams_unsent: totals.datagrams_unsent,
                elapsed_us: u64::try_from(totals.elapsed.as_micros()).unwrap_or(u64::MAX),
            };
            return self.put(&record::line("served", &served));
        }
        self.detail(1, &totals_text(totals));
    }

    /// What a server is doing, since somebody asked.
    fn standing(&self, standing: &Standing) {
        let totals = &standing.totals;
        if self.is_json() {
            let stands = Stands {
                client: None,
                bytes_sent: totals.sent,
                bytes_acked: None,
                bytes_received: totals.received,
                elapsed_us: u64::try_from(totals.elapsed.as_micros()).unwrap_or(u64::MAX),
                bytes_total: None,
                clients_now: standing.present,
                clients: totals.clients,
                failed: totals.failed,
                refused: totals.refused,
            };
            return self.put(&record::line("progress", &stands));
        }
        let text = totals_text(totals);
        self.answer(&format!("{} there now, {text}", clients(standing.present)));
    }

    /// Whether anybody is told what each client sent and got.
    pub(crate) fn tells_of_clients(&self) -> bool {
        self.is_json() || self.tells(1)
    }

    /// Tells that nobody but this machine is let in.
    pub(crate) fn loopback_alone(&self) {
        if self.is_json() {
            return self.warn(LOOPBACK);
        }
        self.note(LOOPBACK);
    }

    /// How a client's command ended.
    fn child_ended(&self, client: u64, peer: &Address, end: ChildEnd) {
        let ChildEnd {
            pid,
            status,
            signal,
        } = end;
        if self.is_json() {
            let child = Child {
                client,
                pid,
                status,
                signal,
            };
            return self.put(&record::line("child", &child));
        }
        let how = match (status, signal) {
            (Some(status), _) => format!("ended with status {status}"),
            (_, Some(signal)) => format!("was ended by signal {signal}"),
            _ => "ended".to_owned(),
        };
        self.detail(
            1,
            &format!("{}: its command ({pid}) {how}", name(client, peer)),
        );
    }

    /// An event of one client of several.
    pub(super) fn notice_client(&self, event: &Event<'_>) {
        match event {
            Event::ClientCame {
                client,
                proto,
                local,
                peer,
            } => {
                if self.is_json() {
                    let connected = record::Connected::new(*client, *proto, local, peer);
                    self.put(&record::line("connected", &connected));
                }
                self.detail(1, &format!("{} connected", name(*client, peer)));
            }
            Event::Refused {
                proto,
                peer,
                reason,
            } => self.refused(*proto, peer, *reason),
            Event::ClientSaid {
                client,
                peer,
                bytes,
            } if self.tells(1) => {
                self.note(&format!("{}{}", name(*client, peer), said(bytes)));
            }
            Event::ChildEnded { client, peer, end } => self.child_ended(*client, peer, *end),
            Event::SessionFailed {
                client,
                peer,
                error,
            } => self.session_failed(*client, peer, error),
            Event::Saved {
                client,
                peer,
                path,
                bytes,
            } => self.saved(*client, peer, path, *bytes),
            Event::ClientTooSlow { client, peer, left } => {
                let name = name(*client, peer);
                let left = bytes(*left);
                self.warn(&format!(
                    "{name} reads too slowly for the others and is dropped: {left} not sent \
                    (--slow wait makes them wait)"
                ));
            }
            Event::Standing(standing) => self.standing(standing),
            Event::ClientGone { client, transfer } => self.client_gone(*client, transfer),
            _ => {}
        }
    }

    /// Why somebody who answered a client does so no more. What is wrong on our side would be so
    /// with every datagram.
    fn session_failed(&self, client: u64, peer: &Address, error: &Error) {
        if self.is_json() || (self.tells_at_once(error) && self.first_time("session failed")) {
            return self.error(error);
        }
        self.detail(1, &format!("{}: {error}", name(client, peer)));
    }

    /// What a client sent is a file.
    fn saved(&self, client: u64, peer: &Address, path: &Path, bytes: u64) {
        let path = path.display().to_string();
        if self.is_json() {
            let saved = Saved {
                client,
                path: &path,
                bytes,
            };
            return self.put(&record::line("saved", &saved));
        }
        self.detail(1, &format!("{}: saved as {path}", name(client, peer)));
    }

    /// Somebody was turned away.
    fn refused(&self, proto: Proto, peer: &Address, reason: Refusal) {
        let (reason, words) = match reason {
            Refusal::Denied => ("denied", "a network that is denied has its address"),
            Refusal::NotAllowed => ("not_allowed", "no network that is allowed has its address"),
            Refusal::Full => ("max_clients", "there are as many clients as there may be"),
            _ => ("refused", "it may not"),
        };
        if self.is_json() {
            let refused = record::Refused::new(proto, peer, reason);
            return self.put(&record::line("refused", &refused));
        }
        self.detail(1, &format!("{peer} refused: {words}"));
    }

    /// What went wrong with the only client there was, unless that was told when it went.
    pub(crate) fn only_client(&self, transfer: &Transfer) {
        if let Some(error) = transfer
            .error
            .as_ref()
            .filter(|error| !self.tells_at_once(error))
        {
            self.error(error);
        }
    }

    /// Whether an error is told even when it is of one client of many: it is for a script, or of
    /// our own side.
    fn tells_at_once(&self, error: &Error) -> bool {
        let ours = matches!(error.action, Action::Read | Action::Run | Action::Write);
        self.is_json() || ours
    }

    /// What became of a client. What went wrong on its side is told with `-v`, on ours always.
    fn client_gone(&self, client: u64, transfer: &Transfer) {
        if let Some(error) = transfer
            .error
            .as_ref()
            .filter(|error| self.tells_at_once(error))
        {
            self.error(error);
        }
        if self.is_json() {
            let transferred = record::Transferred::new(client, transfer);
            return self.put(&record::line("transfer", &transferred));
        }
        self.detail(1, &gone(client, transfer));
    }
}

/// What a client is called: by its address, or by its number where it has none.
fn name(client: u64, peer: &Address) -> String {
    match peer {
        Address::Unix(None) => format!("client {client}"),
        peer => format!("client {peer}"),
    }
}

/// How much came, and the beginning of it where that is text.
fn said(came: &[u8]) -> String {
    let count = bytes(came.len() as u64);
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
fn gone(client: u64, transfer: &Transfer) -> String {
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

/// So many clients.
fn clients(count: u64) -> String {
    match count {
        1 => "1 client".to_owned(),
        count => format!("{count} clients"),
    }
}

/// The figures of all clients.
fn totals_text(totals: &Totals) -> String {
    let clients = clients(totals.clients);
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
        Some(count) => format!(", {count} datagrams lost for want of room"),
    };
    let unsent = match totals.datagrams_unsent {
        0 => String::new(),
        count => format!(", {count} datagrams not sent"),
    };
    let (received, sent) = (bytes(totals.received), bytes(totals.sent));
    let elapsed = seconds(totals.elapsed);
    let moved = format!("received {received}, sent {sent}, {elapsed}{lost}{unsent}");
    format!("served {clients}{failed}{refused}: {moved}")
}
