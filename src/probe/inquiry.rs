//! One UDP port or host at a time, for who waits for it or measures it.
//!
//! Only an answer is an open port. What the port's protocol is nobody knows before it has answered,
//! so it may be asked in several; each question has a socket of its own, and so its own time.

use super::attempt::{Connector, Tried, passed};
use super::datagram::{Asked, Datagrams, Kind, variety};
use super::network::Outcome;
use super::ping::PORTS;
use super::report::State;
use super::sockets::local;
use super::verdict::{Finding, Verdict};
use crate::sys::watched;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd;
use std::time::Duration;
use tokio::io::Interest;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

/// How long after one question the next one follows, if nothing has answered.
const STEP: Duration = Duration::from_millis(200);

impl Connector {
    /// Asks a UDP port the question of this number, and waits for an answer at most so long.
    pub async fn udp(&self, to: SocketAddr, question: u8, limit: Option<Duration>) -> Tried {
        let (outcome, began) = self.ask(Kind::Udp, to, question, limit).await;
        let Some(outcome) = outcome else {
            return Tried::new(Finding::NO_REPLY, began);
        };
        let service = match outcome {
            Outcome::Replied(name) => name,
            _ => None,
        };
        let finding = Verdict::of_datagram(outcome, to.ip()).finding();
        Tried {
            service,
            ..Tried::of(outcome, finding, began)
        }
    }

    /// Asks a host for an ICMP echo, and waits for it at most so long; its port means nothing.
    pub async fn echo(&self, to: SocketAddr, limit: Option<Duration>) -> Tried {
        let (outcome, began) = self.ask(Kind::Echo, to, 1, limit).await;
        let Some(outcome) = outcome else {
            return Tried::new(Finding::SILENCE, began);
        };
        let finding = Verdict::of(outcome, to.ip()).finding();
        let finding = match outcome {
            Outcome::Replied(_) => Finding {
                reason: "echo-reply",
                ..finding
            },
            _ => finding,
        };
        Tried::of(outcome, finding, began)
    }

    /// Whether the system lets us ask for an echo in this family at all.
    #[must_use]
    pub fn is_echo_permitted(&self, ipv6: bool) -> bool {
        Datagrams::is_permitted(Kind::Echo, ipv6)
    }

    /// Asks a question. Returns its outcome, or nothing for silence, and when it was sent.
    async fn ask(
        &self,
        kind: Kind,
        to: SocketAddr,
        number: u8,
        limit: Option<Duration>,
    ) -> (Option<Outcome>, Instant) {
        if let Some(unfit) = self.binding.unfit_for(to) {
            return (Some(unfit), Instant::now());
        }
        let bind = |socket: &_| match kind {
            Kind::Udp => self.beside.apply(socket, &self.binding, to.is_ipv6()),
            Kind::Echo => self.binding.apply(socket, to.is_ipv6()),
        };
        let asked = Asked::open(kind, to, number, bind);
        let began = Instant::now();
        let asked = match asked {
            Ok(asked) => asked,
            Err(error) => return (Some(self.binding.blamed(local(&error), to)), began),
        };
        if let Err(error) = asked.send() {
            return (Some(self.binding.blamed(asked.refused(&error), to)), began);
        }
        tokio::select! {
            biased;
            outcome = heard(&asked) => (Some(outcome), began),
            () = passed(limit) => (None, began),
        }
    }

    /// Asks a host for an echo and, if that is not answered soon, some TCP ports, until it says
    /// anything: then it is up, and `open`.
    pub(super) async fn up(&self, to: SocketAddr) -> Tried {
        let mut asked = JoinSet::new();
        let connector = self.clone();
        asked.spawn(async move { connector.echo(to, None).await });
        let mut ports = PORTS.iter().copied();
        let mut doubt = Tried::silence(Duration::ZERO);
        loop {
            tokio::select! {
                Some(Ok(tried)) = asked.join_next() => {
                    if is_alive(&tried, to.ip()) {
                        return Tried { state: State::Open, ..tried };
                    }
                    doubt = tried;
                }
                () = sleep(STEP), if ports.len() > 0 => {}
                else => return doubt,
            }
            for port in ports.by_ref() {
                let (connector, to) = (self.clone(), SocketAddr::new(to.ip(), port));
                asked.spawn(async move { connector.tcp(to, None).await });
            }
        }
    }

    /// Asks a UDP port all that there is to ask, one question after the other, until something
    /// answers. Returns the number of the question too.
    pub(super) async fn udp_any(&self, to: SocketAddr) -> (u8, Tried) {
        let mut questions = 1..=variety(to.port());
        let mut asked = JoinSet::new();
        loop {
            if let Some(number) = questions.next() {
                let connector = self.clone();
                asked.spawn(async move { (number, connector.udp(to, number, None).await) });
            }
            tokio::select! {
                Some(Ok(answer)) = asked.join_next() => return answer,
                () = sleep(STEP) => {}
            }
        }
    }
}

/// Whether it is the host itself that answered. What it says of itself by ICMP it says because it is
/// there.
fn is_alive(tried: &Tried, host: IpAddr) -> bool {
    let own_words = tried.icmp.is_some_and(|icmp| icmp.from == Some(host));
    matches!(tried.state, State::Open | State::Closed) || own_words
}

/// Waits for what comes back.
async fn heard(asked: &Asked) -> Outcome {
    // An address of this machine has answered already.
    if let Some(outcome) = asked.outcome(|_| false) {
        return outcome;
    }
    // The socket itself is watched, not a copy: who may have few descriptors needs one a question.
    let interest = Interest::READABLE | Interest::ERROR;
    let watched = match watched(asked.socket().as_fd(), interest) {
        Ok(watched) => watched,
        Err(error) => return local(&error),
    };
    loop {
        let mut alarm = match watched.ready(interest).await {
            Ok(alarm) => alarm,
            Err(error) => return local(&error),
        };
        if let Some(outcome) = asked.outcome(|_| false) {
            return outcome;
        }
        // It was a false alarm: this forgets it.
        alarm.clear_ready();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::binding::Binding;

    /// Runs something that waits.
    fn wait<T>(future: impl Future<Output = T>) -> T {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().build().unwrap().block_on(future)
    }

    #[test]
    fn an_address_that_means_this_machine_is_answered_by_another() {
        for (here, any) in [("127.0.0.1:0", "0.0.0.0"), ("[::1]:0", "::")] {
            let server = std::net::UdpSocket::bind(here).unwrap();
            let port = server.local_addr().unwrap().port();
            let to = SocketAddr::new(any.parse().unwrap(), port);
            let connector = Connector::new(Binding::default(), &[port]);
            let echo = std::thread::spawn(move || {
                let mut question = [0; 64];
                let (length, peer) = server.recv_from(&mut question).unwrap();
                server.send_to(&question[..length], peer).unwrap();
            });
            let limit = Some(Duration::from_secs(60));
            assert_eq!(
                wait(connector.udp(to, 1, limit)).state,
                State::Open,
                "{any}"
            );
            echo.join().unwrap();
            assert_eq!(
                wait(connector.udp(to, 1, limit)).state,
                State::Closed,
                "{any}"
            );
        }
    }

    #[test]
    fn who_answers_while_or_after_we_stood_still_is_no_loss() {
        for after in [false, true].repeat(8) {
            let server = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
            server.set_read_timeout(Some(STEP * 2)).unwrap();
            let to = server.local_addr().unwrap();
            let connector = Connector::new(Binding::default(), &[to.port()]);
            let others = async {
                let mut question = [0; 64];
                let (_, peer) = server.recv_from(&mut question).unwrap();
                let answer = || server.send_to(b"here", peer).unwrap();
                if !after {
                    answer();
                }
                // The thread is kept from everything for longer than the answer may take.
                assert!(server.recv_from(&mut question).is_err());
                if after {
                    sleep(STEP / 4).await;
                    answer();
                }
            };
            let (tried, ()) =
                wait(async { tokio::join!(connector.udp(to, 1, Some(STEP)), others) });
            assert_eq!(tried.state, State::Open, "{after}");
        }
    }

    #[test]
    fn who_answers_is_open_and_who_is_not_there_is_closed() {
        for here in ["127.0.0.1:0", "[::1]:0"] {
            let server = std::net::UdpSocket::bind(here).unwrap();
            let to = server.local_addr().unwrap();
            let connector = Connector::new(Binding::default(), &[to.port()]);
            let echo = std::thread::spawn(move || {
                let mut question = [0; 64];
                let (length, peer) = server.recv_from(&mut question).unwrap();
                server.send_to(&question[..length], peer).unwrap();
                server
            });
            let open = wait(connector.udp(to, 1, None));
            assert_eq!((open.state, open.service), (State::Open, Some("echo")));
            let server = echo.join().unwrap();
            let silent = wait(connector.udp(to, 1, Some(STEP)));
            assert_eq!((silent.state, silent.errno), (State::OpenFiltered, None));
            assert!(open.is_answer() && !silent.is_answer());
            drop(server);
            let (_, closed) = wait(connector.udp_any(to));
            let refused = Some(libc::ECONNREFUSED);
            assert_eq!((closed.state, closed.errno), (State::Closed, refused));
            assert_eq!(closed.reason, "port-unreachable");
        }
    }
}
