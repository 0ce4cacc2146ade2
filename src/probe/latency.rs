//! How long connections, and answers over UDP, take, over and over.

use super::attempt::{Connector, Tried, try_unix};
use super::datagram::variety;
use super::report::State;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

/// What is known of the times of one target.
#[derive(Clone, Debug, Default)]
pub struct Latency {
    times: Vec<Duration>,
    lost: BTreeMap<&'static str, u64>,
    retransmissions: u64,
}

/// The figures of a series that has an answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Figures {
    /// The shortest time.
    pub min: Duration,
    /// The arithmetic mean.
    pub mean: Duration,
    /// The median, by nearest rank as the other percentiles.
    pub p50: Duration,
    /// As long as this at most took 95 of 100 tries.
    pub p95: Duration,
    /// As long as this at most took 99 of 100 tries.
    pub p99: Duration,
    /// The longest time.
    pub max: Duration,
    /// The mean difference of two answers that follow one another; nothing with one answer.
    pub jitter: Option<Duration>,
}

impl Latency {
    /// Counts a try. Only an open port is an answer; everything else is a loss, with its reason.
    pub fn add(&mut self, tried: &Tried) {
        let again = u64::from(tried.retransmissions.unwrap_or_default());
        self.retransmissions = self.retransmissions.saturating_add(again);
        if tried.state == State::Open {
            self.times.push(tried.elapsed);
        } else {
            let lost = self.lost.entry(tried.reason).or_default();
            *lost = lost.saturating_add(1);
        }
    }

    /// How many tries have an outcome.
    #[must_use]
    pub fn sent(&self) -> u64 {
        let lost = self
            .lost
            .values()
            .fold(0, |all: u64, n| all.saturating_add(*n));
        lost.saturating_add(self.answered())
    }

    /// How many were answered by an open port.
    #[must_use]
    pub const fn answered(&self) -> u64 {
        self.times.len() as u64
    }

    /// How many were lost, by reason.
    #[must_use]
    pub const fn lost(&self) -> &BTreeMap<&'static str, u64> {
        &self.lost
    }

    /// How many SYNs were sent again.
    #[must_use]
    pub const fn retransmissions(&self) -> u64 {
        self.retransmissions
    }

    /// The times of the answers, in their order.
    #[must_use]
    pub fn times(&self) -> &[Duration] {
        &self.times
    }

    /// The figures, if there was an answer.
    #[must_use]
    pub fn figures(&self) -> Option<Figures> {
        let mut sorted = self.times.clone();
        sorted.sort_unstable();
        let count = u32::try_from(sorted.len()).ok()?;
        let sum = sorted
            .iter()
            .fold(Duration::ZERO, |sum, time| sum.saturating_add(*time));
        Some(Figures {
            min: *sorted.first()?,
            mean: sum.checked_div(count)?,
            p50: nearest_rank(&sorted, 50)?,
            p95: nearest_rank(&sorted, 95)?,
            p99: nearest_rank(&sorted, 99)?,
            max: *sorted.last()?,
            jitter: jitter(&self.times),
        })
    }
}

/// The smallest of the sorted times that `percent` of 100 do not exceed (the nearest-rank method:
/// the value at rank ⌈percent / 100 × n⌉).
fn nearest_rank(sorted: &[Duration], percent: usize) -> Option<Duration> {
    let rank = sorted.len().checked_mul(percent)?.div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}

/// The mean difference of neighbours.
fn jitter(times: &[Duration]) -> Option<Duration> {
    let pairs = times.iter().zip(times.iter().skip(1));
    let differences = pairs.map(|(one, next)| one.abs_diff(*next));
    let sum = differences.fold(Duration::ZERO, Duration::saturating_add);
    sum.checked_div(u32::try_from(times.len()).ok()?.checked_sub(1)?)
}

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
    /// way when `stop` comes is not told.
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
                    let (aim, connector, limit) = (
                        line.next_aim(number),
                        self.connector.clone(),
                        self.try_timeout,
                    );
                    under_way.spawn(async move {
                        let tried = connector.measure(&aim, limit).await;
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

/// When each try of a series begins. Pure: it knows no clock.
///
/// A try that could not begin in time, since the machine was asleep, is not made up for.
#[derive(Debug)]
struct Beat {
    count: u64,
    struck: u64,
    every: Duration,
    next: Duration,
}

impl Beat {
    /// The first one is due at once.
    const fn new(count: u64, every: Duration) -> Self {
        Self {
            count,
            struck: 0,
            every,
            next: Duration::ZERO,
        }
    }

    /// The number of the try that is due, from 1 on.
    fn strike(&mut self, now: Duration) -> Option<u64> {
        if now < self.next()? {
            return None;
        }
        self.struck = self.struck.saturating_add(1);
        let planned = self.next.saturating_add(self.every);
        let is_late = planned < now;
        self.next = if is_late {
            now.saturating_add(self.every)
        } else {
            planned
        };
        Some(self.struck)
    }

    /// When the next one is due.
    fn next(&self) -> Option<Duration> {
        (self.struck < self.count).then_some(self.next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    /// A try that took so long, or came to nothing.
    fn tried(time: Option<u64>) -> Tried {
        Tried {
            state: if time.is_some() {
                State::Open
            } else {
                State::Filtered
            },
            errno: None,
            reason: if time.is_some() {
                "syn-ack"
            } else {
                "no-response"
            },
            icmp: None,
            elapsed: ms(time.unwrap_or(9999)),
            retransmissions: Some(u32::from(time.is_none())),
            service: None,
        }
    }

    /// The figures of tries that took so long.
    fn latency(times: impl IntoIterator<Item = Option<u64>>) -> Latency {
        let mut latency = Latency::default();
        times.into_iter().for_each(|time| latency.add(&tried(time)));
        latency
    }

    #[test]
    fn percentiles_are_the_nearest_ranks() {
        let figures = |n: u64| latency((1..=n).rev().map(Some)).figures().unwrap();
        let hundred = figures(100);
        assert_eq!((hundred.min, hundred.max), (ms(1), ms(100)));
        assert_eq!(
            (hundred.p50, hundred.p95, hundred.p99),
            (ms(50), ms(95), ms(99))
        );
        assert_eq!((hundred.mean, hundred.jitter), (ms(101) / 2, Some(ms(1))));
        let ten = figures(10);
        assert_eq!((ten.p50, ten.p95, ten.p99), (ms(5), ms(10), ms(10)));
        let one = figures(1);
        assert_eq!((one.p50, one.p99, one.jitter), (ms(1), ms(1), None));
        assert_eq!(latency([None]).figures(), None);
    }

    #[test]
    fn losses_are_counted_by_reason_and_are_no_times() {
        let latency = latency([Some(10), None, Some(30), None, Some(20)]);
        assert_eq!((latency.sent(), latency.answered()), (5, 3));
        assert_eq!(latency.lost().get("no-response"), Some(&2));
        assert_eq!(latency.retransmissions(), 2);
        let figures = latency.figures().unwrap();
        assert_eq!((figures.mean, figures.jitter), (ms(20), Some(ms(15))));
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
        line.learn(second.clone(), tried(Some(1)));
        assert_eq!(line.learn(second.clone(), silence).reason, "no-response");
        assert_eq!(asked(&line, 3), second);
    }

    #[test]
    fn tries_begin_on_time_and_are_not_made_up_for() {
        let mut beat = Beat::new(4, ms(100));
        assert_eq!(beat.strike(ms(0)), Some(1));
        assert_eq!(beat.strike(ms(99)), None);
        assert_eq!(beat.strike(ms(103)), Some(2), "a little late");
        assert_eq!(
            beat.next(),
            Some(ms(200)),
            "and yet the next one is on time"
        );
        assert_eq!(beat.strike(ms(60_000)), Some(3));
        assert_eq!(
            (beat.strike(ms(60_000)), beat.next()),
            (None, Some(ms(60_100)))
        );
        assert_eq!(beat.strike(ms(60_100)), Some(4));
        assert_eq!(beat.next(), None);
    }
}
