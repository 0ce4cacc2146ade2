//! Tries that are repeated, each on time however long the others take.

mod beat;

use super::attempt::{Connector, Tried, try_unix};
use super::datagram::variety;
use super::report::State;
use super::verdict::{NOT_PERMITTED, UNFIT_SOURCE};
use beat::Beat;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// How soon a try that failed on our side is made again at first, and at last.
const PAUSES: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(500));

/// Tries that are repeated.
#[derive(Clone, Debug)]
pub struct Series {
    /// Where to connect.
    pub targets: Vec<Aim>,
    /// How often.
    pub count: u64,
    /// The time from one try's start to the next one's.
    pub every: Duration,
    /// The most that one try may take.
    pub try_timeout: Duration,
    /// How connections are made.
    pub connector: Connector,
}

/// Where tries of a series go.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Aim {
    /// A TCP port.
    Tcp(SocketAddr),
    /// A UDP port, and the number of the question that it answers if that is known.
    Udp(SocketAddr, Option<u8>),
    /// A host, by an ICMP echo; its port means nothing.
    Echo(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

impl Aim {
    /// The address, unless it is a path.
    #[must_use]
    pub const fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(address) | Self::Udp(address, _) | Self::Echo(address) => Some(*address),
            Self::Unix(_) => None,
        }
    }
}

impl Series {
    /// Tries all targets, each on time however long the others take, and tells of each try: the
    /// number of the target, the number of the try from 1 on, and what came of it. A try that is under
    /// way when `stop` comes is not told. One that fails on our side is made again, ever slower, until
    /// the next one is due, unless it cannot be made at all.
    pub async fn run(
        &self,
        stop: impl Future<Output = ()>,
        mut tell: impl FnMut(usize, u64, &Tried),
    ) {
        let mut stop = Box::pin(stop);
        let mut beat = Beat::new(self.count, self.every);
        let began = Instant::now();
        let mut lines: Vec<Line> = self.targets.iter().map(Line::to).collect();
        let mut under_way = JoinSet::new();
        loop {
            while let Some(number) = beat.strike(began.elapsed()) {
                for (target, line) in lines.iter().enumerate() {
                    let (aim, connector, limits) = (
                        line.next_aim(number),
                        self.connector.clone(),
                        (self.try_timeout, self.every),
                    );
                    under_way.spawn(async move {
                        let tried = connector.measure_surely(&aim, limits).await;
                        (target, number, aim, tried)
                    });
                }
            }
            let next = beat.next().and_then(|next| began.checked_add(next));
            if under_way.is_empty() && next.is_none() {
                return;
            }
            tokio::select! {
                biased;
                () = &mut stop => return,
                Some(Ok((target, number, aim, tried))) = under_way.join_next() => {
                    if let Some(line) = lines.get_mut(target) {
                        tell(target, number, &line.learn(aim, tried));
                    }
                }
                () = sleep_until(next.unwrap_or(began)), if next.is_some() => {}
            }
        }
    }
}

/// Whether a try failed on our side as it will when it is made again.
fn is_refused_for_good(tried: &Tried) -> bool {
    [UNFIT_SOURCE, NOT_PERMITTED].contains(&tried.reason)
}

/// One target of a series, and what its tries have taught.
#[derive(Debug)]
struct Line {
    aim: Aim,
    /// Whether what was heard last is that the port is closed: most hosts say so only so often.
    was_refused: bool,
}

impl Line {
    /// Nothing is learned yet.
    fn to(aim: &Aim) -> Self {
        Self {
            aim: aim.clone(),
            was_refused: false,
        }
    }

    /// Where the try of this number goes, and with which question.
    fn next_aim(&self, number: u64) -> Aim {
        match self.aim {
            Aim::Udp(address, None) => {
                let turn = number.saturating_sub(1);
                let turn = turn.checked_rem(u64::from(variety(address.port())));
                let question = turn.and_then(|turn| u8::try_from(turn).ok());
                Aim::Udp(address, Some(question.unwrap_or(0).saturating_add(1)))
            }
            _ => self.aim.clone(),
        }
    }

    /// Learns from a try, and says what it means after those before.
    fn learn(&mut self, aim: Aim, tried: Tried) -> Tried {
        match tried.state {
            State::Open => {
                self.was_refused = false;
                self.aim = aim;
                tried
            }
            State::OpenFiltered => Tried::no_reply(tried.elapsed, self.was_refused),
            _ => {
                self.was_refused |= tried.icmp.is_some();
                tried
            }
        }
    }
}

impl Connector {
    /// Tries for at most as long as the first of the limits says, and again while it fails on our
    /// side and the second limit has not passed.
    async fn measure_surely(&self, aim: &Aim, (limit, due): (Duration, Duration)) -> Tried {
        let began = Instant::now();
        let (mut pause, longest) = PAUSES;
        loop {
            let tried = self.measure(aim, limit).await;
            let is_over = tried.state != State::Undetermined || is_refused_for_good(&tried);
            if is_over || began.elapsed().saturating_add(pause) >= due {
                return tried;
            }
            sleep(pause).await;
            pause = pause.saturating_mul(2).min(longest);
        }
    }

    /// Tries once.
    async fn measure(&self, aim: &Aim, limit: Duration) -> Tried {
        match aim {
            Aim::Tcp(address) => self.tcp(*address, Some(limit)).await,
            Aim::Udp(address, question) => {
                self.udp(*address, question.unwrap_or(1), Some(limit)).await
            }
            Aim::Echo(address) => self.echo(*address, Some(limit)).await,
            Aim::Unix(path) => try_unix(path),
        }
    }

    /// The first of these that is open, else the first that answers, each asked once and all at the
    /// same time; and its number. A UDP port is asked all that there is to ask.
    pub async fn first_open(&self, aims: &[Aim], limit: Duration) -> Option<(usize, Aim)> {
        let mut tries = JoinSet::new();
        for (number, aim) in aims.iter().cloned().enumerate() {
            let connector = self.clone();
            tries.spawn(async move { (number, connector.try_out(aim, limit).await) });
        }
        let mut answers = Vec::new();
        while let Some(Ok((number, (aim, tried)))) = tries.join_next().await {
            let is_open = tried.is_some_and(|tried| tried.state == State::Open);
            let is_answer = tried.is_some_and(|tried| tried.is_answer());
            answers.push((!is_open, !is_answer, number, aim));
        }
        let first = answers
            .into_iter()
            .min_by_key(|(closed, silent, number, _)| (*closed, *silent, *number));
        first.map(|(.., number, aim)| (number, aim))
    }

    /// Tries once, and finds out what a UDP port answers.
    async fn try_out(&self, aim: Aim, limit: Duration) -> (Aim, Option<Tried>) {
        let Aim::Udp(address, _) = aim else {
            let tried = self.measure(&aim, limit).await;
            return (aim, Some(tried));
        };
        let Ok((question, tried)) = timeout(limit, self.udp_any(address)).await else {
            return (aim, None);
        };
        let question = Some(question).filter(|_| tried.state == State::Open);
        (Aim::Udp(address, question), Some(tried))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::binding::Binding;
    use std::net::Ipv6Addr;

    const fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn silence_after_a_refusal_is_not_taken_for_a_loss_and_the_question_is_kept() {
        let to = SocketAddr::from(([192, 0, 2, 1], 161));
        let mut line = Line::to(&Aim::Udp(to, None));
        let asked = |line: &Line, number| line.next_aim(number);
        assert_eq!(asked(&line, 1), Aim::Udp(to, Some(1)));
        assert_eq!(asked(&line, 2), Aim::Udp(to, Some(2)));
        assert_eq!(asked(&line, 3), Aim::Udp(to, Some(1)));
        let silence = Tried::no_reply(ms(1), false);
        let second = Aim::Udp(to, Some(2));
        assert_eq!(line.learn(second.clone(), silence).reason, "no-response");
        let closed = Tried {
            state: State::Closed,
            icmp: Some(crate::probe::Icmp {
                kind: 3,
                code: 3,
                from: None,
            }),
            ..silence
        };
        line.learn(second.clone(), closed);
        assert_eq!(line.learn(second.clone(), silence).reason, "icmp-limited");
        line.learn(
            second.clone(),
            Tried {
                state: State::Open,
                ..silence
            },
        );
        assert_eq!(line.learn(second.clone(), silence).reason, "no-response");
        assert_eq!(asked(&line, 3), second);
    }

    #[test]
    fn what_fails_on_our_side_is_made_again_until_the_next_is_due() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        std::os::unix::fs::symlink(&path, &path).unwrap();
        let series = |every| Series {
            targets: vec![Aim::Unix(path.clone())],
            count: 1,
            every,
            try_timeout: ms(10),
            connector: Connector::default(),
        };
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().build().unwrap();
        let mut states = Vec::new();
        runtime.block_on(async {
            let short = series(ms(10));
            let never = std::future::pending();
            short
                .run(never, |_, _, tried| states.push(tried.state))
                .await;
            let long = series(ms(60_000));
            let tries = long.run(std::future::pending(), |_, _, tried| {
                states.push(tried.state);
            });
            let mend = async {
                for _ in 0..100 {
                    tokio::task::yield_now().await;
                }
                std::fs::remove_file(&path).unwrap();
                std::os::unix::net::UnixListener::bind(&path).unwrap()
            };
            tokio::join!(tries, mend)
        });
        assert_eq!(states, [State::Undetermined, State::Open]);
    }

    #[test]
    fn what_cannot_be_made_at_all_is_not_made_again() {
        let hour = Duration::from_secs(3600);
        let source = Binding {
            source: Some(Ipv6Addr::LOCALHOST.into()),
            ..Binding::default()
        };
        let elsewhere = "[2001:db8::1]:9".parse().unwrap();
        let broadcast = "127.255.255.255:9".parse().unwrap();
        for (binding, aim, reason) in [
            (source, Aim::Tcp(elsewhere), "unfit-source"),
            (
                Binding::default(),
                Aim::Udp(broadcast, None),
                "not-permitted",
            ),
        ] {
            let series = Series {
                targets: vec![aim],
                count: 1,
                every: hour,
                try_timeout: hour,
                connector: Connector::new(binding, &[]),
            };
            let mut told = Vec::new();
            let mut builder = tokio::runtime::Builder::new_current_thread();
            let runtime = builder.enable_all().build().unwrap();
            runtime.block_on(async {
                let tries = series.run(std::future::pending(), |_, _, tried| {
                    told.push((tried.state, tried.reason));
                });
                let ended = timeout(Duration::from_secs(60), tries).await;
                assert!(ended.is_ok(), "{reason}: it is made again");
            });
            assert_eq!(told, [(State::Undetermined, reason)]);
        }
    }
}
