//! `nettool listen`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use nettool::error::Error;
use nettool::net::{
    Binding, DatagramSocket, Family, ListenOptions, bind_udp, bind_unix_datagram, every_address,
    resolve,
};
use nettool::relay::{DatagramRules, Datagrams, Input, Limits, Meter, Side, Transfer, exchange};
use nettool::serve::{OneClient, one_client};

use super::signals::Endings;
use super::talk::{self, check_numeric};
use super::{Failure, Status};
use crate::cli::{Kind, ListenArgs, Usage, Where};
use crate::output::Output;

/// Listens and serves.
pub(super) fn run(
    arguments: &ListenArgs,
    numeric: bool,
    output: &Output,
) -> Result<Status, Failure> {
    let place = arguments.place()?;
    if let Where::Ip(Some(host), _) = &place {
        check_numeric(host, numeric)?;
    }
    if arguments.transport.udp {
        check_datagrams(arguments)?;
    } else {
        arguments.data.check_stream(&arguments.times)?;
    }
    arguments.datagrams.check(&arguments.transport)?;
    talk::open_files(&arguments.data)?;
    talk::block_on(|endings| session(arguments, &place, output, endings))
}

/// Refuses what has no meaning for datagrams.
fn check_datagrams(arguments: &ListenArgs) -> Result<(), Usage> {
    arguments.data.check_datagrams()?;
    if arguments.times.idle().is_some() || arguments.patience().is_some() {
        let text = "--idle-timeout, --accept-timeout and -w cannot be used with listen --udp: \
            it ends with --quit-after or --max-time";
        return Err(Usage::new(text));
    }
    Ok(())
}

/// The whole of it: listening, talking, telling how it ended.
async fn session(
    arguments: &ListenArgs,
    place: &Where,
    output: &Output,
    endings: Endings,
) -> Result<Status, Failure> {
    let came = endings.came();
    let mut stop = std::pin::pin!(endings.wait());
    let addresses = tokio::select! {
        () = stop.as_mut() => return Ok(talk::stopped(&came)),
        addresses = addresses(place, arguments.transport.family()) => addresses?,
    };
    let options = arguments.options();
    let mut service = Service {
        options: &options,
        arguments,
        output,
        input: arguments
            .datagrams
            .shaped(talk::input(&arguments.data), &arguments.transport),
        meter: Arc::default(),
    };
    let transfer = if arguments.transport.udp {
        Some(service.datagrams(place, addresses, stop).await?)
    } else {
        service.one_client(place, addresses, stop).await?
    };
    let Some(transfer) = transfer else {
        return Ok(talk::stopped(&came));
    };
    let transfer = talk::tell(transfer, &arguments.data, output);
    Ok(talk::status(&transfer, &came))
}

/// The addresses of a host to listen on; none is every one.
async fn addresses(place: &Where, family: Family) -> Result<Vec<SocketAddr>, Error> {
    match place {
        Where::Ip(Some(host), port) => resolve(host, *port, family).await,
        _ => Ok(Vec::new()),
    }
}

/// What serves.
struct Service<'a> {
    options: &'a ListenOptions,
    arguments: &'a ListenArgs,
    output: &'a Output,
    input: Input,
    meter: Arc<Meter>,
}

impl Service<'_> {
    /// One client over a stream.
    async fn one_client(
        &mut self,
        place: &Where,
        addresses: Vec<SocketAddr>,
        stop: impl Future<Output = ()>,
    ) -> Result<Option<Transfer>, Error> {
        let binding = match place {
            Where::Unix(path) if self.kind() == Kind::Messages => Binding::Seqpacket(path.clone()),
            Where::Unix(path) => Binding::Unix(path.clone()),
            Where::Ip(Some(_), _) => Binding::Tcp(addresses),
            Where::Ip(None, port) => {
                Binding::everywhere(*port, self.arguments.transport.family(), self.output)
            }
        };
        let (data, times) = (&self.arguments.data, &self.arguments.times);
        let setup = OneClient {
            binding,
            options: self.options,
            accept_timeout: self.arguments.patience(),
            rules: data.rules(Side::Listen, self.input.kind(), times),
            input: &mut self.input,
            sink: talk::sink(data),
            most: data.most_received(),
            path: talk::path(),
            idle_timeout: times.idle(),
            max_time: times.whole(),
            meter: &self.meter,
            observer: self.output,
        };
        one_client(setup, stop).await
    }

    /// What kind of socket serves.
    fn kind(&self) -> Kind {
        self.arguments.datagrams.kind(&self.arguments.transport)
    }

    /// The sockets that datagrams come to.
    fn bind(
        &self,
        place: &Where,
        mut addresses: Vec<SocketAddr>,
    ) -> Result<Vec<DatagramSocket>, Error> {
        let port = match place {
            Where::Unix(path) => {
                let socket = bind_unix_datagram(path, &self.options.socket, self.output)?;
                return Ok(vec![socket]);
            }
            Where::Ip(_, port) => *port,
        };
        if addresses.is_empty() {
            addresses = every_address(port, self.arguments.transport.family(), self.output);
        }
        bind_udp(&addresses, self.options, self.output)
    }

    /// Whoever sends datagrams.
    async fn datagrams(
        &mut self,
        place: &Where,
        addresses: Vec<SocketAddr>,
        stop: impl Future<Output = ()>,
    ) -> Result<Transfer, Error> {
        let sockets = self.bind(place, addresses)?;
        let (data, times) = (&self.arguments.data, &self.arguments.times);
        let end = times.whole();
        let end = end.and_then(|limit| Some((Instant::now().checked_add(limit)?, limit)));
        let datagrams = Datagrams {
            sockets,
            input: &mut self.input,
            sink: talk::sink(data),
            rules: DatagramRules {
                side: Side::Listen,
                quit_after: times.quit_after(),
                send_only: data.send_only,
                recv_only: data.recv_only,
                most: data.most_received(),
                audience: self.arguments.audience.audience(),
            },
            limits: Limits { idle: None, end },
            meter: &self.meter,
            observer: self.output,
        };
        exchange(datagrams, stop).await
    }
}
