//! The real network of datagrams: a connected socket a question, so that the system gives us both
//! answers and ICMP messages without a privilege.

use super::asked::{Asked, Kind, socket};
use crate::probe::neighbourhood::Neighbourhood;
use crate::probe::network::{Answer, Network, Outcome, ProbeId};
use crate::probe::sockets::outcome::local;
use crate::probe::sockets::{BATCH, Own, capacity, look};
use crate::probe::{Binding, Target};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

/// The most sockets at once: each has a local port of its own, which others may need too.
const MOST: usize = 4096;

/// Questions of this machine.
#[derive(Debug)]
pub(in crate::probe) struct Datagrams {
    kind: Kind,
    poll: Poll,
    events: Events,
    clock: Instant,
    asked: Vec<Option<Asked>>,
    capacity: usize,
    own: Own,
    neighbourhood: Neighbourhood,
    binding: Binding,
    /// The local ends of the sockets that are open, which nobody else serves.
    ours: HashMap<(IpAddr, u16), u32>,
}

impl Datagrams {
    /// Ready to ask.
    pub(in crate::probe) fn new(kind: Kind, own: Own, binding: Binding) -> io::Result<Self> {
        let poll = Poll::new()?;
        Ok(Self {
            kind,
            capacity: capacity(&poll).min(MOST),
            poll,
            events: Events::with_capacity(BATCH),
            clock: Instant::now(),
            asked: Vec::new(),
            own,
            neighbourhood: Neighbourhood::default(),
            binding,
            ours: HashMap::new(),
        })
    }

    /// These are to be asked: fewer at once, if they are too many neighbours.
    pub(in crate::probe) fn expect(&mut self, targets: &[Target]) {
        self.capacity = self.neighbourhood.room(targets, self.capacity);
    }

    /// Whether the system lets us ask addresses of this family at all.
    pub(in crate::probe) fn is_permitted(kind: Kind, ipv6: bool) -> bool {
        socket(kind, ipv6).is_ok()
    }

    /// Sends a question and looks for an answer that is there at once.
    fn ask(&mut self, probe: ProbeId, to: SocketAddr, number: u8) -> Option<Outcome> {
        if let Some(unfit) = self.binding.unfit_for(to) {
            return Some(unfit);
        }
        let is_here = self.own.has(to.ip());
        if !is_here {
            self.neighbourhood.seek(to.ip(), self.clock.elapsed());
        }
        let bind = |socket: &_| self.binding.apply(socket, to.is_ipv6());
        let asked = match Asked::open(self.kind, to, number, bind) {
            Ok(asked) => asked,
            Err(error) => return Some(self.binding.blamed(local(&error), to)),
        };
        if let Err(error) = asked.send() {
            return Some(self.binding.blamed(asked.refused(&error), to));
        }
        // From this machine itself an answer of the system is there before the call returns.
        if is_here && let Some(outcome) = asked.outcome(|end| self.is_ours(end)) {
            return Some(outcome);
        }
        self.watch(probe, asked)
    }

    /// Waits for the answer from now on.
    fn watch(&mut self, probe: ProbeId, asked: Asked) -> Option<Outcome> {
        let descriptor = asked.socket().as_raw_fd();
        let (mut source, token) = (SourceFd(&descriptor), Token(probe.0));
        let registry = self.poll.registry();
        if let Err(error) = registry.register(&mut source, token, Interest::READABLE) {
            return Some(local(&error));
        }
        let count = self.ours.entry(asked.local()).or_default();
        *count = count.saturating_add(1);
        if self.asked.len() <= probe.0 {
            self.asked.resize_with(probe.0.saturating_add(1), || None);
        }
        if let Some(slot) = self.asked.get_mut(probe.0) {
            *slot = Some(asked);
        }
        None
    }

    /// Whether one of our own sockets was given this end: then nobody else has it.
    fn is_ours(&self, end: (IpAddr, u16)) -> bool {
        self.ours.contains_key(&end)
    }

    /// Closes the socket of a probe.
    fn close(&mut self, probe: ProbeId) {
        let asked = self.asked.get_mut(probe.0).and_then(Option::take);
        let Some(end) = asked.map(|asked| asked.local()) else {
            return;
        };
        if let Some(count) = self.ours.get_mut(&end) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.ours.remove(&end);
            }
        }
    }

    /// Takes the outcomes that the events tell of.
    fn collect(&mut self, answers: &mut Vec<Answer>) {
        let at = self.clock.elapsed();
        let known = answers.len();
        for event in &self.events {
            let probe = ProbeId(event.token().0);
            let asked = self.asked.get(probe.0).and_then(Option::as_ref);
            if let Some(outcome) = asked.and_then(|asked| asked.outcome(|end| self.is_ours(end))) {
                answers.push(Answer { probe, at, outcome });
            }
        }
        for answer in answers.iter().skip(known) {
            self.close(answer.probe);
        }
    }
}

impl Network for Datagrams {
    fn now(&self) -> Duration {
        self.clock.elapsed()
    }

    fn capacity(&self) -> usize {
        self.capacity
    }

    fn start(&mut self, probe: ProbeId, to: SocketAddr) -> Option<Outcome> {
        self.ask(probe, to, 1)
    }

    fn start_try(&mut self, probe: ProbeId, to: SocketAddr, number: u8) -> Option<Outcome> {
        self.ask(probe, to, number)
    }

    fn explain(&mut self, host: IpAddr) -> Option<Outcome> {
        // No table of neighbours has our own addresses.
        if self.own.has(host) {
            return None;
        }
        self.neighbourhood.explain(host, self.clock.elapsed())
    }

    fn abandon(&mut self, probe: ProbeId) {
        self.close(probe);
    }

    fn wait(&mut self, until: Duration, answers: &mut Vec<Answer>) -> io::Result<()> {
        let mut timeout = until.saturating_sub(self.now());
        while look(&mut self.poll, &mut self.events, timeout)? {
            self.collect(answers);
            timeout = Duration::ZERO;
        }
        self.collect(answers);
        self.neighbourhood.watch(self.clock.elapsed());
        Ok(())
    }
}
