//! One question on a socket of its own, and what comes back.

use super::question::{Question, question};
use crate::probe::network::Outcome;
use crate::probe::sockets::outcome::{local, rejected_at};
use crate::sys::{IcmpError, next_icmp_error, nonblocking_socket, request_icmp_errors};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU8, Ordering};

/// As much of an answer as is looked at.
const ANSWER: usize = 2048;
/// How many datagrams that are no answer are passed over at once.
const STRANGERS: usize = 64;
/// How often a question that a link on the way could not carry is sent again: a path may narrow more
/// than once.
const NARROWER: u8 = 4;

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
    socket: UdpSocket,
    to: SocketAddr,
    /// Our own address on the way to them.
    own: IpAddr,
    question: Option<&'static Question>,
    /// How often it may still be sent again in pieces.
    pieces: AtomicU8,
}

impl Asked {
    /// A socket that hears this address alone, and ICMP messages about it; `bind` gives it its local
    /// end. The question is that of the port's try of this number.
    pub(in crate::probe) fn open(
        kind: Kind,
        mut to: SocketAddr,
        number: u8,
        bind: impl Fn(&Socket) -> io::Result<()>,
    ) -> io::Result<Self> {
        let question = (kind == Kind::Udp).then(|| question(to.port(), number));
        let socket = socket(kind, to.is_ipv6())?;
        // Without it an error is the same, only without the message behind it.
        request_icmp_errors(socket.as_fd(), to.is_ipv6());
        bind(&socket)?;
        let socket = UdpSocket::from(socket);
        let (own, peer) = if question.is_some_and(Question::is_answered_from_any_port) {
            ends(&way_to(to, bind)?, to)
        } else {
            socket.connect(to)?;
            ends(&socket, to)
        };
        // Who asks 0.0.0.0 or :: is connected to this machine, and answered by that address.
        to.set_ip(peer);
        Ok(Self {
            kind,
            number,
            socket,
            to,
            own,
            question,
            pieces: AtomicU8::new(NARROWER),
        })
    }

    /// The socket, to be watched.
    pub(in crate::probe) const fn socket(&self) -> &UdpSocket {
        &self.socket
    }

    /// Our end, once the question is sent.
    pub(in crate::probe) fn local(&self) -> (IpAddr, u16) {
        (
            self.own,
            self.socket.local_addr().map_or(0, |own| own.port()),
        )
    }

    /// Sends the question.
    pub(in crate::probe) fn send(&self) -> io::Result<()> {
        let sent = match self.question {
            Some(question) if question.is_answered_from_any_port() => {
                self.socket.send_to(&(question.bytes)(), self.to)
            }
            Some(question) => self.socket.send(&(question.bytes)()),
            None => self
                .socket
                .send(&echo_request(self.to.is_ipv6(), self.number)),
        };
        sent.map(drop)
    }

    /// What came back, if anything has; `is_ours` tells which ends other sockets of ours have.
    pub(in crate::probe) fn outcome(
        &self,
        is_ours: impl Fn((IpAddr, u16)) -> bool,
    ) -> Option<Outcome> {
        let mut answer = [0; ANSWER];
        for _ in 0..STRANGERS {
            match self.socket.recv_from(&mut answer) {
                Ok((length, from)) if from.ip() == self.to.ip() => {
                    let answer = answer.get(..length).unwrap_or_default();
                    if let Some(outcome) = self.answered(answer, from, &is_ours) {
                        return Some(outcome);
                    }
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => match next_icmp_error(self.socket.as_fd()) {
                    Some(icmp) if icmp.is_too_big() => self.send_in_pieces(),
                    Some(icmp) => return Some(self.rejected(icmp)),
                    None if error.kind() == io::ErrorKind::WouldBlock => return None,
                    None => return Some(unexplained(&error)),
                },
            }
        }
        None
    }

    /// A datagram came from whom we asked. One of our own sockets may have been given the very port
    /// that it came from: then nobody else has it.
    fn answered(
        &self,
        answer: &[u8],
        from: SocketAddr,
        is_ours: impl Fn((IpAddr, u16)) -> bool,
    ) -> Option<Outcome> {
        if self.kind == Kind::Echo {
            return is_echo_reply(answer).then_some(Outcome::Replied(None));
        }
        let end = (from.ip(), from.port());
        if end == self.local() || is_ours(end) {
            return Some(Outcome::SelfConnected);
        }
        let name = self.question.and_then(|question| question.name(answer));
        // Whoever speaks from another port must speak of what was asked.
        let is_meant = name.is_some() || from.port() == self.to.port();
        is_meant.then_some(Outcome::Replied(name))
    }

    /// A link on the way carries no packet as long as the question was, which says nothing of the
    /// port. The system knows its limit now, and cuts what is longer.
    fn send_in_pieces(&self) {
        let spend = |left: u8| left.checked_sub(1);
        let left = self
            .pieces
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend);
        if left.is_ok() {
            // What fails here is a question without an answer, and asked anew.
            let _ = self.send();
        }
    }

    /// An ICMP message speaks of the question.
    fn rejected(&self, error: IcmpError) -> Outcome {
        rejected_at(Some(self.own), self.to, error)
    }

    /// The system reports an error: an ICMP message, or something of its own.
    pub(in crate::probe) fn refused(&self, error: &io::Error) -> Outcome {
        match next_icmp_error(self.socket.as_fd()) {
            Some(icmp) => self.rejected(icmp),
            None => unexplained(error),
        }
    }
}

/// The system reports an error without a message behind it.
fn unexplained(error: &io::Error) -> Outcome {
    match error.raw_os_error() {
        Some(errno @ libc::ECONNREFUSED) => Outcome::Remote(errno),
        _ => local(error),
    }
}

/// A socket that is connected as the system chooses the way, and only shows it.
fn way_to(to: SocketAddr, bind: impl Fn(&Socket) -> io::Result<()>) -> io::Result<UdpSocket> {
    let way = socket(Kind::Udp, to.is_ipv6())?;
    bind(&way)?;
    way.connect(&to.into())?;
    Ok(way.into())
}

/// Our address and theirs on a way.
fn ends(way: &UdpSocket, to: SocketAddr) -> (IpAddr, IpAddr) {
    let own = way.local_addr().map_or(to.ip(), |own| own.ip());
    let peer = way.peer_addr().map_or(to.ip(), |peer| peer.ip());
    (own, peer)
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
    nonblocking_socket(domain, Type::DGRAM, Some(protocol))
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
