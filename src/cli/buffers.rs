//! `nettool buffers`.

use clap::Args;
use nettool::buffers::LARGEST_REQUEST;
use nettool::value::Size;

use super::Usage;
use super::value;

/// Show how much the buffers of sockets hold, and what decides on it.
///
/// A send copies into the send buffer of a socket, the system carries it to the receive buffer of
/// the peer, and a recv reads from there. The sizes are measured on new sockets, and named after
/// the setting they come from where that says the same.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct BuffersArgs {
    /// Show what a program is granted that asks for this size
    #[arg(long, value_name = "SIZE", value_parser = value::<Size>, conflicts_with = "require")]
    request: Option<Size>,
    /// The same, and fail unless all of it is granted
    #[arg(long, value_name = "SIZE", value_parser = value::<Size>)]
    require: Option<Size>,
}

const EXAMPLES: &str = "\
Examples:
  nettool buffers                    every kind of socket, both directions
  nettool buffers --request 4M       what a program gets that asks for 4 MiB
  nettool buffers --require 2500k    status 1 unless programs can have that much";

impl BuffersArgs {
    /// The size to ask for.
    pub(crate) fn request(&self) -> Result<Option<u64>, Usage> {
        match self.request.or(self.require).map(Size::bytes) {
            Some(size) if size > LARGEST_REQUEST => Err(Usage::new(format!(
                "no program can ask for {size} bytes; write at most {LARGEST_REQUEST}"
            ))),
            size => Ok(size),
        }
    }

    /// Whether less is a failure.
    pub(crate) fn is_required(&self) -> bool {
        self.require.is_some()
    }
}
