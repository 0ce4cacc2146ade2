//! What `listen` tells of its clients, when there may be many.

mod records;
mod words;

use std::path::Path;

use nettool::error::{Action, Error};
use nettool::event::Event;
use nettool::net::{Address, Proto};
use nettool::relay::Transfer;
use nettool::serve::{ChildEnd, Refusal, Standing, Totals};

use self::records::{Child, Saved, Served, Stands};
use self::words::{gone, name, said, totals_text};
use super::quantity::{bytes, counted};
use super::{Output, record};

/// Said when a program is given to whoever connects, and nobody said to whom.
const LOOPBACK: &str = "only this machine can connect; \
    for others name an address to listen on: 0.0.0.0 is every one";

impl Output {
    /// What a server has done for all its clients.
    pub(crate) fn totals(&self, totals: &Totals) {
        if self.is_json() {
            return self.put(&record::line("served", &Served::new(totals)));
        }
        self.detail(1, &totals_text(totals));
    }

    /// What a server is doing, since somebody asked.
    fn standing(&self, standing: &Standing) {
        let totals = &standing.totals;
        if self.is_json() {
            return self.put(&record::line("progress", &Stands::new(standing)));
        }
        let (present, text) = (counted(standing.present, "client"), totals_text(totals));
        self.answer(&format!("{present} there now, {text}"));
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
        if self.is_json() {
            return self.put(&record::line("child", &Child::new(client, end)));
        }
        let how = match (end.status, end.signal) {
            (Some(status), _) => format!("ended with status {status}"),
            (_, Some(signal)) => format!("was ended by signal {signal}"),
            _ => "ended".to_owned(),
        };
        let (name, pid) = (name(client, peer), end.pid);
        self.detail(1, &format!("{name}: its command ({pid}) {how}"));
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
                untold,
            } if self.tells(1) => {
                self.note(&format!("{}{}", name(*client, peer), said(bytes, *untold)));
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
        let ours = matches!(
            error.action,
            Action::Open | Action::Read | Action::Run | Action::Write
        );
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
