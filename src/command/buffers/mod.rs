//! `nettool buffers`.

mod advise;
mod fill;
mod list;
mod watch;

use nettool::buffers::{measure, shortfall};

use super::{Failure, Status};
use crate::cli::{BuffersAction, BuffersArgs};
use crate::output::{BufferTable, Output};

/// Shows the sizes, or what else was asked for.
pub(super) fn run(
    arguments: &BuffersArgs,
    numeric: bool,
    output: &Output,
) -> Result<Status, Failure> {
    match arguments.action()? {
        None => sizes(arguments, output),
        Some(BuffersAction::Fill(arguments)) => fill::run(arguments, numeric, output),
        Some(BuffersAction::List(arguments)) => list::run(arguments, numeric, output),
        Some(BuffersAction::Advise(arguments)) => advise::run(arguments, numeric, output),
        Some(BuffersAction::Watch(arguments)) => watch::run(arguments, output),
    }
}

/// Shows the sizes, or what comes of asking for one.
fn sizes(arguments: &BuffersArgs, output: &Output) -> Result<Status, Failure> {
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
