//! What holds it up.

use std::time::Instant;

use super::Exchange;

/// What holds it up, looked at once in a turn: whoever writes makes room meanwhile, and time passes.
/// What is not waited for after one look at it would be waited for nowhere after another one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    /// stdout takes more.
    pub(super) room: bool,
    /// More can be written down, or nothing is.
    pub(super) dump_room: bool,
    /// When what is to be sent has its turn, if that is still to come.
    pub(super) opens: Option<Instant>,
}

impl Held {
    /// Whether our own reader takes nothing.
    pub(super) fn is_stalled(&self) -> bool {
        !self.room || !self.dump_room
    }
}

impl Exchange<'_> {
    /// What holds it up now.
    pub(super) fn held(&self) -> Held {
        let opens = self.gate.opens(Instant::now());
        Held {
            room: self.drain.has_room(),
            dump_room: self.has_dump_room(),
            opens: opens.filter(|_| !self.letters.is_empty()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::{Audience, DatagramRules, Datagrams, Drain, Over};
    use super::*;
    use crate::relay::{Input, Limits, Meter, Shaping, Side, Sink};

    /// Somebody who writes makes room at any moment: what was seen before counts to the turn's end.
    #[test]
    fn what_was_seen_counts_whatever_is_true_since() {
        let rules = DatagramRules {
            side: Side::Listen,
            quit_after: Some(Duration::ZERO),
            send_only: false,
            recv_only: true,
            most: None,
            audience: Audience::Last,
        };
        let datagrams = Datagrams {
            sockets: Vec::new(),
            input: &mut Input::stdin(),
            sink: Sink::Nothing,
            shaping: Shaping::default(),
            rules,
            limits: Limits::default(),
            meter: &Meter::default(),
            observer: &(),
        };
        let mut exchange = Exchange::new(datagrams, Drain::Nothing);
        exchange.last_heard = Some(exchange.started);
        let held = exchange.held();
        assert!(matches!(exchange.over(&held), Some(Over::Quiet)));
        let [mut no_room, mut no_dump_room] = [held; 2];
        (no_room.room, no_dump_room.dump_room) = (false, false);
        for held in [no_room, no_dump_room] {
            assert!(exchange.over(&held).is_none(), "{held:?}");
            assert_eq!(exchange.quiet_moment(&held), None, "{held:?}");
        }
    }
}
