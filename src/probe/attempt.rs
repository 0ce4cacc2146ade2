//! One connection at a time, for who waits for a port or measures it: each try is watched from its
//! start to its end, and nothing is tried again here.

use super::ATTENTION;
use super::beside::Beside;
use super::binding::Binding;
use super::network::{Outcome, Sender};
use super::report::{Icmp, State};
use super::sockets::{Attempt, connect, local};
use super::standstill::Standstill;
use super::verdict::{Finding, Verdict};
use crate::sys::{nonblocking_socket, request_icmp_errors, retransmissions, unix_address, watched};
use socket2::{Domain, Protocol, Socket, Type};
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::Duration;
use tokio::io::Interest;
use tokio::time::{Instant, sleep};

/// How connections are made.
#[derive(Clone, Debug, Default)]
pub struct Connector {
    pub(super) binding: Binding,
    pub(super) beside: Beside,
}

/// What one try found out.
#[derive(Clone, Copy, Debug)]
pub struct Tried {
    /// The state of the port, as far as one try can tell.
    pub state: State,
    /// The error number, 0 for none; nothing for silence.
    pub errno: Option<i32>,
    /// Why, in one word.
    pub reason: &'static str,
    /// The ICMP message that decided, if one did.
    pub icmp: Option<Icmp>,
    /// From the try's start to its end.
    pub elapsed: Duration,
    /// How often the SYN was sent again, where the system says so.
    pub retransmissions: Option<u32>,
    /// What answered, where its answer says so.
    pub service: Option<&'static str>,
    /// Whether anybody else than our own system was heard, so that the time is a round trip's.
    pub is_heard: bool,
}

impl Tried {
    /// What became of a try that began then.
    pub(super) fn new(finding: Finding, began: Instant) -> Self {
        Self::after(finding, began.elapsed())
    }

    /// What a try found out that began then and has this outcome.
    pub(super) fn of(outcome: Outcome, finding: Finding, began: Instant) -> Self {
        let is_own = match outcome {
            Outcome::Local(_)
            | Outcome::UnfitSource(_)
            | Outcome::NoNeighbour
            | Outcome::SelfConnected => true,
            Outcome::Icmp { sender, .. } => sender == Sender::Ourselves,
            Outcome::Connected | Outcome::Replied(_) | Outcome::Remote(_) => false,
        };
        let tried = Self::new(finding, began);
        Self {
            is_heard: !is_own && tried.is_answer(),
            ..tried
        }
    }

    /// What became of a try that took so long.
    const fn after(finding: Finding, elapsed: Duration) -> Self {
        Self {
            state: finding.state,
            errno: finding.errno,
            reason: finding.reason,
            icmp: finding.icmp,
            elapsed,
            retransmissions: None,
            service: None,
            is_heard: false,
        }
    }

    /// A connection that has met silence for so long.
    pub(super) const fn silence(elapsed: Duration) -> Self {
        Self::after(Finding::SILENCE, elapsed)
    }

    /// A question over UDP that has met silence for so long, where the same port was said to be
    /// closed before, or not: most systems say so only so often.
    pub(super) const fn no_reply(elapsed: Duration, was_refused: bool) -> Self {
        if was_refused {
            Self::after(Finding::RATIONED, elapsed)
        } else {
            Self::after(Finding::NO_REPLY, elapsed)
        }
    }

    /// Whether somebody or something answered; silence and what fails on our side is no answer.
    #[must_use]
    pub const fn is_answer(&self) -> bool {
        !matches!(
            self.state,
            State::Filtered | State::OpenFiltered | State::Undetermined
        )
    }
}

impl Connector {
    /// Sockets bound so, none of them to any of these ports: a server may be about to bind one, and
    /// what a port tells itself says nothing about it.
    #[must_use]
    pub fn new(binding: Binding, spared: &[u16]) -> Self {
        Self {
            binding,
            beside: Beside::new(spared),
        }
    }

    /// Connects once, and waits for an answer at most so long. The connection is reset as soon as it
    /// stands.
    pub async fn tcp(&self, to: SocketAddr, limit: Option<Duration>) -> Tried {
        let began = Instant::now();
        let told = |outcome| Tried::of(outcome, Verdict::of(outcome, to.ip()).finding(), began);
        let attempt = match self.begin(to) {
            Ok(attempt) => attempt,
            Err(outcome) => return told(outcome),
        };
        let mut tried = tokio::select! {
            biased;
            outcome = end(&attempt) => told(outcome),
            () = passed(limit) => Tried::new(Finding::SILENCE, began),
        };
        tried.retransmissions = retransmissions(attempt.socket.as_fd());
        tried
    }

    /// Starts to connect; the outcome where our own system knows it at once.
    fn begin(&self, to: SocketAddr) -> Result<Attempt, Outcome> {
        if let Some(unfit) = self.binding.unfit_for(to) {
            return Err(unfit);
        }
        let socket = self.open(to).map_err(|error| local(&error))?;
        match connect(&socket, to) {
            Ok(()) | Err(libc::EINPROGRESS | libc::EINTR) => Ok(Attempt { socket, to }),
            Err(errno) => Err(self.binding.blamed(Outcome::Local(errno), to)),
        }
    }

    /// A socket for this destination that keeps ICMP messages.
    fn open(&self, to: SocketAddr) -> io::Result<Socket> {
        let domain = Domain::for_address(to);
        let socket = nonblocking_socket(domain, Type::STREAM, Some(Protocol::TCP))?;
        // Without it an answer is the same, only without the message behind it.
        request_icmp_errors(socket.as_fd(), to.is_ipv6());
        self.beside.apply(&socket, &self.binding, to.is_ipv6())?;
        Ok(socket)
    }
}

/// Waits for the outcome of an attempt that is under way.
async fn end(attempt: &Attempt) -> Outcome {
    // An address of this machine has answered already.
    if let Some(outcome) = attempt.outcome() {
        return outcome;
    }
    // The socket itself is watched, not a copy: who may have few descriptors needs one a try.
    let watched = match watched(attempt.socket.as_fd(), Interest::WRITABLE) {
        Ok(watched) => watched,
        Err(error) => return local(&error),
    };
    loop {
        let mut alarm = match watched.writable().await {
            Ok(alarm) => alarm,
            Err(error) => return local(&error),
        };
        if let Some(outcome) = attempt.outcome() {
            return outcome;
        }
        // It was a false alarm: this forgets it.
        alarm.clear_ready();
    }
}

/// Waits for the end of a time, if it has one; in which we stood still does not count.
pub(super) async fn passed(limit: Option<Duration>) {
    let Some(mut end) = limit else {
        return pending().await;
    };
    let (began, mut now) = (Instant::now(), Duration::ZERO);
    let mut clock = Standstill::since(now);
    while now < end {
        let until = now.saturating_add(ATTENTION).min(end);
        sleep(until.saturating_sub(now)).await;
        now = began.elapsed();
        let stood = clock.look_after_waiting(now, until);
        end = end.saturating_add(stood.unwrap_or_default());
    }
}

/// Connects to a Unix socket of any type, by its path or its abstract name: open if somebody takes
/// connections or datagrams there.
pub(super) fn try_unix(path: &Path) -> Tried {
    let began = Instant::now();
    let (state, errno, reason) = match connect_unix(path) {
        Ok(()) => (State::Open, 0, "accepted"),
        Err(error) => {
            let errno = error.raw_os_error().unwrap_or(libc::EINVAL);
            let (state, reason) = match errno {
                libc::ENOENT | libc::ENOTDIR => (State::Closed, "no-such-socket"),
                libc::ECONNREFUSED => (State::Closed, "refused"),
                libc::EAGAIN => (State::Filtered, "queue-full"),
                _ => (State::Undetermined, "local-error"),
            };
            (state, errno, reason)
        }
    };
    let finding = Finding {
        state,
        errno: Some(errno),
        reason,
        icmp: None,
    };
    Tried::new(finding, began)
}

/// Connects as a stream, and as what the other end is if it is none (unix(7), `EPROTOTYPE`).
fn connect_unix(path: &Path) -> io::Result<()> {
    let address = unix_address(path)?;
    let mut result = Ok(());
    for kind in [Type::STREAM, Type::SEQPACKET, Type::DGRAM] {
        let socket = nonblocking_socket(Domain::UNIX, kind, None)?;
        result = socket.connect(&address);
        let differs = |error: &io::Error| error.raw_os_error() == Some(libc::EPROTOTYPE);
        if !result.as_ref().is_err_and(differs) {
            break;
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::os::unix::net::{UnixDatagram, UnixListener};

    /// Tries an address once.
    fn tried(to: SocketAddr) -> Tried {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().build().unwrap();
        runtime.block_on(Connector::default().tcp(to, None))
    }

    #[test]
    fn an_open_and_a_closed_port_of_each_family() {
        for here in ["127.0.0.1:0", "[::1]:0"] {
            let server = TcpListener::bind(here).unwrap();
            let to = server.local_addr().unwrap();
            let open = tried(to);
            assert_eq!((open.state, open.errno), (State::Open, Some(0)));
            let silent = Socket::new(Domain::for_address(to), Type::STREAM, None).unwrap();
            let any: SocketAddr = here.parse().unwrap();
            silent.bind(&any.into()).unwrap();
            let closed = tried(silent.local_addr().unwrap().as_socket().unwrap());
            let refused = Some(libc::ECONNREFUSED);
            assert_eq!((closed.state, closed.errno), (State::Closed, refused));
            assert!(open.is_answer() && closed.is_answer());
        }
    }

    #[test]
    fn a_path_is_open_where_somebody_takes_connections_or_datagrams() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        assert_eq!(try_unix(&path).reason, "no-such-socket");
        let server = UnixListener::bind(&path).unwrap();
        assert_eq!(try_unix(&path).state, State::Open);
        drop(server);
        assert_eq!(try_unix(&path).reason, "refused");
        let path = dir.path().join("d");
        let _server = UnixDatagram::bind(&path).unwrap();
        assert_eq!(try_unix(&path).state, State::Open);
        let path = dir.path().join("f");
        std::fs::write(&path, "").unwrap();
        assert_eq!(try_unix(&path).state, State::Closed);
    }
}
