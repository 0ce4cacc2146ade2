//! How hard `nettool probe` tries, and where from.

use std::net::IpAddr;
use std::num::NonZero;

use clap::Args;
use nettool::probe::Limits;
use nettool::value::Duration;

use super::{number, value};
use crate::cli::limit;

/// How long and how often.
#[derive(Args, Debug)]
#[command(next_help_heading = "Effort")]
pub(super) struct EffortArgs {
    /// The most that one try may take [default: what the round-trip times teach]
    #[arg(long, value_name = "TIME", value_parser = limit)]
    try_timeout: Option<Duration>,
    /// How often a silent port is tried [default: as the losses on the path demand]
    #[arg(long, value_name = "N", value_parser = tries)]
    tries: Option<u8>,
    /// The most probes a second
    ///
    /// [default: as fast as the path and this machine bear]
    #[arg(long, value_name = "N")]
    #[arg(value_parser = |text: &str| number::<NonZero<u32>>(text, 1, u32::MAX))]
    rate: Option<NonZero<u32>>,
    /// The most connections under way at once [default: as the answers and open files allow]
    #[arg(long, value_name = "N")]
    #[arg(value_parser = |text: &str| number::<NonZero<usize>>(text, 1, usize::MAX))]
    concurrency: Option<NonZero<usize>>,
    /// How long to ask hosts that limit their ICMP about silent UDP ports, at their own pace
    /// [default: 30s]
    #[arg(long, value_name = "TIME", value_parser = value::<Duration>)]
    patience: Option<Duration>,
    /// The most that everything may take; what is not known then is undetermined: exit status 3
    #[arg(long, value_name = "TIME", value_parser = limit)]
    deadline: Option<Duration>,
    /// Do not slow down for a host that limits its resets: its closed ports may stay filtered
    #[arg(long)]
    fast: bool,
    /// The same number gives the same order of ports [default: another order each time]
    #[arg(long, value_name = "N")]
    #[arg(value_parser = |text: &str| number::<u64>(text, 0, u64::MAX))]
    pub(super) seed: Option<u64>,
}

/// Where connections come from.
#[derive(Args, Debug)]
#[command(next_help_heading = "Source")]
pub(super) struct SourceArgs {
    /// Probe from this address of ours, and only addresses of its family
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub(super) source: Option<IpAddr>,
    /// Probe by this interface alone
    #[arg(long, value_name = "NAME")]
    pub(super) interface: Option<String>,
}

impl EffortArgs {
    /// What the user has set of the effort.
    pub(super) fn limits(&self) -> Limits {
        Limits {
            try_timeout: self.try_timeout.and_then(Duration::limit),
            tries: self.tries,
            rate: self.rate,
            concurrency: self.concurrency,
            patience: self
                .patience
                .map(|time| time.limit().unwrap_or(std::time::Duration::MAX)),
            deadline: self.deadline.and_then(Duration::limit),
            fast: self.fast,
        }
    }
}

/// Reads an address of this machine.
fn address(text: &str) -> Result<IpAddr, String> {
    let wrong = |_| "not an address; write an IPv4 or IPv6 address of this machine".to_owned();
    text.parse().map_err(wrong)
}

/// Reads how often a port is tried.
fn tries(text: &str) -> Result<u8, String> {
    number(text, 1, u8::MAX).map(NonZero::get)
}
