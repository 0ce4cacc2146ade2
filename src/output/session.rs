//! What `connect` and `listen` tell while they work, and at the end.

use std::borrow::Cow;

use nettool::error::{Error, describe};
use nettool::event::{Event, Observer};
use nettool::relay::Transfer;

use super::quantity::{bytes, counted, seconds, speed};
use super::{Output, record};

impl Observer for Output {
    fn notice(&self, event: &Event<'_>) {
        if is_of_clients(event) {
            self.notice_client(event);
        } else if let Some(warning) = warning(event) {
            self.warn(&warning);
        } else if self.is_json() {
            self.notice_record(event);
        } else {
            self.notice_text(event);
        }
    }
}

impl Output {
    /// What became of a conversation: its error first, then the figures.
    pub(crate) fn transfer(&self, client: u64, transfer: &Transfer) {
        if let Some(error) = transfer
            .error
            .as_ref()
            .filter(|error| !error.is_broken_output())
        {
            self.error(error);
        }
        if self.is_json() {
            return self.put(&record::line(
                "transfer",
                &record::Transferred::new(client, transfer),
            ));
        }
        // Whoever saw a bar wants to know what became of it.
        let level = u8::from(!self.screen.was_drawn());
        self.detail(level, &summary(transfer));
        if let Some(digests) = &transfer.digests {
            let written = if digests.is_all_written {
                ""
            } else {
                " (not all of it was written)"
            };
            self.talk(&format!(
                "{}  sent\n{}  received{written}\n",
                digests.sent, digests.received
            ));
        }
    }

    /// An event for a script.
    fn notice_record(&self, event: &Event<'_>) {
        match event {
            Event::Listening { proto, address } => {
                self.put(&record::line(
                    "listening",
                    &record::Listening::new(*proto, address),
                ));
            }
            Event::Connected {
                client,
                proto,
                local,
                peer,
            } => {
                let connected = record::Connected::new(*client, *proto, local, peer);
                self.put(&record::line("connected", &connected));
            }
            Event::BufferGranted {
                direction,
                requested,
                granted,
            } => {
                let granted = record::BufferGranted {
                    direction: direction.name(),
                    requested_bytes: *requested,
                    granted_bytes: *granted,
                };
                self.put(&record::line("buffer_granted", &granted));
            }
            Event::Retrying { error, delay, left } => {
                let retrying = record::Retrying::new(error, *delay, *left);
                self.put(&record::line("retrying", &retrying));
            }
            Event::AcceptFailed { error } => self.error(error),
            _ => {}
        }
    }

    /// An event for a person.
    fn notice_text(&self, event: &Event<'_>) {
        match event {
            Event::Listening { proto, address } => {
                self.talk_plain(&format!("listening on {} {address}", proto.name()));
            }
            Event::BufferGranted {
                direction,
                requested,
                granted,
            } => {
                let (direction, granted) = (direction.name(), bytes(*granted));
                let requested = bytes(*requested);
                self.detail(
                    1,
                    &format!("{direction} buffer: {granted} granted, {requested} asked for"),
                );
            }
            Event::Retrying { error, delay, left } => {
                let delay = nettool::value::Duration::new(*delay);
                let text = format!("{error}; again in {delay}, {left} more after that");
                self.detail(1, &text);
            }
            Event::Trying { address } => self.detail(2, &format!("trying {address}")),
            Event::Connected {
                proto, local, peer, ..
            } => {
                self.detail(
                    1,
                    &format!("connected over {}: {local} to {peer}", proto.name()),
                );
            }
            Event::NotTheClient { peer } => self.detail(1, &format!("{peer} {LOOKED_IN}")),
            Event::AcceptFailed { error } => self.warn(&error.to_string()),
            Event::NoIpv6 => self.detail(1, "this machine has no IPv6: IPv4 alone"),
            Event::HalfCloseUnanswered => self.hint(UNANSWERED),
            Event::WaitingForInput => self.note(WAITING),
            Event::LeavingIdleInput => self.note(LEAVING),
            Event::PayloadEscaped if self.first_time("escaped") => self.note(ESCAPED),
            _ => {}
        }
    }
}

/// Whether it is of one client of several.
fn is_of_clients(event: &Event<'_>) -> bool {
    matches!(
        event,
        Event::ClientCame { .. }
            | Event::ClientSaid { .. }
            | Event::ClientTooSlow { .. }
            | Event::ClientGone { .. }
            | Event::ChildEnded { .. }
            | Event::SessionFailed { .. }
            | Event::Saved { .. }
            | Event::Refused { .. }
            | Event::Standing(_)
    )
}

/// What an event warns of, a script as well as a person.
fn warning(event: &Event<'_>) -> Option<Cow<'static, str>> {
    let warning = match event {
        Event::NoRoom { error, limit } => no_room(error, *limit),
        Event::AnswerWithheld { peer } => format!("{peer} {WITHHELD}"),
        Event::DatagramTruncated { error } => error.to_string(),
        Event::DatagramRefused { error } => refused(error),
        Event::DatagramsDropped => return Some(DROPPED.into()),
        Event::UnnamedSender => return Some(UNNAMED.into()),
        Event::ForwardLeadsBack => return Some(LEADS_BACK.into()),
        _ => return None,
    };
    Some(warning.into())
}

const DROPPED: &str = "datagrams come faster than they are taken: the system drops some";
const UNNAMED: &str = "a sender has no name of its own: it cannot be answered";
const LEADS_BACK: &str = "--forward leads back to this server: what comes back is dropped";
const LOOKED_IN: &str = "connected and reset before a byte: not the client, still listening";
const WITHHELD: &str = "is not sent that, nor are others: an answer that is longer than the datagram, \
    and what others say, goes only to this machine and to addresses of --allow, since the sender \
    may be forged";
const WAITING: &str =
    "the peer has ended, stdin has not: still waiting for it (--until peer leaves at once)";
const LEAVING: &str =
    "the peer has ended and stdin is idle: leaving (--until both waits for stdin's end)";
const ESCAPED: &str = "control sequences from the peer are shown escaped (--raw passes them)";
const UNANSWERED: &str = "nothing came back; if you expected an answer: \
    some servers take a half-close for a hang-up: --no-shutdown";

/// What the system lacks.
fn no_room(error: &Error, limit: Option<u64>) -> String {
    let limit = limit.map_or_else(String::new, |limit| format!(" (the limit is {limit})"));
    format!("{error}{limit}: whoever comes now waits until there is room")
}

/// What the network said of an earlier datagram.
fn refused(error: &std::io::Error) -> String {
    format!("a datagram did not arrive: {}", describe(error))
}

/// The figures of a conversation, in a line.
fn summary(transfer: &Transfer) -> String {
    let peer = transfer
        .peer
        .as_ref()
        .map_or_else(String::new, |peer| format!(" {peer}"));
    let unacknowledged = match transfer.acknowledged {
        Some(acknowledged) if acknowledged < transfer.sent => {
            format!(", {acknowledged} B acknowledged")
        }
        Some(1..) => ", all acknowledged".to_owned(),
        _ => String::new(),
    };
    let (sent, received) = (bytes(transfer.sent), bytes(transfer.received));
    let lost = match transfer.datagrams_lost {
        None | Some(0) => String::new(),
        Some(lost) => format!(", {} lost", counted(lost, "datagram")),
    };
    let end = if transfer.is_complete() {
        "done"
    } else {
        "broken off"
    };
    let rate = speed(
        transfer.sent.saturating_add(transfer.received),
        transfer.elapsed,
    );
    let elapsed = seconds(transfer.elapsed);
    format!("{end}{peer}: received {received}, sent {sent}{unacknowledged}{lost}, {elapsed}{rate}")
}
