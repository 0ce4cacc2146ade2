//! Conversations in datagrams: one read of stdin becomes datagrams, one datagram becomes output.

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::io::{Interest, ReadBuf};
use tokio::net::UdpSocket;

use super::outlet::{OutletNews, news};
use super::session::{LAST_WORDS, earliest, sleep_until};
use super::{
    Dump, End, Gate, Input, Limits, Meter, Outlet, Shaping, Side, Sink, Transfer, Way, dump,
};
use crate::error::{Action, Cause, Error, Progress, Result};
use crate::event::{Event, Observer};
use crate::net::{Address, Proto};

/// The most payload of one datagram that passes an Ethernet without being cut, tunnels included.
const DATAGRAM: usize = 1400;

/// Room for the longest datagram that there is.
const LONGEST: usize = 65_536;

/// For how long answers are waited for after the end of our input.
const ANSWER_TIME: Duration = Duration::from_secs(1);

/// What the user asked for.
#[derive(Clone, Copy, Debug)]
pub struct DatagramRules {
    /// Which command it is.
    pub side: Side,
    /// `connect`: leave this long after the last datagram of either side once our input has ended,
    /// and without it after a second; what no clock can hold is for ever. `listen`: leave this long after the last datagram that came,
    /// and without it never.
    pub quit_after: Option<Duration>,
    /// `connect`: leave at the end of our input. Both: what comes is dropped.
    pub send_only: bool,
    /// stdin is never read.
    pub recv_only: bool,
    /// It is over when this many bytes have come.
    pub most: Option<u64>,
}

/// A conversation in datagrams that is about to begin.
pub struct Datagrams<'a> {
    /// Sockets of one port; `connect` has a single one, which knows its peer.
    pub sockets: Vec<UdpSocket>,
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
    let outlet = Outlet::of(datagrams.sink).map_err(failed)?;
    let mut exchange = Exchange::new(datagrams, outlet);
    let mut stop = std::pin::pin!(stop);
    loop {
        if let Some(end) = exchange.over() {
            return Ok(exchange.finish(end, None, stop).await);
        }
        let woken = tokio::select! {
            () = stop.as_mut() => return Ok(exchange.finish(End::Signal, None, stop).await),
            woken = exchange.wait() => woken,
        };
        if let Err(error) = exchange.handle(woken) {
            return Ok(exchange.finish(End::Error, Some(error), stop).await);
        }
    }
}

/// What the loop woke up for.
enum Woken {
    Datagram(io::Result<(usize, SocketAddr, usize)>),
    Input(Result<bool>),
    Outlet(OutletNews),
    Dump(Result<()>),
    Time,
    Writable(io::Result<()>),
}

/// An exchange under way.
struct Exchange<'a> {
    talk: Datagrams<'a>,
    outlet: Option<Outlet>,
    /// What stands before the peer.
    gate: Gate,
    /// The socket and the address that was heard last; of `connect` the only one.
    peer: Option<(usize, SocketAddr)>,
    buffer: Vec<u8>,
    started: Instant,
    /// When a datagram last went or came.
    last_datagram: Instant,
    /// When one last came.
    last_heard: Option<Instant>,
    input_over: bool,
    /// The first error that the network reported.
    reported: Option<io::Error>,
}

impl<'a> Exchange<'a> {
    fn new(talk: Datagrams<'a>, outlet: Option<Outlet>) -> Self {
        let now = Instant::now();
        let connected = talk
            .sockets
            .first()
            .and_then(|socket| socket.peer_addr().ok());
        Self {
            peer: connected.map(|peer| (0, peer)),
            input_over: talk.rules.recv_only,
            outlet,
            gate: talk.shaping.sending(),
            talk,
            buffer: vec![0; LONGEST],
            started: now,
            last_datagram: now,
            last_heard: None,
            reported: None,
        }
    }

    /// Whether it is over, and how.
    fn over(&self) -> Option<End> {
        let passed = |moment: Option<Instant>| moment.is_some_and(|at| Instant::now() >= at);
        if self.talk.rules.most == Some(0) {
            return Some(End::Limit);
        }
        let sent_all = self.input_over && self.talk.input.pending().is_empty();
        let is_connected = self.talk.rules.side == Side::Connect;
        if is_connected && sent_all && self.reported.is_some() {
            return Some(End::Error);
        }
        if passed(self.quiet_moment()) {
            return Some(End::Stdin);
        }
        passed(self.talk.limits.end.map(|(end, _)| end)).then_some(End::Timeout)
    }

    /// When it is over if nothing more comes.
    fn quiet_moment(&self) -> Option<Instant> {
        let rules = &self.talk.rules;
        let (since, quiet) = match rules.side {
            Side::Listen => (self.last_heard?, rules.quit_after?),
            Side::Connect if !self.input_over || !self.talk.input.pending().is_empty() => {
                return None;
            }
            Side::Connect if rules.send_only => (self.last_datagram, Duration::ZERO),
            // Somebody who only receives has nothing that could be answered.
            Side::Connect if rules.recv_only => (self.last_heard?, rules.quit_after?),
            Side::Connect => (self.last_datagram, rules.quit_after.unwrap_or(ANSWER_TIME)),
        };
        since.checked_add(quiet)
    }

    /// Waits for the next thing to do.
    async fn wait(&mut self) -> Woken {
        let unsent = !self.talk.input.pending().is_empty();
        let reads_input = !self.input_over && !unsent && self.peer.is_some();
        let opens = self.gate.opens(Instant::now()).filter(|_| unsent);
        let dump = self.talk.shaping.dump;
        let dump_room = dump.is_none_or(Dump::has_room);
        let sends = unsent && opens.is_none() && dump_room;
        let timer = earliest(
            self.quiet_moment(),
            self.talk.limits.end.map(|(end, _)| end),
        );
        let timer = earliest(timer, opens);
        let room = self.outlet.as_ref().is_none_or(Outlet::has_room);
        let sends_with = self.peer.filter(|_| sends).map(|(socket, _)| socket);
        let is_connected = self.talk.rules.side == Side::Connect;
        let Datagrams { sockets, input, .. } = &mut self.talk;
        tokio::select! {
            filled = input.fill(), if reads_input => Woken::Input(filled),
            heard = receive(sockets, &mut self.buffer), if room && dump_room => Woken::Datagram(heard),
            error = report(sockets), if is_connected => Woken::Datagram(Err(error)),
            ready = writable(sockets, sends_with), if sends_with.is_some() => Woken::Writable(ready),
            news = news(self.outlet.as_ref(), !room) => Woken::Outlet(news),
            news = dump::news(dump, !dump_room) => Woken::Dump(news),
            () = sleep_until(timer), if timer.is_some() => Woken::Time,
        }
    }

    /// Does what it woke up for.
    fn handle(&mut self, woken: Woken) -> Result<()> {
        match woken {
            Woken::Input(filled) => self.take_input(filled?),
            Woken::Datagram(Ok((socket, from, length))) => self.pass_on(socket, from, length),
            Woken::Datagram(Err(error)) | Woken::Writable(Err(error)) => self.report(error)?,
            Woken::Writable(Ok(())) => self.send()?,
            Woken::Outlet(OutletNews::Written(result)) | Woken::Dump(result) => result?,
            Woken::Outlet(OutletNews::Room) | Woken::Time => {}
        }
        Ok(())
    }

    /// Notes the end of the input.
    fn take_input(&mut self, more: bool) {
        self.last_datagram = Instant::now();
        self.input_over = !more;
    }

    /// Gives a datagram to stdout; an empty one is data, too.
    fn pass_on(&mut self, socket: usize, from: SocketAddr, length: usize) {
        let now = Instant::now();
        (self.last_datagram, self.last_heard) = (now, Some(now));
        self.peer = Some((socket, from));
        let most = self.talk.rules.most;
        let most = most.and_then(|most| usize::try_from(most).ok());
        let length = length.min(most.unwrap_or(usize::MAX));
        if let Some(most) = &mut self.talk.rules.most {
            *most = most.saturating_sub(length as u64);
        }
        self.talk.meter.count_received(length);
        let bytes = self.buffer.get(..length).unwrap_or_default();
        if let Some(dump) = self.talk.shaping.dump {
            dump.record(Way::Received, bytes);
        }
        if self.outlet.as_mut().is_some_and(|outlet| outlet.put(bytes)) {
            self.talk.observer.notice(&Event::PayloadEscaped);
        }
    }

    /// Sends pending input, a datagram's worth at a time.
    fn send(&mut self) -> Result<()> {
        let Some((index, peer)) = self.peer else {
            return Ok(());
        };
        let mut refused = false;
        while let Some(socket) = self.talk.sockets.get(index) {
            if !self.talk.shaping.dump.is_none_or(Dump::has_room) {
                return Ok(());
            }
            let now = Instant::now();
            let pending = self.gate.whole(now, self.talk.input.pending());
            let datagram = pending
                .get(..pending.len().min(DATAGRAM))
                .unwrap_or_default();
            if datagram.is_empty() {
                return Ok(());
            }
            let length = datagram.len();
            let sent = match self.talk.rules.side {
                Side::Connect => socket.try_send(datagram),
                Side::Listen => socket.try_send_to(datagram, peer),
            };
            match sent {
                Ok(length) => {
                    refused = false;
                    self.last_datagram = now;
                    self.gate.pass(now, datagram);
                    if let Some(dump) = self.talk.shaping.dump {
                        dump.record(Way::Sent, datagram);
                    }
                    self.talk.meter.count_sent(length);
                    self.talk.input.pass(length);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => refused = self.refused(error, length, refused)?,
            }
        }
        Ok(())
    }

    /// A datagram of this length was refused. The first error of a connected socket may be that of
    /// an earlier one, and it takes this one the next time (udp(7)): true. What is refused `again`,
    /// or by a socket that has no peer, is lost.
    fn refused(&mut self, error: io::Error, length: usize, again: bool) -> Result<bool> {
        let lost = again || self.talk.rules.side == Side::Listen;
        if self.talk.rules.side == Side::Connect {
            self.report(error)?;
        } else {
            self.note(error);
        }
        if lost {
            self.talk.input.pass(length);
        }
        Ok(!lost)
    }

    /// Tells of the first datagram that did not arrive, and keeps it for the end.
    fn note(&mut self, error: io::Error) {
        if self.reported.is_none() {
            self.talk
                .observer
                .notice(&Event::DatagramRefused { error: &error });
            self.reported = Some(error);
        }
    }

    /// What the network reports of an earlier datagram ends `connect` once our input has ended;
    /// a listener has other peers, and goes on.
    fn report(&mut self, error: io::Error) -> Result<()> {
        if self.talk.rules.side == Side::Listen || error.kind() == io::ErrorKind::Interrupted {
            return Ok(());
        }
        if self.input_over && self.talk.input.pending().is_empty() {
            return Err(self.failure(error));
        }
        if !is_of_the_network(&error) {
            return Err(self.failure(error));
        }
        self.note(error);
        Ok(())
    }

    /// An error with its peer.
    fn failure(&self, error: io::Error) -> Error {
        let peer = self
            .peer
            .map_or_else(|| "the peer".to_owned(), |(_, peer)| peer.to_string());
        Error::new(Action::Send, peer, error)
    }

    /// What became of it.
    async fn finish<S>(mut self, end: End, error: Option<Error>, stop: Pin<&mut S>) -> Transfer
    where
        S: Future<Output = ()>,
    {
        let (end, written) = self.close_outlet(end, stop).await;
        let reported = self.reported.take().map(|error| self.failure(error));
        let late = self.late(end);
        let (sent, received) = (self.talk.meter.sent(), self.talk.meter.received());
        let progress = Progress {
            sent,
            received,
            undelivered: None,
        };
        let error = error.or(written.err()).or(reported).or(late);
        let local = self
            .talk
            .sockets
            .first()
            .and_then(|socket| socket.local_addr().ok());
        Transfer {
            proto: Proto::Udp,
            local: local.map_or(Address::Unix(None), Address::from),
            peer: self.peer.map(|(_, peer)| peer.into()),
            sent,
            acknowledged: None,
            received,
            datagrams_lost: None,
            elapsed: self.started.elapsed(),
            untouched: false,
            end,
            error: error.map(|error| error.after(progress)),
        }
    }

    /// Closes stdout and waits until it has everything, unless a signal or the limit comes first.
    async fn close_outlet<S>(&mut self, end: End, stop: Pin<&mut S>) -> (End, Result<()>)
    where
        S: Future<Output = ()>,
    {
        let Some(outlet) = self.outlet.as_mut() else {
            return (end, Ok(()));
        };
        outlet.close();
        let last = Instant::now().checked_add(LAST_WORDS);
        let limit = self.talk.limits.end;
        let until = match limit {
            _ if end == End::Signal => last,
            Some((limit, _)) => last.max(Some(limit)),
            None => None,
        };
        tokio::select! {
            written = outlet.closed() => (end, written),
            () = stop, if end != End::Signal => (End::Signal, Ok(())),
            () = sleep_until(until), if until.is_some() => (end, cut_short(end, limit)),
        }
    }

    /// Time that runs out is an ordinary end for a listener, and none for `connect`.
    fn late(&self, end: End) -> Option<Error> {
        let (_, limit) = self.talk.limits.end.filter(|_| end == End::Timeout)?;
        let (_, peer) = self
            .peer
            .filter(|_| self.talk.rules.side == Side::Connect)?;
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

/// Whether it tells of an earlier datagram (ICMP) and not of this one.
fn is_of_the_network(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
    )
}

/// The next datagram of any socket: which one, from whom, how long.
async fn receive(
    sockets: &[UdpSocket],
    buffer: &mut [u8],
) -> io::Result<(usize, SocketAddr, usize)> {
    poll_fn(|context| {
        for (index, socket) in sockets.iter().enumerate() {
            if let Poll::Ready(heard) = poll_receive(socket, buffer, context) {
                return Poll::Ready(heard.map(|(from, length)| (index, from, length)));
            }
        }
        Poll::Pending
    })
    .await
}

/// What the network reported of an earlier datagram. A socket that knows its peer learns it from
/// an event of its own, without anything to read (ip(7), udp(7)).
async fn report(sockets: &[UdpSocket]) -> io::Error {
    let Some(socket) = sockets.first() else {
        return std::future::pending().await;
    };
    loop {
        if let Err(error) = socket.ready(Interest::ERROR).await {
            return error;
        }
        let look = || match socket.take_error()? {
            None => Err(io::ErrorKind::WouldBlock.into()),
            Some(error) => Ok(error),
        };
        match socket.try_io(Interest::ERROR, look) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Ok(error) | Err(error) => return error,
        }
    }
}

/// A datagram of this socket, if there is one.
fn poll_receive(
    socket: &UdpSocket,
    buffer: &mut [u8],
    context: &mut Context<'_>,
) -> Poll<io::Result<(SocketAddr, usize)>> {
    let mut buffer = ReadBuf::new(buffer);
    socket
        .poll_recv_from(context, &mut buffer)
        .map_ok(|from| (from, buffer.filled().len()))
}

/// Waits until this socket takes a datagram.
async fn writable(sockets: &[UdpSocket], index: Option<usize>) -> io::Result<()> {
    match index.and_then(|index| sockets.get(index)) {
        Some(socket) => socket.writable().await,
        None => std::future::pending().await,
    }
}
