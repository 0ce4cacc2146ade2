//! Sending what was read.

use std::io;
use std::time::{Duration, Instant};

use super::{Exchange, Target};
use crate::error::{Action, Cause, Error, Result};
use crate::event::Event;
use crate::net::{DatagramSocket, Proto};
use crate::relay::{Side, Way};

/// Within this time an end comes right away: that of a program that has written and now ends.
const NEAR: Duration = Duration::from_millis(100);

impl Exchange<'_> {
    /// Who gets the next datagram, begun anew when everybody has the last one.
    fn next_target(&mut self) -> Option<Target> {
        if self.round.is_empty() {
            self.round = self.peers.audience(Instant::now());
            self.round.reverse();
        }
        self.round.last().cloned()
    }

    /// The socket of the next datagram.
    pub(super) fn next_socket(&mut self) -> Option<usize> {
        self.next_target().map(|target| target.socket)
    }

    /// Sends what is ready to go, as far as the system takes it.
    pub(super) fn send(&mut self) -> Result<()> {
        let mut refused = false;
        while !self.letters.is_empty() {
            let Some(target) = self.next_target() else {
                return Ok(());
            };
            let now = Instant::now();
            if !self.may_send(now) {
                return Ok(());
            }
            match self.send_to(&target, now) {
                Ok(length) => {
                    refused = false;
                    self.last_datagram = now;
                    self.gate.pass(now, self.letters.front(length));
                    if let Some(dump) = self.dump {
                        dump.record(Way::Sent, self.letters.front(length));
                    }
                    self.meter.count_sent(length);
                    self.meter.tally_sent(self.letters.front(length));
                    self.sent(length);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => refused = self.refused(error, &target, refused)?,
            }
        }
        Ok(())
    }

    /// Whether something may go now.
    fn may_send(&self, now: Instant) -> bool {
        self.has_dump_room() && self.gate.portion(now) > 0
    }

    /// Sends to one: as many datagrams as the system takes where nobody else is to get them and
    /// nobody has to look at each.
    fn send_to(&self, target: &Target, now: Instant) -> io::Result<usize> {
        let socket = self
            .sockets
            .get(target.socket)
            .ok_or(io::ErrorKind::NotConnected)?;
        let is_free = self.gate.is_free() && self.dump.is_none();
        if is_free && self.round.len() == 1 && !self.has_others() {
            return self.letters.send(socket, Some(&target.peer));
        }
        let datagram = self.gate.whole(now, self.letters.next());
        socket.send_each(&[io::IoSlice::new(datagram)], Some(&target.peer))?;
        Ok(datagram.len())
    }

    /// Whether the datagram that is being sent goes to others, too.
    fn has_others(&self) -> bool {
        self.rules.audience == super::Audience::All && self.rules.side == Side::Listen
    }

    /// The next one in the round has it; after the last one it is done with.
    fn sent(&mut self, length: usize) {
        self.round.pop();
        if self.round.is_empty() {
            self.letters.pass(length);
        }
    }

    /// The next datagram was refused. The first error of a connected socket may be that of an
    /// earlier one, and it takes this one the next time (udp(7)): true. What is refused `again`, or
    /// by a socket that has no peer, is lost.
    fn refused(&mut self, error: io::Error, target: &Target, again: bool) -> Result<bool> {
        let lost = again || self.rules.side == Side::Listen;
        if self.rules.side == Side::Connect {
            self.report(error)?;
        } else {
            if self.proto != Proto::Udp && is_gone(&error) {
                self.peers.forget(target);
            }
            self.note(error, target);
        }
        if lost {
            self.sent(self.letters.next().len());
        }
        Ok(!lost)
    }

    /// Keeps for the end that a datagram did not arrive, and tells of the first one before that
    /// unless the end is near.
    fn note(&mut self, error: io::Error, target: &Target) {
        if self.reported.is_none() {
            let address = target.peer.address();
            self.reported = Some(Error::new(Action::Send, address, error));
            self.tell_at = Instant::now().checked_add(NEAR);
        }
    }

    /// Tells of a datagram that did not arrive, once.
    pub(super) fn tell_reported(&mut self) {
        let untold = self.tell_at.take().and(self.reported.as_ref());
        if let Some(Cause::Io(error)) = untold.map(|reported| &reported.cause) {
            self.observer.notice(&Event::DatagramRefused { error });
        }
    }

    /// What the network reports of an earlier datagram ends `connect` once our input has ended;
    /// a listener has other peers, and goes on.
    pub(super) fn report(&mut self, error: io::Error) -> Result<()> {
        if self.rules.side == Side::Listen || error.kind() == io::ErrorKind::Interrupted {
            return Ok(());
        }
        let Some(target) = self.peers.last().cloned() else {
            return Ok(());
        };
        if self.has_sent_all() || !self.is_of_the_network(&error) {
            return Err(Error::new(Action::Send, target.peer.address(), error));
        }
        self.note(error, &target);
        Ok(())
    }

    /// Hears what the network has already reported of the last datagrams: no event has told of it
    /// where we leave as soon as they are sent.
    pub(super) fn hear_last(&mut self) -> Result<()> {
        let pending = self.sockets.first().and_then(DatagramSocket::pending_error);
        pending.map_or(Ok(()), |error| self.report(error))
    }

    /// Whether it tells of an earlier datagram (ICMP) and not of this one.
    fn is_of_the_network(&self, error: &io::Error) -> bool {
        let kinds = [
            io::ErrorKind::ConnectionRefused,
            io::ErrorKind::HostUnreachable,
            io::ErrorKind::NetworkUnreachable,
        ];
        self.proto == Proto::Udp && kinds.contains(&error.kind())
    }
}

/// Whether nobody holds a Unix address any more.
fn is_gone(error: &io::Error) -> bool {
    let kinds = [
        io::ErrorKind::ConnectionRefused,
        io::ErrorKind::ConnectionReset,
        io::ErrorKind::NotFound,
    ];
    kinds.contains(&error.kind())
}

/// Waits until this socket takes a datagram.
pub(super) async fn writable(sockets: &[DatagramSocket], index: Option<usize>) -> io::Result<()> {
    match index.and_then(|index| sockets.get(index)) {
        Some(socket) => socket.writable().await,
        None => std::future::pending().await,
    }
}
