//! What to try: a table by what was being done and what the system said.

use nettool::error::{Action, Cause, Error};

/// A hint, where we know one that helps.
pub(crate) fn of(error: &Error) -> Option<String> {
    match &error.cause {
        Cause::TimedOut(_) | Cause::Idle(_) => of_silence(error.action),
        Cause::Undelivered => Some(UNDELIVERED.to_owned()),
        _ => of_errno(error.action, error.errno()?),
    }
}

/// What happened when the last bytes were not read.
const UNDELIVERED: &str =
    "the peer's program closed the connection or ended before it had read everything";

/// Hints for time that ran out.
fn of_silence(action: Action) -> Option<String> {
    let hint = match action {
        Action::Connect => {
            "a firewall may drop what we send, or the host is down; --connect-timeout waits longer"
        }
        Action::Resolve => "the name server does not answer; an address works without it",
        Action::Accept => "--accept-timeout waits longer",
        _ => return None,
    };
    Some(hint.to_owned())
}

/// Hints for what the system said.
fn of_errno(action: Action, errno: i32) -> Option<String> {
    let hint = match (action, errno) {
        (Action::Connect, libc::ECONNREFUSED) => "nothing listens on that port of that address",
        (Action::Connect | Action::Send, libc::EHOSTUNREACH) => {
            "the host does not answer on its own network, or a router refuses; see: nettool ifaces"
        }
        (Action::Connect | Action::Send, libc::ENETUNREACH) => {
            "this machine has no route to that address; see: nettool ifaces"
        }
        (Action::Connect, libc::ETIMEDOUT) => {
            "a firewall may drop what we send, or the host is down"
        }
        (Action::Connect, libc::ENOENT) => "there is no such socket; is the server running?",
        (Action::Connect | Action::Bind, libc::EADDRNOTAVAIL) => {
            "that address is none of this machine's, or its ports are used up; see: nettool ifaces"
        }
        (Action::Bind, libc::EADDRINUSE) => {
            "another program listens there; port 0 picks a free port"
        }
        (Action::Bind, libc::EACCES) => {
            "ports below 1024 need root or CAP_NET_BIND_SERVICE; a path needs a writable directory"
        }
        (_, libc::EMFILE) => "the limit on open files is reached; see: ulimit -n",
        (Action::Send, libc::ECONNREFUSED) => "nothing listens on that UDP port",
        (Action::Write, libc::EBADF) => "stdout was closed when nettool started (>&-)",
        (Action::Write, libc::ENOSPC) => "the disk is full",
        (Action::Session, libc::ECONNRESET) => "the peer's program ended or refused what it got",
        _ => return None,
    };
    Some(hint.to_owned())
}
