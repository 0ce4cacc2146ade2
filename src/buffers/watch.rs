//! Connections over time, and what holds each of them up.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::{Listed, Socket, SocketKind, SocketState, Tcp, list};
use crate::error::Result;
use crate::interfaces::a_second;

/// A connection between two looks.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Connection {
    /// The socket at the second look.
    pub socket: Socket,
    /// What TCP measured until then.
    pub tcp: Tcp,
    /// Bytes a second that the peer acknowledged; `None` on kernels that do not count them.
    pub sent: Option<u64>,
    /// Bytes a second that came.
    pub received: Option<u64>,
    /// Between the two looks.
    pub interval: Duration,
    /// What held up the sending meanwhile; `None` on kernels that do not say.
    pub verdict: Option<Verdict>,
}

/// What holds up sending.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// Nothing was to be sent.
    Idle,
    /// The program rarely had something to send.
    Application,
    /// The receiver's window was full.
    Receiver,
    /// The send buffer was full while nothing more waited to be sent.
    SendBuffer,
    /// Neither: the congestion window, the path.
    Network,
}

impl Verdict {
    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Application => "application",
            Self::Receiver => "receiver",
            Self::SendBuffer => "send-buffer",
            Self::Network => "network",
        }
    }

    /// Judges what TCP counted in an interval. The time that there was something to send has three
    /// parts, and what is left after the two that are named is the network's
    /// (`tcp_get_info_chrono_stats` in `net/ipv4/tcp.c`), unless the network would have taken more.
    fn of(before: &Look, after: &Look, interval: Duration) -> Option<Self> {
        let (then, now) = (&before.tcp, &after.tcp);
        let passed = |now: Option<u64>, then: Option<u64>| now?.checked_sub(then?);
        let busy = passed(now.busy_us, then.busy_us)?;
        let receiver = passed(now.receiver_limited_us, then.receiver_limited_us)?;
        let buffer = passed(now.send_buffer_limited_us, then.send_buffer_limited_us)?;
        let network = busy.saturating_sub(receiver).saturating_sub(buffer);
        // The kernel counts in ticks of some milliseconds: less than one is none.
        let sent = passed(now.acknowledged, then.acknowledged).unwrap_or(busy);
        if busy == 0 && sent == 0 {
            return Some(Self::Idle);
        }
        if u128::from(busy).saturating_mul(2) < interval.as_micros() {
            return Some(Self::Application);
        }
        if receiver >= network.max(buffer) {
            return Some(Self::Receiver);
        }
        // The kernel is sparing with this part: 11 % of the time with 8 KiB on a path of 40 ms, 31 %
        // with 32 KiB on one of 50 ms, and nothing with a buffer that it tunes itself.
        let is_small = buffer.saturating_mul(SEND_BUFFER_PART) >= busy;
        let starved = then.starved && now.starved;
        Some(match starved {
            _ if is_small => Self::SendBuffer,
            true if before.full && after.full => Self::SendBuffer,
            true if !before.full && !after.full => Self::Application,
            _ => Self::Network,
        })
    }
}

/// The part of the busy time, as its divisor, from which on the send buffer is what holds up.
const SEND_BUFFER_PART: u64 = 10;

/// The two ends of a connection, and the interface that it is bound to: two interfaces may have the
/// same networks behind them.
type Ends = (SocketAddr, SocketAddr, Option<u32>);

/// Looks at connections again and again.
#[derive(Debug, Default)]
pub struct Watch {
    last: HashMap<Ends, Look>,
}

/// What a look at a connection saw.
#[derive(Clone, Debug)]
struct Look {
    /// When it was.
    at: Instant,
    /// What TCP had measured.
    tcp: Tcp,
    /// Whether there was no room in the send buffer.
    full: bool,
}

impl Watch {
    /// What every TCP connection did since the last look; a new one is shown from the next look on.
    ///
    /// # Errors
    /// The system does not tell of its connections.
    pub fn look(&mut self) -> Result<Vec<Connection>> {
        let Listed {
            sockets,
            mut poorer,
            ..
        } = list(&[SocketKind::Tcp], false, true)?;
        // What TCP measures is told by one source alone.
        if let Some(error) = poorer.pop() {
            return Err(error);
        }
        let now = Instant::now();
        let last = std::mem::take(&mut self.last);
        let mut connections = Vec::new();
        for socket in sockets {
            let (Some(local), Some(peer), Some(tcp)) = (socket.local, socket.peer, socket.tcp)
            else {
                continue;
            };
            if socket.state == SocketState::Listen {
                continue;
            }
            let full = socket.is_full();
            let look = Look { at: now, tcp, full };
            let ends = (local, peer, socket.interface_index);
            if let Some(before) = last.get(&ends) {
                connections.extend(Connection::between(socket, before, &look));
            }
            self.last.insert(ends, look);
        }
        Ok(connections)
    }
}

impl Connection {
    /// What happened in an interval; nothing is known of another connection with the same ends.
    fn between(socket: Socket, before: &Look, after: &Look) -> Option<Self> {
        let (then, now) = (&before.tcp, after.tcp);
        let interval = after.at.saturating_duration_since(before.at);
        let rate = |now: Option<u64>, then: Option<u64>| -> Option<Option<u64>> {
            match (now, then) {
                (Some(now), Some(then)) => Some(a_second(now.checked_sub(then)?, interval)),
                _ => Some(None),
            }
        };
        Some(Self {
            sent: rate(now.acknowledged, then.acknowledged)?,
            received: rate(now.received, then.received)?,
            verdict: Verdict::of(before, after, interval),
            socket,
            tcp: now,
            interval,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What TCP counted, in microseconds, at the beginning or later.
    fn look(after: Duration, busy: u64, receiver: u64, buffer: u64) -> Look {
        static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
        let tcp = Tcp {
            rtt_us: 1,
            congestion_window: 10,
            segment: 1448,
            retransmissions: 0,
            acknowledged: Some(busy),
            received: Some(0),
            unsent: Some(0),
            starved: false,
            busy_us: Some(busy),
            receiver_limited_us: Some(receiver),
            send_buffer_limited_us: Some(buffer),
        };
        Look {
            at: *START + after,
            tcp,
            full: true,
        }
    }

    /// The verdict on a millisecond.
    fn of(busy: u64, receiver: u64, buffer: u64, change: impl Fn(&mut Look)) -> Option<Verdict> {
        let interval = Duration::from_millis(1);
        let mut before = look(Duration::ZERO, 1000, 100, 10);
        let mut after = look(interval, 1000 + busy, 100 + receiver, 10 + buffer);
        change(&mut before);
        change(&mut after);
        Verdict::of(&before, &after, interval)
    }

    #[test]
    fn the_largest_part_is_the_verdict() {
        let of = |busy, receiver, buffer| of(busy, receiver, buffer, |_| {});
        assert_eq!(of(0, 0, 0), Some(Verdict::Idle));
        assert_eq!(of(400, 400, 0), Some(Verdict::Application));
        assert_eq!(of(900, 600, 100), Some(Verdict::Receiver));
        assert_eq!(of(900, 100, 600), Some(Verdict::SendBuffer));
        assert_eq!(of(900, 0, 100), Some(Verdict::SendBuffer));
        assert_eq!(of(900, 100, 80), Some(Verdict::Network));
    }

    #[test]
    fn bytes_that_moved_in_no_time_were_the_program_s_choice() {
        let verdict = of(0, 0, 0, |look| {
            let later = look.at > self::look(Duration::ZERO, 0, 0, 0).at;
            look.tcp.acknowledged = Some(u64::from(later));
        });
        assert_eq!(verdict, Some(Verdict::Application));
    }

    #[test]
    fn a_network_that_would_take_more_is_not_what_holds_up() {
        let starved = |full| {
            of(1000, 0, 0, move |look| {
                look.tcp.starved = true;
                look.full = full;
            })
        };
        assert_eq!(starved(true), Some(Verdict::SendBuffer));
        assert_eq!(starved(false), Some(Verdict::Application));
    }

    #[test]
    fn another_connection_with_the_same_ends_has_no_rate() {
        let between = |then, now| {
            let before = look(Duration::ZERO, then, 0, 0);
            let after = look(Duration::from_secs(2), now, 0, 0);
            Connection::between(Socket::default(), &before, &after)
        };
        assert!(between(5, 4).is_none());
        let connection = between(0, 1000).unwrap();
        assert_eq!((connection.sent, connection.received), (Some(500), Some(0)));
    }
}
