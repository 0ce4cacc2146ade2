//! Sessions: a client that sends datagrams is answered by somebody else, a command or an upstream
//! of its own, each in a task of its own that none of the others waits for.

mod command;
mod inbox;
mod session;
mod upstream;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinSet;

use self::inbox::{Feed, Inbox, queue};
pub(super) use self::session::{News, Over};
use self::session::{Session, Shared};
use super::peers::{Forgotten, Place};
use crate::error::Error;
use crate::relay::{End, wait_patiently};
use crate::serve::Service;
use crate::serve::caller::Caller;
use crate::serve::stop::{Phase, Stop};

/// As many are at work at most: those of the clients that are remembered, and as many that are
/// coming to their end.
const MOST: usize = 2048;

/// As many answers wait to be sent at most; then sessions wait.
const ANSWERS: usize = 64;

/// How long a session has to end when nothing more will come for it.
const GRACE: Duration = Duration::from_secs(2);

/// All sessions of a server.
#[derive(Debug)]
pub(super) struct Sessions {
    shared: Arc<Shared>,
    /// By the number of the client.
    desks: HashMap<u64, Desk>,
    tasks: JoinSet<()>,
    news: Receiver<News>,
    to_us: Sender<News>,
    /// Datagrams that came to nothing.
    lost: u64,
}

/// What is known of a client's sessions, one after the other.
#[derive(Debug)]
struct Desk {
    caller: Caller,
    place: Place,
    /// Where its datagrams go, while a session is there.
    feed: Option<Feed>,
    lost: u64,
    /// Who it was and why it is forgotten, if it is and its last session is not over yet.
    leaving: Option<(Forgotten, End)>,
}

/// What is to be done when a session is over.
#[derive(Debug, Default)]
pub(super) struct Aftermath {
    /// Why it is over, if something failed, and whose it was.
    pub(super) failed: Option<(Caller, Error)>,
    /// A client that was forgotten before, and has nobody at work for it any more.
    pub(super) gone: Option<(Forgotten, End)>,
}

impl Sessions {
    /// None yet.
    pub(super) fn new(service: &Arc<Service>) -> Self {
        let (to_us, news) = channel(ANSWERS);
        Self {
            shared: Arc::new(Shared::new(Arc::clone(service))),
            desks: HashMap::new(),
            tasks: JoinSet::new(),
            news,
            to_us,
            lost: 0,
        }
    }

    /// Datagrams that came to nothing: of one client, if it ever had a session.
    pub(super) fn lost_of(&self, client: u64) -> Option<u64> {
        self.desks.get(&client).map(|desk| desk.lost)
    }

    /// The same of all.
    pub(super) fn lost(&self) -> u64 {
        self.lost
    }

    /// Whether that is our own end towards an upstream, which then is ourselves.
    pub(super) fn have_end_at(&self, source: SocketAddr) -> bool {
        self.shared.ends().contains(&source)
    }

    /// Looks what they have to say.
    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<News>> {
        self.news.poll_recv(context)
    }

    /// What they have said already.
    pub(super) fn said(&mut self) -> Option<News> {
        self.news.try_recv().ok()
    }

    /// Gives a client's session a datagram, and begins one if there is none. What finds no room is
    /// lost: the others do not wait for it.
    pub(super) async fn hand_over(&mut self, caller: Caller, place: &Place, datagram: &[u8]) {
        let number = caller.number;
        let has_place = self.has_place();
        let desk = self.desks.entry(number).or_insert_with(|| Desk {
            caller,
            place: place.clone(),
            feed: None,
            lost: 0,
            leaving: None,
        });
        // It may have spoken to another address of ours.
        desk.place = place.clone();
        let mut begins = None;
        if desk.feed.is_none() && has_place {
            let (feed, inbox) = queue();
            desk.feed = Some(feed);
            begins = Some(inbox);
        }
        let taken = match &desk.feed {
            Some(feed) => put(feed, datagram).await,
            None => false,
        };
        if let Some(inbox) = begins {
            self.begin(number, inbox);
        }
        if !taken {
            self.note_lost(number, 1);
        }
    }

    /// Whether one more can be at work.
    fn has_place(&mut self) -> bool {
        // Those that are over are only waiting to be forgotten.
        while self.tasks.try_join_next().is_some() {}
        self.tasks.len() < MOST
    }

    /// Begins a session.
    fn begin(&mut self, number: u64, inbox: Inbox) {
        let Some(desk) = self.desks.get(&number) else {
            return;
        };
        let session = Session {
            caller: desk.caller.clone(),
            shared: Arc::clone(&self.shared),
            news: self.to_us.clone(),
            dropped: AtomicU64::default(),
        };
        self.tasks.spawn(session.run(inbox));
    }

    /// Takes account of what was lost.
    fn note_lost(&mut self, number: u64, count: u64) {
        self.lost = self.lost.saturating_add(count);
        if let Some(desk) = self.desks.get_mut(&number) {
            desk.lost = desk.lost.saturating_add(count);
        }
    }

    /// Where a client's answers go.
    pub(super) fn place(&self, number: u64) -> Option<Place> {
        Some(self.desks.get(&number)?.place.clone())
    }

    /// A client that is forgotten while a session is still there for it.
    pub(super) fn leaving(&mut self, number: u64) -> Option<&mut Forgotten> {
        let (forgotten, _) = self.desks.get_mut(&number)?.leaving.as_mut()?;
        Some(forgotten)
    }

    /// A client is forgotten: it is returned unless a session is there for it, which is to end now.
    pub(super) fn part(&mut self, forgotten: Forgotten, end: End) -> Option<Forgotten> {
        let desk = self.desks.get_mut(&forgotten.1.number);
        let Some(desk) = desk.filter(|desk| desk.feed.is_some()) else {
            return Some(forgotten);
        };
        desk.feed = None;
        desk.leaving = Some((forgotten, end));
        None
    }

    /// Nothing more is to be known of a client.
    pub(super) fn forget(&mut self, number: u64) {
        self.desks.remove(&number);
    }

    /// A session is over. What is left for its client is for the next one, unless this one failed.
    pub(super) fn conclude(&mut self, over: Over) -> Aftermath {
        let Over {
            number,
            inbox,
            lost,
            result,
        } = over;
        self.note_lost(number, lost);
        let Some(desk) = self.desks.get_mut(&number) else {
            return Aftermath::default();
        };
        let left = inbox.count_left();
        if result.is_ok() && left > 0 && desk.feed.is_some() {
            self.begin(number, inbox);
            return Aftermath::default();
        }
        desk.feed = None;
        let gone = desk.leaving.take();
        let caller = desk.caller.clone();
        self.note_lost(number, left);
        let failed = result.err().map(|error| (caller, error));
        Aftermath { failed, gone }
    }

    /// Waits for what they have to say; nothing when the last one is over.
    pub(super) async fn next_until_over(&mut self) -> Option<News> {
        loop {
            if let Some(said) = self.said() {
                return Some(said);
            }
            tokio::select! {
                biased;
                news = self.news.recv() => return news,
                ended = self.tasks.join_next() => match ended {
                    Some(_) => {}
                    None => return self.said(),
                },
            }
        }
    }
}

/// Puts a datagram where the session takes it; whether there was room.
async fn put(feed: &Feed, datagram: &[u8]) -> bool {
    if !feed.has_room(datagram.len()) {
        // A session that is able to take more may have had no turn.
        tokio::task::yield_now().await;
    }
    feed.put(datagram)
}

/// Waits until a session has had its time.
async fn overdue(ending: impl Future<Output = ()>, stop: &Stop) {
    let late = async {
        ending.await;
        wait_patiently(GRACE).await;
    };
    tokio::select! {
        () = late => {}
        () = stop.reached(Phase::Over) => {}
    }
}
