//! One question on a socket of its own, and what comes back.

use super::question::{Question, question};
use crate::probe::network::Outcome;
use crate::probe::sockets::outcome::{local, rejected};
use crate::sys::{next_icmp_error, request_icmp_errors};
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{self, Read};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd;

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

/// A question without an answer.
#[derive(Debug)]
pub(in crate::probe) struct Asked {
    kind: Kind,
    number: u8,
    socket: Socket,
    to: SocketAddr,
    local: (IpAddr, u16),
    question: Option<&'static Question>,
}

impl Asked {
    /// A socket that hears this address alone, and ICMP messages about it; `bind` gives it its local
    /// end. The question is that of the port's try of this number.
    pub(in crate::probe) fn open(
        kind: Kind,
        to: SocketAddr,
        number: u8,
        bind: impl FnOnce(&Socket) -> io::Result<()>,
    ) -> io::Result<Self> {
        let socket = socket(kind, to.is_ipv6())?;
        // Without it an error is the same, only without the message behind it.
        request_icmp_errors(socket.as_fd(), to.is_ipv6());
        bind(&socket)?;
        socket.connect(&to.into())?;
        let local = socket.local_addr().ok().and_then(|local| local.as_socket());
        Ok(Self {
            kind,
            number,
            local: local.map_or((to.ip(), 0), |local| (local.ip(), local.port())),
            socket,
            to,
            question: (kind == Kind::Udp).then(|| question(to.port(), number)),
        })
    }

    /// The socket, to be watched.
    pub(in crate::probe) const fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Our end.
    pub(in crate::probe) const fn local(&self) -> (IpAddr, u16) {
        self.local
    }

    /// Sends the question.
    pub(in crate::probe) fn send(&self) -> io::Result<()> {
        let bytes = match self.question {
            Some(question) => (question.bytes)(),
            None => echo_request(self.to.is_ipv6(), self.number),
        };
        self.socket.send(&bytes).map(drop)
    }

    /// What came back, if anything has; `is_ours` tells which ends other sockets of ours have.
    pub(in crate::probe) fn outcome(
        &self,
        is_ours: impl FnOnce((IpAddr, u16)) -> bool,
    ) -> Option<Outcome> {
        let mut answer = [0; ANSWER];
        match (&self.socket).read(&mut answer) {
            Ok(length) => self.answered(answer.get(..length).unwrap_or_default(), is_ours),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let error = next_icmp_error(self.socket.as_fd())?;
                Some(rejected(&self.socket, self.to, error))
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => None,
            Err(error) => Some(self.refused(&error)),
        }
    }

    /// A datagram came from where we asked. One of our own sockets may have been given that very
    /// port: then nobody else has it.
    fn answered(
        &self,
        answer: &[u8],
        is_ours: impl FnOnce((IpAddr, u16)) -> bool,
    ) -> Option<Outcome> {
        if self.kind == Kind::Echo {
            return is_echo_reply(answer).then_some(Outcome::Replied(None));
        }
        let end = (self.to.ip(), self.to.port());
        if end == self.local || is_ours(end) {
            return Some(Outcome::SelfConnected);
        }
        Some(Outcome::Replied(
            self.question.and_then(|question| question.name(answer)),
        ))
    }

    /// The system reports an error: an ICMP message, or something of its own.
    pub(in crate::probe) fn refused(&self, error: &io::Error) -> Outcome {
        if let Some(icmp) = next_icmp_error(self.socket.as_fd()) {
            return rejected(&self.socket, self.to, icmp);
        }
        match error.raw_os_error() {
            Some(errno @ libc::ECONNREFUSED) => Outcome::Remote(errno),
            _ => local(error),
        }
    }
}

/// A socket of this kind that never blocks.
pub(super) fn socket(kind: Kind, ipv6: bool) -> io::Result<Socket> {
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
