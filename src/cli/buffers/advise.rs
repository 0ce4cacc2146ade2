//! `nettool buffers advise`.

use std::time;

use clap::Args;
use nettool::value::{Duration, Host, Rate, parse_host_port};

use crate::cli::place::check_reachable;
use crate::cli::{Usage, value};

/// Say how large TCP's buffers must be to fill a path, and whether they may become so large.
///
/// What is on the way when a path is full is its bandwidth times its round-trip time. Both ends
/// must hold so much; if this machine does not let them, the settings that would are shown. Nothing
/// is changed.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct AdviseArgs {
    /// Bytes a second that the path carries: 12500kB is 100 Mbit/s
    #[arg(long, value_name = "RATE", value_parser = value::<Rate>)]
    bandwidth: Rate,
    /// The time there and back
    #[arg(
        long,
        value_name = "TIME",
        value_parser = round_trip,
        required_unless_present = "to",
        conflicts_with = "to"
    )]
    rtt: Option<time::Duration>,
    /// Measure that time on a connection to this peer
    #[arg(long, value_name = "HOST:PORT")]
    to: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  nettool buffers advise --bandwidth 12500kB --rtt 50ms  100 Mbit/s, 50 ms away
  nettool buffers advise --bandwidth 125MB --to host:22  1 Gbit/s to this host";

/// How long the way there and back is.
#[derive(Debug)]
pub(crate) enum RoundTrip {
    /// This long.
    Known(time::Duration),
    /// As long as a connection to this peer says.
    To(Host, u16),
}

impl AdviseArgs {
    /// Bytes a second.
    pub(crate) fn bandwidth(&self) -> u64 {
        self.bandwidth.bytes_per_second().get()
    }

    /// What is wrong with a path that is larger than any number we have.
    pub(crate) fn uncountable(&self, round_trip: time::Duration) -> Usage {
        let (rate, time) = (self.bandwidth, Duration::new(round_trip));
        Usage::new(format!(
            "a path of {rate} and {time} holds more than 8 EiB; write a smaller --bandwidth"
        ))
    }

    /// How long the way there and back is.
    pub(crate) fn round_trip(&self) -> Result<RoundTrip, Usage> {
        if let Some(peer) = &self.to {
            let (host, port) = parse_host_port(peer)?;
            check_reachable(port)?;
            return Ok(RoundTrip::To(host, port));
        }
        // clap wants one of the two.
        Ok(RoundTrip::Known(self.rtt.unwrap_or_default()))
    }
}

/// Reads the time there and back, which is some and has an end.
fn round_trip(text: &str) -> Result<time::Duration, String> {
    let time = value::<Duration>(text)?.limit();
    time.filter(|time| !time.is_zero())
        .ok_or_else(|| "no time there and back; write a time such as 50ms".to_owned())
}
