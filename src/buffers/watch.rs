//! Connections over time, and what holds each of them up.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::{Socket, SocketKind, SocketState, Tcp, list};
use crate::error::Result;

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
    /// (`tcp_get_info_chrono_stats` in `net/ipv4/tcp.c`).
    fn of(then: &Tcp, now: &Tcp, interval: Duration) -> Option<Self> {
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
        let parts = [
            (network, Self::Network),
            (buffer, Self::SendBuffer),
            (receiver, Self::Receiver),
        ];
        let largest = parts.into_iter().max_by_key(|(time, _)| *time);
        largest.map(|(_, verdict)| verdict)
    }
}

/// The two ends of a connection.
type Ends = (SocketAddr, SocketAddr);

/// Looks at connections again and again.
#[derive(Debug, Default)]
pub struct Watch {
    last: HashMap<Ends, (Instant, Tcp)>,
}

impl Watch {
    /// What every TCP connection did since the last look; a new one is shown from the next look on.
    ///
    /// # Errors
    /// The system does not tell of its connections.
    pub fn look(&mut self) -> Result<Vec<Connection>> {
        let sockets = list(&[SocketKind::Tcp], false, true)?.sockets;
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
            self.last.insert((local, peer), (now, tcp));
            if let Some((then, before)) = last.get(&(local, peer)) {
                let interval = now.saturating_duration_since(*then);
                connections.extend(Connection::between(socket, before, tcp, interval));
            }
        }
        Ok(connections)
    }
}

impl Connection {
    /// What happened in an interval; nothing is known of another connection with the same ends.
    fn between(socket: Socket, then: &Tcp, now: Tcp, interval: Duration) -> Option<Self> {
        let rate = |now: Option<u64>, then: Option<u64>| -> Option<Option<u64>> {
            match (now, then) {
                (Some(now), Some(then)) => Some(a_second(now.checked_sub(then)?, interval)),
                _ => Some(None),
            }
        };
        Some(Self {
            sent: rate(now.acknowledged, then.acknowledged)?,
            received: rate(now.received, then.received)?,
            verdict: Verdict::of(then, &now, interval),
            socket,
            tcp: now,
            interval,
        })
    }
}

/// What so many in this time are a second.
fn a_second(count: u64, interval: Duration) -> Option<u64> {
    let count = u128::from(count).checked_mul(1_000_000_000)?;
    u64::try_from(count.checked_div(interval.as_nanos())?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What TCP counted, in microseconds.
    fn tcp(busy: u64, receiver: u64, buffer: u64) -> Tcp {
        Tcp {
            rtt_us: 1,
            congestion_window: 10,
            segment: 1448,
            retransmissions: 0,
            acknowledged: Some(busy),
            received: Some(0),
            unsent: Some(0),
            busy_us: Some(busy),
            receiver_limited_us: Some(receiver),
            send_buffer_limited_us: Some(buffer),
        }
    }

    #[test]
    fn the_largest_part_is_the_verdict() {
        let of = |busy: u64, receiver: u64, buffer: u64| {
            let then = tcp(1000, 100, 10);
            let now = tcp(1000 + busy, 100 + receiver, 10 + buffer);
            Verdict::of(&then, &now, Duration::from_millis(1))
        };
        assert_eq!(of(0, 0, 0), Some(Verdict::Idle));
        assert_eq!(of(400, 400, 0), Some(Verdict::Application));
        let (then, mut now) = (tcp(0, 0, 0), tcp(0, 0, 0));
        now.acknowledged = Some(1);
        let said = Verdict::of(&then, &now, Duration::from_millis(1));
        assert_eq!(said, Some(Verdict::Application));
        assert_eq!(of(900, 600, 100), Some(Verdict::Receiver));
        assert_eq!(of(900, 100, 600), Some(Verdict::SendBuffer));
        assert_eq!(of(900, 100, 100), Some(Verdict::Network));
    }

    #[test]
    fn another_connection_with_the_same_ends_has_no_rate() {
        let between = |then: &Tcp, now| {
            Connection::between(Socket::default(), then, now, Duration::from_secs(2))
        };
        assert!(between(&tcp(5, 0, 0), tcp(4, 0, 0)).is_none());
        let connection = between(&tcp(0, 0, 0), tcp(1000, 0, 0)).unwrap();
        assert_eq!((connection.sent, connection.received), (Some(500), Some(0)));
    }
}
