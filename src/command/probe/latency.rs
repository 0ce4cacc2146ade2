//! `nettool probe --count`.

use std::net::SocketAddr;
use std::time::Duration;

use nettool::error::{Action, Error};
use nettool::net::resolve;
use nettool::probe::{Aim, Binding, Connector, ScopedIp, Series, Sought};
use nettool::process;
use nettool::value::{Endpoint, Host};

use super::failed;
use crate::cli::{LatencyWish, ProbeArgs, Request};
use crate::command::interruption::Interruption;
use crate::command::{Failure, Status, runtime};
use crate::output::{LatencyTalk, Output};

/// How long the addresses of a name may take to show which of them serves.
const PATIENCE: Duration = Duration::from_secs(1);
/// Why a host cannot be sent an echo.
const NOT_PERMITTED: &str = "an ICMP echo is not permitted to this user \
                             (net.ipv4.ping_group_range); --count can measure a TCP port instead";

/// Tries all targets over and over, and tells how long it took.
pub(super) fn run(
    arguments: &ProbeArgs,
    wish: LatencyWish,
    request: Request,
    binding: Binding,
    output: &Output,
) -> Result<Status, Failure> {
    let targets = request.sought("--count", arguments.ping())?;
    process::raise_open_files();
    let interruption = Interruption::watch().map_err(failed)?;
    let mut talk = LatencyTalk::new(output);
    let runtime = runtime::on_this_thread().map_err(failed)?;
    let outcome: Result<bool, Error> = runtime.block_on(async {
        let mut series = Series {
            targets: Vec::new(),
            count: wish.count,
            every: wish.every,
            try_timeout: wish.try_timeout,
            connector: Connector::new(binding, &super::ports(&targets)),
        };
        let choosing = aims(arguments, &targets, &series.connector, output);
        let aims = tokio::select! {
            () = interruption.came() => return Ok(false),
            aims = choosing => aims,
        };
        let is_lacking = aims.iter().any(Option::is_none);
        for (sought, aim) in targets.iter().zip(aims) {
            if let Some(aim) = aim {
                talk.add(sought.clone(), aim.clone());
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
        _ if is_lacking || !talk.is_whole() => Status::Undetermined,
        true => Status::Done,
        false => Status::Failed,
    }))
}

/// Where to ask for each target; nowhere for a name without an address, which is told.
async fn aims(
    arguments: &ProbeArgs,
    targets: &[Sought],
    connector: &Connector,
    output: &Output,
) -> Vec<Option<Aim>> {
    let mut aims = Vec::new();
    for sought in targets {
        let (host, port) = match sought {
            Sought::Port(Endpoint::Unix(path)) => {
                aims.push(Some(Aim::Unix(path.clone())));
                continue;
            }
            Sought::Port(Endpoint::Tcp(host, port) | Endpoint::Udp(host, port)) => (host, *port),
            Sought::Host(host) => (host, 0),
        };
        let aim = match resolve(host, port, arguments.family()).await {
            Ok(addresses) => choose(sought, host, &addresses, connector, output).await,
            Err(error) => {
                output.error(&error);
                None
            }
        };
        aims.push(aim);
    }
    aims
}

/// The address to measure, of several the first that serves; the others are named. A UDP port is
/// asked before what it answers at all.
async fn choose(
    sought: &Sought,
    host: &Host,
    addresses: &[SocketAddr],
    connector: &Connector,
    output: &Output,
) -> Option<Aim> {
    let aim = |address: &SocketAddr| match sought {
        Sought::Port(Endpoint::Udp(..)) => Aim::Udp(*address, None),
        Sought::Port(_) => Aim::Tcp(*address),
        Sought::Host(_) => Aim::Echo(*address),
    };
    let aims: Vec<Aim> = addresses.iter().map(aim).collect();
    let (number, chosen) = match aims.as_slice() {
        [one @ (Aim::Tcp(_) | Aim::Echo(_))] => (0, one.clone()),
        several => connector.first_open(several, PATIENCE).await?,
    };
    if let Aim::Echo(address) = chosen
        && !connector.is_echo_permitted(address.is_ipv6())
    {
        output.error(&Error::new(Action::Send, host, NOT_PERMITTED.to_owned()));
        return None;
    }
    let others = addresses.iter().enumerate();
    let others = others.filter(|(other, _)| *other != number);
    let others: Vec<_> = others
        .map(|(_, address)| ScopedIp::from(*address))
        .collect();
    if !others.is_empty() {
        output.not_measured(&host.to_string(), &others);
    }
    Some(chosen)
}
