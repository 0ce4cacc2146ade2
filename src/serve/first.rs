//! Waiting for the one client of a listener that serves a single one.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::time::{Duration, Instant};

use super::Gate;
use super::accept::Acceptor;
use crate::error::{Action, Cause, Error, Result};
use crate::event::{Event, Observer};
use crate::net::{Accepted, Binding, ListenOptions, Listener, Stream};
use crate::relay::Transfer;

/// How long a connection is watched before anything is done for it: a port probe resets it at once.
const GLANCE: Duration = Duration::from_millis(10);

/// Where a single client is waited for, and how long.
pub struct Waiting<'a> {
    /// Where it can connect.
    pub binding: Binding,
    /// What the sockets are told.
    pub options: &'a ListenOptions,
    /// How long it is waited for; `None` is for ever.
    pub accept_timeout: Option<Duration>,
    /// Who may be the client.
    pub gate: &'a Gate,
    /// Who is told.
    pub observer: &'a dyn Observer,
}

impl Waiting<'_> {
    /// Waits for a client, closes the listening sockets and serves it. A connection that is reset
    /// before a byte has passed was no client: the next one is waited for. `None`: `stop` came
    /// before there was one.
    pub(super) async fn first<S: Future<Output = ()>>(
        &self,
        mut stop: Pin<&mut S>,
        mut serve: impl AsyncFnMut(Accepted, Pin<&mut S>) -> Result<Transfer>,
    ) -> Result<Option<Transfer>> {
        let mut listener = self.binding.listen(self.options)?;
        listener.publish(self.options, self.observer)?;
        let patience = self
            .accept_timeout
            .and_then(|limit| Some((Instant::now().checked_add(limit)?, limit)));
        loop {
            let accepted = tokio::select! {
                () = stop.as_mut() => return Ok(None),
                accepted = self.client(&listener, patience) => accepted?,
            };
            let binding = listener.binding();
            drop(listener);
            let transfer = serve(accepted, stop.as_mut()).await?;
            let Some(peer) = transfer.peer.as_ref().filter(|_| transfer.untouched) else {
                return Ok(Some(transfer));
            };
            listener = binding.listen(self.options)?;
            self.observer.notice(&Event::NotTheClient { peer });
        }
    }

    /// The first connection that is not reset at once.
    async fn client(
        &self,
        listener: &Listener,
        patience: Option<(Instant, Duration)>,
    ) -> Result<Accepted> {
        let mut acceptor = Acceptor::new(listener, self.observer);
        loop {
            let next = acceptor.next();
            let (stream, peer) = match patience {
                None => next.await?,
                Some((end, limit)) => tokio::time::timeout_at(end.into(), next)
                    .await
                    .unwrap_or_else(|_| Err(nobody_came(listener, limit)))?,
            };
            if let Err(reason) = self.gate.admit(&peer) {
                let proto = stream.proto();
                let peer = &peer;
                self.observer.notice(&Event::Refused {
                    proto,
                    peer,
                    reason,
                });
                continue;
            }
            if stays(&stream).await {
                return Ok((stream, peer));
            }
            self.observer.notice(&Event::NotTheClient { peer: &peer });
        }
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
    // That we have no memory to look says nothing of the peer.
    let is_ours = |error: &io::Error| {
        let number = error.raw_os_error();
        [libc::ENOMEM, libc::ENOBUFS].map(Some).contains(&number)
    };
    news.map_or(true, |news| {
        news.map_or_else(|error| is_ours(&error), |()| true)
    })
}
