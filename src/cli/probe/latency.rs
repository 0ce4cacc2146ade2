//! How long connections take.

use std::num::NonZero;
use std::time;

use clap::Args;

use super::waiting::OF_A_SCAN;
use super::{ProbeArgs, number};
use crate::cli::interval;

/// The most that one try may take, unless the user says so: the kernel sends a lost SYN again after
/// one and two seconds, and such an answer is still counted.
const TRY_TIMEOUT: time::Duration = time::Duration::from_secs(3);

/// The time from one try to the next, unless the user says otherwise.
const EVERY: time::Duration = time::Duration::from_secs(1);

/// Latency.
#[derive(Args, Debug)]
#[command(next_help_heading = "Latency")]
pub(super) struct LatencyArgs {
    /// Connect so many times, and tell how long it takes
    ///
    /// Over UDP: ask
    #[arg(long, value_name = "N", conflicts_with_all = OF_A_SCAN)]
    #[arg(value_parser = |text: &str| number::<NonZero<u64>>(text, 1, u64::MAX))]
    #[arg(conflicts_with_all = ["wait", "seed"])]
    count: Option<NonZero<u64>>,
    /// The time from one try to the next [default: 1s]
    #[arg(long, value_name = "TIME", value_parser = interval, requires = "count")]
    every: Option<time::Duration>,
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
    pub(crate) fn latency(&self) -> Option<LatencyWish> {
        Some(LatencyWish {
            count: self.latency.count?.get(),
            every: self.latency.every.unwrap_or(EVERY),
            try_timeout: self.limits().try_timeout.unwrap_or(TRY_TIMEOUT),
        })
    }
}
