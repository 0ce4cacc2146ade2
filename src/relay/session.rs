//! One conversation with one peer over a stream.

use std::future::{Future, pending};
use std::io;
use std::pin::Pin;
use std::time::{Duration, Instant};

use tokio::io::{Interest, Ready};

use super::outlet::{News, news};
use super::{End, Ending, Facts, Input, Meter, Outlet, Rules, StdinKind, Step, Transfer};
use crate::error::{Action, Cause, Error, Progress, Result};
use crate::event::{Event, Observer};
use crate::net::{Address, Stream};

/// What one read of the socket takes at first; reads that are full double it.
const FIRST_READ: usize = 16 * 1024;

/// What one read of the socket takes at most.
const LARGEST_READ: usize = 256 * 1024;

/// How often a peer that has ended is asked whether it is still there.
const PROBE_INTERVAL: Duration = Duration::from_secs(5);

/// How often a queue that drains is looked at, at first and at most.
const FIRST_LOOK: Duration = Duration::from_micros(200);
const LAST_LOOK: Duration = Duration::from_millis(20);

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

/// A conversation that is about to begin.
pub struct Conversation<'a> {
    /// The connection.
    pub stream: Stream,
    /// The other end of it.
    pub peer: Address,
    /// What goes to the peer.
    pub input: &'a mut Input,
    /// Where the peer's bytes go; `None` drops them.
    pub outlet: Option<&'a mut Outlet>,
    /// How it ends.
    pub rules: Rules,
    /// How long it may take.
    pub limits: Limits,
    /// What it moves.
    pub meter: &'a Meter,
    /// Who is told.
    pub observer: &'a dyn Observer,
}

/// Moves bytes both ways until the end-of-file table says that it is over, or `stop` comes.
pub async fn converse(conversation: Conversation<'_>, stop: impl Future<Output = ()>) -> Transfer {
    let mut session = Session::new(conversation);
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

/// What the loop woke up for.
enum Woken {
    Input(Result<bool>),
    Outlet(News),
    Socket(io::Result<Ready>),
    Stopped,
    Time,
}

/// A conversation under way.
struct Session<'a> {
    talk: Conversation<'a>,
    ending: Ending,
    started: Instant,
    /// When a byte last moved in either direction.
    last_move: Instant,
    buffer: Vec<u8>,
    /// What was not acknowledged when it was last looked at: its shrinking is a move, too.
    last_queue: u64,
    /// No more input is read, and what comes is dropped.
    leaving: bool,
    /// stdout has everything, and is closed.
    written: bool,
}

impl<'a> Session<'a> {
    fn new(talk: Conversation<'a>) -> Self {
        let now = Instant::now();
        talk.stream.reset_on_close(true);
        let mut ending = Ending::new(talk.rules, now);
        if !talk.input.pending().is_empty() {
            ending.input(now);
        }
        Self {
            ending,
            written: talk.outlet.is_none(),
            talk,
            started: now,
            last_move: now,
            buffer: vec![0; FIRST_READ],
            last_queue: 0,
            leaving: false,
        }
    }

    /// Until the table says leave; then leaves.
    async fn run<S>(&mut self, mut stop: Pin<&mut S>) -> std::result::Result<End, Break>
    where
        S: Future<Output = ()>,
    {
        loop {
            let facts = self.facts();
            match self.ending.next(Instant::now(), facts) {
                Step::Wait(until) => {
                    let woken = self.wait(until, stop.as_mut()).await;
                    self.handle(woken)?;
                }
                Step::ShutDownWrite => self.shut_down()?,
                Step::SayWaiting => {
                    self.talk.observer.notice(&Event::WaitingForInput);
                    self.ending.waiting_said();
                }
                Step::Leave { end, idle_input } => {
                    self.leave(stop.as_mut()).await?;
                    if idle_input {
                        self.talk.observer.notice(&Event::LeavingIdleInput);
                    }
                    return Ok(end);
                }
            }
        }
    }

    /// What the table wants to know.
    fn facts(&mut self) -> Facts {
        Facts {
            received: self.talk.meter.received() > 0,
            unsent: self.has_unsent(),
            acknowledged: !self.ending.is_peer_over() || self.look_at_queue() == 0,
        }
    }

    /// Whether input was read that the system has not taken.
    fn has_unsent(&self) -> bool {
        !self.talk.input.pending().is_empty()
    }

    /// Whether nothing has happened at all: no byte in either direction, no end.
    fn is_untouched(&self) -> bool {
        let meter = self.talk.meter;
        meter.sent() == 0 && meter.received() == 0 && !self.ending.is_peer_over()
    }

    /// Whether received bytes have somewhere to go.
    fn has_room(&self) -> bool {
        self.leaving || self.talk.outlet.as_deref().is_none_or(Outlet::has_room)
    }

    /// What the peer's kernel has not acknowledged, 0 where that is not known.
    fn look_at_queue(&mut self) -> u64 {
        let queue = self.talk.stream.unacknowledged().unwrap_or(0);
        if queue < self.last_queue {
            self.last_move = Instant::now();
        }
        self.last_queue = queue;
        queue
    }

    /// Waits for the next thing to do.
    async fn wait<S>(&mut self, until: Option<Instant>, stop: Pin<&mut S>) -> Woken
    where
        S: Future<Output = ()>,
    {
        let (unsent, room) = (self.has_unsent(), self.has_room());
        let reads_peer = !self.ending.is_peer_over();
        let reads_input = !self.leaving && !unsent && !self.ending.is_input_over();
        let stalled = reads_peer && !room && !unsent;
        let timer = earliest(until, self.deadline(stalled));
        let Conversation {
            stream,
            input,
            outlet,
            ..
        } = &mut self.talk;
        tokio::select! {
            () = stop => Woken::Stopped,
            ready = stream.ready(interest(reads_peer && room, unsent)) => Woken::Socket(ready),
            filled = input.fill(), if reads_input => Woken::Input(filled),
            news = news(outlet.as_deref(), reads_peer && !room), if !self.written => {
                Woken::Outlet(news)
            }
            () = sleep_until(timer), if timer.is_some() => Woken::Time,
        }
    }

    /// Does what it woke up for.
    fn handle(&mut self, woken: Woken) -> std::result::Result<(), Break> {
        match woken {
            Woken::Input(filled) => self.take_input(filled),
            Woken::Outlet(News::Written(result)) => {
                self.written = true;
                result.map_err(|error| self.failed(error))
            }
            Woken::Outlet(News::Room) => {
                self.last_move = Instant::now();
                Ok(())
            }
            Woken::Socket(ready) => self.use_socket(ready),
            Woken::Stopped => Err(Break::Stopped),
            Woken::Time => self.check_limits(),
        }
    }

    /// Notes what the input said.
    fn take_input(&mut self, filled: Result<bool>) -> std::result::Result<(), Break> {
        let more = filled.map_err(|error| self.failed(error))?;
        let now = Instant::now();
        if more {
            self.ending.input(now);
        } else {
            self.ending.input_end(now);
        }
        Ok(())
    }

    /// Reads and writes what the socket is ready for.
    fn use_socket(&mut self, ready: io::Result<Ready>) -> std::result::Result<(), Break> {
        let ready = ready.map_err(Break::Broken)?;
        if ready.is_error() {
            self.check_socket()?;
        }
        if ready.is_readable() || ready.is_read_closed() {
            self.receive()?;
        }
        if ready.is_writable() || ready.is_write_closed() {
            self.send()?;
        }
        Ok(())
    }

    /// Fails with the error that the socket holds.
    fn check_socket(&mut self) -> std::result::Result<(), Break> {
        match self.talk.stream.take_error() {
            Ok(Some(error)) | Err(error) => Err(Break::Broken(error)),
            Ok(None) => Ok(()),
        }
    }

    /// Takes what has come, and passes it on.
    fn receive(&mut self) -> std::result::Result<(), Break> {
        if self.ending.is_peer_over() || !self.has_room() {
            return Ok(());
        }
        match self.talk.stream.try_read(&mut self.buffer) {
            Ok(0) => self.peer_ended(),
            Ok(length) => self.pass_on(length),
            Err(error) if is_passing(&error) => {}
            Err(error) => return Err(Break::Broken(error)),
        }
        Ok(())
    }

    /// The peer will send no more.
    fn peer_ended(&mut self) {
        let unanswered = self.ending.is_shut_down() && self.talk.meter.received() == 0;
        if unanswered && !self.leaving && !self.talk.rules.send_only {
            self.talk.observer.notice(&Event::HalfCloseUnanswered);
        }
        self.ending.peer_end(Instant::now());
        self.last_move = Instant::now();
        if let Some(outlet) = &mut self.talk.outlet {
            outlet.close();
        }
        self.talk.stream.probe_every(PROBE_INTERVAL);
    }

    /// Gives received bytes to stdout, unless we are leaving.
    fn pass_on(&mut self, length: usize) {
        self.last_move = Instant::now();
        self.talk.meter.count_received(length);
        let bytes = self.buffer.get(..length).unwrap_or_default();
        let outlet = self.talk.outlet.as_deref_mut().filter(|_| !self.leaving);
        if outlet.is_some_and(|outlet| outlet.put(bytes)) {
            self.talk.observer.notice(&Event::PayloadEscaped);
        }
        if length == self.buffer.len() && length < LARGEST_READ {
            self.buffer.resize(length.saturating_mul(2), 0);
        }
    }

    /// Gives the system what it takes of the pending input.
    fn send(&mut self) -> std::result::Result<(), Break> {
        while self.has_unsent() {
            match self.talk.stream.try_write(self.talk.input.pending()) {
                Ok(length) => {
                    self.last_move = Instant::now();
                    self.talk.meter.count_sent(length);
                    self.talk.input.pass(length);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(Break::Broken(error)),
            }
        }
        Ok(())
    }

    /// Half-closes.
    fn shut_down(&mut self) -> std::result::Result<(), Break> {
        let Err(error) = self.talk.stream.shut_down_write() else {
            self.ending.shut_down_done();
            return Ok(());
        };
        // The connection is gone, and the socket says why.
        self.check_socket()?;
        Err(Break::Broken(error))
    }

    /// Sends what is read, shuts down, waits until the peer's kernel has it all and stdout, too.
    async fn leave<S>(&mut self, mut stop: Pin<&mut S>) -> std::result::Result<(), Break>
    where
        S: Future<Output = ()>,
    {
        self.leaving = true;
        if let Some(outlet) = &mut self.talk.outlet {
            outlet.close();
        }
        let mut look = FIRST_LOOK;
        loop {
            if !self.has_unsent() && !self.ending.is_shut_down() {
                self.shut_down()?;
            }
            let delivered = self.ending.is_shut_down() && self.look_at_queue() == 0;
            self.check_socket()?;
            if delivered && self.written {
                return Ok(());
            }
            let woken = self
                .wait(Instant::now().checked_add(look), stop.as_mut())
                .await;
            self.handle(woken)?;
            look = look.saturating_mul(2).min(LAST_LOOK);
        }
    }

    /// After a break: writes what came before it, and says what broke.
    async fn rescue<S>(&mut self, error: io::Error, mut stop: Pin<&mut S>) -> Break
    where
        S: Future<Output = ()>,
    {
        let error = self.broken(error);
        let mut held = !self.ending.is_peer_over();
        while !self.written {
            if held && self.has_room() {
                held = self.read_held();
                continue;
            }
            if self.is_untouched() {
                break;
            }
            if let Some(outlet) = self.talk.outlet.as_deref_mut().filter(|_| !held) {
                outlet.close();
            }
            let end = self.talk.limits.end.map(|(end, _)| end);
            let written = tokio::select! {
                () = stop.as_mut() => break,
                () = sleep_until(end), if end.is_some() => break,
                news = news(self.talk.outlet.as_deref(), held) => matches!(news, News::Written(_)),
            };
            self.written = written;
        }
        Break::Failed(Box::new(error))
    }

    /// Reads what the system still holds of a broken connection; false if that was all.
    fn read_held(&mut self) -> bool {
        match self.talk.stream.read_now(&mut self.buffer) {
            Ok(0) => false,
            Ok(length) => {
                self.pass_on(length);
                true
            }
            Err(error) => error.kind() == io::ErrorKind::Interrupted,
        }
    }

    /// When the next limit is passed. Idleness does not count while our own reader stalls.
    fn deadline(&self, stalled: bool) -> Option<Instant> {
        let idle = self.talk.limits.idle.filter(|_| !stalled);
        let idle = idle.and_then(|idle| self.last_move.checked_add(idle));
        earliest(idle, self.talk.limits.end.map(|(end, _)| end))
    }

    /// Fails when a limit is passed.
    fn check_limits(&mut self) -> std::result::Result<(), Break> {
        self.look_at_queue();
        let now = Instant::now();
        let idle = now.duration_since(self.last_move);
        let cause = match (self.talk.limits.end, self.talk.limits.idle) {
            (Some((end, limit)), _) if now >= end => Cause::TimedOut(limit),
            (_, Some(limit)) if idle >= limit && self.has_room() => Cause::Idle(limit),
            _ => return Ok(()),
        };
        Err(self.failed(Error::new(Action::Session, &self.talk.peer, cause)))
    }

    /// The error of a connection that broke like this.
    fn broken(&self, error: io::Error) -> Error {
        let error = match error.kind() {
            // The peer had ended, and then answered what we sent with a reset.
            io::ErrorKind::BrokenPipe | io::ErrorKind::NotConnected => {
                Error::new(Action::Send, &self.talk.peer, Cause::Undelivered)
            }
            _ => Error::new(Action::Session, &self.talk.peer, error),
        };
        error.after(self.progress())
    }

    /// The break of an error, with how far we had come.
    fn failed(&self, error: Error) -> Break {
        Break::Failed(Box::new(error.after(self.progress())))
    }

    /// How far we have come.
    fn progress(&self) -> Progress {
        Progress {
            sent: self.talk.meter.sent(),
            received: self.talk.meter.received(),
            undelivered: self.undelivered(),
        }
    }

    /// Bytes given to the system that the peer's kernel has not acknowledged.
    fn undelivered(&self) -> Option<u64> {
        let queue = self.talk.stream.unacknowledged()?;
        // A FIN that waits for its acknowledgement counts as one, and carries nothing.
        Some(queue.saturating_sub(u64::from(self.ending.is_shut_down())))
    }

    /// Closes or resets the connection, and says what became of it.
    async fn finish(mut self, result: std::result::Result<End, Break>) -> Transfer {
        let progress = self.progress();
        let untouched = self.is_untouched();
        let (end, error) = match result {
            Ok(end) => (end, None),
            Err(Break::Stopped) => (End::Signal, None),
            Err(Break::Failed(error)) => (end_of(&error), Some(*error)),
            Err(Break::Broken(error)) => (End::Error, Some(self.broken(error))),
        };
        if error.is_some() || end == End::Signal {
            self.last_words().await;
        }
        let stopped_well =
            self.ending.is_input_over() || self.talk.rules.stdin == StdinKind::Terminal;
        if error.is_none() && (end != End::Signal || stopped_well) {
            self.drop_what_came();
            self.talk.stream.reset_on_close(false);
        }
        Transfer {
            proto: self.talk.stream.proto(),
            local: self.talk.stream.local().unwrap_or(Address::Unix(None)),
            peer: Some(self.talk.peer),
            sent: progress.sent,
            acknowledged: progress
                .undelivered
                .map(|left| progress.sent.saturating_sub(left)),
            received: progress.received,
            datagrams_lost: None,
            elapsed: self.started.elapsed(),
            untouched: untouched && end == End::Reset,
            end,
            error,
        }
    }

    /// What was received is still written, if stdout takes it soon.
    async fn last_words(&mut self) {
        let spared = self.written || self.is_untouched();
        if let Some(outlet) = self.talk.outlet.as_deref_mut().filter(|_| !spared) {
            outlet.close();
            let _ = tokio::time::timeout(LAST_WORDS, outlet.closed()).await;
        }
    }

    /// Empties the receive queue: input left unread would turn the close into a reset.
    fn drop_what_came(&mut self) {
        while matches!(self.talk.stream.read_now(&mut self.buffer), Ok(1..)) {}
    }
}

/// How a conversation ended that failed like this.
fn end_of(error: &Error) -> End {
    match &error.cause {
        Cause::Idle(_) | Cause::TimedOut(_) => End::Timeout,
        Cause::Undelivered => End::Reset,
        Cause::Io(cause) if cause.kind() == io::ErrorKind::ConnectionReset => End::Reset,
        _ => End::Error,
    }
}

/// What to ask of the socket: even when nothing is to be read or written, it may fail.
fn interest(readable: bool, writable: bool) -> Interest {
    let mut interest = Interest::ERROR;
    if readable {
        interest |= Interest::READABLE;
    }
    if writable {
        interest |= Interest::WRITABLE;
    }
    interest
}

/// Not an error, only not yet.
fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}

/// The earlier of two moments.
pub(super) fn earliest(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    [one, other].into_iter().flatten().min()
}

/// Sleeps until then, or for ever.
pub(super) async fn sleep_until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment.into()).await,
        None => pending().await,
    }
}
