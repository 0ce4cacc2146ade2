//! `nettool connect`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use nettool::error::{Action, Cause, Error};
use nettool::event::{Event, Observer as _};
use nettool::net::{Connecting, Reached, connect_tcp, connect_udp, connect_unix};
use nettool::relay::{
    Conversation, DatagramRules, Datagrams, Input, Limits, Meter, Side, Transfer, converse,
    exchange,
};
use nettool::value::Host;

use super::signals::Endings;
use super::talk::{self, check_numeric};
use super::{Failure, Status};
use crate::cli::{ConnectArgs, Peer};
use crate::output::Output;

/// Connects and talks.
pub(super) fn run(
    arguments: &ConnectArgs,
    numeric: bool,
    output: &Output,
) -> Result<Status, Failure> {
    let peer = arguments.peer()?;
    if let Peer::Ip(host, _) = &peer {
        check_numeric(host, numeric)?;
    }
    if arguments.transport.udp {
        arguments.data.check_datagrams()?;
    }
    talk::block_on(|endings| session(arguments, &peer, output, endings))
}

/// The whole of it: reaching the peer, talking, telling how it ended.
async fn session(
    arguments: &ConnectArgs,
    peer: &Peer,
    output: &Output,
    endings: Endings,
) -> Result<Status, Failure> {
    let came = endings.came();
    let mut stop = std::pin::pin!(endings.wait());
    let whole = arguments.times.whole();
    let end = whole.and_then(|limit| Some((Instant::now().checked_add(limit)?, limit)));
    let reached = tokio::select! {
        () = stop.as_mut() => return Ok(talk::stopped(&came)),
        reached = reach(arguments, peer, output, end) => reached?,
    };
    let mut call = Call {
        arguments,
        output,
        end,
        input: Input::stdin(),
        meter: Arc::default(),
    };
    let transfer = match reached {
        Way::Stream(reached) => call.stream(reached, stop).await?,
        Way::Udp(socket) => call.datagrams(socket, stop).await?,
    };
    output.transfer(1, &transfer);
    Ok(talk::status(&transfer, &came))
}

/// The way to a peer that answered, or that there is a route to.
enum Way {
    Stream(Reached),
    Udp(tokio::net::UdpSocket),
}

/// Reaches the peer, in the time that the whole may take.
async fn reach(
    arguments: &ConnectArgs,
    peer: &Peer,
    output: &Output,
    end: Option<(Instant, Duration)>,
) -> Result<Way, Error> {
    let reaching = reach_in_time(arguments, peer, output);
    let Some((moment, limit)) = end else {
        return reaching.await;
    };
    let target = match peer {
        Peer::Ip(host, port) => format!("{}:{port}", host.bracketed()),
        Peer::Unix(path) => path.display().to_string(),
    };
    let reached = tokio::time::timeout_at(moment.into(), reaching).await;
    reached.unwrap_or_else(|_| Err(Error::new(Action::Connect, target, Cause::TimedOut(limit))))
}

/// Reaches the peer.
async fn reach_in_time(
    arguments: &ConnectArgs,
    peer: &Peer,
    output: &Output,
) -> Result<Way, Error> {
    let (host, port): (&Host, u16) = match peer {
        Peer::Unix(path) => {
            return Ok(Way::Stream(connect_unix(path, arguments.patience()).await?));
        }
        Peer::Ip(host, port) => (host, *port),
    };
    let family = arguments.transport.family();
    let connecting = Connecting {
        host,
        port,
        family,
        limit: arguments.patience(),
    };
    if arguments.transport.udp {
        let addresses = connecting.resolve().await?;
        return Ok(Way::Udp(
            connect_udp(&connecting.target(), &addresses).await?,
        ));
    }
    Ok(Way::Stream(connect_tcp(&connecting, output).await?))
}

/// A conversation that we began.
struct Call<'a> {
    arguments: &'a ConnectArgs,
    output: &'a Output,
    end: Option<(Instant, Duration)>,
    input: Input,
    meter: Arc<Meter>,
}

impl Call<'_> {
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
        let conversation = Conversation {
            stream,
            peer,
            failure,
            rules: data.rules(Side::Connect, self.input.kind(), times),
            input: &mut self.input,
            sink: talk::sink(data),
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
        socket: tokio::net::UdpSocket,
        stop: impl Future<Output = ()>,
    ) -> Result<Transfer, Error> {
        let (data, times) = (&self.arguments.data, &self.arguments.times);
        let datagrams = Datagrams {
            sockets: vec![socket],
            input: &mut self.input,
            sink: talk::sink(data),
            rules: DatagramRules {
                side: Side::Connect,
                quit_after: times.answers(),
                send_only: data.send_only,
                recv_only: data.recv_only,
            },
            limits: Limits {
                idle: None,
                end: self.end,
            },
            meter: &self.meter,
            observer: self.output,
        };
        exchange(datagrams, stop).await
    }
}
