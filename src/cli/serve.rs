//! What `listen` does for its clients, and for how many.

use std::path::PathBuf;

use clap::Args;
use nettool::error::{Action, Error};
use nettool::serve::Behaviour;

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
    /// What clients get instead of stdin and stdout, if anything.
    pub(crate) fn behaviour(&self) -> Result<Option<Behaviour>, Failure> {
        let arguments = &self.behaviour;
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
