//! The command line: types, help and what people know from other tools. Nothing else knows clap.

mod brief;
mod buffers;
mod common;
mod connect;
mod datagrams;
mod explain;
#[cfg(test)]
mod generate;
mod habits;
mod ifaces;
mod listen;
mod measures;
mod needs;
mod networks;
mod pages;
mod place;
mod probe;
mod progress;
mod serve;
mod shaping;
mod values;

use std::ffi::OsString;
use std::fmt;

use anstream::ColorChoice;
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
pub(crate) use values::contents;
use values::{file, interval, limit, number, value};

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

nettool COMMAND --help shows the options and examples of a command,
nettool man | man -l - the manual.";

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
    /// Say nothing on stderr but errors
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
    /// A usage error, in a line, whatever it quotes.
    pub(crate) fn new(message: impl AsRef<str>) -> Self {
        Self(escaped(message.as_ref()).into_owned())
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
        Err(error) => explain::explain(error, &arguments),
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
