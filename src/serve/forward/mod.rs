//! A connection of its own to somewhere else for each client: bytes both ways, ends as ends and
//! resets as resets.

pub(super) mod datagrams;
mod upstream;

use std::convert::Infallible;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

pub(super) use self::upstream::Upstream;
use super::client::Client;
use super::scratch;
use crate::error::{Action, Error, Result};
use crate::event::Observer;
use crate::net::{
    Address, Connecting, Family, Proto, Reached, SocketOptions, connect_tcp_if, connect_unix,
};
use crate::relay::End;
use crate::relay::looks::{self, PROBE_INTERVAL};
use crate::value::Endpoint;

/// How long reaching the other side may take, its name's resolution included.
const PATIENCE: Duration = Duration::from_secs(10);

/// Connects a client with an endpoint until both have ended. Its name is resolved anew, for it may
/// have moved.
pub(super) async fn serve(client: &Client, endpoint: &Endpoint) -> Result<End> {
    if let Endpoint::Udp(host, port) = endpoint {
        return datagrams::serve(client, host, *port).await;
    }
    let reaching = reach(endpoint, Some(&client.local), &*client.service.observer);
    let reached = unless_it_leaves(client, reaching).await?;
    let upstream = Upstream::new(reached)?;
    carry(client, &upstream).await?;
    upstream.settle().await?;
    Ok(End::Both)
}

/// Reaches the other side, for a client that came by this address.
///
/// # Errors
/// It cannot be reached, or is that address: we should be a client of our own, which gets another
/// one, until no descriptor is left.
pub(super) async fn reach(
    endpoint: &Endpoint,
    here: Option<&Address>,
    observer: &dyn Observer,
) -> Result<Reached> {
    let options = SocketOptions::default();
    let unless = |leads_back: bool| {
        if leads_back {
            return Err(leads_here(endpoint));
        }
        Ok(())
    };
    match endpoint {
        Endpoint::Unix(path) => {
            let place = here.and_then(|here| here.path());
            unless(place.is_some_and(|here| is_same_file(path, here)))?;
            connect_unix(path, Proto::Unix, Some(PATIENCE), &options, observer).await
        }
        Endpoint::Tcp(host, port) | Endpoint::Udp(host, port) => {
            let wanted = Connecting {
                host,
                port: *port,
                family: Family::Any,
                limit: Some(PATIENCE),
                options: &options,
            };
            connect_tcp_if(&wanted, observer, |found| {
                let ours = here.and_then(Address::ip);
                unless(ours.is_some_and(|ours| found.iter().any(|there| leads_to(*there, ours))))
            })
            .await
        }
    }
}

/// The error of what leads back here.
fn leads_here(endpoint: &Endpoint) -> Error {
    let text = "this server itself is there".to_owned();
    Error::new(Action::Connect, endpoint, text)
}

/// Whether who connects to the one address comes to the other, which is one of this machine. The
/// unspecified address is loopback then (`ip_route_output_key_hash_rcu`, `net/ipv4/route.c`).
fn leads_to(there: SocketAddr, here: SocketAddr) -> bool {
    let ip = there.ip().to_canonical();
    let is_there = ip == here.ip() || (ip.is_unspecified() && here.ip().is_loopback());
    there.port() == here.port() && is_there
}

/// Whether both paths are those of one file.
fn is_same_file(one: &Path, other: &Path) -> bool {
    let place = |path| fs::metadata(path).map(|found| (found.dev(), found.ino()));
    match (place(one), place(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

/// Does what is done for the client unless it resets its connection meanwhile.
async fn unless_it_leaves<T>(client: &Client, work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::select! {
        done = work => done,
        error = client.failure() => Err(error),
    }
}

/// Carries bytes both ways until both ends have come. The client is watched for a reset besides: when
/// it has ended, or the other side takes nothing, nothing is read from it that would tell. The other
/// side is once it has ended: what it said before a reset is passed on.
async fn carry(client: &Client, upstream: &Upstream) -> Result<()> {
    let mut asking = std::pin::pin!(ask(client, upstream));
    let mut answering = std::pin::pin!(answer(client, upstream));
    let mut draining = std::pin::pin!(note_draining(client, upstream));
    let (mut asked, mut answered) = (false, false);
    while !(asked && answered) {
        tokio::select! {
            biased;
            result = asking.as_mut(), if !asked => {
                result?;
                asked = true;
            }
            result = answering.as_mut(), if !answered => {
                result?;
                answered = true;
            }
            error = client.failure() => return Err(error),
            error = upstream.failure(), if answered => return Err(error),
            never = draining.as_mut() => match never {},
        }
    }
    Ok(())
}

/// Takes note of what drains towards the other side: a client whose bytes are taken is not idle.
async fn note_draining(client: &Client, upstream: &Upstream) -> Infallible {
    let Some(idle) = client.service.idle_timeout else {
        return std::future::pending().await;
    };
    let mut last = 0;
    loop {
        tokio::time::sleep(looks::every(idle)).await;
        let queue = upstream.line().unacknowledged().unwrap_or(0);
        if queue < last {
            client.meter.note_move();
        }
        last = queue;
    }
}

/// Gives the other side what the client sends, and its end. What it does not take yet is kept, and
/// no more is read until it has been taken.
async fn ask(client: &Client, upstream: &Upstream) -> Result<()> {
    let pass = |bytes: &[u8]| {
        let sent = upstream.send_now(bytes)?;
        Ok(bytes.get(sent..).unwrap_or_default().to_vec())
    };
    while let Some(left) = client.receive(pass).await? {
        upstream.send(&left?).await?;
    }
    client.line().probe_every(PROBE_INTERVAL);
    upstream.end_sending()
}

/// Gives the client what the other side sends, and its end.
async fn answer(client: &Client, upstream: &Upstream) -> Result<()> {
    let pass = |bytes: &[u8]| {
        let sent = client.send_now(bytes)?;
        Ok((bytes.len(), bytes.get(sent..).unwrap_or_default().to_vec()))
    };
    while let Some(passed) = upstream.receive(pass).await? {
        let (length, left) = passed?;
        client.send(&left).await?;
        if length == scratch::SIZE {
            // There is more, and the others are to have their turn before it.
            tokio::task::yield_now().await;
        }
    }
    upstream.line().probe_every(PROBE_INTERVAL);
    client.end_sending()
}
