//! `nettool buffers`.

mod advise;
mod fill;
mod list;
mod watch;

use clap::{Args, Subcommand};
use nettool::buffers::{LARGEST_REQUEST, Socket};
use nettool::value::{PortList, Size};

use super::{Usage, value};

pub(crate) use advise::{AdviseArgs, RoundTrip};
pub(crate) use fill::FillArgs;
pub(crate) use list::{ListArgs, Order};
pub(crate) use watch::WatchArgs;

/// Show how much the buffers of sockets hold, and what decides on it.
///
/// A send copies into the send buffer of a socket, the system carries it to the receive buffer of
/// the peer, and a recv reads from there. The sizes are measured on new sockets, and named after
/// the setting they come from where that says the same.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES, override_usage = USAGE)]
pub(crate) struct BuffersArgs {
    /// Show what a program is granted that asks for this size
    #[arg(long, value_name = "SIZE", value_parser = value::<Size>, conflicts_with = "require")]
    request: Option<Size>,
    /// The same, and fail unless all of it is granted
    #[arg(long, value_name = "SIZE", value_parser = value::<Size>)]
    require: Option<Size>,
    /// What else can be shown of buffers
    #[command(subcommand)]
    action: Option<BuffersAction>,
}

const USAGE: &str = "nettool buffers [OPTIONS]
       nettool buffers <COMMAND>";

/// What else can be shown of buffers.
#[derive(Debug, Subcommand)]
pub(crate) enum BuffersAction {
    Fill(FillArgs),
    List(ListArgs),
    Advise(AdviseArgs),
    Watch(WatchArgs),
}

const EXAMPLES: &str = "\
Examples:
  nettool buffers                    every kind of socket, both directions
  nettool buffers --request 4M       what a program gets that asks for 4 MiB
  nettool buffers --require 2500k    status 1 unless programs can have that much
  nettool buffers fill               send until send() would block
  nettool buffers list --sort send   which sockets have the most to send
  nettool buffers watch -p 443       what holds up these connections
  nettool buffers advise --bandwidth 12500kB --rtt 50ms
                                     how large buffers must be for a path";

impl BuffersAction {
    /// Its word.
    fn name(&self) -> &'static str {
        match self {
            Self::Fill(_) => "fill",
            Self::List(_) => "list",
            Self::Advise(_) => "advise",
            Self::Watch(_) => "watch",
        }
    }
}

impl BuffersArgs {
    /// What else is to be shown: of that a size that a program asks for says nothing.
    pub(crate) fn action(&self) -> Result<Option<&BuffersAction>, Usage> {
        let option = match (self.request, self.require) {
            (Some(_), _) => "--request",
            (_, Some(_)) => "--require",
            _ => return Ok(self.action.as_ref()),
        };
        match &self.action {
            None => Ok(None),
            Some(action) => Err(Usage::new(format!(
                "{option} cannot be used with {}",
                action.name()
            ))),
        }
    }

    /// The size to ask for.
    pub(crate) fn request(&self) -> Result<Option<u64>, Usage> {
        requested(self.request.or(self.require))
    }

    /// Whether less is a failure.
    pub(crate) fn is_required(&self) -> bool {
        self.require.is_some()
    }
}

/// A size that a program can ask for, in bytes.
fn requested(size: Option<Size>) -> Result<Option<u64>, Usage> {
    match size.map(Size::bytes) {
        Some(size) if size > LARGEST_REQUEST => Err(Usage::new(format!(
            "no program can ask for {size} bytes; write at most {LARGEST_REQUEST}"
        ))),
        size => Ok(size),
    }
}

/// Whether a socket has one of these ports at either end.
fn has_end(socket: &Socket, ports: &PortList) -> bool {
    let mut ends = [socket.local, socket.peer].into_iter().flatten();
    ends.any(|end| ports.contains(end.port()))
}
