//! What `listen` does for its clients, and for how many.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use nettool::error::{Action, Error};
use nettool::serve::{Behaviour, Broker, Chat, Slow};

use super::Usage;
use crate::command::Failure;
use crate::output::ChatWords;

/// What clients get.
#[derive(Args, Debug)]
#[command(next_help_heading = "Clients")]
pub(crate) struct ServeArgs {
    /// Serve many clients at once, until a signal
    #[arg(short, long, conflicts_with = "accept_timeout")]
    keep_open: bool,
    /// What becomes of a client that reads more slowly than the others
    #[arg(
        long,
        value_name = "HOW",
        default_value = "drop",
        hide_default_value = true
    )]
    slow: SlowArg,
    /// Mark each line on stdout with the client that sent it
    #[arg(long, requires = "keep_open", conflicts_with_all = ["behaviour", "send_only"])]
    tag: bool,
    #[command(flatten)]
    behaviour: BehaviourArgs,
}

/// What a client gets instead of stdin and stdout: one of these.
#[derive(Args, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of its own"
)]
#[group(id = "behaviour", multiple = false, conflicts_with_all = ALIEN)]
struct BehaviourArgs {
    /// Every client hears all others
    #[arg(long)]
    broker: bool,
    /// Every client hears all others, line by line, with names
    #[arg(long)]
    chat: bool,
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

/// What becomes of a client that reads more slowly than the others.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum SlowArg {
    /// Its connection is reset, so that the others need not wait [default]
    Drop,
    /// The others wait
    Wait,
}

impl ServeArgs {
    /// Whether there may be many clients.
    pub(crate) fn keeps_open(&self) -> bool {
        self.keep_open || self.behaviour.broker || self.behaviour.chat
    }

    /// Whether lines are to be marked.
    pub(crate) fn tags(&self) -> bool {
        self.tag
    }

    /// What becomes of a client that is too slow.
    pub(crate) fn slow(&self) -> Slow {
        match self.slow {
            SlowArg::Drop => Slow::Drop,
            SlowArg::Wait => Slow::Wait,
        }
    }

    /// Refuses what has no meaning for many clients, or for one.
    pub(crate) fn check(&self) -> Result<(), Usage> {
        if self.slow == SlowArg::Wait && !self.shares() {
            let text = "--slow is for --broker, --chat, and --keep-open with stdin";
            return Err(Usage::new(text));
        }
        Ok(())
    }

    /// Whether clients hear the same.
    fn shares(&self) -> bool {
        let Self { behaviour, .. } = self;
        let alone = behaviour.echo || behaviour.discard;
        let replies = behaviour.reply.is_some() || behaviour.reply_file.is_some();
        self.keeps_open() && !alone && !replies
    }

    /// What clients get instead of stdin and stdout, if anything.
    pub(crate) fn behaviour(&self) -> Result<Option<Behaviour>, Failure> {
        let arguments = &self.behaviour;
        let behaviour = match (&arguments.reply, &arguments.reply_file) {
            (Some(text), _) => reply(text.as_bytes(), "--reply TEXT")?,
            (_, Some(path)) => {
                let failed = |error| Error::new(Action::Read, path.display(), error);
                reply(&std::fs::read(path).map_err(failed)?, "--reply-file FILE")?
            }
            _ if arguments.broker => Behaviour::Broker(Broker::new(self.slow()).into()),
            _ if arguments.chat => {
                let words = Box::new(ChatWords);
                Behaviour::Chat(Chat::new(self.slow(), words).into())
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
