//! The end of a conversation that is over, or broken: what came is still written, and what became
//! of it all is said.

use std::future::Future;
use std::io;
use std::pin::Pin;

use super::{Break, LAST_WORDS, Outcome, Session, failed};
use crate::error::Progress;
use crate::relay::failure::{end_of, is_aftermath};
use crate::relay::mover::{Mover, News};
use crate::relay::timer::sleep_until;
use crate::relay::{Digests, End, StdinKind, Transfer};

impl<M: Mover> Session<'_, M> {
    /// After a break: waits until nothing is sent any more, writes what came before, and says what
    /// broke. A connection that carried nothing leaves stdout as it is.
    pub(super) async fn rescue<S>(&mut self, error: io::Error, mut stop: Pin<&mut S>) -> Break
    where
        S: Future<Output = ()>,
    {
        let end = self.terms.limits.end.map(|(end, _)| end);
        tokio::select! {
            () = stop.as_mut() => {}
            () = sleep_until(end), if end.is_some() => {}
            () = self.settle() => {}
        }
        // Who only finds the connection gone is less to be believed than who learnt why.
        let told = self.told.take().filter(|_| is_aftermath(&error));
        failed(self.broken(told.unwrap_or(error)))
    }

    /// Waits until nothing is sent any more, and everything that came is written.
    async fn settle(&mut self) {
        self.mover.hush();
        while !self.mover.is_quiet() {
            let news = self.mover.news().await;
            self.note(news);
        }
        if self.written {
            return;
        }
        self.mover.rescue();
        while !self.written {
            let news = self.mover.news().await;
            self.note(news);
        }
    }

    /// Keeps what is still of interest when all is over.
    fn note(&mut self, news: News) {
        match news {
            News::Written(result) => self.note_written(result.is_ok()),
            News::Broken(error) if !is_aftermath(&error) => self.told = Some(error),
            _ => {}
        }
    }

    /// Whether nothing has happened at all: no byte in either direction, no end.
    fn is_untouched(&self) -> bool {
        let meter = self.terms.meter;
        meter.sent() == 0 && meter.received() == 0 && !self.ending.is_peer_over()
    }

    /// How far we have come.
    fn progress(&self) -> Progress {
        let (meter, queue) = (self.terms.meter, self.line().unacknowledged());
        Progress {
            sent: meter.sent(),
            received: meter.received(),
            undelivered: queue.map(|queue| meter.data_of(queue)),
        }
    }

    /// Whether everything that came was written.
    fn has_written_all(&self) -> bool {
        self.written && !self.write_failed
    }

    /// Whether a signal that ends us now keeps nothing from anybody: all is said, and all that was
    /// taken from the peer is written.
    fn may_be_stopped_well(&self) -> bool {
        let stdin = self.terms.rules.stdin;
        let has_said_all = self.ending.is_input_over() || stdin == StdinKind::Terminal;
        has_said_all && self.has_written_all()
    }

    /// From now on a close is a good end. What nobody is there to write any more is left unread,
    /// which makes it a reset again (RFC 1122, section 4.2.2.13).
    fn close_well(&self, end: End) {
        if end != End::Signal || self.leaving || !self.terms.writes {
            let _ = self.line().drop_what_came();
        }
        self.line().reset_on_close(false);
    }

    /// Closes or resets the connection, and says what became of it.
    pub(super) async fn finish(mut self, result: Outcome<End>) -> Transfer {
        let (end, error) = match result {
            Ok(end) => (end, None),
            Err(Break::Stopped) => (End::Signal, None),
            Err(Break::Failed(error)) => (end_of(&error), Some(*error)),
            Err(Break::Broken(error)) => (End::Error, Some(self.broken(error))),
        };
        if !(self.written && self.mover.is_quiet()) {
            // What was received is still written, if stdout takes it soon.
            let _ = tokio::time::timeout(LAST_WORDS, self.settle()).await;
        }
        let untouched = self.is_untouched() && end == End::Reset;
        if untouched {
            self.terms.meter.forget();
        }
        let progress = self.progress();
        if error.is_none() && (end != End::Signal || self.may_be_stopped_well()) {
            self.close_well(end);
        }
        Transfer {
            proto: self.terms.proto,
            local: self.terms.local.clone(),
            peer: Some(self.terms.peer.clone()),
            sent: progress.sent,
            acknowledged: progress
                .undelivered
                .map(|left| progress.sent.saturating_sub(left)),
            received: progress.received,
            datagrams_lost: None,
            digests: self.terms.meter.digests().map(|digests| Digests {
                is_all_written: self.has_written_all(),
                ..digests
            }),
            elapsed: self.started.elapsed(),
            untouched,
            end,
            at_rest: false,
            error: error.map(|error| error.after(progress)),
        }
    }
}
