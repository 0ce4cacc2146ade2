//! How long an answer may take.

use std::time::Duration;

/// What no timeout goes below: a sleeping peer, a busy scheduler and a Wi-Fi retransmission all
/// take tens of milliseconds without anything being lost.
const FLOOR: Duration = Duration::from_millis(100);
/// What no learnt timeout goes above.
const CEILING: Duration = Duration::from_secs(3);

/// A smoothed round-trip time and its variation, in the form of RFC 6298, section 2.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rtt {
    known: Option<Estimate>,
}

/// SRTT and RTTVAR.
#[derive(Clone, Copy, Debug)]
struct Estimate {
    smoothed: Duration,
    variation: Duration,
}

impl Rtt {
    /// Learns from one answer whose question is known beyond doubt (Karn's rule is the caller's).
    pub(super) fn learn(&mut self, rtt: Duration) {
        let Some(old) = self.known else {
            let variation = rtt / 2;
            self.known = Some(Estimate {
                smoothed: rtt,
                variation,
            });
            return;
        };
        let error = old.smoothed.abs_diff(rtt);
        self.known = Some(Estimate {
            smoothed: eased(old.smoothed, rtt, 8),
            variation: eased(old.variation, error, 4),
        });
    }

    /// The smoothed round-trip time, once there is one.
    pub(super) fn smoothed(&self) -> Option<Duration> {
        self.known.map(|estimate| estimate.smoothed)
    }

    /// After how long a try counts as silent, once there is an estimate.
    ///
    /// Thousands of samples a round-trip make RTTVAR follow the last few, so half of SRTT is the
    /// least that is added.
    pub(super) fn timeout(&self) -> Option<Duration> {
        let Estimate {
            smoothed,
            variation,
        } = self.known?;
        let margin = variation.saturating_mul(4).max(smoothed / 2);
        Some(smoothed.saturating_add(margin).clamp(FLOOR, CEILING))
    }
}

/// `old` moved towards `new` by one part in `parts`.
fn eased(old: Duration, new: Duration, parts: u32) -> Duration {
    if new >= old {
        old.saturating_add(new.saturating_sub(old) / parts)
    } else {
        old.saturating_sub(old.saturating_sub(new) / parts)
    }
}

#[cfg(test)]
mod tests {
    use super::{FLOOR, Rtt};
    use std::time::Duration;

    const fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn the_first_answer_gives_three_times_itself() {
        let mut rtt = Rtt::default();
        assert_eq!(rtt.timeout(), None);
        rtt.learn(ms(200));
        assert_eq!(
            (rtt.smoothed(), rtt.timeout()),
            (Some(ms(200)), Some(ms(600)))
        );
    }

    #[test]
    fn a_steady_path_tightens_the_timeout_but_not_below_half_again() {
        let mut rtt = Rtt::default();
        for _ in 0..100 {
            rtt.learn(ms(300));
        }
        assert_eq!(rtt.timeout(), Some(ms(450)));
    }

    #[test]
    fn a_near_host_gets_the_floor() {
        let mut rtt = Rtt::default();
        rtt.learn(Duration::from_micros(40));
        assert_eq!(rtt.timeout(), Some(FLOOR));
    }

    #[test]
    fn a_jump_widens_the_timeout_at_once() {
        let mut rtt = Rtt::default();
        for _ in 0..50 {
            rtt.learn(ms(20));
        }
        rtt.learn(ms(500));
        assert!(rtt.timeout() > Some(ms(500)), "{rtt:?}");
    }
}
