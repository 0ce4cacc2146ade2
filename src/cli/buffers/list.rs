//! `nettool buffers list`.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use nettool::buffers::{Socket, SocketKind, SocketState};
use nettool::value::PortList;

use super::has_end;
use crate::cli::value;

/// List the sockets of this machine with their queues and buffers.
///
/// Of every socket: what came and is not read, what was sent and is not acknowledged, the sizes of
/// its buffers, its addresses and, with the rights for it, a process that has it. Of a listening
/// socket the two queues are the connections that wait to be accepted, and how many may.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of its own"
)]
pub(crate) struct ListArgs {
    /// TCP sockets; with -u and -x those too
    #[arg(short, long, help_heading = "Filter")]
    tcp: bool,
    /// UDP sockets
    #[arg(short, long, help_heading = "Filter")]
    udp: bool,
    /// Unix sockets
    #[arg(short = 'x', long, help_heading = "Filter")]
    unix: bool,
    /// Sockets that take connections alone
    #[arg(short, long, conflicts_with = "state", help_heading = "Filter")]
    listening: bool,
    /// Sockets with one of these ports at either end
    #[arg(short, long, value_name = "PORTS", value_parser = value::<PortList>, help_heading = "Filter")]
    port: Option<PortList>,
    /// Sockets in one of these states
    #[arg(
        long,
        value_name = "STATE",
        value_delimiter = ',',
        value_parser = state(),
        help_heading = "Filter"
    )]
    state: Vec<SocketState>,
    /// Sockets of processes with this name, or of the one with this number
    #[arg(long, value_name = "NAME", help_heading = "Filter")]
    process: Option<String>,
    /// What stands first
    #[arg(long, value_name = "BY", default_value = "none", help_heading = "View")]
    pub(crate) sort: Order,
}

/// What the order goes by; the largest stands first.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Order {
    /// The order of the system
    None,
    /// What came and is not read
    Receive,
    /// What was sent and is not acknowledged
    Send,
    /// What there was no room for
    Drops,
}

const EXAMPLES: &str = "\
Examples:
  nettool buffers list                       every socket
  nettool buffers list -tu --sort receive    who does not read what came
  nettool buffers list -l -p 80,443          who listens, and how many wait
  nettool buffers list --process sshd        those of one program
  nettool buffers list -n                    faster: without their processes";

/// Which sockets are wanted.
#[derive(Debug)]
pub(crate) struct Filter<'a> {
    states: Vec<SocketState>,
    ports: Option<&'a PortList>,
    process: Option<&'a str>,
}

impl ListArgs {
    /// Which kinds are wanted.
    pub(crate) fn kinds(&self) -> Vec<SocketKind> {
        let all = !(self.tcp || self.udp || self.unix);
        let wanted = |kind: &SocketKind| match kind {
            SocketKind::Tcp => self.tcp,
            SocketKind::Udp => self.udp,
            _ => self.unix,
        };
        let kinds = SocketKind::ALL.into_iter();
        kinds.filter(|kind| all || wanted(kind)).collect()
    }

    /// Whether processes must be known.
    pub(crate) fn names_processes(&self) -> bool {
        self.process.is_some()
    }

    /// Which of those.
    pub(crate) fn filter(&self) -> Filter<'_> {
        let listening = self.listening.then_some(SocketState::Listen);
        Filter {
            states: self.state.iter().copied().chain(listening).collect(),
            ports: self.port.as_ref(),
            process: self.process.as_deref(),
        }
    }
}

impl Filter<'_> {
    /// Whether this one is wanted.
    pub(crate) fn takes(&self, socket: &Socket) -> bool {
        let has_state = self.states.is_empty() || self.states.contains(&socket.state);
        let has_process = self.process.is_none_or(|wanted| {
            let process = socket.process.as_ref();
            process.is_some_and(|has| has.name == wanted || has.pid.to_string() == wanted)
        });
        has_state && has_process && self.ports.is_none_or(|ports| has_end(socket, ports))
    }
}

/// Reads a state by its name, which shells offer.
fn state() -> impl TypedValueParser<Value = SocketState> {
    PossibleValuesParser::new(SocketState::ALL.map(SocketState::name)).try_map(|word| {
        let mut all = SocketState::ALL.into_iter();
        let named = all.find(|state| state.name() == word);
        named.ok_or("no state")
    })
}
