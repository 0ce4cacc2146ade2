//! `nettool listen`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use nettool::error::Error;
use nettool::net::{
    Binding, DatagramSocket, Family, ListenOptions, bind_udp, bind_unix_datagram, every_address,
    loopback_addresses, resolve,
};
use nettool::process;
use nettool::relay::{
    DatagramRules, Datagrams, Input, Limits, Meter, Shaping, Side, Transfer, exchange,
};
use nettool::serve::{Gate, OneClient, Talk, Waiting, one_client};

use super::files::{Beginning, Files};
use super::progress::{Questions, shown};
use super::serve;
use super::signals::Endings;
use super::talk::{self, check_numeric};
use super::{Failure, Status, checksum};
use crate::cli::{Kind, ListenArgs, Usage, Where};
use crate::output::Output;

/// Listens and serves.
pub(super) fn run(
    arguments: &ListenArgs,
    numeric: bool,
    output: &Arc<Output>,
) -> Result<Status, Failure> {
    let questions = process::spare_status_signals();
    let place = arguments.place()?;
    arguments.data.progress.check()?;
    if let Where::Ip(Some(host), _) = &place {
        check_numeric(host, numeric)?;
    }
    if arguments.transport.udp {
        check_datagrams(arguments)?;
    } else {
        arguments.data.check_stream(&arguments.times)?;
    }
    arguments.datagrams.check(&arguments.transport)?;
    let quits = arguments.times.quit_after().is_some();
    arguments.serve.check(arguments.transport.udp, quits)?;
    let gate = arguments.serve.gate()?;
    process::raise_open_files();
    let mut files = Files::default();
    let behaviour = match arguments.serve.behaviour(output.tells_of_clients())? {
        None if arguments.serve.keeps_open() && !arguments.transport.udp => {
            arguments.check_many()?;
            let (behaviour, opened) = serve::stdio(arguments, output)?;
            files = opened;
            Some(behaviour)
        }
        behaviour => behaviour,
    };
    if let Some(behaviour) = behaviour {
        let observer = Beginning::new(files, output);
        return serve::run(
            arguments,
            &place,
            (behaviour, gate, observer),
            (output, &questions),
        );
    }
    arguments.shaping.check(&arguments.data, output.is_json())?;
    let mut files = Files::open(&arguments.data)?;
    let dump = files.open_dump(&arguments.shaping)?;
    let beginning = Beginning::new(files, output);
    let options = arguments.options();
    let meter = Arc::new(checksum::meter(arguments.data.progress.checksum));
    let waiting = "listening, no client yet".to_owned();
    let progress = talk::progress(&arguments.data, output, &meter, waiting);
    talk::block_on(output, |endings| {
        let questions = Questions::watch(&questions);
        let service = Service {
            options: &options,
            gate: &gate,
            arguments,
            output,
            beginning: &beginning,
            shaping: arguments.shaping.shaping(dump.as_ref()),
            input: arguments
                .datagrams
                .shaped(talk::input(&arguments.data), &arguments.transport),
            meter: Arc::clone(&meter),
        };
        shown(
            session(service, &place, endings),
            &meter,
            progress,
            questions,
        )
    })
}

/// Refuses what has no meaning for datagrams.
fn check_datagrams(arguments: &ListenArgs) -> Result<(), Usage> {
    arguments.data.check_datagrams()?;
    if arguments.patience().is_some() {
        let text = "--accept-timeout and -w cannot be used with listen --udp: \
            it ends with --quit-after or --max-time";
        return Err(Usage::new(text));
    }
    if arguments.times.idle().is_some() && !arguments.serve.has_behaviour() {
        let text = "--idle-timeout with listen --udp needs --echo, --discard, --reply, --exec, \
            --sh-exec, --forward or --broker: otherwise it ends with --quit-after or --max-time";
        return Err(Usage::new(text));
    }
    Ok(())
}

/// The whole of it: listening, talking, telling how it ended.
async fn session(
    mut service: Service<'_>,
    place: &Where,
    endings: Endings,
) -> Result<Status, Failure> {
    let (arguments, output) = (service.arguments, service.output);
    let came = endings.came();
    let mut stop = std::pin::pin!(endings.wait());
    let addresses = tokio::select! {
        () = stop.as_mut() => return Ok(talk::stopped(&came)),
        addresses = addresses(place, arguments.transport.family()) => addresses?,
    };
    let dump = service.shaping.dump;
    let transfer = if arguments.transport.udp {
        Some(service.datagrams(place, addresses, stop.as_mut()).await?)
    } else {
        service.one_client(place, addresses, stop.as_mut()).await?
    };
    let Some(mut transfer) = transfer else {
        return Ok(talk::stopped(&came));
    };
    if let (Some(error), None) = (service.beginning.take_failure(), &transfer.error) {
        transfer.error = Some(error);
    }
    let transfer = talk::finish_dump(dump, transfer, stop.as_mut()).await;
    talk::hear_of_hangup(&transfer, &came, stop).await;
    let transfer = talk::tell(transfer, &arguments.data, output);
    Ok(talk::status(&transfer, &came))
}

/// The addresses of a host to listen on; none is every one.
pub(super) async fn addresses(place: &Where, family: Family) -> Result<Vec<SocketAddr>, Error> {
    match place {
        Where::Ip(Some(host), port) => resolve(host, *port, family).await,
        _ => Ok(Vec::new()),
    }
}

/// Where clients of a stream can connect.
pub(super) fn binding(
    place: &Where,
    addresses: Vec<SocketAddr>,
    arguments: &ListenArgs,
    output: &Output,
) -> Binding {
    match place {
        Where::Unix(path) if arguments.kind() == Kind::Messages => Binding::Seqpacket(path.clone()),
        Where::Unix(path) => Binding::Unix(path.clone()),
        Where::Ip(Some(_), _) => Binding::Tcp(addresses),
        Where::Ip(None, port) => Binding::Tcp(unnamed_addresses(*port, arguments, output)),
    }
}

/// The addresses to listen on when nobody named one.
fn unnamed_addresses(port: u16, arguments: &ListenArgs, output: &Output) -> Vec<SocketAddr> {
    let family = arguments.transport.family();
    if arguments.serve.is_delicate() {
        output.loopback_alone();
        return loopback_addresses(port, family, output);
    }
    every_address(port, family, output)
}

/// The sockets that datagrams come to.
pub(super) fn bind_datagrams(
    place: &Where,
    mut addresses: Vec<SocketAddr>,
    (arguments, options): (&ListenArgs, &ListenOptions),
    output: &Output,
) -> Result<Vec<DatagramSocket>, Error> {
    let port = match place {
        Where::Unix(path) => return Ok(vec![bind_unix_datagram(path, options, output)?]),
        Where::Ip(_, port) => *port,
    };
    if addresses.is_empty() {
        addresses = unnamed_addresses(port, arguments, output);
    }
    bind_udp(&addresses, options, output)
}

/// What serves.
struct Service<'a> {
    options: &'a ListenOptions,
    gate: &'a Gate,
    arguments: &'a ListenArgs,
    output: &'a Output,
    beginning: &'a Beginning,
    shaping: Shaping<'a>,
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
        let (data, times) = (&self.arguments.data, &self.arguments.times);
        let filter = || self.output.payload_filter(data.raw);
        let setup = OneClient {
            waiting: Waiting {
                binding: binding(place, addresses, self.arguments, self.output),
                options: self.options,
                accept_timeout: self.arguments.patience(),
                gate: self.gate,
                observer: self.output,
            },
            talk: Talk {
                rules: data.rules(Side::Listen, self.input.kind(), times),
                input: &mut self.input,
                sink: talk::sink(data, &filter),
                most: data.most_received(),
                shaping: self.shaping,
                path: talk::path(),
                idle_timeout: times.idle(),
                max_time: times.whole(),
                meter: &self.meter,
                observer: self.beginning,
            },
        };
        one_client(setup, stop).await
    }

    /// Whoever sends datagrams.
    async fn datagrams(
        &mut self,
        place: &Where,
        addresses: Vec<SocketAddr>,
        stop: impl Future<Output = ()>,
    ) -> Result<Transfer, Error> {
        let how = (self.arguments, self.options);
        let sockets = bind_datagrams(place, addresses, how, self.output)?;
        let (data, times) = (&self.arguments.data, &self.arguments.times);
        let filter = || self.output.payload_filter(data.raw);
        let end = times.whole();
        let end = end.and_then(|limit| Some((Instant::now().checked_add(limit)?, limit)));
        let datagrams = Datagrams {
            sockets,
            input: &mut self.input,
            sink: talk::sink(data, &filter),
            shaping: self.shaping,
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
            observer: self.beginning,
        };
        exchange(datagrams, stop).await
    }
}
