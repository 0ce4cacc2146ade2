//! One client, and then the end.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::attend::attend;
use super::client::Client;
use super::stop::Phase;
use super::{Service, Waiting};
use crate::error::Result;
use crate::event::{Event, Observer};
use crate::net::Accepted;
use crate::relay::{
    Conversation, Input, Limits, Meter, Path, Rules, Shaping, Sink, Transfer, converse,
};

/// How long what is in flight may take when we are stopped.
pub(super) const GRACE: Duration = Duration::from_secs(2);

/// A client that talks with our stdin and stdout.
pub struct OneClient<'a> {
    /// Where it is waited for.
    pub waiting: Waiting<'a>,
    /// How is talked with it.
    pub talk: Talk<'a>,
}

/// Everything that talking with it needs.
pub struct Talk<'a> {
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

impl Talk<'_> {
    /// The conversation with the client.
    async fn with<S>(&mut self, accepted: Accepted, stop: Pin<&mut S>) -> Result<Transfer>
    where
        S: Future<Output = ()>,
    {
        let (stream, peer) = accepted;
        if let Ok(local) = stream.local() {
            self.observer.notice(&Event::Connected {
                client: 1,
                proto: stream.proto(),
                local: &local,
                peer: &peer,
            });
        }
        let end = self
            .max_time
            .and_then(|limit| Some((Instant::now().checked_add(limit)?, limit)));
        let conversation = Conversation {
            stream,
            peer,
            failure: None,
            input: self.input,
            sink: self.sink,
            most: self.most,
            shaping: self.shaping,
            path: self.path,
            rules: self.rules,
            limits: Limits {
                idle: self.idle_timeout,
                end,
            },
            meter: self.meter,
            observer: self.observer,
        };
        converse(conversation, stop).await
    }
}

/// Waits for a client and talks with it. `None`: `stop` came first.
///
/// # Errors
/// The address cannot be listened on, or no client came in time.
pub async fn one_client(
    mut setup: OneClient<'_>,
    stop: impl Future<Output = ()>,
) -> Result<Option<Transfer>> {
    let OneClient { waiting, talk } = &mut setup;
    let stop = std::pin::pin!(stop);
    let talk = async |accepted, stop: Pin<&mut _>| talk.with(accepted, stop).await;
    waiting.first(stop, talk).await
}

/// Waits for a client and serves it as one of many; `None`: the service was stopped first.
///
/// # Errors
/// The address cannot be listened on, or no client came in time.
pub async fn serve_one(
    waiting: Waiting<'_>,
    service: Service,
    meter: &Arc<Meter>,
) -> Result<Option<Transfer>> {
    let service = Arc::new(service);
    let stop = std::pin::pin!(service.stop.reached(Phase::Finishing));
    let serve = async |accepted, _: Pin<&mut _>| {
        meter.begin();
        let client = Client::new(1, accepted, Arc::clone(&service), Arc::clone(meter));
        let mut attended = std::pin::pin!(attend(client));
        tokio::select! {
            transfer = attended.as_mut() => return Ok(noted(transfer, meter)),
            () = hurry(&service) => {}
        }
        Ok(noted(attended.await, meter))
    };
    waiting.first(stop, serve).await
}

/// Takes note if whoever it was with was nobody to talk with.
fn noted(transfer: Transfer, meter: &Meter) -> Transfer {
    if transfer.untouched {
        meter.forget();
    }
    transfer
}

/// Ends the service when what is in flight has had its time.
async fn hurry(service: &Service) {
    service.stop.reached(Phase::Finishing).await;
    tokio::time::sleep(GRACE).await;
    service.stop.now();
}
