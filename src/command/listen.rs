//! `nettool listen`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use nettool::error::Error;
use nettool::net::{Binding, Family, ListenOptions, bind_udp, every_address, resolve};
use nettool::process;
use nettool::relay::{DatagramRules, Datagrams, Input, Limits, Meter, Side, Transfer, exchange};
use nettool::serve::{Gate, OneClient, Talk, Waiting, one_client};

use super::serve;
use super::signals::Endings;
use super::talk::{self, check_numeric};
use super::{Failure, Status};
use crate::cli::{ListenArgs, Usage, Where};
use crate::output::Output;

/// Listens and serves.
pub(super) fn run(
    arguments: &ListenArgs,
    numeric: bool,
    output: &Arc<Output>,
) -> Result<Status, Failure> {
    let place = arguments.place()?;
    if let Where::Ip(Some(host), _) = &place {
        check_numeric(host, numeric)?;
    }
    if arguments.transport.udp {
        check_datagrams(arguments)?;
    }
    let quits = arguments.times.quit_after().is_some();
    arguments.serve.check(arguments.transport.udp, quits)?;
    let gate = arguments.serve.gate()?;
    process::raise_open_files();
    if let Some(behaviour) = arguments.serve.behaviour(output.tells_of_clients())? {
        return serve::run(arguments, &place, (behaviour, gate), output);
    }
    talk::open_files(&arguments.data)?;
    talk::block_on(|endings| session(arguments, &place, (output, &gate), endings))
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
    (output, gate): (&Output, &Gate),
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
        gate,
        arguments,
        output,
        input: talk::input(&arguments.data),
        meter: Arc::default(),
    };
    let transfer = match place {
        Where::Ip(_, port) if arguments.transport.udp => {
            Some(service.datagrams(addresses, *port, stop).await?)
        }
        _ => service.one_client(place, addresses, stop).await?,
    };
    let Some(transfer) = transfer else {
        return Ok(talk::stopped(&came));
    };
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
        Where::Unix(path) => Binding::Unix(path.clone()),
        Where::Ip(Some(_), _) => Binding::Tcp(addresses),
        Where::Ip(None, port) if arguments.serve.is_delicate() => {
            output.loopback_alone();
            Binding::loopback(*port, arguments.transport.family(), output)
        }
        Where::Ip(None, port) => Binding::everywhere(*port, arguments.transport.family(), output),
    }
}

/// What serves.
struct Service<'a> {
    options: &'a ListenOptions,
    gate: &'a Gate,
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
        let (data, times) = (&self.arguments.data, &self.arguments.times);
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
                sink: talk::sink(data),
                most: data.most_received(),
                path: talk::path(),
                idle_timeout: times.idle(),
                max_time: times.whole(),
                meter: &self.meter,
                observer: self.output,
            },
        };
        one_client(setup, stop).await
    }

    /// Whoever sends datagrams.
    async fn datagrams(
        &mut self,
        mut addresses: Vec<SocketAddr>,
        port: u16,
        stop: impl Future<Output = ()>,
    ) -> Result<Transfer, Error> {
        if addresses.is_empty() {
            addresses = every_address(port, self.arguments.transport.family(), self.output);
        }
        let sockets = bind_udp(&addresses, self.options, self.output)?;
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
            },
            limits: Limits { idle: None, end },
            meter: &self.meter,
            observer: self.output,
        };
        exchange(datagrams, stop).await
    }
}
