//! Datagrams for many: one unconnected socket an address, and a table of who was heard.

mod peers;

use std::io;
use std::net::{SocketAddr, UdpSocket as StdSocket};
use std::os::fd::AsFd;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;
use tokio::task::JoinSet;

use self::peers::{Forgotten, PATIENCE, Peer, Peers};
use super::stop::Phase;
use super::{Behaviour, Refusal, Service, Totals};
use crate::error::{Action, Error, Result};
use crate::event::Event;
use crate::net::{Address, Proto};
use crate::relay::{End, Meter, Transfer, earliest, sleep_until};
use crate::sys;

/// As much as a datagram can hold.
const LARGEST: usize = 65_536;

/// How often the table is looked through for those who are silent.
const SWEEP: Duration = Duration::from_secs(5);

/// Answers whoever sends datagrams, until it is stopped, its time is over, or nothing has come for
/// `quit_after` since the last one. `max_time` is of the whole here, and `idle_timeout` of nobody.
///
/// # Errors
/// A socket cannot be read from any more.
pub async fn serve_datagrams(
    sockets: Vec<UdpSocket>,
    service: Service,
    quit_after: Option<Duration>,
) -> Result<Totals> {
    let began = Instant::now();
    let service = Arc::new(service);
    let common = Arc::new(Common::default());
    let mut tasks = JoinSet::new();
    for socket in sockets {
        let post = Post::new(socket, &service, &common)?;
        tasks.spawn(post.run(began, quit_after));
    }
    let mut totals = Totals::default();
    while let Some(done) = tasks.join_next().await {
        let failed = |error| Error::new(Action::Receive, "the clients", io::Error::other(error));
        totals.add(&done.map_err(failed)??);
        // What ends one of them ends all.
        service.stop.finish();
    }
    totals.elapsed = began.elapsed();
    Ok(totals)
}

/// What all sockets share.
#[derive(Debug, Default)]
struct Common {
    /// What they have moved.
    meter: Meter,
    /// How it ended, as the first of them found.
    end: OnceLock<End>,
}

/// One socket, and who was heard on it.
struct Post {
    socket: UdpSocket,
    local: SocketAddr,
    service: Arc<Service>,
    common: Arc<Common>,
    peers: Peers,
    totals: Totals,
    /// What is told once was told.
    withheld: bool,
    unsent: bool,
}

impl Post {
    fn new(socket: UdpSocket, service: &Arc<Service>, common: &Arc<Common>) -> Result<Self> {
        let failed = |error| Error::new(Action::Inspect, "a UDP socket", error);
        Ok(Self {
            local: socket.local_addr().map_err(failed)?,
            socket,
            service: Arc::clone(service),
            common: Arc::clone(common),
            peers: Peers::default(),
            totals: Totals::default(),
            withheld: false,
            unsent: false,
        })
    }

    /// Answers until it is over.
    async fn run(mut self, began: Instant, quit_after: Option<Duration>) -> Result<Totals> {
        let service = Arc::clone(&self.service);
        let mut stop = std::pin::pin!(service.stop.reached(Phase::Finishing));
        let end = service.max_time.and_then(|limit| began.checked_add(limit));
        let mut sweep = tokio::time::interval(SWEEP.min(PATIENCE));
        let mut buffer = vec![0; LARGEST];
        let totals = loop {
            let over = earliest(end, self.silent_for(quit_after));
            // News that never cease would leave the timer no turn.
            if is_past(end) {
                break self.close(End::Timeout);
            }
            if self.is_sated() {
                break self.close(End::Limit);
            }
            tokio::select! {
                biased;
                () = stop.as_mut() => break self.close(End::Signal),
                came = self.socket.recv_from(&mut buffer) => {
                    let datagram = came.map(|(length, source)| (buffer.get(..length), source));
                    match datagram {
                        Ok((datagram, source)) => {
                            self.take(datagram.unwrap_or_default(), source).await;
                        }
                        Err(error) if is_of_one_peer(&error) => {}
                        Err(error) => return Err(Error::new(Action::Receive, self.local, error)),
                    }
                }
                // What waits to be read is no silence: it has had its turn before this.
                () = sleep_until(over), if over.is_some() => {
                    if is_past(self.silent_for(quit_after)) {
                        break self.close(End::Timeout);
                    }
                }
                _ = sweep.tick() => {
                    for forgotten in self.peers.expire(Instant::now()) {
                        self.tell_gone(&forgotten, End::Timeout);
                    }
                }
            }
        };
        Ok(totals)
    }

    /// Whether as many bytes came as are wanted.
    fn is_sated(&self) -> bool {
        self.service
            .most
            .is_some_and(|most| self.common.meter.received() >= most)
    }

    /// When nothing will have come for so long, if anything came.
    fn silent_for(&self, limit: Option<Duration>) -> Option<Instant> {
        self.common.meter.last_input()?.checked_add(limit?)
    }

    /// It is over, for this reason unless another socket had one before.
    fn close(mut self, end: End) -> Totals {
        let end = *self.common.end.get_or_init(|| end);
        for forgotten in self.peers.drain() {
            self.tell_gone(&forgotten, end);
        }
        let lost = sys::receive_drops(self.socket.as_fd());
        self.totals.datagrams_lost = lost.ok().flatten();
        self.totals
    }

    /// Takes a datagram, and answers it.
    async fn take(&mut self, datagram: &[u8], source: SocketAddr) {
        let now = Instant::now();
        self.common.meter.note_input();
        if self.peers.get(source).is_none() {
            self.welcome(source, now);
        }
        let hash = self.peers.hash(datagram);
        let Some(peer) = self.peers.get(source) else {
            return;
        };
        peer.heard = now;
        if peer.refusal.is_some() {
            return;
        }
        let length = datagram.len() as u64;
        peer.received = peer.received.saturating_add(length);
        self.common.meter.count_received(datagram.len());
        self.totals.received = self.totals.received.saturating_add(length);
        self.service.observer.notice(&Event::ClientSaid {
            client: peer.number,
            peer: &source.into(),
            bytes: datagram,
        });
        let service = Arc::clone(&self.service);
        let answer = match &service.behaviour {
            Behaviour::Echo => datagram,
            Behaviour::Reply(text) if self.may_hear(text, datagram, source) => text,
            _ => return,
        };
        let due = self
            .peers
            .get(source)
            .is_some_and(|peer| peer.deserves_answer(hash));
        if due && !self.is_ourselves(source) {
            self.answer(answer, source).await;
        }
    }

    /// Somebody is heard for the first time, or again after a long time.
    fn welcome(&mut self, source: SocketAddr, now: Instant) {
        let address = Address::from(source);
        let refusal = self.admit(&address).err();
        let observer = &self.service.observer;
        if let Some(reason) = refusal {
            self.totals.refused = self.totals.refused.saturating_add(1);
            let (proto, peer) = (Proto::Udp, &address);
            observer.notice(&Event::Refused {
                proto,
                peer,
                reason,
            });
        } else {
            self.totals.clients = self.totals.clients.saturating_add(1);
            observer.notice(&Event::ClientCame {
                client: self.totals.clients,
                proto: Proto::Udp,
                local: &self.local.into(),
                peer: &address,
            });
        }
        let peer = Peer::new(self.totals.clients, refusal, now);
        if let Some(forgotten) = self.peers.add(source, peer) {
            self.tell_gone(&forgotten, End::Limit);
        }
    }

    /// Whether somebody may be a client.
    fn admit(&self, peer: &Address) -> std::result::Result<(), Refusal> {
        self.service.gate.admit(peer)?;
        match self.service.max_clients {
            Some(most) if self.peers.clients() >= most => Err(Refusal::Full),
            _ => Ok(()),
        }
    }

    /// Whether this answer may go there: one that is longer than what it answers would be a weapon
    /// in the hand of whoever forges addresses (RFC 8085, section 6.6, of amplification).
    fn may_hear(&mut self, answer: &[u8], datagram: &[u8], source: SocketAddr) -> bool {
        let ip = source.ip().to_canonical();
        if answer.len() <= datagram.len() || ip.is_loopback() || self.service.gate.names(ip) {
            return true;
        }
        if !std::mem::replace(&mut self.withheld, true) {
            let peer = &source.into();
            self.service
                .observer
                .notice(&Event::AnswerWithheld { peer });
        }
        false
    }

    /// Whether a datagram claims to come from this very socket.
    fn is_ourselves(&self, source: SocketAddr) -> bool {
        let ours = |ip| StdSocket::bind((ip, 0)).is_ok();
        source.port() == self.local.port() && (source == self.local || ours(source.ip()))
    }

    /// Sends an answer.
    async fn answer(&mut self, answer: &[u8], source: SocketAddr) {
        match self.socket.send_to(answer, source).await {
            Ok(length) => {
                let length = length as u64;
                self.totals.sent = self.totals.sent.saturating_add(length);
                if let Some(peer) = self.peers.get(source) {
                    peer.sent = peer.sent.saturating_add(length);
                }
            }
            Err(error) => {
                self.totals.failed = self.totals.failed.saturating_add(1);
                if !std::mem::replace(&mut self.unsent, true) {
                    let error = &error;
                    self.service
                        .observer
                        .notice(&Event::DatagramRefused { error });
                }
            }
        }
    }

    /// Tells of a client that is forgotten.
    fn tell_gone(&self, (address, peer): &Forgotten, end: End) {
        if peer.refusal.is_some() {
            return;
        }
        self.service.observer.notice(&Event::ClientGone {
            client: peer.number,
            transfer: &Transfer {
                proto: Proto::Udp,
                local: self.local.into(),
                peer: Some((*address).into()),
                sent: peer.sent,
                acknowledged: None,
                received: peer.received,
                datagrams_lost: None,
                elapsed: peer.heard.duration_since(peer.since),
                untouched: false,
                end,
                error: None,
            },
        });
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
