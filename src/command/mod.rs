//! A file a subcommand: arguments to the engine, its results to the report.

mod buffers;
mod checksum;
mod connect;
mod files;
mod ifaces;
mod interruption;
mod listen;
mod pages;
mod probe;
mod progress;
mod runtime;
mod serve;
mod signals;
mod talk;
mod watch;

use std::process::ExitCode;
use std::sync::Arc;

use nettool::error::Error;
use nettool::process;

use crate::cli::{self, Command, Parsed};
use crate::output::{self, Output, Records};

/// How a run ends, as the shell sees it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Status {
    /// Done, everything delivered.
    Done,
    /// The network or a file failed.
    Failed,
    /// The command line cannot be understood.
    Usage,
    /// Not everything could be found out.
    Undetermined,
    /// What a command that we ran ended with, or what a shell says of one that cannot be run.
    Ran(u8),
    /// A signal ended us.
    Signal(i32),
}

/// Why a command could not do its work.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something failed, and is not told yet.
    Error(Box<Error>),
    /// The arguments do not fit together: found before any I/O.
    Usage(cli::Usage),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(Box::new(error))
    }
}

impl From<cli::Usage> for Failure {
    fn from(usage: cli::Usage) -> Self {
        Self::Usage(usage)
    }
}

impl Status {
    /// Ends the process as this status says: a signal by dying of it.
    pub(crate) fn exit(self) -> ExitCode {
        match self {
            Self::Done => ExitCode::SUCCESS,
            Self::Failed => ExitCode::from(1),
            Self::Usage => ExitCode::from(2),
            Self::Undetermined => ExitCode::from(3),
            Self::Ran(status) => ExitCode::from(status),
            Self::Signal(signal) => {
                process::die_of(signal);
                ExitCode::from(u8::try_from(signal.saturating_add(128)).unwrap_or(1))
            }
        }
    }
}

/// Runs what was asked for.
pub(crate) fn run(parsed: Parsed) -> Status {
    match parsed {
        Parsed::Run(arguments) => {
            let records = match arguments.command {
                Command::Connect(_) | Command::Listen(_) => Records::Stderr,
                Command::Ifaces(_)
                | Command::Probe(_)
                | Command::Buffers(_)
                | Command::Man(_)
                | Command::Completions(_) => Records::Stdout,
            };
            let mut output = Output::new(arguments.global.wishes(), records);
            if matches!(arguments.command, Command::Connect(_)) {
                output = output.of_connect();
            }
            let output = Arc::new(output);
            // That no port is open a probe says with the status of what fails elsewhere.
            let failed = match arguments.command {
                Command::Probe(_) => Status::Undetermined,
                _ => Status::Failed,
            };
            let status = dispatch(arguments.command, arguments.global.numeric, &output)
                .unwrap_or_else(|failure| tell(&failure, &output, failed));
            finish(status, &output, failed)
        }
        Parsed::Text(text) => settle(output::text(&text), Status::Done),
        Parsed::Help(text) => {
            output::help(&text);
            Status::Usage
        }
        Parsed::Usage {
            message,
            wishes,
            talks,
        } => {
            let records = if talks {
                Records::Stderr
            } else {
                Records::Stdout
            };
            let output = Output::new(wishes, records);
            output.usage(&message);
            finish(Status::Usage, &output, Status::Failed)
        }
    }
}

/// One command.
fn dispatch(command: Command, numeric: bool, output: &Arc<Output>) -> Result<Status, Failure> {
    // The others look out for signals.
    if !matches!(
        command,
        Command::Connect(_) | Command::Listen(_) | Command::Probe(_)
    ) {
        process::end_by_signals();
    }
    match command {
        Command::Connect(arguments) => connect::run(&arguments, numeric, output),
        Command::Listen(arguments) => listen::run(&arguments, numeric, output),
        Command::Ifaces(arguments) => ifaces::run(&arguments, numeric, output),
        Command::Buffers(arguments) => buffers::run(&arguments, numeric, output),
        Command::Probe(arguments) => probe::run(&arguments, numeric, output),
        Command::Man(arguments) => Ok(settle(pages::man(&arguments), Status::Done)),
        Command::Completions(arguments) => Ok(settle(pages::completions(&arguments), Status::Done)),
    }
}

/// Tells why a command failed, which then ends with the status `failed`.
fn tell(failure: &Failure, output: &Output, failed: Status) -> Status {
    match failure {
        Failure::Error(error) if error.is_broken_output() => Status::Signal(libc::SIGPIPE),
        Failure::Error(error) => {
            output.error(error);
            failed
        }
        Failure::Usage(usage) => {
            output.usage(&usage.to_string());
            Status::Usage
        }
    }
}

/// The status of a run that has said all it had to say. What is missing of the records that were
/// asked for is lost.
fn finish(status: Status, output: &Output, failed: Status) -> Status {
    let is_heard = output.finish();
    match status {
        Status::Done | Status::Ran(0) if !is_heard => failed,
        Status::Done | Status::Failed if output.has_lost() => failed,
        status => status,
    }
}

/// The status of a result that was printed, or of a stdout that would not take it.
fn settle(printed: Result<(), Error>, status: Status) -> Status {
    match printed {
        Ok(()) => status,
        Err(error) if error.is_broken_output() => Status::Signal(libc::SIGPIPE),
        Err(error) => {
            output::complain(&error);
            Status::Failed
        }
    }
}
