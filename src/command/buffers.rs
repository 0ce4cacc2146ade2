//! `nettool buffers`.

use nettool::buffers::{measure, shortfall};

use super::{Failure, Status};
use crate::cli::BuffersArgs;
use crate::output::{BufferTable, Output};

/// Shows the sizes, or what comes of asking for one.
pub(super) fn run(arguments: &BuffersArgs, output: &Output) -> Result<Status, Failure> {
    let buffers = measure(arguments.request()?)?;
    for reason in &buffers.unknown {
        output.detail(1, &reason.to_string());
    }
    output.report(&BufferTable(&buffers.sizes))?;
    match shortfall(&buffers.sizes) {
        Some(error) if arguments.is_required() => Err(error.into()),
        _ => Ok(Status::Done),
    }
}
