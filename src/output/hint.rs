//! What to try: a table by what was being done and what the system said.

use std::net::IpAddr;

use nettool::buffers::{Cap, Origin};
use nettool::error::{Action, Cause, Error};
use nettool::process;

/// A hint, where we know one that helps. `connect` alone has an option for how long it may take.
pub(crate) fn of(error: &Error, is_connect: bool) -> Option<String> {
    match &error.cause {
        Cause::TimedOut(_) | Cause::Idle(_) => of_silence(error.action, is_connect),
        Cause::OutOfTime(_) => Some(format!("{SILENCE}; --max-time allows more")),
        Cause::Capped { requested, caps } => raise_caps(*requested, caps),
        Cause::NoInterface(known) => Some(near(&error.target, known)),
        Cause::Attempts(attempts) if attempts.iter().all(|(_, e)| is_silence(e)) => {
            of_silence(error.action, is_connect)
        }
        Cause::Dropped { .. } => Some(DROPPED.to_owned()),
        Cause::Curtailed { .. } => Some(CURTAILED.to_owned()),
        Cause::Undelivered => Some(UNDELIVERED.to_owned()),
        // Nobody asked for more than a connection: that --broadcast allows more does not help.
        Cause::Unmade { error: said, .. } => Some(said)
            .filter(|said| said.kind() != std::io::ErrorKind::PermissionDenied)
            .and_then(|said| of_errno(error.action, said.raw_os_error()?)),
        _ if names_path(error) => of_path(error.action, error.errno()?),
        _ => of_errno(error.action, error.errno()?),
    }
}

/// Whether it is of a path, and not of an address or a host with its port.
fn names_path(error: &Error) -> bool {
    let target = error.target.as_str();
    let is_end = matches!(error.action, Action::Connect | Action::Bind | Action::Send);
    let is_word = !target.contains(':') && target.parse::<IpAddr>().is_err();
    target.contains('/') || (is_end && is_word)
}

/// Why nothing may come back.
const SILENCE: &str = "a firewall may drop what we send, or the host is down";

/// What helps where datagrams come too fast.
const DROPPED: &str = "--recv-buffer gives them more room, as far as net.core.rmem_max allows";

/// What helps where a datagram is longer than what is left of a limit.
const CURTAILED: &str = "--max-bytes counts bytes: a sum of whole datagrams cuts none";

/// What happened when the last bytes were not read.
const UNDELIVERED: &str =
    "the peer's program closed the connection or ended before it had read everything";

/// Whether an address did not answer in the time that we allowed: the system's own patience has a
/// number, and no option that makes it longer.
fn is_silence(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::TimedOut && error.raw_os_error().is_none()
}

/// Hints for time that ran out.
fn of_silence(action: Action, is_connect: bool) -> Option<String> {
    let hint = match action {
        Action::Connect if !is_connect => SILENCE,
        Action::Connect => return Some(format!("{SILENCE}; --connect-timeout waits longer")),
        Action::Resolve => "the name server does not answer; an address works without it",
        Action::Accept => "--accept-timeout waits longer",
        _ => return None,
    };
    Some(hint.to_owned())
}

/// Hints for what the system said of a path.
fn of_path(action: Action, errno: i32) -> Option<String> {
    let hint = match (action, errno) {
        (Action::Connect | Action::Send, libc::ECONNREFUSED) => {
            "nobody listens on that path any more"
        }
        (Action::Connect, libc::ENOENT) => "there is no such socket; is the server running?",
        (Action::Bind, libc::EADDRINUSE) => {
            "something else stands there, or a server that answers; take another path"
        }
        (Action::Bind, libc::EACCES) => "the directory must be writable",
        (Action::Connect, libc::EPROTOTYPE) => {
            "the socket there is of another kind: with -u of datagrams, with --seqpacket of messages, otherwise of a stream"
        }
        (Action::Send, libc::EMSGSIZE) => {
            "one datagram is longer than the send buffer; --send-buffer allows more, --datagram-size cuts smaller ones"
        }
        // No --broadcast helps there.
        (Action::Send, libc::EACCES) => return None,
        (Action::Open | Action::Write | Action::Send, _) => return of_errno(action, errno),
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
        (Action::Connect, libc::ETIMEDOUT) => SILENCE,
        (Action::Connect | Action::Bind, libc::EADDRNOTAVAIL) => {
            "that address is none of this machine's, or its ports are used up; see: nettool ifaces"
        }
        (Action::Bind, libc::EADDRINUSE) => {
            "another program listens there; port 0 picks a free port"
        }
        (Action::Bind, libc::EACCES) => "ports below 1024 need root or CAP_NET_BIND_SERVICE",
        (_, libc::EMFILE) => "the limit on open files is reached; see: ulimit -n",
        (Action::Send, libc::ECONNREFUSED) => "nothing listens on that UDP port",
        (Action::Send, libc::EMSGSIZE) => {
            "one datagram is longer than the way to the peer carries; --datagram-size cuts smaller ones"
        }
        (Action::Connect | Action::Send, libc::EACCES) => {
            "an address of everybody needs --broadcast"
        }
        (Action::Join, libc::ENODEV) => "name the interface: GROUP%INTERFACE; see: nettool ifaces",
        (Action::Write, libc::EBADF) if process::stdout_was_closed() => {
            "stdout was closed when nettool started (>&-)"
        }
        (Action::Write, libc::EBADF) => "it is open, but not for writing (as by 1< FILE)",
        (Action::Open, libc::EEXIST) => "--append adds to it, --force replaces it",
        (Action::Open, libc::ELOOP) => "it is a symbolic link: name the file itself",
        (Action::Open | Action::Write, libc::ENOSPC) => "the disk is full",
        (Action::Write, libc::EFBIG) => "a file has reached the limit on its size; see: ulimit -f",
        (Action::Session, libc::ECONNRESET) => "the peer's program ended or refused what it got",
        _ => return None,
    };
    Some(hint.to_owned())
}

/// The command that lets a program have so much.
fn raise_caps(requested: u64, caps: &[Cap]) -> Option<String> {
    let settings = caps.iter().filter_map(|cap| match cap.origin {
        Origin::Setting(name) => Some(format!("{name}={requested}")),
        Origin::Measured => None,
    });
    let settings: Vec<_> = settings.collect();
    let command = format!("as root: sysctl -w {}", settings.join(" "));
    (!settings.is_empty()).then_some(command)
}

/// What a name may have been meant to be.
fn near(name: &str, known: &[String]) -> String {
    let mut near: Vec<_> = known
        .iter()
        .map(|known| (distance(name, known), known.as_str()))
        .filter(|(distance, known)| distance * 2 <= name.chars().count().max(known.chars().count()))
        .collect();
    near.sort_unstable();
    let near: Vec<_> = near.into_iter().take(3).map(|(_, known)| known).collect();
    if near.is_empty() {
        return "nettool ifaces --names lists all there are".to_owned();
    }
    format!("did you mean {}?", near.join(" or "))
}

/// How many letters must be put in, taken out, changed or swapped.
fn distance(one: &str, other: &str) -> usize {
    strsim::damerau_levenshtein(&one.to_lowercase(), &other.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_options_of_the_command_are_named() {
        let limit = std::time::Duration::from_secs(1);
        let ours = std::io::Error::new(std::io::ErrorKind::TimedOut, "timed out after 1s");
        let attempts = vec![("192.0.2.1:9".to_owned(), ours)];
        for cause in [Cause::TimedOut(limit), Cause::Attempts(attempts)] {
            let error = Error::new(Action::Connect, "192.0.2.1:9", cause);
            assert_eq!(of(&error, false).as_deref(), Some(SILENCE));
            let hint = of(&error, true).unwrap();
            assert!(hint.ends_with("--connect-timeout waits longer"), "{hint}");
        }
        let system = std::io::Error::from_raw_os_error(libc::ETIMEDOUT);
        let error = Error::new(Action::Connect, "192.0.2.1:9", system);
        assert_eq!(of(&error, true).as_deref(), Some(SILENCE));
    }

    #[test]
    fn near_names_are_offered() {
        let known = ["lo", "eth0", "eth1", "wlp2s0"].map(str::to_owned);
        assert_eq!(near("eht0", &known), "did you mean eth0 or eth1?");
        assert_eq!(near("ETH1", &known), "did you mean eth1 or eth0?");
        assert_eq!(near("l0", &known), "did you mean lo?");
        assert_eq!(near("wlp2s", &known), "did you mean wlp2s0?");
        assert_eq!(
            near("docker0", &known),
            "nettool ifaces --names lists all there are"
        );
    }
}
