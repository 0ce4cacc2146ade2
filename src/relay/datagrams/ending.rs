//! How it ends.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use super::{Exchange, Held};
use crate::error::{Action, Cause, Error, Progress, Result};
use crate::net::{Address, DatagramSocket};
use crate::relay::looks;
use crate::relay::session::LAST_WORDS;
use crate::relay::timer::{earliest, sleep_until};
use crate::relay::{End, Side, Transfer};

/// For how long answers are waited for after the end of our input.
pub(super) const ANSWER_TIME: Duration = Duration::from_secs(1);

/// Why there is nothing more to do.
#[derive(Debug)]
pub(super) enum Over {
    /// Whatever else may come.
    Ended(End),
    /// Nothing has come for long enough.
    Quiet,
    /// Nothing has moved for too long.
    Idle(Error),
}

impl Over {
    /// Whether it is so only if nothing has come that was not heard of.
    pub(super) fn is_silence(&self) -> bool {
        matches!(self, Self::Quiet | Self::Idle(_))
    }
}

impl Exchange<'_> {
    /// Whether it is over, and why.
    pub(super) fn over(&self, held: &Held) -> Option<Over> {
        let rules = &self.rules;
        if rules.most == Some(0) {
            return Some(Over::Ended(End::Limit));
        }
        let is_connected = rules.side == Side::Connect;
        if is_connected && self.has_sent_all() && self.reported.is_some() {
            return Some(Over::Ended(End::Error));
        }
        let (quiet, limit) = (self.quiet_moment(held), self.limits.end.map(|(end, _)| end));
        if is_connected && rules.send_only && quiet.is_some() {
            // Whatever comes is dropped, and nobody waits for it.
            return Some(Over::Ended(End::Stdin));
        }
        let first = earliest(quiet, limit).filter(|first| Instant::now() >= *first);
        match first {
            None => self.idle(held).map(Over::Idle),
            Some(_) if first != quiet => Some(Over::Ended(End::Timeout)),
            Some(_) => Some(Over::Quiet),
        }
    }

    /// Whether a listener whose time is over takes what came before, in one more turn: it may have
    /// been stopped meanwhile, or had no turn.
    pub(super) fn takes_the_last(&mut self, over: &Over, held: &Held) -> bool {
        let is_late = matches!(over, Over::Ended(End::Timeout)) && self.rules.side == Side::Listen;
        let takes = is_late && !held.is_stalled() && self.last_turns > 0;
        if takes {
            self.last_turns = self.last_turns.saturating_sub(1);
        }
        takes
    }

    /// When it is over if nothing more comes. While our own reader stalls more may have come.
    pub(super) fn quiet_moment(&self, held: &Held) -> Option<Instant> {
        let (since, quiet) = self.quiet(held)?;
        since.checked_add(quiet)
    }

    /// After how long a silence it is over, and since when there is one.
    fn quiet(&self, held: &Held) -> Option<(Instant, Duration)> {
        let rules = &self.rules;
        let pair = match rules.side {
            _ if held.is_stalled() => return None,
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
    pub(super) fn next_look(&self, held: &Held) -> Option<(Instant, Duration)> {
        let quiet = self.quiet(held).map(|(_, quiet)| quiet);
        let (quiet_moment, idle_moment) = (self.quiet_moment(held), self.idle_moment(held));
        let idle = idle_moment.and(self.limits.idle);
        let silence = quiet.into_iter().chain(idle).min()?;
        let look = Instant::now().checked_add(looks::every(silence))?;
        let due = earliest(quiet_moment, idle_moment);
        Some((earliest(due, Some(look))?, silence))
    }

    /// When it fails if nothing moves, as long as there is still something to send. What waits for
    /// its turn is not idle, and neither is it idle to wait for somebody to talk with.
    pub(super) fn idle_moment(&self, held: &Held) -> Option<Instant> {
        let waits = held.is_stalled() || held.opens.is_some() || self.peers.is_empty();
        if waits || self.has_sent_all() {
            return None;
        }
        self.last_datagram.checked_add(self.limits.idle?)
    }

    /// The failure of a conversation in which nothing has moved for too long.
    fn idle(&self, held: &Held) -> Option<Error> {
        self.idle_moment(held).filter(|at| Instant::now() >= *at)?;
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

    /// There is nothing more to do: what became of it.
    pub(super) async fn leave<S>(mut self, over: Over, stop: Pin<&mut S>) -> Transfer
    where
        S: Future<Output = ()>,
    {
        let end = match over {
            Over::Idle(error) => return self.finish(End::Timeout, Some(error), stop).await,
            Over::Quiet => End::Stdin,
            Over::Ended(end) => end,
        };
        let error = self.hear_last().err();
        let end = error.as_ref().map_or(end, |_| End::Error);
        self.finish(end, error, stop).await
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
