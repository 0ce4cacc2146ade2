//! A stream whose other side speaks in datagrams.

use std::convert::Infallible;
use std::io;
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;

use super::{PATIENCE, unless_it_leaves};
use crate::error::{Action, Error, Result};
use crate::net::{Connecting, Family, SocketOptions, connect_udp};
use crate::relay::{End, sleep_until};
use crate::serve::client::Client;
use crate::value::Host;

/// What a client sends at once goes in datagrams of at most this length: it fits any path.
const LENGTH: usize = 1400;

/// As much as a datagram can hold.
const LARGEST: usize = 65_536;

/// For how long answers are waited for when the client has ended and none has come.
const QUIET: Duration = Duration::from_secs(1);

/// Sends what the client sends in datagrams, and gives it what comes back, until it has ended and
/// no answer has come for a second.
pub(super) async fn serve(client: &Client, host: &Host, port: u16) -> Result<End> {
    let wanted = Connecting {
        host,
        port,
        family: Family::Any,
        limit: Some(PATIENCE),
        options: &SocketOptions::default(),
    };
    let connected = connect_udp(&wanted, &*client.service.observer);
    let socket = unless_it_leaves(client, connected).await?;
    let name = wanted.target();
    let mut asking = std::pin::pin!(ask(client, &socket, &name));
    let mut answering = std::pin::pin!(answer(client, &socket, &name));
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
            error = client.failure(), if ended.is_some() => return Err(error),
            () = sleep_until(quiet), if quiet.is_some() => {
                if client.meter.last_move() == last {
                    return Ok(End::Both);
                }
            }
        }
    }
}

/// Sends what the client sends until it ends.
async fn ask(client: &Client, socket: &UdpSocket, name: &str) -> Result<()> {
    let failed = |error: io::Error| Error::new(Action::Send, name, error);
    while let Some(came) = client.receive(<[u8]>::to_vec).await? {
        for datagram in came.chunks(LENGTH) {
            socket.send(datagram).await.map_err(failed)?;
        }
    }
    Ok(())
}

/// Gives the client what comes back, for as long as it is there.
async fn answer(client: &Client, socket: &UdpSocket, name: &str) -> Result<Infallible> {
    let mut buffer = vec![0; LARGEST];
    loop {
        let came = socket.recv(&mut buffer).await;
        let length = came.map_err(|error| Error::new(Action::Receive, name, error))?;
        client
            .send(buffer.get(..length).unwrap_or_default())
            .await?;
    }
}
