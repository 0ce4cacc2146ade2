//! What `listen` does for its clients, and for how many.

use std::ffi::OsString;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, ValueEnum};
use nettool::serve::{Behaviour, Broker, Chat, Exec, Folder, Gate, Slow, Words};
use nettool::value::{Cidr, Endpoint};

use super::{Usage, contents, networks, number, value};
use crate::command::Failure;
use crate::output::ChatWords;

/// What clients get.
#[derive(Args, Debug)]
#[command(next_help_heading = "Clients")]
pub(crate) struct ServeArgs {
    /// Serve many clients at once, until a signal
    ///
    /// --udp does so anyway
    #[arg(short, long, conflicts_with_all = OF_ONE)]
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
    #[arg(long, conflicts_with_all = ["behaviour", "send_only", "udp"])]
    tag: bool,
    #[command(flatten)]
    behaviour: BehaviourArgs,
    /// Turn away whoever comes while N clients are served
    #[arg(short, long, value_name = "N")]
    #[arg(value_parser = |text: &str| number::<NonZero<usize>>(text, 1, usize::MAX))]
    max_clients: Option<NonZero<usize>>,
    /// Serve clients of these networks alone
    ///
    /// Addresses, or networks as 192.0.2.0/24
    #[arg(long, value_name = "CIDR,...", value_delimiter = ',', value_parser = value::<Cidr>)]
    #[arg(conflicts_with = "unix")]
    allow: Option<Vec<Cidr>>,
    /// Turn clients of these networks away
    ///
    /// Even those that are allowed
    #[arg(long, value_name = "CIDR,...", value_delimiter = ',', value_parser = value::<Cidr>)]
    #[arg(conflicts_with = "unix")]
    deny: Vec<Cidr>,
    /// Allow the networks that FILE lists, a line each
    #[arg(long, value_name = "FILE", conflicts_with = "unix")]
    allow_file: Vec<PathBuf>,
    /// Deny the networks that FILE lists, a line each
    #[arg(long, value_name = "FILE", conflicts_with = "unix")]
    deny_file: Vec<PathBuf>,
}

/// What a client gets instead of stdin and stdout: one of these.
#[derive(Args, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of its own"
)]
#[group(id = "behaviour", multiple = false, conflicts_with_all = OF_STDIO)]
struct BehaviourArgs {
    /// Every client hears all others
    #[arg(long, conflicts_with = "accept_timeout")]
    broker: bool,
    /// Every client hears all others, line by line, with names
    #[arg(long, conflicts_with_all = ["udp", "accept_timeout"])]
    chat: bool,
    /// Send each client its own bytes back
    #[arg(long, conflicts_with_all = OF_INPUT)]
    echo: bool,
    /// Read what clients send, and drop it
    #[arg(long, conflicts_with_all = OF_INPUT)]
    discard: bool,
    /// Send TEXT for each read of what a client sends
    #[arg(long, value_name = "TEXT", conflicts_with_all = OF_INPUT)]
    reply: Option<String>,
    /// Send what FILE holds for each read of what a client sends
    #[arg(long, value_name = "FILE", conflicts_with_all = OF_INPUT)]
    reply_file: Option<PathBuf>,
    /// Run a program for each client
    ///
    /// The connection is its stdin and stdout
    #[arg(short, long, value_name = "CMD", value_parser = program)]
    exec: Option<Words>,
    /// Run a line of sh for each client, likewise
    #[arg(short = 'c', long, value_name = "CMD")]
    #[arg(value_parser = OsStringValueParser::new().try_map(line))]
    sh_exec: Option<Words>,
    /// Connect each client to HOST:PORT, udp://HOST:PORT or unix:PATH
    #[arg(long, value_name = "ENDPOINT", value_parser = value::<Endpoint>)]
    forward: Option<Endpoint>,
    /// Write what each client sends into a new file
    ///
    /// In DIR; it is complete when its name does not end in .part
    #[arg(long, value_name = "DIR", conflicts_with_all = OF_INPUT)]
    #[arg(conflicts_with = "udp")]
    save: Option<PathBuf>,
}

/// Options of stdin and stdout, which these clients have nothing to do with.
const OF_STDIO: [&str; 16] = [
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
    "limit_rate",
    "delay",
    "hexdump",
    "progress",
    "size",
    "checksum",
];

/// Options of stdin as datagrams, which those who never hear it have nothing to do with.
const OF_INPUT: [&str; 3] = ["datagram_size", "lines", "to"];

/// Options of a single client.
const OF_ONE: [&str; 7] = [
    "accept_timeout",
    "limit_rate",
    "delay",
    "hexdump",
    "progress",
    "size",
    "checksum",
];

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

/// What becomes of a client that reads more slowly than the others.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum SlowArg {
    /// Its connection is reset, so that the others need not wait [default]
    Drop,
    /// The others wait
    Wait,
}

impl BehaviourArgs {
    /// Whether there is one.
    fn is_given(&self) -> bool {
        let replies = self.reply.is_some() || self.reply_file.is_some();
        let runs = self.exec.is_some() || self.sh_exec.is_some();
        let carries = self.save.is_some() || self.forward.is_some();
        self.echo || self.discard || replies || runs || carries || self.is_shared()
    }

    /// Whether clients hear each other.
    fn is_shared(&self) -> bool {
        self.broker || self.chat
    }
}

impl ServeArgs {
    /// Whether there may be many clients.
    pub(crate) fn keeps_open(&self) -> bool {
        self.keep_open || self.behaviour.broker || self.behaviour.chat
    }

    /// Whether clients get something instead of stdin and stdout.
    pub(crate) fn has_behaviour(&self) -> bool {
        self.behaviour.is_given()
    }

    /// Whether lines are to be marked.
    pub(crate) fn tags(&self) -> bool {
        self.tag
    }

    /// How many clients there may be at once, if not any number.
    pub(crate) fn max_clients(&self) -> Option<usize> {
        self.max_clients.map(NonZero::get)
    }

    /// What becomes of a client that is too slow.
    pub(crate) fn slow(&self) -> Slow {
        match self.slow {
            SlowArg::Drop => Slow::Drop,
            SlowArg::Wait => Slow::Wait,
        }
    }

    /// Whether clients get something that not everybody should have unasked, a program of this
    /// machine or what it can reach, and nobody said who may.
    pub(crate) fn is_delicate(&self) -> bool {
        let arguments = &self.behaviour;
        let lists = self.allow.is_some() || !self.allow_file.is_empty();
        let runs = arguments.exec.is_some() || arguments.sh_exec.is_some();
        !lists && (runs || arguments.forward.is_some())
    }

    /// Refuses what has no meaning for this transport, or without other options.
    pub(crate) fn check(&self, udp: bool, quits: bool) -> Result<(), Usage> {
        let stdio = !self.behaviour.is_given();
        let lists = self.allow.is_some()
            || !(self.deny.is_empty() && self.allow_file.is_empty() && self.deny_file.is_empty());
        let shares = !udp && self.keeps_open() && (stdio || self.behaviour.is_shared());
        let many = if udp { !stdio } else { self.keeps_open() };
        let problem = if udp && stdio && lists {
            "--allow and --deny with --udp need --echo, --discard, --reply, --exec, --forward \
                or --broker"
        } else if !udp && quits && (!stdio || self.keep_open) {
            "--quit-after cannot be used with --keep-open, --echo, --discard, --reply, --save, \
                --exec, --sh-exec, --forward, --broker or --chat over a stream: the client's end \
                is the end"
        } else if self.slow == SlowArg::Wait && !shares {
            "--slow is for --broker, --chat, and --keep-open with stdin, over a stream"
        } else if self.max_clients.is_some() && !many {
            "--max-clients is for --keep-open, --broker and --chat, \
                and for --udp with --echo, --discard, --reply, --exec or --forward"
        } else {
            return Ok(());
        };
        Err(Usage::new(problem))
    }

    /// Who may be a client.
    pub(crate) fn gate(&self) -> Result<Gate, Failure> {
        let mut allowed = self.allow.clone();
        let mut denied = self.deny.clone();
        for path in &self.allow_file {
            allowed
                .get_or_insert_default()
                .extend(networks::read(path)?);
        }
        for path in &self.deny_file {
            denied.extend(networks::read(path)?);
        }
        Ok(Gate::new(allowed, denied))
    }

    /// What clients get instead of stdin and stdout, if anything; `counted`: how many bytes each
    /// sent and got is told.
    pub(crate) fn behaviour(&self, counted: bool) -> Result<Option<Behaviour>, Failure> {
        let arguments = &self.behaviour;
        if let Some(words) = arguments.exec.as_ref().or(arguments.sh_exec.as_ref()) {
            let command = Exec::new(words.clone(), counted);
            return Ok(Some(Behaviour::Exec(Arc::new(command))));
        }
        if let Some(endpoint) = &arguments.forward {
            return Ok(Some(Behaviour::Forward(Arc::new(endpoint.clone()))));
        }
        let behaviour = match (&arguments.reply, &arguments.reply_file, &arguments.save) {
            (Some(text), _, _) => reply(text.as_bytes(), "--reply TEXT")?,
            (_, Some(path), _) => reply(&contents(path)?, "--reply-file FILE")?,
            (_, _, Some(path)) => Behaviour::Save(Folder::open(path)?),
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
