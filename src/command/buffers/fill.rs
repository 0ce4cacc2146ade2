//! `nettool buffers fill`.

use std::time::{Duration, Instant};

use nettool::buffers::{Fill, Filling, Transport, fill_datagrams};

use crate::cli::FillArgs;
use crate::command::talk::{addresses, check_numeric};
use crate::command::{Failure, Status};
use crate::output::{Drained, Filled, Output};

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How many steps a full pair is read in.
const STEPS: u64 = 16;

/// Fills, and shows where the bytes are.
pub(super) fn run(arguments: &FillArgs, numeric: bool, output: &Output) -> Result<Status, Failure> {
    arguments.check()?;
    let sizes = arguments.sizes()?;
    let (transport, family) = (arguments.transport(), arguments.family());
    if transport == Transport::Udp {
        output.report(&fill_datagrams(family, sizes)?)?;
        return Ok(Status::Done);
    }
    let mut filling = match arguments.peer()? {
        None => Filling::pair(transport, family, sizes)?,
        Some((host, port)) => {
            check_numeric(&host, numeric)?;
            let target = format!("{}:{port}", host.bracketed());
            let addresses = addresses(&host, port, family)?;
            Filling::connect(&target, &addresses, sizes, CONNECT_TIMEOUT)?
        }
    };
    let fill = filling.fill(arguments.limit())?;
    output.report(&Filled(fill))?;
    match arguments.is_own() {
        _ if !arguments.drain => {}
        true => drain(&mut filling, &fill, output)?,
        false => leave(&mut filling, arguments.limit(), output)?,
    }
    Ok(Status::Done)
}

/// Shows how the bytes leave while another program reads.
fn leave(filling: &mut Filling, limit: Option<Duration>, output: &Output) -> Result<(), Failure> {
    let end = limit.and_then(|limit| Instant::now().checked_add(limit));
    while let Some(fill) = filling.leave(end)? {
        output.report(&Drained(fill))?;
    }
    Ok(())
}

/// Reads at the peer's end, and shows after each step where the bytes are.
fn drain(filling: &mut Filling, full: &Fill, output: &Output) -> Result<(), Failure> {
    let step = full.accepted.div_ceil(STEPS).max(1);
    while let Some(fill) = filling.drain(step)? {
        output.report(&Drained(fill))?;
    }
    Ok(())
}
