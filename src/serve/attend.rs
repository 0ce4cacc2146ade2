//! A client from its welcome to its end, whatever it gets: limits, stopping, ending well.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::client::Client;
use super::exec;
use super::stop::Phase;
use crate::error::{Action, Cause, Error, Progress, Result};
use crate::event::Event;
use crate::relay::looks::{self, Looks, PROBE_INTERVAL};
use crate::relay::{End, Transfer, earliest, end_of, sleep_until};

/// For how long nothing has moved with a client that is left when the server stops, and how often
/// that is looked at.
const REST: Duration = Duration::from_millis(100);
const REST_LOOK: Duration = Duration::from_millis(25);

/// How often is looked what somebody else has moved, at least.
const LONGEST_LOOK: Duration = Duration::from_secs(1);

/// Why a client is left before its time.
enum Cut {
    /// A limit has passed.
    Failed(Error),
    /// The server stops, and nothing is in flight.
    AtRest,
    /// The server stops at once.
    Stopped,
}

/// Serves the client to its end, and tells of that.
pub(super) async fn attend(client: Client) -> Transfer {
    let client = if client.service.behaviour.lends(&client) {
        client.lent()
    } else {
        client
    };
    let outcome = tokio::select! {
        biased;
        served = serve(&client) => served.map_err(Cut::Failed),
        cut = cut_short(&client) => Err(cut),
    };
    if outcome.is_err() {
        exec::dismiss(&client).await;
    }
    let transfer = conclude(&client, outcome);
    client.service.observer.notice(&Event::ClientGone {
        client: client.number,
        transfer: &transfer,
    });
    pass_on_rest(client).await;
    transfer
}

/// Passes on what came before the client was left, for which its connection is not needed any more:
/// it may have been cut off while somebody else had no room. Until that is done it counts as one
/// that is there, so that no more is held than clients may be.
async fn pass_on_rest(client: Client) {
    let Some(rest) = client.service.behaviour.rest_of(&client) else {
        return;
    };
    let (number, service) = (client.number, Arc::clone(&client.service));
    drop(client);
    let pass_on = service.behaviour.pass_on(number, rest, &*service.observer);
    tokio::select! {
        biased;
        () = pass_on => {}
        () = service.stop.reached(Phase::Over) => {}
    }
}

/// What it gets, as far as it may, and then a good end.
async fn serve(client: &Client) -> Result<End> {
    let end = tokio::select! {
        biased;
        end = client.service.behaviour.serve(client) => end?,
        () = filled(client) => {
            client.end_sending()?;
            exec::dismiss(client).await;
            End::Limit
        }
    };
    client.check_cut()?;
    deliver(client).await?;
    Ok(if client.is_sated() { End::Limit } else { end })
}

/// Waits until the client has got as much as it may, and what it said is where it is to go; the
/// beginning of a line goes there afterwards, as the rest. Asked after whatever sends, each time that
/// has had its turn: nobody else has to wake us.
async fn filled(client: &Client) {
    let look = |_: &mut Context<'_>| {
        if client.is_full() && client.held.piece().is_none() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    };
    poll_fn(look).await;
}

/// Shuts the write half down and waits until the client's kernel has it all. What the client still
/// sends is dropped: left unread, it would turn the close into a reset.
async fn deliver(client: &Client) -> Result<()> {
    client.end_sending()?;
    let line = client.line();
    line.probe_every(PROBE_INTERVAL);
    let mut looks = Looks::new();
    loop {
        line.drop_what_came()
            .map_err(|error| client.broken(error))?;
        let delivered = line.unacknowledged().unwrap_or(0) == 0;
        client.check_socket()?;
        if delivered {
            return Ok(());
        }
        looks.pause().await;
    }
}

/// Waits until a limit has passed, or the server stops and has nothing more to do here.
async fn cut_short(client: &Client) -> Cut {
    let mut stop = client.service.stop.watch();
    let mut watch = Watch::new(client);
    loop {
        let phase = *stop.borrow_and_update();
        match phase {
            Phase::Over => return Cut::Stopped,
            Phase::Finishing if watch.is_at_rest() => {
                let well = client.service.behaviour.may_end_well(client);
                return if well { Cut::AtRest } else { Cut::Stopped };
            }
            Phase::Finishing | Phase::Serving => {}
        }
        let timer = match phase {
            Phase::Serving => watch.deadline(),
            _ => Instant::now().checked_add(REST_LOOK),
        };
        tokio::select! {
            // The sender is the service's own, and outlives us.
            _ = stop.changed() => {}
            () = sleep_until(timer), if timer.is_some() => {}
        }
        if let Err(error) = watch.check(timer) {
            return Cut::Failed(error);
        }
    }
}

/// The limits of a client.
struct Watch<'a> {
    client: &'a Client,
    /// When all must be over.
    end: Option<Instant>,
    /// What was not acknowledged when it was last looked at: its shrinking is a move, too.
    last_queue: u64,
}

impl<'a> Watch<'a> {
    fn new(client: &'a Client) -> Self {
        let limit = client.service.max_time;
        Self {
            client,
            end: limit.and_then(|limit| client.since.checked_add(limit)),
            last_queue: 0,
        }
    }

    /// When the next limit passes, or it is time for a look: what drains from the queue, and what
    /// somebody else moves, is seen only by looking.
    fn deadline(&self) -> Option<Instant> {
        let Some(idle) = self.client.service.idle_timeout else {
            return self.end;
        };
        let look = match self.client.lent_socket() {
            Some(_) => looks::every(idle).min(LONGEST_LOOK),
            None => looks::every(idle),
        };
        let look = Instant::now().checked_add(look);
        let idle = self.client.meter.last_move().checked_add(idle);
        earliest(earliest(idle, look), self.end)
    }

    /// Fails when a limit has passed, as was to be asked at that moment.
    fn check(&mut self, moment: Option<Instant>) -> Result<()> {
        self.client.take_stock();
        if looks::overslept(moment, self.client.service.idle_timeout) {
            self.client.meter.note_move();
        }
        self.look_at_queue();
        let (client, now) = (self.client, Instant::now());
        let idle = now.duration_since(client.meter.last_move());
        let service = &client.service;
        let cause = match (self.end, service.max_time, service.idle_timeout) {
            (Some(end), Some(limit), _) if now >= end => Cause::TimedOut(limit),
            (_, _, Some(limit)) if idle >= limit => Cause::Idle(limit),
            _ => return Ok(()),
        };
        Err(Error::new(Action::Session, &client.peer, cause))
    }

    /// What the client's kernel has not acknowledged, 0 where that is not known.
    fn look_at_queue(&mut self) -> u64 {
        let queue = self.client.line().unacknowledged().unwrap_or(0);
        if queue < self.last_queue {
            self.client.meter.note_move();
        }
        self.last_queue = queue;
        queue
    }

    /// Whether nothing is in flight, either way, and nothing has been for a moment.
    fn is_at_rest(&mut self) -> bool {
        let quiet = self.client.meter.last_move().elapsed() >= REST;
        quiet
            && self.client.service.behaviour.rests()
            && self.look_at_queue() == 0
            && !self.client.line().has_unread()
    }
}

/// How the client's connection ended: that somebody else reset theirs is our failure to it.
fn end_for(client: &Client, error: &Error) -> End {
    match end_of(error) {
        End::Reset if error.target != client.peer.to_string() => End::Error,
        end => end,
    }
}

/// How the connection of a client ended that was left because the server ends: somebody wanted that,
/// or the server tells of its failure itself.
fn end_of_stop(client: &Client) -> End {
    if client.service.stop.has_failed() {
        End::Error
    } else {
        End::Signal
    }
}

/// Closes or resets the connection, and says what became of it.
fn conclude(client: &Client, outcome: std::result::Result<End, Cut>) -> Transfer {
    client.take_stock();
    let at_rest = matches!(outcome, Err(Cut::AtRest));
    let (end, error, well) = match outcome {
        Ok(end) => (end, None, true),
        Err(Cut::AtRest) => (end_of_stop(client), None, true),
        Err(Cut::Stopped) => (end_of_stop(client), None, false),
        Err(Cut::Failed(error)) => (end_for(client, &error), Some(error), false),
    };
    let line = client.line();
    let (sent, received) = (client.meter.sent(), client.meter.received());
    let queue = line.unacknowledged();
    let undelivered = queue.map(|queue| client.meter.data_of(queue).min(sent));
    if well {
        line.reset_on_close(false);
    } else if client.lent_socket().is_some() {
        // A child of the child may have it still.
        line.reset_now();
    }
    let progress = Progress {
        sent,
        received,
        undelivered,
    };
    Transfer {
        proto: client.proto(),
        local: client.local.clone(),
        peer: Some(client.peer.clone()),
        sent,
        acknowledged: undelivered.map(|left| sent.saturating_sub(left)),
        received,
        datagrams_lost: None,
        digests: None,
        elapsed: client.since.elapsed(),
        untouched: end == End::Reset && client.is_counted() && sent == 0 && received == 0,
        end,
        at_rest,
        error: error.map(|error| match error.action {
            Action::Connect | Action::Resolve | Action::Run => error,
            _ if !client.is_counted() => error,
            _ => error.after(progress),
        }),
    }
}
