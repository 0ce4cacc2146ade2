//! Many clients at once, a task each.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::{Id, JoinError, JoinSet};

use super::accept::Acceptor;
use super::attend::attend;
use super::client::Client;
use super::one::GRACE;
use super::seats::{Seat, Seats};
use super::stop::Phase;
use super::{Refusal, Service, Standing};
use crate::error::{Action, Progress, Result};
use crate::event::Event;
use crate::net::{Accepted, Address, Listener};
use crate::relay::{Meter, Transfer};

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
    /// Clients whose bytes somebody else moved, and nobody counted.
    pub uncounted: u64,
    /// Datagrams that came and that the system had no room for, where that is known.
    pub datagrams_lost: Option<u64>,
    /// Datagrams that came and were longer than what was still wanted: the rest is lost.
    pub datagrams_cut: u64,
    /// Datagrams that were for somebody, and that the system did not take.
    pub datagrams_unsent: u64,
    /// From the first moment to the last.
    pub elapsed: Duration,
}

impl Totals {
    /// Takes account of a client whose bytes nobody counted.
    fn count_uncounted(&mut self, meter: Option<&Meter>) {
        let is_uncounted = meter.is_some_and(|meter| !meter.is_counted());
        self.uncounted = self.uncounted.saturating_add(u64::from(is_uncounted));
    }
}

/// Serves whoever comes until it is stopped; what is in flight then has two seconds. Needs a
/// runtime, best one of several threads.
///
/// With what was done comes why it could not go on: the listening sockets can no longer accept, or
/// what all clients share has failed.
pub async fn serve_many(listener: Listener, service: Service) -> (Totals, Result<()>) {
    let mut server = Server {
        service: Arc::new(service),
        clients: JoinSet::new(),
        present: HashMap::new(),
        totals: Totals::default(),
        began: Instant::now(),
    };
    let result = server.accept(&listener).await;
    if let Err(error) = &result {
        server.service.stop.fail(match error.action {
            // What is in flight has nowhere to go.
            Action::Write => Phase::Over,
            _ => Phase::Finishing,
        });
    }
    drop(listener);
    server.finish().await;
    let concluded = server.service.behaviour.conclude().await;
    server.totals.elapsed = server.began.elapsed();
    let Totals { sent, received, .. } = server.totals;
    let progress = Progress {
        sent,
        received,
        undelivered: None,
    };
    let result = result.and(concluded);
    (server.totals, result.map_err(|error| error.after(progress)))
}

/// A server at work.
struct Server {
    service: Arc<Service>,
    clients: JoinSet<Transfer>,
    /// What those who are there have moved.
    present: HashMap<Id, Arc<Meter>>,
    /// What was done for those who are gone, and how many came.
    totals: Totals,
    began: Instant,
}

impl Server {
    /// Takes clients until it is told to stop.
    async fn accept(&mut self, listener: &Listener) -> Result<()> {
        let service = Arc::clone(&self.service);
        let mut stop = std::pin::pin!(service.stop.reached(Phase::Finishing));
        let mut work = std::pin::pin!(service.behaviour.work());
        let mut acceptor = Acceptor::new(listener, &*service.observer);
        let seats = Seats::new(&service.behaviour);
        loop {
            tokio::select! {
                biased;
                () = stop.as_mut() => return Ok(()),
                error = work.as_mut() => return Err(error),
                Some(gone) = self.clients.join_next_with_id() => self.count(gone),
                () = service.inquiry.asked() => self.tell_standing(),
                accepted = acceptor.next_for(&seats) => {
                    let (accepted, seat) = accepted?;
                    self.welcome(accepted, seat);
                }
            }
        }
    }

    /// Gives a client its task and its place, unless it is none.
    fn welcome(&mut self, accepted: Accepted, seat: Seat) {
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
        let meter = Arc::new(Meter::default());
        let client = Client::new(
            number,
            accepted,
            Arc::clone(&self.service),
            Arc::clone(&meter),
        );
        let task = self.clients.spawn(async move {
            let transfer = attend(client).await;
            drop(seat);
            transfer
        });
        self.present.insert(task.id(), meter);
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
    fn count(&mut self, gone: std::result::Result<(Id, Transfer), JoinError>) {
        let totals = &mut self.totals;
        let (id, transfer) = match gone {
            Ok(gone) => gone,
            Err(error) => {
                self.present.remove(&error.id());
                totals.failed = totals.failed.saturating_add(1);
                return;
            }
        };
        let meter = self.present.remove(&id);
        totals.count_uncounted(meter.as_deref());
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
        let service = Arc::clone(&self.service);
        loop {
            tokio::select! {
                gone = self.clients.join_next_with_id() => match gone {
                    Some(gone) => self.count(gone),
                    None => return,
                },
                () = service.inquiry.asked() => self.tell_standing(),
            }
        }
    }

    /// Tells what is done, since somebody asked.
    fn tell_standing(&self) {
        let mut totals = self.totals;
        for meter in self.present.values() {
            totals.sent = totals.sent.saturating_add(meter.sent());
            totals.received = totals.received.saturating_add(meter.received());
            totals.count_uncounted(Some(meter));
        }
        totals.elapsed = self.began.elapsed();
        let standing = Standing {
            present: self.clients.len() as u64,
            totals,
        };
        self.service.observer.notice(&Event::Standing(&standing));
    }
}
