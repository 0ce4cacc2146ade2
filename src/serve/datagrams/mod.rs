//! Datagrams for many: one unconnected socket an address, and a table of who was heard.

mod admission;
mod answers;
mod passing;
mod peers;
mod post;
mod sessions;
mod telling;

use std::collections::HashSet;
use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use self::peers::{PATIENCE, Peers, Place, Short};
use self::post::Post;
use self::sessions::{News, Sessions};
use self::telling::Once;
use super::stop::Phase;
use super::{Behaviour, Service, Totals};
use crate::error::{Action, Error, Result};
use crate::event::Event;
use crate::net::{Address, Batch, DatagramSocket, Proto};
use crate::relay::{End, Meter, earliest, sleep_until};

/// How often the table is looked through for those who are silent, at least and at most.
const LONGEST_SWEEP: Duration = Duration::from_secs(5);
const SHORTEST_SWEEP: Duration = Duration::from_millis(10);

/// Answers whoever sends datagrams, until it is stopped, its time is over, or nothing has come for
/// `quit_after` since the last one. `max_time` is of the whole here, and who says nothing for
/// `idle_timeout` is forgotten.
///
/// # Errors
/// A socket cannot be read from any more.
pub async fn serve_datagrams(
    sockets: Vec<DatagramSocket>,
    service: Service,
    quit_after: Option<Duration>,
) -> Result<Totals> {
    let proto = sockets.first().map_or(Proto::Udp, DatagramSocket::proto);
    let service = Arc::new(service);
    let server = Server {
        posts: sockets.into_iter().map(Post::new).collect::<Result<_>>()?,
        turn: 0,
        sessions: Sessions::new(&service),
        service,
        peers: Peers::default(),
        meter: Meter::default(),
        totals: Totals::default(),
        truncated: 0,
        began: Instant::now(),
        told: HashSet::new(),
    };
    server.run(quit_after, Batch::new(proto)).await
}

/// All sockets, and who was heard on them.
struct Server {
    posts: Vec<Post>,
    /// Which socket is looked at first.
    turn: usize,
    service: Arc<Service>,
    peers: Peers,
    sessions: Sessions,
    meter: Meter,
    totals: Totals,
    /// Datagrams that were longer than the room for them.
    truncated: u64,
    began: Instant,
    /// What was told, of that which is told once.
    told: HashSet<Once>,
}

/// What a server waits for.
enum Came {
    /// Datagrams on one of the sockets.
    Datagrams(usize, io::Result<()>),
    /// What a session says.
    News(News),
}

impl Server {
    /// Answers until it is over.
    async fn run(mut self, quit_after: Option<Duration>, mut batch: Batch) -> Result<Totals> {
        let service = Arc::clone(&self.service);
        let mut stop = std::pin::pin!(service.stop.reached(Phase::Finishing));
        let end = service.max_time;
        let end = end.and_then(|limit| self.began.checked_add(limit));
        let patience = service.idle_timeout.unwrap_or(PATIENCE);
        let sweep = (patience / 8).clamp(SHORTEST_SWEEP, LONGEST_SWEEP);
        let mut sweep = tokio::time::interval(sweep);
        loop {
            let over = earliest(end, self.silent_for(quit_after));
            // News that never cease would leave the timer no turn.
            if is_past(end) {
                return Ok(self.close(End::Timeout).await);
            }
            if self.is_sated() {
                return Ok(self.close(End::Limit).await);
            }
            tokio::select! {
                biased;
                () = stop.as_mut() => return Ok(self.close(End::Signal).await),
                () = service.inquiry.asked() => self.tell_standing(),
                came = poll_fn(|context| self.poll_next(context, &mut batch)) => {
                    self.take_in(came, &batch).await?;
                }
                () = sleep_until(over), if over.is_some() => {
                    if let Poll::Ready(came) = self.receive_unheard(&mut batch) {
                        self.take_in(came, &batch).await?;
                    } else if is_past(self.silent_for(quit_after)) {
                        return Ok(self.close(End::Timeout).await);
                    }
                }
                _ = sweep.tick() => {
                    if let Poll::Ready(came) = self.receive_unheard(&mut batch) {
                        self.take_in(came, &batch).await?;
                    } else {
                        self.forget_silent(patience);
                    }
                }
            }
        }
    }

    /// Looks for what clients say, and then for what sessions do.
    fn poll_next(&mut self, context: &mut Context<'_>, batch: &mut Batch) -> Poll<Came> {
        if let Poll::Ready(came) = self.receive(|socket| socket.poll_receive(context, batch)) {
            return Poll::Ready(came);
        }
        match self.sessions.poll_next(context) {
            Poll::Ready(Some(news)) => Poll::Ready(Came::News(news)),
            _ => Poll::Pending,
        }
    }

    /// Takes what has come to one of the sockets, each in its turn.
    fn receive(
        &mut self,
        mut take: impl FnMut(&DatagramSocket) -> Poll<io::Result<()>>,
    ) -> Poll<Came> {
        let posts = self.posts.iter().enumerate();
        for (index, post) in posts.cycle().skip(self.turn).take(self.posts.len()) {
            if let Poll::Ready(came) = take(&post.socket) {
                self.turn = index.saturating_add(1);
                return Poll::Ready(Came::Datagrams(index, came));
            }
        }
        Poll::Pending
    }

    /// Takes what has come and was not heard of: whoever was stopped for longer than the silence
    /// that is waited for, or had no turn, has not listened.
    fn receive_unheard(&mut self, batch: &mut Batch) -> Poll<Came> {
        self.receive(|socket| socket.receive_now(batch))
    }

    /// Deals with what came.
    async fn take_in(&mut self, came: Came, batch: &Batch) -> Result<()> {
        match came {
            Came::News(news) => self.heed(news).await,
            Came::Datagrams(post, Ok(())) => {
                self.take_all(batch, post).await;
                self.heed_all().await;
            }
            Came::Datagrams(_, Err(error)) if is_of_one_peer(&error) => {}
            Came::Datagrams(post, Err(error)) => return Err(self.broken(post, error)),
        }
        Ok(())
    }

    /// Parts with those who were silent for so long.
    fn forget_silent(&mut self, patience: Duration) {
        for forgotten in self.peers.expire(Instant::now(), patience) {
            self.part(forgotten, End::Timeout);
        }
    }

    /// Whether as many bytes came as are wanted, or went as may.
    fn is_sated(&self) -> bool {
        let gone = self.totals.received.max(self.totals.sent);
        self.service.most.is_some_and(|most| gone >= most)
    }

    /// As much of a datagram as is still wanted.
    fn wanted<'a>(&self, datagram: &'a [u8]) -> &'a [u8] {
        self.within_limit(datagram, self.totals.received)
    }

    /// As much of a datagram as may still go one way when so many bytes have gone.
    fn within_limit<'a>(&self, datagram: &'a [u8], gone: u64) -> &'a [u8] {
        let left = self.service.most.map(|most| most.saturating_sub(gone));
        let left = left.and_then(|left| usize::try_from(left).ok());
        let cut = left.and_then(|left| datagram.get(..left));
        cut.unwrap_or(datagram)
    }

    /// Takes account of a client's datagram of which the end was not wanted any more.
    fn look_for_curtailed(&mut self, (length, kept): (usize, usize), place: &Place) {
        let peer = self.peers.get(place);
        let is_client = peer.is_some_and(|peer| peer.refusal.is_none());
        if kept < length && is_client {
            self.totals.datagrams_cut = self.totals.datagrams_cut.saturating_add(1);
            let (length, kept) = (length as u64, kept as u64);
            self.tell_short(place, Short::Curtailed { length, kept });
        }
    }

    /// When nothing will have come for so long, if anything came.
    fn silent_for(&self, limit: Option<Duration>) -> Option<Instant> {
        self.meter.last_input()?.checked_add(limit?)
    }

    /// What was done so far.
    fn totals_now(&self) -> Totals {
        let dropped = self.posts.iter().map(|post| post.socket.dropped());
        let dropped = dropped.flatten().reduce(u64::saturating_add);
        let ours = self.truncated.saturating_add(self.sessions.lost());
        let none_of_ours = (ours > 0).then_some(ours);
        Totals {
            datagrams_lost: dropped.map_or(none_of_ours, |lost| Some(lost.saturating_add(ours))),
            elapsed: self.began.elapsed(),
            ..self.totals
        }
    }

    /// Takes what has come together.
    async fn take_all(&mut self, batch: &Batch, post: usize) {
        for arrived in batch.arrivals() {
            let place = Place {
                socket: post,
                from: arrived.from(),
            };
            for datagram in arrived.datagrams() {
                if self.is_sated() {
                    return;
                }
                let wanted = self.wanted(datagram);
                self.take(wanted, &place).await;
                self.look_for_curtailed((datagram.len(), wanted.len()), &place);
            }
            if let Some(length) = arrived.truncated_from() {
                self.truncated = self.truncated.saturating_add(1);
                let kept = arrived.bytes().len() as u64;
                self.tell_short(&place, Short::Truncated { length, kept });
            }
        }
    }

    /// Takes a datagram, and answers it or passes it on.
    async fn take(&mut self, datagram: &[u8], place: &Place) {
        if self.leads_back(place) {
            return;
        }
        self.meter.note_input();
        let hash = self.peers.hash(datagram);
        if !self.hear(datagram, place) {
            return;
        }
        if self.has_sessions() {
            return self.hand_over(datagram, place).await;
        }
        let service = Arc::clone(&self.service);
        let answer = match &service.behaviour {
            Behaviour::Broker(_) => None,
            Behaviour::Echo => Some(datagram),
            Behaviour::Reply(text) if self.may_hear(text, datagram, place) => Some(&**text),
            _ => return,
        };
        let peer = self.peers.get(place);
        let number = peer.and_then(|peer| peer.deserves_answer(hash).then_some(peer.number));
        let Some(number) = number else {
            return;
        };
        match answer {
            None => self.pass_on(datagram, place).await,
            Some(answer) if !self.is_from_ourselves(place) => {
                self.answer(number, answer, place).await;
            }
            Some(_) => {}
        }
    }

    /// Takes account of a datagram; whether a client sent it.
    fn hear(&mut self, datagram: &[u8], place: &Place) -> bool {
        let now = Instant::now();
        self.welcome(place, now);
        let Some(peer) = self.peers.get(place) else {
            return false;
        };
        peer.heard = now;
        if peer.refusal.is_some() {
            return false;
        }
        let length = datagram.len() as u64;
        peer.received = peer.received.saturating_add(length);
        let client = peer.number;
        self.totals.received = self.totals.received.saturating_add(length);
        self.tell(&Event::ClientSaid {
            client,
            peer: &place.address(),
            bytes: datagram,
            untold: length,
        });
        true
    }

    /// How datagrams come there.
    fn proto(&self, place: &Place) -> Proto {
        let post = self.posts.get(place.socket);
        post.map_or(Proto::Udp, |post| post.socket.proto())
    }

    /// Our own address there.
    fn local(&self, place: &Place) -> Address {
        let post = self.posts.get(place.socket);
        post.map_or(Address::Unix(None), |post| post.local.clone())
    }

    /// The error of a socket that can no longer be read from.
    fn broken(&self, post: usize, error: io::Error) -> Error {
        let local = self.posts.get(post).map(|post| post.local.to_string());
        Error::new(Action::Receive, local.unwrap_or_default(), error)
    }
}

/// Whether this moment has come.
fn is_past(moment: Option<Instant>) -> bool {
    moment.is_some_and(|moment| Instant::now() >= moment)
}

/// Whether an error is what the network said of an earlier datagram, and not of the socket.
fn is_of_one_peer(error: &io::Error) -> bool {
    let said = [
        libc::ECONNREFUSED,
        libc::EHOSTUNREACH,
        libc::ENETUNREACH,
        libc::EMSGSIZE,
        libc::EPERM,
        libc::EACCES,
    ];
    error
        .raw_os_error()
        .is_some_and(|errno| said.contains(&errno))
}
