//! The real network of datagrams: a connected socket a question, so that the system gives us both
//! answers and ICMP messages without a privilege.

use super::question::{Question, question};
use crate::probe::Binding;
use crate::probe::network::{Answer, Network, Outcome, ProbeId};
use crate::probe::sockets::outcome::{local, rejected};
use crate::probe::sockets::{BATCH, Own, capacity, look};
use crate::sys::{next_icmp_error, request_icmp_errors};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use socket2::{Domain, Protocol, Socket, Type};
use std::collections::HashMap;
use std::io::{self, Read};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

/// The most sockets at once: each has a local port of its own, which others may need too.
const MOST: usize = 4096;
/// As much of an answer as is looked at.
const ANSWER: usize = 2048;

/// What is asked of each address.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::probe) enum Kind {
    /// A question in the protocol of the port, over UDP.
    Udp,
    /// An ICMP echo of the address itself.
    Echo,
}

/// Questions of this machine.
#[derive(Debug)]
pub(in crate::probe) struct Datagrams {
    kind: Kind,
    poll: Poll,
    events: Events,
    clock: Instant,
    asked: Vec<Option<Asked>>,
    capacity: usize,
    own: Own,
    binding: Binding,
    /// The local ends of the sockets that are open, which nobody else serves.
    ours: HashMap<(IpAddr, u16), u32>,
}

/// A question without an answer.
#[derive(Debug)]
struct Asked {
    socket: Socket,
    to: SocketAddr,
    local: (IpAddr, u16),
    question: Option<&'static Question>,
}

impl Datagrams {
    /// Ready to ask.
    pub(in crate::probe) fn new(kind: Kind, own: Own, binding: Binding) -> io::Result<Self> {
        let poll = Poll::new()?;
        Ok(Self {
            kind,
            capacity: capacity(&poll).min(MOST),
            poll,
            events: Events::with_capacity(BATCH),
            clock: Instant::now(),
            asked: Vec::new(),
            own,
            binding,
            ours: HashMap::new(),
        })
    }

    /// Whether the system lets us ask addresses of this family at all.
    pub(in crate::probe) fn is_permitted(kind: Kind, ipv6: bool) -> bool {
        socket(kind, ipv6).is_ok()
    }

    /// Sends a question and looks for an answer that is there at once.
    fn ask(&mut self, probe: ProbeId, to: SocketAddr, number: u8) -> Option<Outcome> {
        let asked = match self.open(to, number) {
            Ok(asked) => asked,
            Err(error) => return Some(local(&error)),
        };
        if let Err(error) = asked.send(self.kind, number) {
            return Some(asked.refused(&error));
        }
        // From this machine itself an answer of the system is there before the call returns.
        if self.own.has(to.ip())
            && let Some(outcome) = self.outcome(&asked)
        {
            return Some(outcome);
        }
        self.watch(probe, asked)
    }

    /// A socket that hears this address alone, and ICMP messages about it.
    fn open(&self, to: SocketAddr, number: u8) -> io::Result<Asked> {
        let socket = socket(self.kind, to.is_ipv6())?;
        // Without it an error is the same, only without the message behind it.
        request_icmp_errors(socket.as_fd(), to.is_ipv6());
        self.binding.apply(&socket, to.is_ipv6())?;
        socket.connect(&to.into())?;
        let local = socket.local_addr().ok().and_then(|local| local.as_socket());
        Ok(Asked {
            local: local.map_or((to.ip(), 0), |local| (local.ip(), local.port())),
            socket,
            to,
            question: (self.kind == Kind::Udp).then(|| question(to.port(), number)),
        })
    }

    /// Waits for the answer from now on.
    fn watch(&mut self, probe: ProbeId, asked: Asked) -> Option<Outcome> {
        let descriptor = asked.socket.as_raw_fd();
        let (mut source, token) = (SourceFd(&descriptor), Token(probe.0));
        let registry = self.poll.registry();
        if let Err(error) = registry.register(&mut source, token, Interest::READABLE) {
            return Some(local(&error));
        }
        let count = self.ours.entry(asked.local).or_default();
        *count = count.saturating_add(1);
        if self.asked.len() <= probe.0 {
            self.asked.resize_with(probe.0.saturating_add(1), || None);
        }
        if let Some(slot) = self.asked.get_mut(probe.0) {
            *slot = Some(asked);
        }
        None
    }

    /// What came back, if anything has.
    fn outcome(&self, asked: &Asked) -> Option<Outcome> {
        let mut answer = [0; ANSWER];
        match (&asked.socket).read(&mut answer) {
            Ok(length) => self.answered(asked, answer.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let error = next_icmp_error(asked.socket.as_fd())?;
                Some(rejected(&asked.socket, asked.to, error))
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => None,
            Err(error) => Some(asked.refused(&error)),
        }
    }

    /// A datagram came from where we asked. One of our own sockets may have been given that very
    /// port: then nobody else has it.
    fn answered(&self, asked: &Asked, answer: &[u8]) -> Option<Outcome> {
        if self.kind == Kind::Echo {
            return is_echo_reply(answer).then_some(Outcome::Replied(None));
        }
        let end = (asked.to.ip(), asked.to.port());
        if end == asked.local || self.ours.contains_key(&end) {
            return Some(Outcome::SelfConnected);
        }
        Some(Outcome::Replied(
            asked.question.and_then(|question| question.name(answer)),
        ))
    }

    /// Closes the socket of a probe.
    fn close(&mut self, probe: ProbeId) {
        let asked = self.asked.get_mut(probe.0).and_then(Option::take);
        let Some(end) = asked.map(|asked| asked.local) else {
            return;
        };
        if let Some(count) = self.ours.get_mut(&end) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.ours.remove(&end);
            }
        }
    }
}

impl Asked {
    /// Sends the question.
    fn send(&self, kind: Kind, number: u8) -> io::Result<()> {
        let bytes = match (kind, self.question) {
            (Kind::Udp, Some(question)) => (question.bytes)(),
            _ => echo_request(self.to.is_ipv6(), number),
        };
        self.socket.send(&bytes).map(drop)
    }

    /// The system reports an error: an ICMP message, or something of its own.
    fn refused(&self, error: &io::Error) -> Outcome {
        if let Some(icmp) = next_icmp_error(self.socket.as_fd()) {
            return rejected(&self.socket, self.to, icmp);
        }
        match error.raw_os_error() {
            Some(errno @ libc::ECONNREFUSED) => Outcome::Remote(errno),
            _ => local(error),
        }
    }
}

impl Datagrams {
    /// Takes the outcomes that the events tell of.
    fn collect(&mut self, answers: &mut Vec<Answer>) {
        let at = self.clock.elapsed();
        let known = answers.len();
        for event in &self.events {
            let probe = ProbeId(event.token().0);
            let asked = self.asked.get(probe.0).and_then(Option::as_ref);
            if let Some(outcome) = asked.and_then(|asked| self.outcome(asked)) {
                answers.push(Answer { probe, at, outcome });
            }
        }
        for answer in answers.iter().skip(known) {
            self.close(answer.probe);
        }
    }
}

impl Network for Datagrams {
    fn now(&self) -> Duration {
        self.clock.elapsed()
    }

    fn capacity(&self) -> usize {
        self.capacity
    }

    fn start(&mut self, probe: ProbeId, to: SocketAddr) -> Option<Outcome> {
        self.ask(probe, to, 1)
    }

    fn start_try(&mut self, probe: ProbeId, to: SocketAddr, number: u8) -> Option<Outcome> {
        self.ask(probe, to, number)
    }

    fn abandon(&mut self, probe: ProbeId) {
        self.close(probe);
    }

    fn wait(&mut self, until: Duration, answers: &mut Vec<Answer>) -> io::Result<()> {
        let mut timeout = until.saturating_sub(self.now());
        while look(&mut self.poll, &mut self.events, timeout)? {
            self.collect(answers);
            timeout = Duration::ZERO;
        }
        self.collect(answers);
        Ok(())
    }
}

/// A socket of this kind that never blocks.
fn socket(kind: Kind, ipv6: bool) -> io::Result<Socket> {
    let domain = if ipv6 { Domain::IPV6 } else { Domain::IPV4 };
    let protocol = match (kind, ipv6) {
        (Kind::Udp, _) => Protocol::UDP,
        // Without a privilege where net.ipv4.ping_group_range allows it (icmp(7)).
        (Kind::Echo, false) => Protocol::ICMPV4,
        (Kind::Echo, true) => Protocol::ICMPV6,
    };
    Socket::new(domain, Type::DGRAM.nonblocking(), Some(protocol))
}

/// An echo request (RFC 792, RFC 4443, section 4.1); the system fills in checksum and identifier.
fn echo_request(ipv6: bool, number: u8) -> Vec<u8> {
    let kind = if ipv6 { 128 } else { 8 };
    [&[kind, 0, 0, 0, 0, 0, 0, number][..], b"nettool probe --"].concat()
}

/// Whether this is an echo reply. Some systems leave the header of IPv4 before it.
fn is_echo_reply(answer: &[u8]) -> bool {
    let header = answer.first().filter(|first| **first >> 4 == 4);
    let length = header.map_or(0, |first| usize::from(first & 15).saturating_mul(4));
    let kind = answer.get(length);
    matches!(kind, Some(0 | 129)) && answer.len() >= length.saturating_add(8)
}
