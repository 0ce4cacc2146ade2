//! `nettool connect`.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nettool::error::{Action, Cause, Error};
use nettool::event::{Event, Observer as _};
use nettool::net::{
    Connecting, DatagramSocket, Family, Proto, Reached, Retries, SocketOptions, connect_tcp,
    connect_udp, connect_unix, connect_unix_datagram, resolve,
};
use nettool::process;
use nettool::relay::{
    Audience, Conversation, DatagramRules, Datagrams, Dump, Input, Limits, Meter, Shaping, Side,
    Transfer, converse, exchange,
};
use nettool::value::Host;

use super::files::Files;
use super::progress::{Questions, shown};
use super::signals::Endings;
use super::talk::{self, check_numeric};
use super::{Failure, Status, checksum};
use crate::cli::{ConnectArgs, Kind, Peer};
use crate::output::Output;

/// Connects and talks.
pub(super) fn run(
    arguments: &ConnectArgs,
    numeric: bool,
    output: &Output,
) -> Result<Status, Failure> {
    let questions = process::spare_status_signals();
    let peer = arguments.peer()?;
    arguments.data.progress.check()?;
    if let Peer::Ip(host, _) = &peer {
        check_numeric(host, numeric)?;
    }
    if arguments.transport.udp {
        arguments.data.check_datagrams()?;
    } else {
        arguments.data.check_stream(&arguments.times)?;
    }
    arguments.datagrams.check(&arguments.transport)?;
    arguments.shaping.check(&arguments.data, output.is_json())?;
    let way = Way {
        arguments,
        peer: &peer,
        family: arguments.family()?,
        output,
    };
    let mut files = Files::open(&arguments.data)?;
    let dump = files.open_dump(&arguments.shaping)?;
    let meter = Arc::new(checksum::meter(arguments.data.progress.checksum));
    let waiting = format!("connecting to {}", way.target());
    let progress = talk::progress(&arguments.data, output, &meter, waiting);
    talk::block_on(output, |endings| {
        let questions = Questions::watch(&questions);
        let session = session(way, Arc::clone(&meter), (&files, dump.as_ref()), endings);
        shown(session, &meter, progress, questions)
    })
}

/// The whole of it: reaching the peer, talking, telling how it ended.
async fn session(
    way: Way<'_>,
    meter: Arc<Meter>,
    (files, dump): (&Files, Option<&Dump>),
    endings: Endings,
) -> Result<Status, Failure> {
    let (arguments, output) = (way.arguments, way.output);
    let came = endings.came();
    let mut stop = std::pin::pin!(endings.wait());
    let whole = arguments.times.whole();
    let end = whole.and_then(|limit| Some((Instant::now().checked_add(limit)?, limit)));
    let mut retries = arguments.retries();
    let mut call = Call {
        arguments,
        output,
        files,
        end,
        shaping: arguments.shaping.shaping(dump),
        input: arguments
            .datagrams
            .shaped(talk::input(&arguments.data), &arguments.transport),
        meter,
    };
    loop {
        let tried = call.once(&way, stop.as_mut()).await;
        let Some(delay) = way.again(&tried, end, &mut retries) else {
            let Some(transfer) = tried? else {
                return Ok(talk::stopped(&came));
            };
            let transfer = talk::finish_dump(dump, transfer, stop.as_mut()).await;
            talk::hear_of_hangup(&transfer, &came, stop).await;
            let transfer = talk::tell(transfer, &arguments.data, output);
            return Ok(talk::status(&transfer, &came));
        };
        tokio::select! {
            () = stop.as_mut() => return Ok(talk::stopped(&came)),
            () = tokio::time::sleep(delay) => {}
        }
    }
}

/// What came of a try; nothing if we were asked to stop.
type Tried = Result<Option<Transfer>, Error>;

/// A peer that answered, or that there is a route to.
enum Found {
    Stream(Reached),
    Datagrams(DatagramSocket),
}

/// A peer, and how it is to be reached.
struct Way<'a> {
    arguments: &'a ConnectArgs,
    peer: &'a Peer,
    family: Family,
    output: &'a Output,
}

impl Way<'_> {
    /// Reaches the peer, in the time that the whole may take.
    async fn reach(&self, end: Option<(Instant, Duration)>) -> Result<Found, Error> {
        let reaching = self.reach_in_time();
        let Some((moment, limit)) = end else {
            return reaching.await;
        };
        let target = self.target();
        let reached = tokio::time::timeout_at(moment.into(), reaching).await;
        reached
            .unwrap_or_else(|_| Err(Error::new(Action::Connect, target, Cause::OutOfTime(limit))))
    }

    /// The peer as the user named it.
    fn target(&self) -> String {
        match self.peer {
            Peer::Ip(host, port) => format!("{}:{port}", host.bracketed()),
            Peer::Unix(path) => path.display().to_string(),
        }
    }

    /// Reaches the peer; where only one family will do the source is named that wants it.
    async fn reach_in_time(&self) -> Result<Found, Error> {
        self.try_to_reach().await.map_err(|mut error| {
            if let (Cause::NoAddress(_), Some(source)) = (&error.cause, &self.arguments.source) {
                let text = error.cause_text();
                error.cause = Cause::Other(format!("{text}, as --source {source} needs one"));
            }
            error
        })
    }

    /// Reaches the peer, or says what the system and the network said.
    async fn try_to_reach(&self) -> Result<Found, Error> {
        let options = self.options().await?;
        let (host, port): (&Host, u16) = match self.peer {
            Peer::Unix(path) => {
                let limit = self.arguments.patience();
                let proto = match self.arguments.datagrams.kind(&self.arguments.transport) {
                    Kind::Datagrams => {
                        let socket = connect_unix_datagram(path, &options, self.output)?;
                        return Ok(Found::Datagrams(socket));
                    }
                    Kind::Messages => Proto::UnixSeqpacket,
                    Kind::Stream => Proto::Unix,
                };
                let reached = connect_unix(path, proto, limit, &options, self.output).await?;
                return Ok(Found::Stream(reached));
            }
            Peer::Ip(host, port) => (host, *port),
        };
        let connecting = Connecting {
            host,
            port,
            family: self.family,
            limit: self.arguments.patience(),
            options: &options,
        };
        if self.arguments.transport.udp {
            let socket = connect_udp(&connecting, self.output).await?;
            return Ok(Found::Datagrams(socket));
        }
        let reached = connect_tcp(&connecting, self.output).await?;
        Ok(Found::Stream(reached))
    }

    /// How long to wait before another try, if there is to be one: the peer was not reached, or
    /// reset before a byte had moved, and there is time for it.
    fn again(
        &self,
        tried: &Tried,
        end: Option<(Instant, Duration)>,
        retries: &mut Retries,
    ) -> Option<Duration> {
        let error = match tried {
            Ok(Some(transfer)) if transfer.untouched => transfer.error.as_ref(),
            Err(error) if self.may_pass(error) => Some(error),
            _ => None,
        }?;
        let delay = retries.take()?;
        let begins = Instant::now().checked_add(delay)?;
        if end.is_some_and(|(end, _)| begins >= end) {
            return None;
        }
        let left = retries.left();
        self.output.notice(&Event::Retrying { error, delay, left });
        Some(delay)
    }

    /// Whether it may be otherwise the next time.
    fn may_pass(&self, error: &Error) -> bool {
        match error.action {
            Action::Connect => true,
            Action::Resolve => matches!(self.peer, Peer::Ip(Host::Name(_), _)),
            _ => false,
        }
    }

    /// What the socket is told.
    async fn options(&self) -> Result<SocketOptions, Error> {
        let mut options = self.arguments.options();
        if let Some(source) = &self.arguments.source {
            let found = resolve(source, 0, Family::Any).await?;
            options.source = found.first().copied();
        }
        Ok(options)
    }
}

/// A conversation that we began.
struct Call<'a> {
    arguments: &'a ConnectArgs,
    output: &'a Output,
    files: &'a Files,
    end: Option<(Instant, Duration)>,
    shaping: Shaping<'a>,
    input: Input,
    meter: Arc<Meter>,
}

impl Call<'_> {
    /// Reaches the peer and talks with it.
    async fn once<S>(&mut self, way: &Way<'_>, mut stop: Pin<&mut S>) -> Tried
    where
        S: Future<Output = ()>,
    {
        let reached = tokio::select! {
            () = stop.as_mut() => return Ok(None),
            reached = way.reach(self.end) => reached?,
        };
        self.files.begin()?;
        let transfer = match reached {
            Found::Stream(reached) => self.stream(reached, stop).await?,
            Found::Datagrams(socket) => self.datagrams(socket, stop).await?,
        };
        Ok(Some(transfer))
    }

    /// Over a stream.
    async fn stream(
        &mut self,
        reached: Reached,
        stop: impl Future<Output = ()>,
    ) -> Result<Transfer, Error> {
        let Reached {
            stream,
            peer,
            failure,
        } = reached;
        if let Ok(local) = stream.local() {
            let proto = stream.proto();
            self.output.notice(&Event::Connected {
                client: 1,
                proto,
                local: &local,
                peer: &peer,
            });
        }
        let (data, times) = (&self.arguments.data, &self.arguments.times);
        let filter = || self.output.payload_filter(data.raw);
        let conversation = Conversation {
            stream,
            peer,
            failure,
            rules: data.rules(Side::Connect, self.input.kind(), times),
            input: &mut self.input,
            sink: talk::sink(data, &filter),
            most: data.most_received(),
            shaping: self.shaping,
            path: talk::path(),
            limits: Limits {
                idle: times.idle(),
                end: self.end,
            },
            meter: &self.meter,
            observer: self.output,
        };
        converse(conversation, stop).await
    }

    /// In datagrams.
    async fn datagrams(
        &mut self,
        socket: DatagramSocket,
        stop: impl Future<Output = ()>,
    ) -> Result<Transfer, Error> {
        let (data, times) = (&self.arguments.data, &self.arguments.times);
        let filter = || self.output.payload_filter(data.raw);
        let datagrams = Datagrams {
            sockets: vec![socket],
            input: &mut self.input,
            sink: talk::sink(data, &filter),
            shaping: self.shaping,
            rules: DatagramRules {
                side: Side::Connect,
                quit_after: times.answers(),
                send_only: data.send_only,
                recv_only: data.recv_only,
                most: data.most_received(),
                audience: Audience::default(),
            },
            limits: Limits {
                idle: times.idle(),
                end: self.end,
            },
            meter: &self.meter,
            observer: self.output,
        };
        exchange(datagrams, stop).await
    }
}
