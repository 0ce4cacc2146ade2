//! How long connections take.

use std::num::NonZero;
use std::time;

use clap::Args;
use nettool::value::Duration;

use super::waiting::OF_A_SCAN;
use super::{ProbeArgs, Usage, number, value};
use crate::cli::interval;

/// The most that one try may take, unless the user says so: the kernel sends a lost SYN again after
/// one and two seconds, and such an answer is still counted.
const TRY_TIMEOUT: time::Duration = time::Duration::from_secs(3);

/// Latency.
#[derive(Args, Debug)]
#[command(next_help_heading = "Latency")]
pub(super) struct LatencyArgs {
    /// Connect, or ask over UDP, so many times and tell how long it takes
    #[arg(long, value_name = "N", conflicts_with_all = OF_A_SCAN)]
    #[arg(value_parser = |text: &str| number::<NonZero<u64>>(text, 1, u64::MAX))]
    #[arg(conflicts_with_all = ["wait", "seed"])]
    count: Option<NonZero<u64>>,
    /// The time from one try to the next [default: 1s]
    #[arg(long, value_name = "TIME", value_parser = value::<Duration>, requires = "count")]
    every: Option<Duration>,
}

/// A series of tries, as far as the command line says it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LatencyWish {
    /// How many.
    pub(crate) count: u64,
    /// How often.
    pub(crate) every: time::Duration,
    /// The most that one may take.
    pub(crate) try_timeout: time::Duration,
}

impl ProbeArgs {
    /// The series that was asked for, if one was.
    pub(crate) fn latency(&self) -> Result<Option<LatencyWish>, Usage> {
        let Some(count) = self.latency.count else {
            return Ok(None);
        };
        let every = self.latency.every;
        let second = Duration::new(time::Duration::from_secs(1));
        Ok(Some(LatencyWish {
            count: count.get(),
            every: interval(every.unwrap_or(second))?,
            try_timeout: self.limits().try_timeout.unwrap_or(TRY_TIMEOUT),
        }))
    }
}
