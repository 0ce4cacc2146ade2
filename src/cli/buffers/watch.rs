//! `nettool buffers watch`.

use std::time;

use clap::Args;
use nettool::buffers::Connection;
use nettool::value::PortList;

use super::has_end;
use crate::cli::{interval, value};

/// Watch TCP connections of this machine, and what holds each of them up.
///
/// Of every connection, whoever has it: bytes a second each way, round-trip time, congestion
/// window, segments sent again, both queues, and whether sending waits for the receiver, for the
/// send buffer, for the network or for the program.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct WatchArgs {
    /// Connections with one of these ports at either end
    #[arg(short, long, value_name = "PORTS", value_parser = value::<PortList>)]
    port: Option<PortList>,
    /// Time between two looks
    #[arg(long, value_name = "TIME", value_parser = interval, default_value = "1s")]
    pub(crate) every: time::Duration,
}

const EXAMPLES: &str = "\
Examples:
  nettool buffers watch                     every connection, once a second
  nettool buffers watch -p 22,443           those of ssh and https
  nettool buffers watch --json -p 9000 | jq -r .verdict";

impl WatchArgs {
    /// Whether this connection is wanted.
    pub(crate) fn takes(&self, connection: &Connection) -> bool {
        let socket = &connection.socket;
        let ports = self.port.as_ref();
        ports.is_none_or(|ports| has_end(socket, ports))
    }
}
