//! Many clients at once, a task each.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::{JoinError, JoinSet};

use super::accept::Acceptor;
use super::attend::attend;
use super::client::Client;
use super::one::GRACE;
use super::stop::Phase;
use super::{Refusal, Service};
use crate::error::Result;
use crate::event::Event;
use crate::net::{Accepted, Address, Listener};
use crate::relay::Transfer;

/// What a server has done for all its clients.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Totals {
    /// How many there were.
    pub clients: u64,
    /// How many of them did not come to a good end.
    pub failed: u64,
    /// How many were turned away.
    pub refused: u64,
    /// Bytes given to the system for all of them.
    pub sent: u64,
    /// Bytes that came from all of them.
    pub received: u64,
    /// Datagrams that came and that the system had no room for, where that is known.
    pub datagrams_lost: Option<u64>,
    /// From the first moment to the last.
    pub elapsed: Duration,
}

impl Totals {
    /// Adds what another has done.
    pub(super) fn add(&mut self, other: &Self) {
        self.clients = self.clients.saturating_add(other.clients);
        self.failed = self.failed.saturating_add(other.failed);
        self.refused = self.refused.saturating_add(other.refused);
        self.sent = self.sent.saturating_add(other.sent);
        self.received = self.received.saturating_add(other.received);
        let lost = |other: u64| self.datagrams_lost.unwrap_or(0).saturating_add(other);
        self.datagrams_lost = other.datagrams_lost.map(lost).or(self.datagrams_lost);
    }
}

/// Serves whoever comes until it is stopped; what is in flight then has two seconds. Needs a
/// runtime, best one of several threads.
///
/// # Errors
/// The listening sockets can no longer accept.
pub async fn serve_many(listener: Listener, service: Service) -> Result<Totals> {
    let mut server = Server {
        service: Arc::new(service),
        clients: JoinSet::new(),
        totals: Totals::default(),
    };
    let began = Instant::now();
    let result = server.accept(&listener).await;
    drop(listener);
    server.finish().await;
    result?;
    server.totals.elapsed = began.elapsed();
    Ok(server.totals)
}

/// A server at work.
struct Server {
    service: Arc<Service>,
    clients: JoinSet<Transfer>,
    totals: Totals,
}

impl Server {
    /// Takes clients until it is told to stop.
    async fn accept(&mut self, listener: &Listener) -> Result<()> {
        let service = Arc::clone(&self.service);
        let mut stop = std::pin::pin!(service.stop.reached(Phase::Finishing));
        let mut acceptor = Acceptor::new(listener, &*service.observer);
        loop {
            tokio::select! {
                biased;
                () = stop.as_mut() => return Ok(()),
                Some(gone) = self.clients.join_next() => self.count(gone),
                accepted = acceptor.next() => self.welcome(accepted?),
            }
        }
    }

    /// Gives a client its task, unless it is none.
    fn welcome(&mut self, accepted: Accepted) {
        if let Err(reason) = self.admit(&accepted.1) {
            self.totals.refused = self.totals.refused.saturating_add(1);
            self.service.observer.notice(&Event::Refused {
                proto: accepted.0.proto(),
                peer: &accepted.1,
                reason,
            });
            return;
        }
        self.totals.clients = self.totals.clients.saturating_add(1);
        let number = self.totals.clients;
        let client = Client::new(number, accepted, Arc::clone(&self.service), Arc::default());
        self.clients.spawn(attend(client));
    }

    /// Whether somebody may be a client.
    fn admit(&self, peer: &Address) -> std::result::Result<(), Refusal> {
        self.service.gate.admit(peer)?;
        match self.service.max_clients {
            Some(most) if self.clients.len() >= most => Err(Refusal::Full),
            _ => Ok(()),
        }
    }

    /// Takes account of a client that is gone.
    fn count(&mut self, gone: std::result::Result<Transfer, JoinError>) {
        let totals = &mut self.totals;
        let Ok(transfer) = gone else {
            totals.failed = totals.failed.saturating_add(1);
            return;
        };
        totals.sent = totals.sent.saturating_add(transfer.sent);
        totals.received = totals.received.saturating_add(transfer.received);
        if !transfer.is_complete() {
            totals.failed = totals.failed.saturating_add(1);
        }
    }

    /// Waits for all who are there, and ends them when the time is over.
    async fn finish(&mut self) {
        self.service.stop.finish();
        if tokio::time::timeout(GRACE, self.drain()).await.is_err() {
            self.service.stop.now();
            self.drain().await;
        }
    }

    /// Waits for all who are there.
    async fn drain(&mut self) {
        while let Some(gone) = self.clients.join_next().await {
            self.count(gone);
        }
    }
}
