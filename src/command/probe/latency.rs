//! `nettool probe --count`.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use nettool::error::Error;
use nettool::net::resolve;
use nettool::probe::{Aim, Binding, Connector, Series};
use nettool::value::Endpoint;

use super::failed;
use crate::cli::{LatencyWish, ProbeArgs, Request};
use crate::command::interruption::Interruption;
use crate::command::{Failure, Status, runtime};
use crate::output::{LatencyTalk, Output};

/// How long the addresses of a name may take to show which of them serves.
const PATIENCE: Duration = Duration::from_secs(1);

/// Tries all targets over and over, and tells how long it took.
pub(super) fn run(
    arguments: &ProbeArgs,
    wish: LatencyWish,
    request: Request,
    binding: Binding,
    output: &Output,
) -> Result<Status, Failure> {
    let endpoints = request.endpoints("--count")?;
    let interruption = Interruption::watch().map_err(failed)?;
    let mut talk = LatencyTalk::new(output);
    let runtime = runtime::on_this_thread().map_err(failed)?;
    let outcome: Result<bool, Error> = runtime.block_on(async {
        let mut series = Series {
            targets: Vec::new(),
            count: wish.count,
            every: wish.every,
            try_timeout: wish.try_timeout,
            connector: Connector::new(binding, &super::ports(&endpoints)),
        };
        let choosing = aims(arguments, &endpoints, &series.connector, output);
        let aims = tokio::select! {
            () = interruption.came() => return Ok(false),
            aims = choosing => aims,
        };
        let is_lacking = aims.iter().any(Option::is_none);
        for (endpoint, aim) in endpoints.iter().zip(aims) {
            if let Some(aim) = aim {
                talk.add(endpoint.clone(), aim.clone());
                series.targets.push(aim);
            }
        }
        let mut told = Ok(());
        let tell = |target: usize, number: u64, tried: &_| {
            if told.is_ok() {
                told = talk.tell(target, number, tried);
            }
        };
        series.run(interruption.came(), tell).await;
        told.map(|()| is_lacking)
    });
    // A look-up in progress does not hold the exit.
    runtime.shutdown_background();
    let is_lacking = outcome?;
    talk.end()?;
    Ok(interruption.status(match talk.is_answered() {
        _ if is_lacking => Status::Undetermined,
        true => Status::Done,
        false => Status::Failed,
    }))
}

/// Where to connect for each endpoint; nowhere for a name without an address, which is told.
async fn aims(
    arguments: &ProbeArgs,
    endpoints: &[Endpoint],
    connector: &Connector,
    output: &Output,
) -> Vec<Option<Aim>> {
    let mut aims = Vec::new();
    for endpoint in endpoints {
        let (host, port) = match endpoint {
            Endpoint::Unix(path) => {
                aims.push(Some(Aim::Unix(path.clone())));
                continue;
            }
            Endpoint::Tcp(host, port) | Endpoint::Udp(host, port) => (host, *port),
        };
        match resolve(host, port, arguments.family()).await {
            Ok(addresses) => {
                let (aim, others) = choose(endpoint, addresses, connector).await;
                if !others.is_empty() {
                    output.not_measured(&host.to_string(), &others);
                }
                aims.push(aim);
            }
            Err(error) => {
                output.error(&error);
                aims.push(None);
            }
        }
    }
    aims
}

/// The address to measure, of several the first that serves, and the others. A UDP port is asked
/// before what it answers at all.
async fn choose(
    endpoint: &Endpoint,
    mut addresses: Vec<SocketAddr>,
    connector: &Connector,
) -> (Option<Aim>, Vec<IpAddr>) {
    let is_udp = matches!(endpoint, Endpoint::Udp(..));
    let (chosen, question) = if is_udp {
        connector.first_open_udp(&addresses, PATIENCE).await
    } else if addresses.len() > 1 {
        (connector.first_open(&addresses, PATIENCE).await, None)
    } else {
        (0, None)
    };
    if chosen < addresses.len() {
        addresses.swap(0, chosen);
    }
    let others = addresses.iter().skip(1).map(SocketAddr::ip).collect();
    let aim = |address| {
        if is_udp {
            Aim::Udp(address, question)
        } else {
            Aim::Tcp(address)
        }
    };
    (addresses.first().copied().map(aim), others)
}
