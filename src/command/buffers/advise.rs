//! `nettool buffers advise`.

use std::time::Duration;

use nettool::buffers::{advise, round_trip};
use nettool::net::Family;

use crate::cli::{AdviseArgs, RoundTrip};
use crate::command::talk::{addresses, check_numeric};
use crate::command::{Failure, Status};
use crate::output::Output;

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Says what a path needs.
pub(super) fn run(
    arguments: &AdviseArgs,
    numeric: bool,
    output: &Output,
) -> Result<Status, Failure> {
    let rtt = match arguments.round_trip()? {
        RoundTrip::Known(rtt) => rtt,
        RoundTrip::To(host, port) => {
            check_numeric(&host, numeric)?;
            let target = format!("{}:{port}", host.bracketed());
            let addresses = addresses(&host, port, Family::Any)?;
            round_trip(&target, &addresses, CONNECT_TIMEOUT)?
        }
    };
    let advice = advise(arguments.bandwidth(), rtt).ok_or_else(|| arguments.uncountable(rtt))?;
    for reason in &advice.unknown {
        output.detail(1, &reason.to_string());
    }
    output.report(&advice)?;
    Ok(Status::Done)
}
