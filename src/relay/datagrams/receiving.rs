//! Taking what comes.

use std::future::poll_fn;
use std::io;
use std::task::Poll;
use std::time::Instant;

use super::{Exchange, Target};
use crate::error::{Action, Cause, Error, Result};
use crate::event::Event;
use crate::net::{Batch, Correspondent, DatagramSocket};
use crate::relay::Side;

impl Exchange<'_> {
    /// Takes what has come and was not heard of: which socket's. Whoever was stopped for longer than
    /// the silence that is waited for, or had no turn, has not listened. There must be room.
    pub(super) fn receive_unheard(&mut self) -> Poll<io::Result<usize>> {
        let batch = &mut self.batch;
        in_turn(&self.sockets, self.turn, |socket| socket.receive_now(batch))
    }

    /// Gives what came to stdout; an empty datagram is data, too.
    pub(super) fn pass_on(&mut self, socket: usize) -> Result<()> {
        if self.last_heard.is_none() {
            self.observer.notice(&Event::FirstDatagram);
        }
        self.turn = socket.saturating_add(1);
        let batch = std::mem::take(&mut self.batch);
        let result = self.take(socket, &batch, Instant::now());
        self.batch = batch;
        // A file may have taken its time, in which nobody listened.
        let now = Instant::now();
        (self.last_datagram, self.last_heard) = (now, Some(now));
        result
    }

    /// Takes note of who sent it and how much it is, and passes on as much as is wanted.
    fn take(&mut self, socket: usize, batch: &Batch, now: Instant) -> Result<()> {
        let mut length = 0_usize;
        for arrived in batch.arrivals() {
            length = length.saturating_add(arrived.bytes().len());
            self.losses.came(arrived.is_bundle());
            let from = arrived.from();
            if let Some(whole) = arrived.truncated_from() {
                self.truncated(from.as_ref(), whole, arrived.bytes().len() as u64);
            }
            match from {
                Some(peer) => self.heard(&Target { socket, peer }, now),
                None => self.heard_unnamed(),
            }
        }
        let most = self.rules.most;
        let most = most.and_then(|most| usize::try_from(most).ok());
        let most = most.unwrap_or(usize::MAX);
        self.look_for_curtailed(batch, most);
        let length = length.min(most);
        if let Some(most) = &mut self.rules.most {
            *most = most.saturating_sub(length as u64);
        }
        self.meter.count_received(length);
        for piece in batch.pieces(length) {
            self.meter.tally_received(piece);
        }
        if let Some(dump) = self.dump {
            dump.record_datagrams(batch.datagrams(most));
        }
        if self.drain.put(batch, length)? {
            self.observer.notice(&Event::PayloadEscaped);
        }
        Ok(())
    }

    /// The datagram that reaches the limit may be longer than what is left of it: what is written
    /// is then no whole datagram, and that is an error.
    fn look_for_curtailed(&mut self, batch: &Batch, most: usize) {
        let Some((from, length, kept)) = curtailed(batch, most) else {
            return;
        };
        let cause = Cause::Curtailed {
            length: length as u64,
            kept: kept as u64,
        };
        let error = Error::new(Action::Receive, name_of(from.as_ref()), cause);
        // It is the reason to leave, whatever was kept for the end.
        self.tell_reported();
        self.reported = Some(error);
    }

    /// Somebody can be answered.
    fn heard(&mut self, target: &Target, now: Instant) {
        if let Some(number) = self.peers.heard(target, now) {
            self.tell_connected(number, target);
        }
    }

    /// Somebody cannot: said once, and only where an answer would be sent.
    fn heard_unnamed(&mut self) {
        let answers = self.rules.side == Side::Listen && !self.rules.recv_only;
        if answers && !std::mem::replace(&mut self.unnamed, true) {
            self.observer.notice(&Event::UnnamedSender);
        }
    }

    /// A datagram was longer than the room for it: that is an error at the end.
    fn truncated(&mut self, from: Option<&Correspondent>, length: u64, kept: u64) {
        let cause = Cause::Truncated { length, kept };
        let error = Error::new(Action::Receive, name_of(from), cause);
        self.observer
            .notice(&Event::DatagramTruncated { error: &error });
        self.reported.get_or_insert(error);
    }
}

/// How long a datagram of these is that only begins within the first bytes, and who sent it.
fn curtailed(batch: &Batch, most: usize) -> Option<(Option<Correspondent>, usize, usize)> {
    let mut left = most;
    for arrived in batch.arrivals() {
        for datagram in arrived.datagrams() {
            if left == 0 {
                return None;
            }
            if datagram.len() > left {
                return Some((arrived.from(), datagram.len(), left));
            }
            left = left.saturating_sub(datagram.len());
        }
    }
    None
}

/// The address of a sender as it is told.
fn name_of(from: Option<&Correspondent>) -> String {
    from.map_or_else(|| "(unnamed)".to_owned(), |from| from.address().to_string())
}

/// Takes the next datagrams of any socket: which one. `turn` is asked first: a crowd at one socket
/// does not shut those at the others out.
pub(super) async fn receive(
    sockets: &[DatagramSocket],
    turn: usize,
    batch: &mut Batch,
) -> io::Result<usize> {
    poll_fn(|context| in_turn(sockets, turn, |socket| socket.poll_receive(context, batch))).await
}

/// The first socket that has something, beginning with that of the `turn`.
fn in_turn(
    sockets: &[DatagramSocket],
    turn: usize,
    mut take: impl FnMut(&DatagramSocket) -> Poll<io::Result<()>>,
) -> Poll<io::Result<usize>> {
    let each = sockets.iter().enumerate();
    for (index, socket) in each.cycle().skip(turn).take(sockets.len()) {
        if let Poll::Ready(came) = take(socket) {
            return Poll::Ready(came.map(|()| index));
        }
    }
    Poll::Pending
}

/// What the network reported of an earlier datagram of the only socket.
pub(super) async fn report(sockets: &[DatagramSocket]) -> io::Error {
    match sockets.first() {
        Some(socket) => socket.failed().await,
        None => std::future::pending().await,
    }
}
