//! What `connect` and `listen` do alike.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use nettool::error::{Action, Error};
use nettool::net::{Family, resolve};
use nettool::process;
use nettool::relay::{Dump, End, Input, Meter, Path as Way, Sink, Transfer, Transform};
use nettool::value::Host;
use tokio::runtime::Runtime;

use super::signals::Endings;
use super::{Failure, Status, runtime, tell as tell_failure};
use crate::cli::{DataArgs, Usage};
use crate::output::{Output, Progress, Total};

/// How long whoever reads stderr has when a signal has ended us, and how often is looked.
const LAST_READING: Duration = Duration::from_secs(2);
const READING_LOOK: Duration = Duration::from_millis(10);

/// How long writing may take when a signal has ended us.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// Runs a conversation to its end on this thread. Threads that still read or resolve do not hold
/// the exit.
pub(super) fn block_on<F>(
    output: &Output,
    session: impl FnOnce(Endings) -> F,
) -> Result<Status, Failure>
where
    F: Future<Output = Result<Status, Failure>>,
{
    block_with(runtime::on_this_thread(), output, session)
}

/// Likewise on as many threads as there are processors.
pub(super) fn block_on_threads<F>(
    output: &Output,
    session: impl FnOnce(Endings) -> F,
) -> Result<Status, Failure>
where
    F: Future<Output = Result<Status, Failure>>,
{
    block_with(runtime::on_threads(), output, session)
}

/// Runs a conversation on this runtime.
fn block_with<F>(
    runtime: io::Result<Runtime>,
    output: &Output,
    session: impl FnOnce(Endings) -> F,
) -> Result<Status, Failure>
where
    F: Future<Output = Result<Status, Failure>>,
{
    let failed = |error: io::Error| Error::new(Action::Inspect, "the event queue", error);
    let runtime = runtime.map_err(failed)?;
    let status = runtime.block_on(async {
        let late = Endings::watch();
        let result = session(Endings::watch()).await;
        let status =
            result.unwrap_or_else(|failure| tell_failure(&failure, output, Status::Failed));
        see_off(status, output, late).await
    });
    runtime.shutdown_background();
    Ok(status)
}

/// Waits for whoever reads stderr, as a write would, but not long when a signal has ended us, and not
/// any more from the next one on.
async fn see_off(status: Status, output: &Output, mut late: Endings) -> Status {
    if output.is_read() {
        return status;
    }
    let is_signalled = matches!(status, Status::Signal(_));
    if is_signalled {
        // That one is known.
        let _ = tokio::time::timeout(Duration::ZERO, late.next()).await;
    }
    let reading = async {
        while !output.is_read() {
            tokio::time::sleep(READING_LOOK).await;
        }
    };
    let status = tokio::select! {
        () = reading => return status,
        () = late.next() => stopped(&late.came()),
        () = tokio::time::sleep(LAST_READING), if is_signalled => status,
    };
    output.hurry();
    status
}

/// The addresses of a host, for a command that has no conversation. A signal ends it at once.
pub(super) fn addresses(host: &Host, port: u16, family: Family) -> Result<Vec<SocketAddr>, Error> {
    let failed = |error: io::Error| Error::new(Action::Inspect, "the event queue", error);
    let runtime = runtime::on_this_thread().map_err(failed)?;
    let result = runtime.block_on(resolve(host, port, family));
    runtime.shutdown_background();
    result
}

/// Waits until everything is written down; if it cannot be, that is what became of a conversation
/// that was well otherwise. A signal that ended it leaves no more than a moment.
pub(super) async fn finish_dump<S>(
    dump: Option<&Dump>,
    mut transfer: Transfer,
    stop: Pin<&mut S>,
) -> Transfer
where
    S: Future<Output = ()>,
{
    let Some(dump) = dump else {
        return transfer;
    };
    let is_signalled = transfer.end == End::Signal;
    let finished = tokio::select! {
        finished = dump.finish() => finished,
        () = stop, if !is_signalled => {
            transfer.end = End::Signal;
            Ok(())
        }
        () = tokio::time::sleep(LAST_WORDS), if is_signalled => Ok(()),
    };
    if let (Err(error), None) = (finished, &transfer.error) {
        transfer.error = Some(error);
    }
    transfer
}

/// A terminal that goes away is told of twice, by an error (EIO) and by SIGHUP, in any order: the
/// signal is what ends us.
pub(super) async fn hear_of_hangup<S>(
    transfer: &Transfer,
    came: &Cell<Option<i32>>,
    stop: Pin<&mut S>,
) where
    S: Future<Output = ()>,
{
    let is_gone = transfer.error.as_ref().and_then(Error::errno) == Some(libc::EIO);
    if is_gone && came.get().is_none() {
        let _ = tokio::time::timeout(LAST_WORDS, stop).await;
    }
}

/// Tells of a conversation; where stdin or stdout failed, by the name of the file in its place.
pub(super) fn tell(mut transfer: Transfer, data: &DataArgs, output: &Output) -> Transfer {
    if let Some(error) = &mut transfer.error {
        name_file(error, data);
    }
    output.transfer(1, &transfer);
    transfer
}

/// Where stdin or stdout failed: the name of the file in its place.
pub(super) fn name_file(error: &mut Error, data: &DataArgs) {
    let file = match error.action {
        Action::Read => data.input.as_ref(),
        Action::Write => data.output.as_ref(),
        _ => None,
    };
    if let Some(path) = file {
        error.target = path.display().to_string();
    }
}

/// Where the peer's bytes go: to stdout, past a filter if that is a terminal, or nowhere.
pub(super) fn sink<'a>(data: &DataArgs, filter: &'a dyn Fn() -> Box<dyn Transform>) -> Sink<'a> {
    match data.send_only {
        true => Sink::Nothing,
        false if process::is_terminal(io::stdout()) => Sink::Filtered(filter),
        false => Sink::Stdout,
    }
}

/// The progress of a conversation; the files are open. Before it begins this is what is being done.
pub(super) fn progress<'a>(
    data: &DataArgs,
    output: &'a Output,
    meter: &'a Meter,
    waiting: String,
) -> Progress<'a> {
    // The length of what becomes of line ends is unknown.
    let knows_input = !data.recv_only && !data.crlf;
    let input = knows_input.then(process::input_left).flatten();
    let total = Total {
        input: input.map(|left| left.min(data.most().unwrap_or(u64::MAX))),
        said: data.progress.size(),
    };
    Progress::new(output, meter, data.progress.form(), total, waiting)
}

/// What goes to the peer.
pub(super) fn input(data: &DataArgs) -> Input {
    Input::stdin().shaped(data.crlf, data.most())
}

/// What carries the bytes. `NETTOOL_PATH` picks one for comparing and for finding faults.
pub(super) fn path() -> Way {
    match std::env::var("NETTOOL_PATH").as_deref() {
        Ok("portable") => Way::Portable,
        Ok("looped") => Way::Looped,
        _ => Way::Auto,
    }
}

/// The status of a conversation.
pub(super) fn status(transfer: &Transfer, came: &Cell<Option<i32>>) -> Status {
    match &transfer.error {
        Some(error) if error.is_broken_output() => Status::Signal(libc::SIGPIPE),
        // It cut short what the failure had left to do.
        _ if came.get().is_some() => stopped(came),
        Some(_) => Status::Failed,
        None if transfer.end == End::Signal => stopped(came),
        None => Status::Done,
    }
}

/// The status of a run that a signal ended.
pub(super) fn stopped(came: &Cell<Option<i32>>) -> Status {
    Status::Signal(came.get().unwrap_or(libc::SIGTERM))
}

/// With `--numeric` a host is an address.
pub(super) fn check_numeric(host: &Host, numeric: bool) -> Result<(), Usage> {
    match host {
        Host::Name(name) if numeric => Err(Usage::new(format!(
            "with --numeric the host must be an address, and {name:?} is none"
        ))),
        _ => Ok(()),
    }
}
