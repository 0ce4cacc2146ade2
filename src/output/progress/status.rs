//! How far a conversation is, in figures and in words.

use std::time::Duration;

use super::pace::remaining;
use crate::output::quantity::{bytes, in_units, rate as rates};

/// The figures of one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Status {
    /// Since there is a peer.
    pub(super) elapsed: Duration,
    /// Bytes given to the system.
    pub(super) sent: u64,
    /// Of these the acknowledged ones, where that is known.
    pub(super) acknowledged: Option<u64>,
    /// Bytes that came.
    pub(super) received: u64,
    /// How many it will be, where that is known.
    pub(super) total: Total,
}

/// How many bytes it will be.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Total {
    /// What stdin holds.
    pub(crate) input: Option<u64>,
    /// What the user said: of whichever direction carries more.
    pub(crate) said: Option<u64>,
}

/// What is counted against the total.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Goal {
    Sent(u64),
    Received(u64),
}

impl Status {
    /// Bytes that count as sent: those that have arrived, where that is known.
    fn arrived(self) -> u64 {
        self.acknowledged.unwrap_or(self.sent)
    }

    /// Whether there is anything to count.
    pub(super) fn has_moved(self) -> bool {
        self.sent > 0 || self.received > 0
    }

    /// What waits for its acknowledgement.
    fn queued(self) -> u64 {
        self.sent.saturating_sub(self.arrived())
    }

    /// What the total is of. More than was expected is no goal any more.
    fn goal(self) -> Option<Goal> {
        let (sent, received) = (self.arrived(), self.received);
        let goal = match self.total {
            Total {
                said: Some(total), ..
            } if received > self.sent => Goal::Received(total),
            Total { said, input } => Goal::Sent(said.or(input)?),
        };
        let is_possible = match goal {
            Goal::Sent(total) => sent <= total,
            Goal::Received(total) => received <= total,
        };
        is_possible.then_some(goal)
    }

    /// How many bytes it will be, if that is still to be believed.
    pub(super) fn length(self) -> Option<u64> {
        self.goal().map(|goal| match goal {
            Goal::Sent(total) | Goal::Received(total) => total,
        })
    }

    /// How far it is on the way to the total; without one what has moved at all.
    pub(super) fn position(self) -> u64 {
        match self.goal() {
            Some(Goal::Sent(_)) => self.arrived(),
            Some(Goal::Received(_)) => self.received,
            None => self.arrived().saturating_add(self.received),
        }
    }

    /// All of it in words, with exact numbers.
    pub(super) fn text(self, rate: u64) -> String {
        let (to_send, to_receive) = self.totals();
        let mut parts = vec![
            moved("sent", self.arrived(), to_send),
            moved("received", self.received, to_receive),
        ];
        if rate > 0 {
            let (bytes, bits) = rates(rate);
            parts.push(format!("{bytes} ({bits})"));
        }
        parts.extend(self.left(rate).map(|left| format!("ETA {}", clock(left))));
        if self.queued() > 0 {
            parts.push(format!("{} queued", bytes(self.queued())));
        }
        parts.push(format!("{} elapsed", clock(self.elapsed)));
        parts.join(", ")
    }

    /// As much of it in words as fits into so many columns: what matters least is left out first.
    pub(super) fn fitting(self, columns: usize, rate: u64) -> String {
        let mut parts = self.parts(rate);
        loop {
            let texts: Vec<&str> = parts.iter().map(|(_, text)| text.as_str()).collect();
            let text = texts.join(", ");
            let least = parts.iter().map(|(weight, _)| *weight).min();
            if text.len() <= columns || parts.len() <= 1 {
                return text;
            }
            parts.retain(|(weight, _)| Some(*weight) != least);
        }
    }

    /// The parts of the line, each with how much it matters.
    fn parts(self, rate: u64) -> Vec<(u8, String)> {
        let (to_send, to_receive) = self.totals();
        let received = gone("received", self.received, to_receive);
        let sent = gone("sent", self.arrived(), to_send);
        let (matters, sent_matters) = match (to_send, to_receive) {
            (None, Some(_)) => (9, 2),
            (Some(_), None) => (2, 9),
            _ => (8, 9),
        };
        let mut parts = Vec::new();
        if self.sent > 0 || self.received == 0 || to_send.is_some() {
            parts.push((sent_matters, sent));
        }
        if self.received > 0 || to_receive.is_some() {
            parts.push((matters, received));
        }
        if rate > 0 {
            let (bytes, bits) = rates(rate);
            parts.push((6, bytes));
            parts.push((1, bits));
        }
        let left = self.left(rate);
        parts.extend(left.map(|left| (7, format!("ETA {}", clock(left)))));
        if self.queued() > 0 {
            parts.push((5, format!("{} queued", in_units(self.queued()))));
        }
        if left.is_none() {
            parts.push((3, clock(self.elapsed)));
        }
        parts
    }

    /// How many bytes it will be each way, as far as that is known.
    fn totals(self) -> (Option<u64>, Option<u64>) {
        match self.goal() {
            None => (None, None),
            Some(Goal::Sent(total)) => (Some(total), None),
            Some(Goal::Received(total)) => (None, Some(total)),
        }
    }

    /// How long it still takes at this rate.
    fn left(self, rate: u64) -> Option<Duration> {
        let left = self.length()?.saturating_sub(self.position());
        remaining(self.elapsed, left, rate)
    }
}

/// How many bytes have moved, and of how many.
fn moved(verb: &str, count: u64, total: Option<u64>) -> String {
    let Some(total) = total else {
        return format!("{verb} {}", bytes(count));
    };
    format!(
        "{verb} {} of {}, {} %",
        bytes(count),
        bytes(total),
        percent(count, total)
    )
}

/// The same for a place with little room.
fn gone(verb: &str, count: u64, total: Option<u64>) -> String {
    let Some(total) = total else {
        return format!("{verb} {}", in_units(count));
    };
    format!(
        "{verb} {}/{} {}%",
        in_units(count),
        in_units(total),
        percent(count, total)
    )
}

/// How many hundredths; all of them only when nothing is left.
fn percent(position: u64, total: u64) -> u128 {
    let parts = u128::from(position).saturating_mul(100);
    parts.checked_div(total.into()).unwrap_or(100).min(100)
}

/// A time as a clock shows it: `0:07`, `12:34`, `1:02:03`.
pub(super) fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;

    /// So far after three seconds.
    fn status(sent: u64, acknowledged: Option<u64>, received: u64, total: Total) -> Status {
        Status {
            elapsed: Duration::from_secs(3),
            sent,
            acknowledged,
            received,
            total,
        }
    }

    /// A file of so many bytes.
    fn file(size: u64) -> Total {
        Total {
            input: Some(size),
            said: None,
        }
    }

    #[test]
    fn what_is_queued_has_not_arrived() {
        let all_written = status(10 * MIB, Some(9 * MIB), 0, file(10 * MIB));
        assert_eq!(
            all_written.fitting(100, MIB),
            "sent 9 MiB/10 MiB 90%, 1 MiB/s, 8.4 Mbit/s, ETA 0:01, 1 MiB queued"
        );
        let almost = status(1000 * MIB, Some(1000 * MIB - 1), 0, file(1000 * MIB));
        assert!(almost.fitting(100, MIB).contains(" 99%, "));
        let done = status(10 * MIB, Some(10 * MIB), 0, file(10 * MIB));
        assert!(done.fitting(100, MIB).contains(" 100%, "));
    }

    #[test]
    fn what_matters_least_is_left_out_first() {
        let much = status(1000 * MIB, Some(999 * MIB), 12, file(1023 * MIB));
        let fitting = |columns| much.fitting(columns, 321 * MIB);
        assert_eq!(
            fitting(60),
            "sent 999 MiB/1023 MiB 97%, 321 MiB/s, ETA 0:01, 1 MiB queued"
        );
        assert_eq!(
            fitting(59),
            "sent 999 MiB/1023 MiB 97%, 321 MiB/s, ETA 0:01"
        );
        assert_eq!(fitting(45), "sent 999 MiB/1023 MiB 97%, ETA 0:01");
        assert_eq!(fitting(34), "sent 999 MiB/1023 MiB 97%");
        assert_eq!(fitting(0), "sent 999 MiB/1023 MiB 97%");
    }

    #[test]
    fn without_a_total_there_is_no_percent() {
        let unknown = status(5, None, 2 * MIB, Total::default());
        assert_eq!(unknown.fitting(100, 0), "sent 5 B, received 2 MiB, 0:03");
        assert_eq!(
            unknown.text(1000),
            "sent 5 B, received 2097152 B (2 MiB), 1000 B/s (8 kbit/s), 0:03 elapsed"
        );
        let nothing = status(0, Some(0), 0, Total::default());
        assert_eq!(nothing.fitting(100, 0), "sent 0 B, 0:03");
    }

    #[test]
    fn the_size_that_was_said_is_that_of_the_larger_direction() {
        let said = Total {
            input: Some(7),
            said: Some(4 * MIB),
        };
        let receives = status(7, Some(7), MIB, said);
        assert_eq!(
            receives.fitting(100, 0),
            "sent 7 B, received 1 MiB/4 MiB 25%, 0:03"
        );
        assert_eq!(
            (receives.position(), receives.length()),
            (MIB, Some(4 * MIB))
        );
        let sends = status(MIB, Some(MIB), 7, said);
        assert_eq!((sends.position(), sends.length()), (MIB, Some(4 * MIB)));
    }

    #[test]
    fn more_than_was_expected_is_no_percentage() {
        let grown = status(11, None, 0, file(10));
        assert_eq!(grown.length(), None);
        assert_eq!(grown.fitting(100, 0), "sent 11 B, 0:03");
    }

    #[test]
    fn clocks() {
        let shown = |seconds| clock(Duration::from_secs(seconds));
        assert_eq!(shown(7), "0:07");
        assert_eq!(shown(754), "12:34");
        assert_eq!(shown(3723), "1:02:03");
        assert_eq!(shown(360_000), "100:00:00");
    }
}
