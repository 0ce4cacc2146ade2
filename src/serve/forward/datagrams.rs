//! A stream whose other side speaks in datagrams.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::{PATIENCE, unless_it_leaves};
use crate::error::{Action, Cause, Error, Result};
use crate::event::Observer;
use crate::net::{Batch, Connecting, DatagramSocket, Family, Proto, SocketOptions, connect_udp};
use crate::relay::{End, sleep_until};
use crate::serve::client::Client;
use crate::value::Host;

/// What a client sends at once goes in datagrams of at most this length: it fits any path.
pub(in crate::serve) const LENGTH: usize = 1400;

/// For how long answers are waited for when the client has ended and none has come.
const QUIET: Duration = Duration::from_secs(1);

/// Sends what the client sends in datagrams, and gives it what comes back, until it has ended and
/// no answer has come for a second.
///
/// # Errors
/// Either side failed, or the system had no room for an answer.
pub(super) async fn serve(client: &Client, host: &Host, port: u16) -> Result<End> {
    let reaching = reach(host, port, &*client.service.observer);
    let (socket, name) = unless_it_leaves(client, reaching).await?;
    let giving = AtomicBool::new(false);
    let mut asking = std::pin::pin!(ask(client, &socket, &name));
    let mut answering = std::pin::pin!(answer(client, &socket, &name, &giving));
    let mut ended = None;
    loop {
        let last = client.meter.last_move();
        let quiet = ended.and_then(|ended: Instant| ended.max(last).checked_add(QUIET));
        tokio::select! {
            biased;
            result = asking.as_mut(), if ended.is_none() => {
                result?;
                ended = Some(Instant::now());
            }
            result = answering.as_mut() => match result? {},
            error = socket.failed() => return Err(Error::new(Action::Send, &name, error)),
            error = client.failure(), if ended.is_some() => return Err(error),
            () = sleep_until(quiet), if quiet.is_some() => {
                if giving.load(Ordering::Relaxed) || socket.has_news() {
                    // It is the client that is slow, or we have not listened, and not the other side
                    // that is silent.
                    ended = Some(Instant::now());
                } else if client.meter.last_move() == last {
                    return check_drops(&socket, &name).map(|()| End::Both);
                }
            }
        }
    }
}

/// Fails if the system had no room for some of what came.
fn check_drops(socket: &DatagramSocket, name: &str) -> Result<()> {
    match socket.dropped() {
        None | Some(0) => Ok(()),
        Some(datagrams) => {
            let cause = Cause::Dropped {
                datagrams,
                at_least: true,
            };
            Err(Error::new(Action::Receive, name, cause))
        }
    }
}

/// A socket that speaks with a UDP port, and what the port is called.
///
/// # Errors
/// Its name is unknown, or there is no way to it.
pub(in crate::serve) async fn reach(
    host: &Host,
    port: u16,
    observer: &dyn Observer,
) -> Result<(DatagramSocket, String)> {
    let wanted = Connecting {
        host,
        port,
        family: Family::Any,
        limit: Some(PATIENCE),
        options: &SocketOptions::default(),
    };
    let socket = connect_udp(&wanted, observer).await?;
    Ok((socket, wanted.target()))
}

/// Sends what the client sends until it ends.
async fn ask(client: &Client, socket: &DatagramSocket, name: &str) -> Result<()> {
    let failed = |error: io::Error| Error::new(Action::Send, name, error);
    while let Some(came) = client.receive(<[u8]>::to_vec).await? {
        send(socket, &came).await.map_err(failed)?;
    }
    Ok(())
}

/// Sends bytes as datagrams.
async fn send(socket: &DatagramSocket, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match socket.send_cut(bytes, LENGTH, None) {
            Ok(sent) => bytes = bytes.get(sent..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => socket.writable().await?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Gives the client what comes back, for as long as it is there; `giving` is set while there is
/// something that it has not taken.
async fn answer(
    client: &Client,
    socket: &DatagramSocket,
    name: &str,
    giving: &AtomicBool,
) -> Result<Infallible> {
    let mut batch = Batch::new(Proto::Udp);
    loop {
        let came = poll_fn(|context| socket.poll_receive(context, &mut batch)).await;
        came.map_err(|error| Error::new(Action::Receive, name, error))?;
        giving.store(true, Ordering::Relaxed);
        for arrived in batch.arrivals() {
            client.send(arrived.bytes()).await?;
        }
        giving.store(false, Ordering::Relaxed);
    }
}
