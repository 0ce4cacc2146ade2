//! Hosts that send so many resets a second and no more (FreeBSD: `net.inet.icmp.icmplim`, 200).
//!
//! To us that looks like an overrun path: many closed ports answer only a later try. But open
//! ports have no such limit, so one that is known is asked several times, in the midst of the
//! others: if it answers while resets are missing, it is not the path that loses them.

use super::plan::Place;
use std::collections::HashMap;
use std::time::Duration;

/// The fewest resets that came late for a trial to begin.
const EVIDENCE: f64 = 16.0;
/// The part of the resets that must be late for a trial to begin, and for it to bear a miss.
const SUSPICIOUS: f64 = 0.1;
const LIMITED: f64 = 0.2;
/// How often the open port must answer at least and at most, and how often it is asked at once.
const LEAST: f64 = 10.0;
const MOST: f64 = 64.0;
const BATCH: u32 = 24;
/// How many open ports of a host are asked in turn.
const VARIETY: usize = 8;
/// The chance that is left to the path to have lost nothing by accident.
const DOUBT: f64 = 1e-4;
/// The open port may be silent a quarter as often as closed ones, for losses beside the limit.
const SPARED: f64 = 0.25;
/// How many ports are asked for each reset that there is.
const ASKED: f64 = 1.5;
/// How many other probes are sent between two questions of a trial.
const APART: u32 = 8;

/// What is known of resets, by host.
#[derive(Debug, Default)]
pub(super) struct Rations {
    hosts: HashMap<u32, Host>,
    trial: Option<Trial>,
    is_limited: bool,
}

/// One host.
#[derive(Debug, Default)]
struct Host {
    /// Ports that are open: asked in turn, since the queue of a server may be short.
    open: Vec<u16>,
    /// The highest number of a try that found an open port.
    tries: u8,
    /// Resets that came for the first try, and that did not.
    prompt: f64,
    late: f64,
    judgement: Judgement,
    /// When the next port that waits for a reset is asked.
    turn: Duration,
}

/// What a trial has shown.
#[derive(Debug, Default)]
enum Judgement {
    #[default]
    Pending,
    /// The path loses resets as it loses everything.
    Path,
    /// The host limits them: since when that is known, how many have come since, and the last.
    Limited {
        since: Duration,
        count: u32,
        last: Duration,
    },
}

/// Questions to an open port.
#[derive(Debug)]
struct Trial {
    host: u32,
    asked: u32,
    answered: u32,
    missed: u32,
    pause: u32,
}

impl Rations {
    /// A port is open, as its try of this number found.
    pub(super) fn open(&mut self, place: Place, number: u8) {
        let host = self.hosts.entry(place.host).or_default();
        if host.open.len() < VARIETY && !host.open.contains(&place.port) {
            host.open.push(place.port);
        }
        host.tries = host.tries.max(number);
    }

    /// How often a port of a limited host is tried to see whether it is open: twice more than any
    /// open one needed.
    pub(super) fn tries(&self, host: u32) -> u8 {
        let needed = self.hosts.get(&host).map_or(1, |host| host.tries);
        needed.saturating_add(2)
    }

    /// A reset came, for the first try of its port or `late`: then it shows that so many did not
    /// come in time.
    pub(super) fn reset(&mut self, host: u32, late: Option<f64>, now: Duration) {
        let known = self.hosts.entry(host).or_default();
        match late {
            Some(late) => known.late += late,
            None => known.prompt += 1.0,
        }
        if let Judgement::Limited { count, last, .. } = &mut known.judgement {
            *count = count.saturating_add(1);
            *last = now;
        }
        let is_pending = matches!(known.judgement, Judgement::Pending);
        let is_suspicious = known.late >= EVIDENCE && known.part() > SUSPICIOUS;
        let is_possible = !known.open.is_empty() && self.trial.is_none();
        if is_pending && is_suspicious && is_possible {
            self.trial = Some(Trial {
                host,
                asked: 0,
                answered: 0,
                missed: 0,
                pause: 0,
            });
        }
    }

    /// The open port to ask now, if there is a trial and it is time.
    pub(super) fn ask(&mut self) -> Option<Place> {
        let trial = self.trial.as_mut()?;
        if trial.under_way() >= BATCH || trial.is_over() {
            return None;
        }
        trial.pause = trial.pause.saturating_add(1) % APART;
        if trial.pause > 0 {
            return None;
        }
        let open = &self.hosts.get(&trial.host)?.open;
        let turn = usize::try_from(trial.asked).ok()?.checked_rem(open.len())?;
        let port = *open.get(turn)?;
        trial.asked = trial.asked.saturating_add(1);
        Some(Place {
            host: trial.host,
            port,
        })
    }

    /// A question was not answered for want of something on our side.
    pub(super) const fn cancel(&mut self) {
        if let Some(trial) = &mut self.trial {
            trial.asked = trial.asked.saturating_sub(1);
        }
    }

    /// A question of the trial has its end: an answer, or silence.
    pub(super) fn tell(&mut self, is_answered: bool, now: Duration) {
        let Some(trial) = &mut self.trial else {
            return;
        };
        if is_answered {
            trial.answered = trial.answered.saturating_add(1);
        } else {
            trial.missed = trial.missed.saturating_add(1);
        }
        let Some(host) = self.hosts.get_mut(&trial.host) else {
            return;
        };
        let Some(is_limited) = trial.verdict(host) else {
            return;
        };
        self.trial = None;
        self.is_limited |= is_limited;
        host.judgement = if is_limited {
            Judgement::Limited {
                since: now,
                count: 0,
                last: now,
            }
        } else {
            Judgement::Path
        };
    }

    /// Whether nothing is to be learnt from late resets about the path: that is being tried, or
    /// known.
    pub(super) const fn explains_losses(&self) -> bool {
        self.trial.is_some() || self.is_limited
    }

    /// Whether a trial is going on, which must not be disturbed by slowing down.
    pub(super) const fn is_trying(&self) -> bool {
        self.trial.is_some()
    }

    /// Whether a host limits its resets.
    pub(super) fn is_limited(&self, host: u32) -> bool {
        self.is_limited
            && self
                .hosts
                .get(&host)
                .is_some_and(|host| matches!(host.judgement, Judgement::Limited { .. }))
    }

    /// The hosts that limit their resets, and to about how many a second.
    pub(super) fn limited(&self) -> impl Iterator<Item = (u32, f64)> {
        let hosts = self.hosts.iter();
        hosts.filter_map(|(number, host)| Some((*number, host.rate(0.0)?)))
    }

    /// When to ask a port of this host that waits for one of its resets: now, or if they are
    /// limited, after all that wait already.
    pub(super) fn turn(&mut self, host: u32, now: Duration) -> Duration {
        let known = self.hosts.get_mut(&host).filter(|_| self.is_limited);
        let Some((rate, host)) = known.and_then(|host| Some((host.rate(EVIDENCE)?, host))) else {
            return now;
        };
        let turn = host.turn.max(now);
        host.turn = turn.saturating_add(Duration::from_secs_f64(1.0 / (rate * ASKED).max(1.0)));
        turn
    }
}

impl Trial {
    /// How many questions have no end yet.
    const fn under_way(&self) -> u32 {
        self.asked
            .saturating_sub(self.answered)
            .saturating_sub(self.missed)
    }

    /// Whether enough was asked.
    fn is_over(&self) -> bool {
        f64::from(self.asked) >= MOST * 2.0
    }

    /// Whether the host limits its resets, once that is clear.
    fn verdict(&self, host: &Host) -> Option<bool> {
        let part = host.part();
        let needed = host.questions();
        // Where little is missing, a miss may be part of it.
        let spared = if part < LIMITED { 0.0 } else { part * SPARED };
        let (asked, missed) = (f64::from(self.asked), f64::from(self.missed));
        if missed > spared * asked.max(needed) {
            return Some(false);
        }
        let is_enough = f64::from(self.answered) >= needed;
        let is_clear = asked - f64::from(self.answered) <= spared * asked;
        if is_enough && is_clear {
            return Some(true);
        }
        (self.is_over() && self.under_way() == 0).then_some(false)
    }
}

impl Host {
    /// The part of the resets that were late.
    fn part(&self) -> f64 {
        self.late / (self.late + self.prompt).max(1.0)
    }

    /// To about how many a second its resets are limited, if they are and so many have come since.
    fn rate(&self, least: f64) -> Option<f64> {
        match &self.judgement {
            Judgement::Limited { since, count, last } if f64::from(*count) >= least => {
                let time = last.saturating_sub(*since).as_secs_f64().max(0.1);
                Some(f64::from(*count) / time)
            }
            _ => None,
        }
    }

    /// How many answers without a miss no path gives that loses as much as resets are lost.
    fn questions(&self) -> f64 {
        let spared = (1.0 - self.part()).clamp(0.01, 0.99);
        (DOUBT.ln() / spared.ln()).clamp(LEAST, MOST)
    }
}

#[cfg(test)]
mod tests {
    use super::{APART, BATCH, Rations};
    use crate::probe::plan::Place;
    use std::time::Duration;

    const HTTP: Place = Place { host: 7, port: 80 };

    const fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    /// Resets of which half are late, from a host with an open port.
    fn half_late() -> Rations {
        let mut rations = Rations::default();
        rations.open(HTTP, 1);
        for _ in 0..100 {
            rations.reset(7, None, ms(1));
            rations.reset(7, Some(1.0), ms(1));
        }
        rations
    }

    /// Asks until the trial ends, each `miss`th question in vain.
    fn try_out(rations: &mut Rations, miss: u32) {
        let mut asked = 0_u32;
        for _ in 0..1000 {
            if let Some(place) = rations.ask() {
                assert_eq!(place, HTTP);
                asked += 1;
                rations.tell(!asked.is_multiple_of(miss), ms(2));
            }
        }
        assert!(asked <= 5 * BATCH, "{asked}");
        assert!(!rations.is_trying());
    }

    #[test]
    fn an_open_port_that_always_answers_shows_a_limit() {
        let mut rations = half_late();
        assert!(rations.explains_losses());
        try_out(&mut rations, u32::MAX);
        assert!(rations.is_limited(7) && !rations.is_limited(8));
        for n in 0..400 {
            rations.reset(7, None, ms(2 + n * 5));
        }
        let told: Vec<(u32, f64)> = rations.limited().collect();
        assert!(told[0].0 == 7 && (190.0..210.0).contains(&told[0].1));
        assert_eq!(told.len(), 1);
    }

    #[test]
    fn an_open_port_that_is_lost_too_accuses_the_path() {
        let mut rations = half_late();
        try_out(&mut rations, 3);
        assert!(!rations.is_limited(7) && !rations.explains_losses());
        rations.reset(7, Some(50.0), ms(3));
        assert!(rations.ask().is_none(), "one trial is enough");
    }

    #[test]
    fn without_an_open_port_there_is_no_trial() {
        let mut rations = Rations::default();
        for _ in 0..100 {
            rations.reset(7, Some(1.0), ms(1));
        }
        assert!(!rations.explains_losses());
    }

    #[test]
    fn open_ports_are_asked_in_turn() {
        let mut rations = half_late();
        let ssh = Place { host: 7, port: 22 };
        rations.open(ssh, 1);
        let asked: Vec<_> = (0..APART * 4).filter_map(|_| rations.ask()).collect();
        assert_eq!(asked, [HTTP, ssh, HTTP, ssh]);
    }

    #[test]
    fn questions_stand_among_the_others() {
        let mut rations = half_late();
        let asked = (0..APART * 4).filter(|_| rations.ask().is_some());
        assert_eq!(asked.count(), 4);
        rations.cancel();
        assert!(rations.is_trying());
    }
}
