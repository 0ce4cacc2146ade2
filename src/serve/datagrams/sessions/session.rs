//! A session: somebody else answers a client, for as long as either likes.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc::Sender;

use super::inbox::Inbox;
use super::{command, upstream};
use crate::error::{Action, Result};
use crate::net::{Batch, Proto};
use crate::serve::caller::Caller;
use crate::serve::exec::Hearer;
use crate::serve::{Behaviour, Service};

/// What sessions have to say.
#[derive(Debug)]
pub(in crate::serve::datagrams) enum News {
    /// A datagram for the client of this number.
    Answer(u64, Vec<u8>),
    /// One of them is over.
    Over(Over),
}

/// The end of a session.
#[derive(Debug)]
pub(in crate::serve::datagrams) struct Over {
    /// The client's number.
    pub(super) number: u64,
    /// What was left to do for it.
    pub(super) inbox: Inbox,
    /// Datagrams that came to nothing.
    pub(super) lost: u64,
    /// Why it is over, if something failed.
    pub(super) result: Result<()>,
}

/// What all sessions of a server share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) service: Arc<Service>,
    /// Room for what upstreams send, which nobody needs for longer than a look.
    batch: Mutex<Option<Batch>>,
    /// Our own ends towards upstreams.
    ends: Mutex<HashSet<SocketAddr>>,
}

impl Shared {
    pub(super) fn new(service: Arc<Service>) -> Self {
        Self {
            service,
            batch: Mutex::default(),
            ends: Mutex::default(),
        }
    }

    /// Lends room for what has come.
    pub(super) fn lend_batch<T>(&self, take: impl FnOnce(&mut Batch) -> T) -> T {
        let mut batch = self.batch.lock().unwrap_or_else(PoisonError::into_inner);
        take(batch.get_or_insert_with(|| Batch::new(Proto::Udp)))
    }

    /// Our own ends towards upstreams.
    pub(super) fn ends(&self) -> MutexGuard<'_, HashSet<SocketAddr>> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who is served, and where answers go.
pub(super) struct Session {
    pub(super) caller: Caller,
    pub(super) shared: Arc<Shared>,
    pub(super) news: Sender<News>,
    /// Answers that the system had no room for.
    pub(super) dropped: AtomicU64,
}

impl Session {
    /// Serves the client to the session's end, and tells of that.
    pub(super) async fn run(self, mut inbox: Inbox) {
        let before = inbox.count_done();
        let result = self.serve(&mut inbox).await;
        let fruitless = inbox.count_done() == before && inbox.count_left() > 0;
        let mut lost = 0;
        if let Err(error) = &result {
            // What the network reports it reports of a datagram that is gone, and an upstream that
            // did not take everything had been given the last one.
            let is_gone = error.errno().is_some() || error.action == Action::Send;
            lost = u64::from(!fruitless && is_gone);
        }
        if fruitless {
            // The next session is to have another one, or it might go on like this for ever.
            inbox.give_up_first();
            lost = u64::from(result.is_err() || !self.is_for_command());
        }
        lost = lost.saturating_add(self.dropped.load(Ordering::Relaxed));
        let over = Over {
            number: self.caller.number,
            inbox,
            lost,
            result,
        };
        // Nobody is there to hear it when the whole server is dropped.
        let _ = self.news.send(News::Over(over)).await;
    }

    /// Serves the client until either side has ended, or the time of all is over.
    async fn serve(&self, inbox: &mut Inbox) -> Result<()> {
        let service = &self.shared.service;
        match &service.behaviour {
            Behaviour::Exec(command) => command::serve(self, command, inbox).await,
            Behaviour::Forward(endpoint) => upstream::serve(self, endpoint, inbox).await,
            _ => Ok(()),
        }
    }

    /// Whether a command serves, which need not read what it does not want.
    fn is_for_command(&self) -> bool {
        matches!(self.shared.service.behaviour, Behaviour::Exec(_))
    }

    /// Sends the client a datagram.
    pub(super) async fn answer(&self, datagram: Vec<u8>) {
        let news = News::Answer(self.caller.number, datagram);
        // As above.
        let _ = self.news.send(news).await;
    }
}

impl Hearer for Session {
    async fn hear(&self, said: &[u8]) -> Result<()> {
        self.answer(said.to_vec()).await;
        Ok(())
    }
}
