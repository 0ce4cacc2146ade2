//! How it ends.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use super::Exchange;
use crate::error::{Action, Cause, Error, Progress, Result};
use crate::net::{Address, DatagramSocket};
use crate::relay::looks;
use crate::relay::session::LAST_WORDS;
use crate::relay::timer::{earliest, sleep_until};
use crate::relay::{End, Side, Transfer};

/// For how long answers are waited for after the end of our input.
pub(super) const ANSWER_TIME: Duration = Duration::from_secs(1);

impl Exchange<'_> {
    /// When it is over if nothing more comes. While our own reader stalls more may have come.
    pub(super) fn quiet_moment(&self) -> Option<Instant> {
        let (since, quiet) = self.quiet()?;
        since.checked_add(quiet)
    }

    /// After how long a silence it is over, and since when there is one.
    fn quiet(&self) -> Option<(Instant, Duration)> {
        let rules = &self.rules;
        let pair = match rules.side {
            _ if self.is_stalled() => return None,
            Side::Listen => (self.last_heard?, rules.quit_after?),
            Side::Connect if !self.has_sent_all() => return None,
            Side::Connect if rules.send_only => (self.last_datagram, Duration::ZERO),
            // Nothing was asked that somebody would answer within a second.
            Side::Connect if rules.recv_only => (self.last_datagram, rules.quit_after?),
            Side::Connect => (self.last_datagram, rules.quit_after.unwrap_or(ANSWER_TIME)),
        };
        Some(pair)
    }

    /// The silence that is waited for, and when we look next whether we can: nobody is silent for us
    /// while we are stopped, or the machine is.
    pub(super) fn next_look(&self) -> Option<(Instant, Duration)> {
        let quiet = self.quiet().map(|(_, quiet)| quiet);
        let idle = self.idle_moment().and(self.limits.idle);
        let silence = quiet.into_iter().chain(idle).min()?;
        let look = Instant::now().checked_add(looks::every(silence))?;
        let due = earliest(self.quiet_moment(), self.idle_moment());
        Some((earliest(due, Some(look))?, silence))
    }

    /// When it fails if nothing moves, as long as there is still something to send. What waits for
    /// its turn is not idle.
    pub(super) fn idle_moment(&self) -> Option<Instant> {
        let waits = self.is_stalled() || self.has_to_wait(Instant::now());
        if waits || self.has_sent_all() {
            return None;
        }
        self.last_datagram.checked_add(self.limits.idle?)
    }

    /// The failure of a conversation in which nothing has moved for too long.
    pub(super) fn idle(&self) -> Option<Error> {
        self.idle_moment().filter(|at| Instant::now() >= *at)?;
        let peer = self.peers.last()?.peer.address();
        let cause = Cause::Idle(self.limits.idle?);
        Some(Error::new(Action::Session, peer, cause))
    }

    /// Takes note that until now something of ours held it up; the peer may have gone `on` then.
    pub(super) fn note_held(&mut self, on: bool) {
        let now = Instant::now();
        self.last_datagram = now;
        if !on {
            self.last_heard = self.last_heard.map(|_| now);
        }
    }

    /// Whether our own reader takes nothing now.
    fn is_stalled(&self) -> bool {
        !self.drain.has_room() || !self.has_dump_room()
    }

    /// Whether what is to be sent has to wait for its turn.
    fn has_to_wait(&self, now: Instant) -> bool {
        !self.letters.is_empty() && self.gate.opens(now).is_some()
    }

    /// What became of it.
    pub(super) async fn finish<S>(
        mut self,
        end: End,
        error: Option<Error>,
        stop: Pin<&mut S>,
    ) -> Transfer
    where
        S: Future<Output = ()>,
    {
        let lost = self.lost();
        let (end, written) = self.close_drain(end, stop).await;
        let late = self.late(end);
        let (sent, received) = (self.meter.sent(), self.meter.received());
        let progress = Progress {
            sent,
            received,
            undelivered: None,
        };
        let error = error.or(written.err());
        let is_other = |error: &Error| {
            let reported = self.reported.as_ref().and_then(Error::errno);
            error.errno() != reported
        };
        if error.as_ref().is_some_and(is_other) {
            self.tell_reported();
        }
        let error = error.or(self.reported.take());
        let error = error.or(lost).or(late);
        let local = self.sockets.first().and_then(DatagramSocket::local);
        Transfer {
            proto: self.proto,
            local: local.unwrap_or(Address::Unix(None)),
            peer: self.peers.last().map(|target| target.peer.address()),
            sent,
            acknowledged: None,
            received,
            datagrams_lost: self.losses.count(),
            digests: self.meter.digests(),
            elapsed: self.started.elapsed(),
            untouched: false,
            end,
            at_rest: false,
            error: error.map(|error| error.after(progress)),
        }
    }

    /// What the system had no room for. Whoever drops what comes misses nothing.
    fn lost(&mut self) -> Option<Error> {
        let lost = self.losses.settle(&self.sockets) && !self.rules.send_only;
        let cause = Cause::Dropped {
            datagrams: self.losses.count()?,
            at_least: self.losses.may_be_more(),
        };
        lost.then(|| Error::new(Action::Receive, "the socket's queue", cause))
    }

    /// Closes stdout and waits until it has everything, unless a signal or the limit comes first.
    async fn close_drain<S>(&mut self, end: End, stop: Pin<&mut S>) -> (End, Result<()>)
    where
        S: Future<Output = ()>,
    {
        let last = Instant::now().checked_add(LAST_WORDS);
        let limit = self.limits.end;
        let until = match limit {
            _ if end == End::Signal => last,
            Some((limit, _)) => last.max(Some(limit)),
            None => None,
        };
        tokio::select! {
            biased;
            written = self.drain.close() => (end, written),
            () = stop, if end != End::Signal => (End::Signal, Ok(())),
            () = sleep_until(until), if until.is_some() => (end, cut_short(end, limit)),
        }
    }

    /// Time that runs out is an ordinary end for a listener, and none for `connect`.
    fn late(&self, end: End) -> Option<Error> {
        let (_, limit) = self.limits.end.filter(|_| end == End::Timeout)?;
        let target = self.peers.last();
        let target = target.filter(|_| self.rules.side == Side::Connect)?;
        let peer = target.peer.address();
        Some(Error::new(Action::Session, peer, Cause::TimedOut(limit)))
    }
}

/// What became of a stdout that did not take everything in time.
fn cut_short(end: End, limit: Option<(Instant, Duration)>) -> Result<()> {
    match limit {
        Some((_, limit)) if end != End::Signal => {
            Err(Error::new(Action::Write, "stdout", Cause::TimedOut(limit)))
        }
        _ => Ok(()),
    }
}
