//! What `connect` and `listen` do alike.

use std::cell::Cell;
use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use nettool::error::{Action, Error};
use nettool::net::{Family, resolve};
use nettool::process;
use nettool::relay::{Dump, End, Input, Meter, Path as Way, Sink, Transfer, Transform};
use nettool::value::Host;
use tokio::runtime::Runtime;

use super::signals::Endings;
use super::{Failure, Status, runtime};
use crate::cli::{DataArgs, ShapingArgs, Usage};
use crate::output::{Output, Progress, Total};

/// Runs a conversation to its end on this thread. Threads that still read or resolve do not hold
/// the exit.
pub(super) fn block_on<F>(session: impl FnOnce(Endings) -> F) -> Result<Status, Failure>
where
    F: Future<Output = Result<Status, Failure>>,
{
    block_with(runtime::on_this_thread(), session)
}

/// Likewise on as many threads as there are processors.
pub(super) fn block_on_threads<F>(session: impl FnOnce(Endings) -> F) -> Result<Status, Failure>
where
    F: Future<Output = Result<Status, Failure>>,
{
    block_with(runtime::on_threads(), session)
}

/// Runs a conversation on this runtime.
fn block_with<F>(
    runtime: io::Result<Runtime>,
    session: impl FnOnce(Endings) -> F,
) -> Result<Status, Failure>
where
    F: Future<Output = Result<Status, Failure>>,
{
    let failed = |error: io::Error| Error::new(Action::Inspect, "the event queue", error);
    let runtime = runtime.map_err(failed)?;
    let result = runtime.block_on(async { session(Endings::watch()).await });
    runtime.shutdown_background();
    result
}

/// The addresses of a host, for a command that has no conversation. A signal ends it at once.
pub(super) fn addresses(host: &Host, port: u16, family: Family) -> Result<Vec<SocketAddr>, Error> {
    let failed = |error: io::Error| Error::new(Action::Inspect, "the event queue", error);
    let runtime = runtime::on_this_thread().map_err(failed)?;
    let result = runtime.block_on(resolve(host, port, family));
    runtime.shutdown_background();
    result
}

/// Puts the files that were asked for in the place of stdin and stdout, so that whatever carries
/// the bytes reads and writes them as the shell's redirections.
pub(super) fn open_files(data: &DataArgs) -> Result<(), Error> {
    if let Some(path) = &data.input {
        let failed = |error| Error::new(Action::Open, path.display(), error);
        process::read_from(path).map_err(failed)?;
    }
    if let Some(path) = &data.output {
        let failed = |error| Error::new(Action::Open, path.display(), error);
        process::write_into(path, data.existing()).map_err(failed)?;
    }
    Ok(())
}

/// Opens the file that everything is written down in, if that was asked for; like the shell's
/// redirections it replaces what was there.
pub(super) fn open_dump(shaping: &ShapingArgs) -> Result<Option<Dump>, Error> {
    let Some(path) = shaping.hexdump() else {
        return Ok(None);
    };
    let (name, file) = if path == Path::new("-") {
        ("stderr".into(), io::stderr().as_fd().try_clone_to_owned())
    } else {
        (
            path.display().to_string(),
            File::create(path).map(Into::into),
        )
    };
    let dump = file.and_then(|file| Dump::into(file, name.clone()));
    dump.map(Some)
        .map_err(|error| Error::new(Action::Dump, name, error))
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

/// How long writing may take when a signal has ended us.
const LAST_WORDS: Duration = Duration::from_millis(100);

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
        let file = match error.action {
            Action::Read => data.input.as_ref(),
            Action::Write => data.output.as_ref(),
            _ => None,
        };
        if let Some(path) = file {
            error.target = path.display().to_string();
        }
    }
    output.transfer(1, &transfer);
    transfer
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
