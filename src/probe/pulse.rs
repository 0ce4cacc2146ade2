//! Whether the path still carries answers while most ports are silent.
//!
//! Silence says nothing of itself: ports are filtered, or the path is overrun. A port that has
//! answered before can tell the two apart, so it is asked again now and then.

use super::plan::Place;

/// After how much more silence than answers the port is asked again.
const PATIENCE: u32 = 128;
/// After how many misses in a row it counts as overrun: a single one may be chance.
const OVERRUN: u32 = 2;

/// The port that is asked again.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    place: Option<Place>,
    is_open: bool,
    is_asked: bool,
    /// How much more silence there was than answers since it was asked.
    silence: u32,
    misses: u32,
}

impl Pulse {
    /// The port to ask now, if it is time.
    pub(super) fn ask(&mut self) -> Option<Place> {
        if self.is_asked || self.silence < PATIENCE {
            return None;
        }
        let place = self.place?;
        self.is_asked = true;
        self.silence = 0;
        Some(place)
    }

    /// It was asked in vain: our own system could not.
    pub(super) const fn cancel(&mut self) {
        self.is_asked = false;
    }

    /// It answered.
    pub(super) const fn beat(&mut self) {
        self.is_asked = false;
        self.misses = 0;
    }

    /// It did not answer. Returns whether that can no longer be chance.
    pub(super) const fn miss(&mut self) -> bool {
        self.is_asked = false;
        self.misses = self.misses.saturating_add(1);
        self.misses >= OVERRUN
    }

    /// Some port was silent.
    pub(super) const fn silent(&mut self) {
        self.silence = self.silence.saturating_add(1);
    }

    /// Some port answered. An open one is the best to ask again, since answers of closed ports may
    /// be rationed; one that has answered lately is better than one that has not.
    pub(super) const fn answered(&mut self, place: Place, is_open: bool) {
        self.silence = self.silence.saturating_sub(1);
        let is_better = is_open && !self.is_open;
        if self.place.is_none() || is_better || self.misses >= OVERRUN && is_open == self.is_open {
            self.place = Some(place);
            self.is_open = is_open;
            self.misses = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{OVERRUN, PATIENCE, Place, Pulse};

    const fn place(port: u16) -> Place {
        Place { host: 0, port }
    }

    /// A pulse that port 80 has answered, and then nobody.
    fn in_silence(is_open: bool) -> Pulse {
        let mut pulse = Pulse::default();
        pulse.answered(place(80), is_open);
        (0..PATIENCE).for_each(|_| pulse.silent());
        pulse
    }

    #[test]
    fn a_port_is_asked_after_much_silence_and_once_at_a_time() {
        let mut pulse = in_silence(false);
        assert_eq!(pulse.ask(), Some(place(80)));
        (0..PATIENCE).for_each(|_| pulse.silent());
        assert_eq!(pulse.ask(), None);
        pulse.beat();
        assert_eq!(pulse.ask(), Some(place(80)));
        assert_eq!(Pulse::default().ask(), None, "nobody has answered");
    }

    #[test]
    fn an_open_port_is_preferred() {
        let mut pulse = in_silence(false);
        pulse.answered(place(443), true);
        pulse.answered(place(444), false);
        (0..PATIENCE).for_each(|_| pulse.silent());
        assert_eq!(pulse.ask(), Some(place(443)));
    }

    #[test]
    fn one_miss_is_chance_and_keeps_the_port() {
        let mut pulse = in_silence(true);
        assert!(!pulse.miss());
        assert_eq!(pulse.ask(), Some(place(80)));
        assert!((1..OVERRUN).any(|_| pulse.miss()));
        (0..PATIENCE).for_each(|_| pulse.silent());
        assert_eq!(pulse.ask(), Some(place(80)), "there is no other");
        pulse.answered(place(22), true);
        pulse.cancel();
        (0..PATIENCE).for_each(|_| pulse.silent());
        assert_eq!(pulse.ask(), Some(place(22)));
    }
}
