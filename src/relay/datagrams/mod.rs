//! Conversations in datagrams: one read of stdin becomes datagrams, one datagram becomes output.

mod drain;
mod ending;
mod held;
mod losses;
mod peers;
mod receiving;
mod sending;

use std::future::Future;
use std::io;
use std::ops::ControlFlow;
use std::task::Poll;
use std::time::{Duration, Instant};

use self::drain::Drain;
use self::ending::Over;
use self::held::Held;
use self::losses::Losses;
use self::peers::{Peers, Target};
use super::letters::Letters;
use super::looks;
use super::outlet::OutletNews;
use super::timer::{earliest, sleep_until};
use super::{Dump, End, Gate, Input, Limits, Meter, Shaping, Side, Sink, Transfer, dump};
use crate::error::{Action, Error, Result};
use crate::event::{Event, Observer};
use crate::net::{Address, Batch, DatagramSocket, Proto};

pub use self::peers::Audience;

/// What the user asked for.
#[derive(Clone, Copy, Debug)]
pub struct DatagramRules {
    /// Which command it is.
    pub side: Side,
    /// `connect`: leave this long after the last datagram of either side once our input has ended,
    /// and without it after a second, or never if nothing is sent at all; what no clock can hold is
    /// for ever. `listen`: leave this long after the last datagram that came, and without it never.
    pub quit_after: Option<Duration>,
    /// `connect`: leave at the end of our input. Both: what comes is dropped.
    pub send_only: bool,
    /// stdin is never read.
    pub recv_only: bool,
    /// It is over when this many bytes have come.
    pub most: Option<u64>,
    /// `listen`: who hears what we send.
    pub audience: Audience,
}

/// A conversation in datagrams that is about to begin.
pub struct Datagrams<'a> {
    /// Sockets of one port or path; `connect` has a single one, which knows its peer.
    pub sockets: Vec<DatagramSocket>,
    /// What goes to the peer.
    pub input: &'a mut Input,
    /// Where the peer's bytes go.
    pub sink: Sink<'a>,
    /// What is done to them on their way.
    pub shaping: Shaping<'a>,
    /// How it ends.
    pub rules: DatagramRules,
    /// How long it may take.
    pub limits: Limits,
    /// What it moves.
    pub meter: &'a Meter,
    /// Who is told.
    pub observer: &'a dyn Observer,
}

/// Exchanges datagrams until the rules say that it is over, or `stop` comes.
///
/// # Errors
/// It cannot even begin: the system has no room for it.
pub async fn exchange(
    datagrams: Datagrams<'_>,
    stop: impl Future<Output = ()>,
) -> Result<Transfer> {
    let failed = |error| Error::new(Action::Write, "stdout", error);
    let drain = Drain::of(datagrams.sink).map_err(failed)?;
    let mut exchange = Exchange::new(datagrams, drain);
    let mut stop = std::pin::pin!(stop);
    loop {
        let next = tokio::select! {
            () = stop.as_mut() => return Ok(exchange.finish(End::Signal, None, stop).await),
            next = exchange.next() => next,
        };
        let woken = match next {
            ControlFlow::Break(over) => return Ok(exchange.leave(over, stop).await),
            ControlFlow::Continue(woken) => woken,
        };
        if let Err(error) = exchange.handle(woken) {
            return Ok(exchange.finish(End::Error, Some(error), stop).await);
        }
    }
}

/// What the loop woke up for.
enum Woken {
    /// Datagrams of the socket of this number, in the batch.
    Came(io::Result<usize>),
    /// What the network has to say of an earlier datagram.
    Reported(io::Error),
    Input(Result<bool>),
    Outlet(OutletNews),
    Dump(Result<()>),
    Time,
    Writable(io::Result<()>),
}

/// An exchange under way.
struct Exchange<'a> {
    sockets: Vec<DatagramSocket>,
    /// Which of them is asked first for what has come.
    turn: usize,
    letters: Letters<'a>,
    drain: Drain,
    /// What stands before the peer.
    gate: Gate,
    dump: Option<&'a Dump>,
    rules: DatagramRules,
    limits: Limits,
    meter: &'a Meter,
    observer: &'a dyn Observer,
    proto: Proto,
    peers: Peers,
    /// Who is still to get the next datagram, the next of them last.
    round: Vec<Target>,
    batch: Batch,
    losses: Losses,
    started: Instant,
    /// When a datagram last went or came.
    last_datagram: Instant,
    /// When one last came.
    last_heard: Option<Instant>,
    input_over: bool,
    /// The first thing that went wrong without ending it.
    reported: Option<Error>,
    /// When that is to be told as long as it goes on: if it ends right away, its error says it.
    tell_at: Option<Instant>,
    /// Somebody without a name was heard.
    unnamed: bool,
    /// How often is still taken what waits when the time is over.
    last_turns: u32,
}

/// As often what a listener's sockets hold is taken when its time is over: the queue of a socket is
/// empty after fewer turns, and whoever never falls silent does not keep it for ever.
const LAST_TURNS: u32 = 64;

impl<'a> Exchange<'a> {
    fn new(talk: Datagrams<'a>, drain: Drain) -> Self {
        let now = Instant::now();
        talk.meter.begin();
        let only = talk.sockets.first().and_then(DatagramSocket::peer);
        let only = only.cloned().map(|peer| Target { socket: 0, peer });
        let proto = talk
            .sockets
            .first()
            .map_or(Proto::Udp, DatagramSocket::proto);
        let exchange = Self {
            letters: Letters::of(talk.input),
            peers: only.map_or_else(|| Peers::new(talk.rules.audience), Peers::only),
            sockets: talk.sockets,
            turn: 0,
            drain,
            gate: talk.shaping.sending(),
            dump: talk.shaping.dump,
            rules: talk.rules,
            limits: talk.limits,
            meter: talk.meter,
            observer: talk.observer,
            proto,
            round: Vec::new(),
            batch: Batch::new(proto),
            losses: Losses::new(now),
            started: now,
            last_datagram: now,
            last_heard: None,
            input_over: talk.rules.recv_only,
            reported: None,
            tell_at: None,
            unnamed: false,
            last_turns: LAST_TURNS,
        };
        if let Some(target) = exchange.peers.last() {
            exchange.tell_connected(1, target);
        }
        exchange
    }

    /// Tells of somebody to talk with.
    fn tell_connected(&self, client: u64, target: &Target) {
        let local = self
            .sockets
            .get(target.socket)
            .and_then(DatagramSocket::local);
        self.observer.notice(&Event::Connected {
            client,
            proto: self.proto,
            local: &local.unwrap_or(Address::Unix(None)),
            peer: &target.peer.address(),
        });
    }

    /// Whether everything that was read has gone, and no more will be read.
    fn has_sent_all(&self) -> bool {
        self.input_over && self.letters.is_empty()
    }

    /// The next thing to do, or why there is none.
    async fn next(&mut self) -> ControlFlow<Over, Woken> {
        let held = self.held();
        let Some(over) = self.over(&held) else {
            return ControlFlow::Continue(self.wait(held).await);
        };
        if !over.is_silence() && !self.takes_the_last(&over, &held) {
            return ControlFlow::Break(over);
        }
        // Somebody who never falls silent leaves the others a turn.
        tokio::task::yield_now().await;
        match self.receive_unheard() {
            Poll::Ready(came) => ControlFlow::Continue(Woken::Came(came)),
            Poll::Pending => ControlFlow::Break(over),
        }
    }

    /// Waits for the next thing to do.
    async fn wait(&mut self, held: Held) -> Woken {
        let unsent = !self.letters.is_empty();
        let reads_input = !self.input_over && !unsent && !self.peers.is_empty();
        let look = self.next_look(&held);
        let timer = earliest(
            look.map(|(due, _)| due),
            self.limits.end.map(|(end, _)| end),
        );
        let timer = earliest(timer, earliest(self.losses.next_look(), self.tell_at));
        let timer = earliest(timer, held.opens);
        let dump = self.dump;
        let Held {
            room,
            dump_room,
            opens,
        } = held;
        let sends = unsent && !self.peers.is_empty() && opens.is_none() && dump_room;
        let sends_with = if sends { self.next_socket() } else { None };
        let (is_connected, turn) = (self.rules.side == Side::Connect, self.turn);
        let Self {
            sockets,
            letters,
            drain,
            batch,
            ..
        } = self;
        let news = async {
            tokio::select! {
                filled = letters.fill(), if reads_input => Woken::Input(filled),
                came = receiving::receive(sockets, turn, batch), if room && dump_room => {
                    Woken::Came(came)
                }
                error = receiving::report(sockets), if is_connected => Woken::Reported(error),
                ready = sending::writable(sockets, sends_with), if sends_with.is_some() => {
                    Woken::Writable(ready)
                }
                news = drain.news(!room) => Woken::Outlet(news),
                news = dump::news(dump, !dump_room) => Woken::Dump(news),
            }
        };
        // What is there has come before the timer, however late it is seen.
        let woken = tokio::select! {
            biased;
            woken = news => woken,
            () = sleep_until(timer), if timer.is_some() => Woken::Time,
        };
        if look.is_some_and(|(due, silence)| looks::overslept(Some(due), Some(silence))) {
            self.note_held(false);
        }
        if held.is_stalled() || opens.is_some() {
            self.note_held(!held.is_stalled());
        }
        woken
    }

    /// Does what it woke up for.
    fn handle(&mut self, woken: Woken) -> Result<()> {
        match woken {
            Woken::Input(filled) => self.take_input(filled?)?,
            Woken::Came(Ok(socket)) => self.pass_on(socket)?,
            Woken::Came(Err(error)) | Woken::Reported(error) | Woken::Writable(Err(error)) => {
                self.report(error)?;
            }
            Woken::Writable(Ok(())) => self.send()?,
            Woken::Outlet(OutletNews::Written(result)) | Woken::Dump(result) => result?,
            Woken::Outlet(OutletNews::Room) | Woken::Time => {}
        }
        self.look_for_losses();
        if self.tell_at.is_some_and(|at| Instant::now() >= at) {
            self.tell_reported();
        }
        Ok(())
    }

    /// Whether more can be written down, or nothing is.
    fn has_dump_room(&self) -> bool {
        self.dump.is_none_or(Dump::has_room)
    }

    /// Takes note of input, and sends it at once.
    fn take_input(&mut self, more: bool) -> Result<()> {
        self.last_datagram = Instant::now();
        self.input_over = !more;
        if self.letters.is_empty() {
            return Ok(());
        }
        self.send()
    }

    /// Asks now and then whether the system had to drop something.
    fn look_for_losses(&mut self) {
        if self.losses.look(&self.sockets, Instant::now()) {
            self.observer.notice(&Event::DatagramsDropped);
        }
    }
}
