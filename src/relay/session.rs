//! One conversation with one peer over a stream: the end-of-file table at work, whatever carries
//! the bytes.

mod winding_up;

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::time::{Duration, Instant};

use super::ending::IDLE_INPUT;
use super::failure::connection_error;
use super::looks::{self, Looks, PROBE_INTERVAL};
use super::mover::{Mover, News};
use super::timer::{earliest, sleep_until};
use super::{End, Ending, Facts, Meter, Rules, Step, Transfer};
use crate::error::{Action, Cause, Error};
use crate::event::{Event, Observer};
use crate::net::{Address, Line, Proto};
use crate::sys;

/// How long writing what came may take when a signal or a failure ends us.
pub(super) const LAST_WORDS: Duration = Duration::from_millis(100);

/// How long a conversation may take; `None` is for ever.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// Without a byte in either direction.
    pub idle: Option<Duration>,
    /// The moment when all must be over, and the limit that it comes from.
    pub end: Option<(Instant, Duration)>,
}

/// Who talks, and by which rules.
#[derive(Clone, Copy)]
pub(super) struct Terms<'a> {
    pub(super) proto: Proto,
    pub(super) local: &'a Address,
    pub(super) peer: &'a Address,
    pub(super) rules: Rules,
    pub(super) limits: Limits,
    pub(super) meter: &'a Meter,
    pub(super) observer: &'a dyn Observer,
    /// Whether what comes is written anywhere.
    pub(super) writes: bool,
}

/// Talks until the end-of-file table says that it is over, or `stop` comes.
pub(super) async fn talk<M: Mover>(
    terms: Terms<'_>,
    mover: &mut M,
    stop: impl Future<Output = ()>,
) -> Transfer {
    let mut session = Session::new(terms, mover);
    let mut stop = std::pin::pin!(stop);
    let result = match session.run(stop.as_mut()).await {
        Err(Break::Broken(error)) => Err(session.rescue(error, stop).await),
        result => result,
    };
    session.finish(result).await
}

/// Why the loop was left before its time.
enum Break {
    /// The connection broke; what came before is still to be read.
    Broken(io::Error),
    /// Something failed.
    Failed(Box<Error>),
    /// We were asked to stop.
    Stopped,
}

/// What a step of the session comes to.
type Outcome<T> = Result<T, Break>;

/// A conversation under way.
struct Session<'a, M> {
    terms: Terms<'a>,
    mover: &'a mut M,
    ending: Ending,
    started: Instant,
    /// What was not acknowledged when it was last looked at: its shrinking is a move, too.
    last_queue: u64,
    leaving: bool,
    /// stdout has everything, and is closed, or has failed.
    written: bool,
    /// It has failed.
    write_failed: bool,
    /// What broke the connection, learnt while it was being wound up.
    told: Option<io::Error>,
}

impl<'a, M: Mover> Session<'a, M> {
    fn new(terms: Terms<'a>, mover: &'a mut M) -> Self {
        let now = Instant::now();
        terms.meter.note_move();
        terms.meter.begin();
        let session = Self {
            ending: Ending::new(terms.rules, now),
            written: !terms.writes,
            write_failed: false,
            terms,
            mover,
            started: now,
            last_queue: 0,
            leaving: false,
            told: None,
        };
        session.line().reset_on_close(true);
        session
    }

    /// The connection.
    fn line(&self) -> Line<'_> {
        Line::new(self.terms.proto, self.mover.socket())
    }

    /// Until the table says leave; then leaves.
    async fn run<S: Future<Output = ()>>(&mut self, mut stop: Pin<&mut S>) -> Outcome<End> {
        loop {
            let facts = self.facts();
            match self.ending.next(Instant::now(), facts) {
                Step::Wait(until) => {
                    self.wait(until, stop.as_mut()).await?;
                    if looks::overslept(until, Some(IDLE_INPUT)) {
                        self.ending.begin_anew(Instant::now());
                    }
                }
                Step::ShutDownWrite => self.shut_down()?,
                Step::SayWaiting => {
                    self.terms.observer.notice(&Event::WaitingForInput);
                    self.ending.waiting_said();
                }
                // What nobody has found the time to read yet is not idle, either.
                Step::Leave {
                    idle_input: true, ..
                } if sys::input_waits() => {
                    self.terms.meter.note_input();
                }
                Step::Leave { end, idle_input } => {
                    self.leave(stop.as_mut()).await?;
                    if idle_input {
                        self.terms.observer.notice(&Event::LeavingIdleInput);
                    }
                    return Ok(end);
                }
            }
        }
    }

    /// What the table wants to know.
    fn facts(&mut self) -> Facts {
        if let Some(moment) = self.terms.meter.last_input() {
            self.ending.input(moment);
        }
        Facts {
            received: self.terms.meter.received() > 0,
            unsent: self.mover.has_unsent(),
            acknowledged: !self.ending.is_peer_over() || self.look_at_queue() == 0,
        }
    }

    /// What the peer's kernel has not acknowledged, 0 where that is not known.
    fn look_at_queue(&mut self) -> u64 {
        let queue = self.line().unacknowledged().unwrap_or(0);
        if queue < self.last_queue {
            self.terms.meter.note_move();
        }
        self.last_queue = queue;
        queue
    }

    /// Waits for news, until this moment or a limit.
    async fn wait<S: Future<Output = ()>>(
        &mut self,
        until: Option<Instant>,
        stop: Pin<&mut S>,
    ) -> Outcome<()> {
        let timer = earliest(until, self.deadline());
        // News come before the timer: input that is there is not idle.
        let news = tokio::select! {
            biased;
            () = stop => return Err(Break::Stopped),
            news = self.mover.news() => Some(news),
            () = sleep_until(timer), if timer.is_some() => None,
        };
        if let Some(news) = news {
            self.take(news)?;
        }
        // Where news never cease the timer has no turn of its own.
        match timer {
            Some(moment) if Instant::now() >= moment => self.check_limits(moment),
            _ => Ok(()),
        }
    }

    /// Does what the news ask for.
    fn take(&mut self, news: News) -> Outcome<()> {
        match news {
            News::Broken(error) => return Err(Break::Broken(error)),
            News::Failed(error) => return Err(failed(error)),
            News::InputEnded => self.ending.input_end(Instant::now()),
            News::Enough => self.ending.enough(),
            News::Moved => {}
            News::PeerEnded => self.peer_ended(),
            News::Written(result) => {
                self.note_written(result.is_ok());
                result.map_err(failed)?;
            }
        }
        Ok(())
    }

    /// stdout will take no more.
    fn note_written(&mut self, well: bool) {
        self.written = true;
        self.write_failed |= !well;
    }

    /// The peer will send no more.
    fn peer_ended(&mut self) {
        let unanswered = self.ending.is_shut_down() && self.terms.meter.received() == 0;
        if unanswered && !self.leaving && !self.terms.rules.send_only {
            self.terms.observer.notice(&Event::HalfCloseUnanswered);
        }
        self.ending.peer_end(Instant::now());
        self.terms.meter.note_move();
        self.line().probe_every(PROBE_INTERVAL);
    }

    /// Half-closes.
    fn shut_down(&mut self) -> Outcome<()> {
        let Err(error) = self.line().shut_down_write() else {
            self.terms.meter.note_shut_down();
            self.ending.shut_down_done();
            return Ok(());
        };
        // The connection is gone, and the socket says why, or whoever reads from it will.
        self.check_socket()?;
        if self.ending.is_peer_over() {
            return Err(Break::Broken(error));
        }
        self.ending.shut_down_done();
        Ok(())
    }

    /// Fails with the error that the socket holds.
    fn check_socket(&self) -> Outcome<()> {
        match self.mover.take_error() {
            Some(error) => Err(Break::Broken(error)),
            None => Ok(()),
        }
    }

    /// Sends what is read, shuts down, waits until the peer's kernel has it all and stdout, too.
    async fn leave<S: Future<Output = ()>>(&mut self, mut stop: Pin<&mut S>) -> Outcome<()> {
        self.leaving = true;
        self.mover.leave();
        let mut looks = Looks::new();
        loop {
            // Who has ended takes our own end to mean that everything was written.
            let may_end = self.written || !self.ending.is_peer_over();
            if may_end && !self.mover.has_unsent() && !self.ending.is_shut_down() {
                self.shut_down()?;
            }
            let delivered = self.ending.is_shut_down() && self.look_at_queue() == 0;
            self.check_socket()?;
            if delivered && self.written {
                return Ok(());
            }
            let next = Instant::now().checked_add(looks.next_pause());
            self.wait(next, stop.as_mut()).await?;
        }
    }

    /// When the next limit is passed, or it is time for a look: what drains from the queue is seen
    /// only by looking.
    fn deadline(&self) -> Option<Instant> {
        let end = self.terms.limits.end.map(|(end, _)| end);
        let Some(idle) = self.terms.limits.idle else {
            return end;
        };
        let look = Instant::now().checked_add(looks::every(idle));
        let idle = self.terms.meter.last_move().checked_add(idle);
        earliest(earliest(idle, look), end)
    }

    /// Fails when a limit is passed, as was to be asked at that moment. Idleness does not count while
    /// our own reader stalls: we read no more then, and what came before a timeout is to be written.
    fn check_limits(&mut self, moment: Instant) -> Outcome<()> {
        self.look_at_queue();
        let overslept = looks::overslept(Some(moment), self.terms.limits.idle);
        if self.mover.is_stalled() || overslept {
            self.terms.meter.note_move();
        }
        let now = Instant::now();
        let idle = now.duration_since(self.terms.meter.last_move());
        let cause = match (self.terms.limits.end, self.terms.limits.idle) {
            (Some((end, limit)), _) if now >= end => Cause::TimedOut(limit),
            (_, Some(limit)) if idle >= limit => Cause::Idle(limit),
            _ => return Ok(()),
        };
        Err(failed(Error::new(Action::Session, self.terms.peer, cause)))
    }

    /// The error of a connection that broke like this.
    fn broken(&self, error: io::Error) -> Error {
        connection_error(self.terms.peer, error)
    }
}

/// The break of an error.
fn failed(error: Error) -> Break {
    Break::Failed(Box::new(error))
}
