//! What `listen` does for its clients, and for how many.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser};
use nettool::error::{Action, Error};
use nettool::serve::{Behaviour, Exec, Words};

use super::Usage;
use crate::command::Failure;

/// What clients get.
#[derive(Args, Debug)]
#[command(next_help_heading = "Clients")]
pub(crate) struct ServeArgs {
    /// Serve many clients at once, until a signal
    #[arg(short, long, requires = "behaviour", conflicts_with = "accept_timeout")]
    pub(crate) keep_open: bool,
    #[command(flatten)]
    behaviour: BehaviourArgs,
}

/// What a client gets instead of stdin and stdout: one of these.
#[derive(Args, Debug)]
#[group(id = "behaviour", multiple = false, conflicts_with_all = ALIEN)]
struct BehaviourArgs {
    /// Send each client its own bytes back
    #[arg(long)]
    echo: bool,
    /// Read what clients send, and drop it
    #[arg(long)]
    discard: bool,
    /// Send TEXT for each read of what a client sends
    #[arg(long, value_name = "TEXT")]
    reply: Option<String>,
    /// Send what FILE holds for each read of what a client sends
    #[arg(long, value_name = "FILE")]
    reply_file: Option<PathBuf>,
    /// Run a program for each client: the connection is its stdin and stdout
    #[arg(short, long, value_name = "CMD", value_parser = program)]
    exec: Option<Words>,
    /// Run a line of sh for each client, likewise
    #[arg(short = 'c', long, value_name = "CMD", value_parser = OsStringValueParser::new().try_map(line))]
    sh_exec: Option<Words>,
}

/// Splits a command into words as a shell does.
fn program(text: &str) -> Result<Words, String> {
    let words = shlex::split(text).ok_or("a quote is not closed, or a backslash ends it")?;
    let mut words = words.into_iter().map(OsString::from);
    let program = words.next().filter(|program| !program.is_empty());
    let program = program.ok_or("there is no command in it")?;
    Ok(Words::Program(program, words.collect()))
}

/// Takes a line for the shell.
fn line(text: OsString) -> Result<Words, String> {
    match text.to_string_lossy().trim() {
        "" => Err("there is no command in it".to_owned()),
        _ => Ok(Words::Shell(text)),
    }
}

/// Options of stdin and stdout, which these clients have nothing to do with.
const ALIEN: [&str; 12] = [
    "send_only",
    "recv_only",
    "until",
    "no_shutdown",
    "input",
    "output",
    "append",
    "force",
    "crlf",
    "raw",
    "quit_after",
    "udp",
];

impl ServeArgs {
    /// Whether clients get something that not everybody should have unasked: a program of this
    /// machine.
    pub(crate) fn is_delicate(&self) -> bool {
        self.behaviour.exec.is_some() || self.behaviour.sh_exec.is_some()
    }

    /// What clients get instead of stdin and stdout, if anything; `counted`: how many bytes each
    /// sent and got is told.
    pub(crate) fn behaviour(&self, counted: bool) -> Result<Option<Behaviour>, Failure> {
        let arguments = &self.behaviour;
        if let Some(words) = arguments.exec.as_ref().or(arguments.sh_exec.as_ref()) {
            let command = Exec::new(words.clone(), counted);
            return Ok(Some(Behaviour::Exec(Arc::new(command))));
        }
        let behaviour = match (&arguments.reply, &arguments.reply_file) {
            (Some(text), _) => reply(text.as_bytes(), "--reply TEXT")?,
            (_, Some(path)) => {
                let failed = |error| Error::new(Action::Read, path.display(), error);
                reply(&std::fs::read(path).map_err(failed)?, "--reply-file FILE")?
            }
            _ if arguments.echo => Behaviour::Echo,
            _ if arguments.discard => Behaviour::Discard,
            _ => return Ok(None),
        };
        Ok(Some(behaviour))
    }
}

/// A reply, which must not be empty.
fn reply(text: &[u8], option: &str) -> Result<Behaviour, Usage> {
    if text.is_empty() {
        return Err(Usage::new(format!(
            "{option} is empty, and would answer nothing; --discard does that"
        )));
    }
    Ok(Behaviour::Reply(text.into()))
}
