//! How often something is tried again, and how soon.

use std::time::Duration;

/// What a delay grows to at most by itself.
const LONGEST: Duration = Duration::from_secs(30);

/// The tries that are left; each is waited for twice as long as the one before, up to 30 seconds
/// or the first delay if that is longer.
#[derive(Clone, Copy, Debug)]
pub struct Retries {
    left: u32,
    delay: Duration,
    longest: Duration,
}

impl Retries {
    /// This many, the first after this delay.
    #[must_use]
    pub fn new(count: u32, delay: Duration) -> Self {
        Self {
            left: count,
            delay,
            longest: delay.max(LONGEST),
        }
    }

    /// How many are left.
    #[must_use]
    pub fn left(&self) -> u32 {
        self.left
    }

    /// Takes one: how long to wait for it, if any is left.
    pub fn take(&mut self) -> Option<Duration> {
        self.left = self.left.checked_sub(1)?;
        let delay = self.delay;
        self.delay = delay.saturating_mul(2).min(self.longest);
        Some(delay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_a_cap() {
        let seconds = |count, delay| {
            let mut retries = Retries::new(count, Duration::from_secs(delay));
            std::iter::from_fn(move || retries.take().map(|delay| delay.as_secs()))
                .collect::<Vec<_>>()
        };
        assert_eq!(seconds(7, 1), [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(seconds(3, 60), [60, 60, 60]);
        assert_eq!(seconds(2, 0), [0, 0]);
        assert!(seconds(0, 1).is_empty());
    }
}
