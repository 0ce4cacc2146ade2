//! One client, and then the end.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::accept::next_client;
use crate::error::{Action, Cause, Error, Result};
use crate::event::{Event, Observer};
use crate::net::{Accepted, Binding, ListenOptions, Listener, Stream};
use crate::relay::{
    Conversation, Input, Limits, Meter, Path, Rules, Shaping, Sink, Transfer, converse,
};

/// How long a connection is watched before stdin is read for it: a port probe resets it at once.
const GLANCE: Duration = Duration::from_millis(10);

/// Everything that the one client needs.
pub struct OneClient<'a> {
    /// Where it can connect.
    pub binding: Binding,
    /// What the sockets are told.
    pub options: &'a ListenOptions,
    /// How long it is waited for; `None` is for ever.
    pub accept_timeout: Option<Duration>,
    /// What goes to it.
    pub input: &'a mut Input,
    /// Where its bytes go.
    pub sink: Sink<'a>,
    /// As many of them are taken at most.
    pub most: Option<u64>,
    /// What is done to them on their way.
    pub shaping: Shaping<'a>,
    /// What carries them.
    pub path: Path,
    /// How the conversation ends.
    pub rules: Rules,
    /// How long nothing may move.
    pub idle_timeout: Option<Duration>,
    /// How long the conversation may take, from the connection on.
    pub max_time: Option<Duration>,
    /// What it moves.
    pub meter: &'a Arc<Meter>,
    /// Who is told.
    pub observer: &'a dyn Observer,
}

/// Waits for a client, closes the listening sockets and talks with it. A connection that is reset
/// before a byte has passed was no client: the next one is waited for. `None`: `stop` came first.
///
/// # Errors
/// The address cannot be listened on, or no client came in time.
pub async fn one_client(
    mut setup: OneClient<'_>,
    stop: impl Future<Output = ()>,
) -> Result<Option<Transfer>> {
    let mut stop = std::pin::pin!(stop);
    let mut listener = setup.binding.listen(setup.options)?;
    listener.publish(setup.options, setup.observer)?;
    let patience = setup
        .accept_timeout
        .and_then(|limit| Some((Instant::now().checked_add(limit)?, limit)));
    loop {
        let accepted = tokio::select! {
            () = stop.as_mut() => return Ok(None),
            accepted = wait_for_client(&listener, patience, setup.observer) => accepted?,
        };
        let binding = listener.binding();
        drop(listener);
        let transfer = talk(&mut setup, accepted, stop.as_mut()).await?;
        let Some(peer) = transfer.peer.as_ref().filter(|_| transfer.untouched) else {
            return Ok(Some(transfer));
        };
        listener = binding.listen(setup.options)?;
        setup.observer.notice(&Event::NotTheClient { peer });
    }
}

/// The first connection that is not reset at once.
async fn wait_for_client(
    listener: &Listener,
    patience: Option<(Instant, Duration)>,
    observer: &dyn Observer,
) -> Result<Accepted> {
    loop {
        let next = next_client(listener, observer);
        let (stream, peer) = match patience {
            None => next.await?,
            Some((end, limit)) => tokio::time::timeout_at(end.into(), next)
                .await
                .unwrap_or_else(|_| Err(nobody_came(listener, limit)))?,
        };
        if stays(&stream).await {
            return Ok((stream, peer));
        }
        observer.notice(&Event::NotTheClient { peer: &peer });
    }
}

/// The error of a wait in vain.
fn nobody_came(listener: &Listener, limit: Duration) -> Error {
    let names: Vec<String> = listener
        .addresses()
        .iter()
        .map(|(_, a)| a.to_string())
        .collect();
    Error::new(Action::Accept, names.join(" and "), Cause::TimedOut(limit))
}

/// Whether the peer is still there after a glance, or has said something.
async fn stays(stream: &Stream) -> bool {
    let news = tokio::time::timeout(GLANCE, stream.first_news()).await;
    news.map_or(true, |news| news.is_ok())
}

/// The conversation with the client.
async fn talk<S>(
    setup: &mut OneClient<'_>,
    accepted: Accepted,
    stop: Pin<&mut S>,
) -> Result<Transfer>
where
    S: Future<Output = ()>,
{
    let (stream, peer) = accepted;
    if let Ok(local) = stream.local() {
        let proto = stream.proto();
        setup.observer.notice(&Event::Connected {
            client: 1,
            proto,
            local: &local,
            peer: &peer,
        });
    }
    let end = setup
        .max_time
        .and_then(|limit| Some((Instant::now().checked_add(limit)?, limit)));
    let conversation = Conversation {
        stream,
        peer,
        failure: None,
        input: setup.input,
        sink: setup.sink,
        most: setup.most,
        shaping: setup.shaping,
        path: setup.path,
        rules: setup.rules,
        limits: Limits {
            idle: setup.idle_timeout,
            end,
        },
        meter: setup.meter,
        observer: setup.observer,
    };
    converse(conversation, stop).await
}
