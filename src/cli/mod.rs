//! The command line: types, help and what people know from other tools. Nothing else knows clap.

mod brief;
mod buffers;
mod common;
mod connect;
mod datagrams;
#[cfg(test)]
mod generate;
mod habits;
mod ifaces;
mod listen;
mod measures;
mod needs;
mod networks;
mod pages;
mod probe;
mod progress;
mod serve;
mod shaping;

use std::ffi::OsString;
use std::fmt;

use anstream::ColorChoice;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::output::{Wishes, escaped};

pub(crate) use buffers::{
    AdviseArgs, BuffersAction, BuffersArgs, FillArgs, ListArgs, Order, RoundTrip, WatchArgs,
};
pub(crate) use common::{DataArgs, Peer};
pub(crate) use connect::ConnectArgs;
pub(crate) use datagrams::Kind;
pub(crate) use ifaces::{IfacesArgs, Question};
pub(crate) use listen::{ListenArgs, Where};
pub(crate) use pages::{CompletionsArgs, ManArgs, Page, Shell};
pub(crate) use probe::{Form, LatencyWish, List, Party, ProbeArgs, Request, WaitWish, Wanted};
pub(crate) use progress::Algorithm;
pub(crate) use shaping::ShapingArgs;

/// Interfaces, connections, ports and socket buffers: one tool for when the network is the
/// question.
#[derive(Debug, Parser)]
#[command(
    name = "nettool",
    version,
    propagate_version = true,
    max_term_width = 100,
    arg_required_else_help = true
)]
#[command(disable_help_subcommand = true, after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  nettool ifaces                         the addresses of this machine
  nettool listen 9000                    wait for a client on port 9000
  nettool connect example.org 80         talk to a server
  nettool listen 9000 > copy             receive a file ...
  nettool connect host 9000 < file       ... that is sent like this
  nettool probe localhost 1-1024         which of these ports are open
  nettool buffers                        how much a socket holds

nettool COMMAND --help shows a command's options and examples; nettool man shows the manual.";

/// The version, whichever command was named with it.
const VERSION: &str = concat!("nettool ", env!("CARGO_PKG_VERSION"), "\n");

/// What can be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Ifaces(IfacesArgs),
    Connect(Box<ConnectArgs>),
    Listen(Box<ListenArgs>),
    Probe(Box<ProbeArgs>),
    Buffers(BuffersArgs),
    Man(ManArgs),
    Completions(CompletionsArgs),
}

/// Options of every command.
#[derive(Args, Clone, Copy, Debug)]
#[command(next_help_heading = "Output")]
pub(crate) struct Global {
    /// Print records, one JSON object a line
    #[arg(long, global = true)]
    json: bool,
    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: Color,
    /// Print errors alone
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Tell more; twice: still more
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
    /// Never look a name up: hosts are addresses
    #[arg(short, long, global = true)]
    pub(crate) numeric: bool,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Everywhere
    Always,
    /// Nowhere
    Never,
}

impl Global {
    /// What the printer is to do.
    pub(crate) fn wishes(self) -> Wishes {
        let color = match self.color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::AlwaysAnsi,
            Color::Never => ColorChoice::Never,
        };
        Wishes {
            json: self.json,
            color,
            quiet: self.quiet,
            verbose: self.verbose,
        }
    }
}

/// What the command line turned out to be.
#[derive(Debug)]
pub(crate) enum Parsed {
    /// A command to run.
    Run(Box<Arguments>),
    /// A text that was asked for: help or the version.
    Text(String),
    /// Help for somebody who said nothing.
    Help(String),
    /// Nothing that can be understood.
    Usage {
        /// What is wrong, and what would be right.
        message: String,
        /// What can be said of the printer all the same.
        wishes: Wishes,
        /// Whether stdout belongs to the payload.
        talks: bool,
    },
}

/// Arguments that do not fit together, in words.
#[derive(Debug)]
pub(crate) struct Usage(String);

impl Usage {
    /// A usage error.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<nettool::value::ValueError> for Usage {
    fn from(error: nettool::value::ValueError) -> Self {
        Self(error.to_string())
    }
}

/// Reads the command line of this process.
pub(crate) fn parse() -> Parsed {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    match read(Arguments::command(), &arguments) {
        Ok(arguments) => Parsed::Run(Box::new(arguments)),
        Err(error) => explain(&error_of_escaped(&arguments).unwrap_or(error), &arguments),
    }
}

/// Reads these words by the command line of this program.
fn read<T: Into<OsString> + Clone>(
    program: clap::Command,
    words: impl IntoIterator<Item = T>,
) -> Result<Arguments, clap::Error> {
    let mut program = measures::minus_taken(program);
    let matches = program.try_get_matches_from_mut(words)?;
    needs::check(&mut program, &matches)?;
    Arguments::from_arg_matches(&matches).map_err(|error| error.format(&mut program))
}

/// The same error with every argument escaped: clap quotes them, and they may be hostile. A help that
/// was asked for is an error, too: only here the command line takes the time to tell what is brief.
fn error_of_escaped(arguments: &[OsString]) -> Option<clap::Error> {
    let escaped = arguments
        .iter()
        .map(|word| shortened(&escaped(&word.to_string_lossy())));
    read(brief::shortened(Arguments::command()), escaped).err()
}

/// The beginning of a word that is too long to be read.
fn shortened(word: &str) -> String {
    const MOST: usize = 200;
    match word.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", word.get(..end).unwrap_or_default()),
        None => word.to_owned(),
    }
}

/// A text that was asked for, or what is wrong.
fn explain(error: &clap::Error, arguments: &[OsString]) -> Parsed {
    let text = error.render().to_string();
    match error.kind() {
        ErrorKind::DisplayHelp => Parsed::Text(text),
        ErrorKind::DisplayVersion => Parsed::Text(VERSION.to_owned()),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => Parsed::Help(text),
        kind => Parsed::Usage {
            message: match kind {
                ErrorKind::InvalidUtf8 => not_utf8(arguments),
                ErrorKind::MissingSubcommand => no_command(),
                _ => habits::answer(error, arguments).unwrap_or_else(|| in_our_words(error, &text)),
            },
            wishes: wishes_of(arguments),
            talks: talks(arguments),
        },
    }
}

/// What clap says; of a value that is one of a few in the words that ours say of others.
fn in_our_words(error: &clap::Error, text: &str) -> String {
    let text = text.strip_prefix("error: ").unwrap_or(text);
    let (Some(ContextValue::Strings(known)), Some((before, after))) = (
        error.get(ContextKind::ValidValue),
        text.split_once("\n  [possible values: "),
    ) else {
        return text.to_owned();
    };
    let stop = if before.ends_with("supplied") {
        ";"
    } else {
        ": not one of these;"
    };
    let accepted = match known.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => known.concat(),
    };
    let after = after.split_once(']').map_or("", |(_, after)| after);
    format!("{before}{stop} write {accepted}{after}")
}

/// What to write where there are options alone.
fn no_command() -> String {
    let commands = Arguments::command();
    let names: Vec<_> = commands
        .get_subcommands()
        .map(clap::Command::get_name)
        .collect();
    format!(
        "what to do? write nettool COMMAND, one of {}",
        names.join(", ")
    )
}

/// What is wrong with the first word that is not UTF-8.
fn not_utf8(arguments: &[OsString]) -> String {
    let word = arguments.iter().find(|word| word.to_str().is_none());
    let word = word.map_or_else(String::new, |word| word.to_string_lossy().into_owned());
    format!("invalid argument {word:?}: it is not UTF-8; write names and numbers in ASCII")
}

/// The words before `--`, where options are.
fn before_dashes(arguments: &[OsString]) -> impl Iterator<Item = &str> {
    let words = arguments.iter().skip(1).take_while(|word| *word != "--");
    words.map(|word| word.to_str().unwrap_or_default())
}

/// What can be said of the printer although the command line cannot be understood.
fn wishes_of(arguments: &[OsString]) -> Wishes {
    let mut wishes = Wishes {
        json: false,
        color: ColorChoice::Auto,
        quiet: false,
        verbose: 0,
    };
    let mut before = "";
    for word in before_dashes(arguments) {
        match (before, word.strip_prefix("--color=").unwrap_or(word)) {
            (_, "--json") => wishes.json = true,
            ("--color", "always") => wishes.color = ColorChoice::AlwaysAnsi,
            ("--color", "never") => wishes.color = ColorChoice::Never,
            (_, "always") if word != "always" => wishes.color = ColorChoice::AlwaysAnsi,
            (_, "never") if word != "never" => wishes.color = ColorChoice::Never,
            _ => {}
        }
        before = word;
    }
    wishes
}

/// Whether the command is one whose stdout belongs to the payload.
fn talks(arguments: &[OsString]) -> bool {
    let commands = Arguments::command();
    let command = before_dashes(arguments).find(|word| commands.find_subcommand(word).is_some());
    matches!(command, Some("connect" | "listen"))
}

/// The time between two looks; a machine that is looked at all the time has no time for anything.
fn interval(every: nettool::value::Duration) -> Result<std::time::Duration, Usage> {
    const SHORTEST: std::time::Duration = std::time::Duration::from_millis(10);
    match every.limit() {
        Some(every) if every >= SHORTEST => Ok(every),
        _ => Err(Usage::new(format!(
            "--every {every} is no time between two looks; write at least 10ms"
        ))),
    }
}

/// Reads one of our values, with a message that clap can finish: it quotes the value itself.
fn value<T>(text: &str) -> Result<T, String>
where
    T: std::str::FromStr<Err = nettool::value::ValueError>,
{
    text.parse().map_err(|error: nettool::value::ValueError| {
        format!("{}; write {}", error.problem, error.accepted)
    })
}

/// Reads a number, which is at least and at most these.
fn number<T: std::str::FromStr>(
    text: &str,
    least: u8,
    most: impl fmt::Display,
) -> Result<T, String> {
    let wrong = |_| format!("not a number that it takes; write {least} to {most}");
    text.parse().map_err(wrong)
}

/// Reads a whole file that the command line names.
pub(crate) fn contents(path: &std::path::Path) -> Result<Vec<u8>, nettool::error::Error> {
    use nettool::error::{Action, Error};
    let failed = |action| move |error: std::io::Error| Error::new(action, path.display(), error);
    let mut file = std::fs::File::open(path).map_err(failed(Action::Open))?;
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut file, &mut bytes).map_err(failed(Action::Read))?;
    Ok(bytes)
}
