//! Datagrams for many: one unconnected socket an address, and a table of who was heard.

mod passing;
mod peers;
mod post;
mod sessions;

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use self::peers::{Forgotten, PATIENCE, Peer, Peers, Place};
use self::post::{Handed, Post};
use self::sessions::{News, Sessions};
use super::stop::Phase;
use super::{Behaviour, Refusal, Service, Standing, Totals};
use crate::error::{Action, Cause, Error, Result};
use crate::event::Event;
use crate::net::{Address, Batch, DatagramSocket, Proto};
use crate::relay::{End, Meter, Transfer, earliest, sleep_until};

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
        leads_back: false,
        service,
        peers: Peers::default(),
        meter: Meter::default(),
        totals: Totals::default(),
        truncated: 0,
        began: Instant::now(),
        told: Told::default(),
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
    /// It was told that what is forwarded leads back here.
    leads_back: bool,
    meter: Meter,
    totals: Totals,
    /// Datagrams that were longer than the room for them.
    truncated: u64,
    began: Instant,
    told: Told,
}

/// What a server waits for.
enum Came {
    /// Datagrams on one of the sockets.
    Datagrams(usize, io::Result<()>),
    /// What a session says.
    News(News),
}

/// What is told once, and was.
#[derive(Debug, Default)]
struct Told {
    withheld: bool,
    unsent: bool,
    unnamed: bool,
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
                    match came {
                        Came::News(news) => self.heed(news).await,
                        Came::Datagrams(post, Ok(())) => {
                            self.take_all(&batch, post).await;
                            self.heed_all().await;
                        }
                        Came::Datagrams(_, Err(error)) if is_of_one_peer(&error) => {}
                        Came::Datagrams(post, Err(error)) => return Err(self.broken(post, error)),
                    }
                }
                // What waits to be read is no silence: it has had its turn before this.
                () = sleep_until(over), if over.is_some() => {
                    if is_past(self.silent_for(quit_after)) {
                        return Ok(self.close(End::Timeout).await);
                    }
                }
                _ = sweep.tick() => {
                    for forgotten in self.peers.expire(Instant::now(), patience) {
                        self.part(forgotten, End::Timeout);
                    }
                }
            }
        }
    }

    /// Looks for what clients say, and then for what sessions do.
    fn poll_next(&mut self, context: &mut Context<'_>, batch: &mut Batch) -> Poll<Came> {
        if let Poll::Ready((post, came)) = self.poll_receive(context, batch) {
            return Poll::Ready(Came::Datagrams(post, came));
        }
        match self.sessions.poll_next(context) {
            Poll::Ready(Some(news)) => Poll::Ready(Came::News(news)),
            _ => Poll::Pending,
        }
    }

    /// Takes what has come to one of the sockets, each in its turn.
    fn poll_receive(
        &mut self,
        context: &mut Context<'_>,
        batch: &mut Batch,
    ) -> Poll<(usize, io::Result<()>)> {
        let posts = self.posts.iter().enumerate();
        for (index, post) in posts.cycle().skip(self.turn).take(self.posts.len()) {
            if let Poll::Ready(came) = post.socket.poll_receive(context, batch) {
                self.turn = index.saturating_add(1);
                return Poll::Ready((index, came));
            }
        }
        Poll::Pending
    }

    /// Whether as many bytes came as are wanted.
    fn is_sated(&self) -> bool {
        let most = self.service.most;
        most.is_some_and(|most| self.totals.received >= most)
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

    /// Tells what is done, since somebody asked.
    fn tell_standing(&self) {
        let standing = Standing {
            present: self.peers.clients() as u64,
            totals: self.totals_now(),
        };
        self.tell(&Event::Standing(&standing));
    }

    /// Takes what has come together.
    async fn take_all(&mut self, batch: &Batch, post: usize) {
        for arrived in batch.arrivals() {
            let place = Place {
                socket: post,
                from: arrived.from(),
            };
            if let Some(length) = arrived.truncated_from() {
                self.truncated = self.truncated.saturating_add(1);
                self.tell_truncated(&place, length, arrived.bytes().len() as u64);
            }
            for datagram in arrived.datagrams() {
                if self.is_sated() {
                    return;
                }
                self.take(datagram, &place).await;
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
        if !peer.is_some_and(|peer| peer.deserves_answer(hash)) {
            return;
        }
        match answer {
            None => self.pass_on(datagram, place).await,
            Some(answer) if !self.is_from_ourselves(place) => self.answer(answer, place).await,
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
        });
        true
    }

    /// Takes in whoever is heard for the first time, or again after a long time, or had found no
    /// room when there is some now.
    fn welcome(&mut self, place: &Place, now: Instant) {
        match self.peers.get(place).map(|peer| peer.refusal) {
            None => {}
            Some(Some(Refusal::Full)) if !self.is_full() => {
                self.peers.forget(place);
            }
            Some(_) => return,
        }
        let address = place.address();
        let refusal = self.admit(&address).err();
        if let Some(reason) = refusal {
            self.totals.refused = self.totals.refused.saturating_add(1);
            self.tell(&Event::Refused {
                proto: self.proto(place),
                peer: &address,
                reason,
            });
        } else {
            self.totals.clients = self.totals.clients.saturating_add(1);
            self.tell(&Event::ClientCame {
                client: self.totals.clients,
                proto: self.proto(place),
                local: &self.local(place),
                peer: &address,
            });
            self.tell_of_deaf(place, &address);
        }
        let peer = Peer::new(self.totals.clients, refusal, now);
        if let Some(forgotten) = self.peers.add(place.clone(), peer) {
            self.part(forgotten, End::Limit);
        }
    }

    /// Whether somebody may be a client.
    fn admit(&self, peer: &Address) -> std::result::Result<(), Refusal> {
        self.service.gate.admit(peer)?;
        if self.is_full() {
            return Err(Refusal::Full);
        }
        Ok(())
    }

    /// Whether there are as many clients as there may be.
    fn is_full(&self) -> bool {
        let most = self.service.max_clients;
        most.is_some_and(|most| self.peers.clients() >= most)
    }

    /// Whether somebody may be sent more than they sent. To anybody else it would be a weapon in
    /// the hand of whoever forges addresses (RFC 8085, section 6.6, of amplification).
    fn trusts(&self, address: &Address) -> bool {
        let ip = address.ip().map(|address| address.ip().to_canonical());
        ip.is_none_or(|ip| ip.is_loopback() || self.service.gate.names(ip))
    }

    /// Whether this answer may go there.
    fn may_hear(&mut self, answer: &[u8], datagram: &[u8], place: &Place) -> bool {
        if answer.len() <= datagram.len() || self.trusts(&place.address()) {
            return true;
        }
        self.tell_withheld(&place.address());
        false
    }

    /// Tells of somebody who hears nothing of what others say.
    fn tell_of_deaf(&mut self, place: &Place, address: &Address) {
        if !matches!(self.service.behaviour, Behaviour::Broker(_)) {
            return;
        }
        if !self.trusts(address) {
            self.tell_withheld(address);
        }
        if place.from.is_none() {
            self.tell_unnamed();
        }
    }

    /// Whether a datagram claims to come from one of our own sockets.
    fn is_from_ourselves(&self, place: &Place) -> bool {
        let source = place.address();
        self.posts.iter().any(|post| post.is_at(&source))
    }

    /// Sends an answer, from the address that was spoken to.
    async fn answer(&mut self, answer: &[u8], place: &Place) {
        let (Some(from), Some(post)) = (&place.from, self.posts.get(place.socket)) else {
            return self.tell_unnamed();
        };
        let handed = post.send(answer, from).await;
        let sent = self.account(handed, answer.len());
        if let Some(peer) = self.peers.get(place) {
            peer.sent = peer.sent.saturating_add(sent);
        }
    }

    /// Sends what a client said to all others. One that takes nothing now does without.
    async fn pass_on(&mut self, datagram: &[u8], speaker: &Place) {
        let others: Vec<_> = self
            .peers
            .audience()
            .map(|(place, _)| place)
            .filter(|place| *place != speaker)
            .cloned()
            .collect();
        for place in others {
            let trusted = self.trusts(&place.address()) && !self.is_from_ourselves(&place);
            let (Some(from), Some(post)) = (&place.from, self.posts.get(place.socket)) else {
                continue;
            };
            if !trusted {
                continue;
            }
            let handed = post.send(datagram, from).await;
            if matches!(&handed, Handed::Gone) {
                if let Some(forgotten) = self.peers.forget(&place) {
                    self.tell_gone(&forgotten, End::Peer);
                }
                continue;
            }
            let sent = self.account(handed, datagram.len());
            if let Some(peer) = self.peers.get(&place) {
                peer.sent = peer.sent.saturating_add(sent);
            }
        }
    }

    /// Takes account of what became of a datagram; how many bytes were sent.
    fn account(&mut self, handed: Handed, length: usize) -> u64 {
        let error = match handed {
            Handed::Over => {
                let length = length as u64;
                self.totals.sent = self.totals.sent.saturating_add(length);
                return length;
            }
            Handed::Gone => io::Error::from_raw_os_error(libc::ECONNREFUSED),
            Handed::Failed(error) => error,
        };
        self.totals.datagrams_unsent = self.totals.datagrams_unsent.saturating_add(1);
        if !std::mem::replace(&mut self.told.unsent, true) {
            self.tell(&Event::DatagramRefused { error: &error });
        }
        0
    }

    /// Tells, once, that somebody is not sent what could be used against others.
    fn tell_withheld(&mut self, peer: &Address) {
        if !std::mem::replace(&mut self.told.withheld, true) {
            self.tell(&Event::AnswerWithheld { peer });
        }
    }

    /// Tells, once, that those without a name cannot be answered.
    fn tell_unnamed(&mut self) {
        if !std::mem::replace(&mut self.told.unnamed, true) {
            self.tell(&Event::UnnamedSender);
        }
    }

    /// Tells of a datagram that was longer than the room for it.
    fn tell_truncated(&self, place: &Place, length: u64, kept: u64) {
        let cause = Cause::Truncated { length, kept };
        let error = &Error::new(Action::Receive, place.address(), cause);
        self.tell(&Event::DatagramTruncated { error });
    }

    /// Tells of a client that is forgotten.
    fn tell_gone(&self, (place, peer): &Forgotten, end: End) {
        if peer.refusal.is_some() {
            return;
        }
        self.tell(&Event::ClientGone {
            client: peer.number,
            transfer: &Transfer {
                proto: self.proto(place),
                local: self.local(place),
                peer: Some(place.address()),
                sent: peer.sent,
                acknowledged: None,
                received: peer.received,
                datagrams_lost: self.sessions.lost_of(peer.number),
                digests: None,
                elapsed: peer.heard.duration_since(peer.since),
                untouched: false,
                end,
                error: None,
            },
        });
    }

    /// Tells whoever observes.
    fn tell(&self, event: &Event<'_>) {
        self.service.observer.notice(event);
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
