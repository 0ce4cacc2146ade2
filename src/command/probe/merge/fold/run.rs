//! One run: the ports that it lists against those that its summary counts.

use std::collections::BTreeMap;

use nettool::probe::State;

use super::Key;
use crate::command::probe::merge::line::SummaryLine;

/// The run that is being read.
#[derive(Debug, Default)]
pub(super) struct Run {
    told: BTreeMap<Key, State>,
}

/// What a run comes to.
#[derive(Debug, Default)]
pub(super) struct Reckoning {
    /// The ports that it lists.
    pub(super) keys: Vec<Key>,
    /// How many ports of each state it counts, and was not asked to list.
    pub(super) unlisted: Vec<(State, u64)>,
    /// How many ports it counts and should list, and does not.
    pub(super) missing: u64,
    /// How many ports it lists and does not count.
    pub(super) surplus: u64,
}

impl Run {
    /// It lists a port, perhaps once more.
    pub(super) fn tell(&mut self, key: Key, state: State) {
        self.told.insert(key, state);
    }

    /// Whether it lists nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    /// Compares what it lists with what its summary says. Ports that are undetermined may be so for
    /// not having been begun: they need not be listed.
    pub(super) fn end(self, summary: &SummaryLine) -> Reckoning {
        let figures = summary.figures();
        let mut reckoning = Reckoning::default();
        for state in State::ALL {
            let listed = self.told.values().filter(|told| **told == state).count() as u64;
            let counted = figures.of(state);
            let surplus = listed.saturating_sub(counted);
            reckoning.surplus = reckoning.surplus.saturating_add(surplus);
            match counted.saturating_sub(listed) {
                0 => {}
                _ if state == State::Undetermined => {}
                rest if summary.lists(state) => {
                    reckoning.missing = reckoning.missing.saturating_add(rest);
                }
                rest => reckoning.unlisted.push((state, rest)),
            }
        }
        reckoning.keys = self.told.into_keys().collect();
        reckoning
    }
}
