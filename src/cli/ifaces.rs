//! `nettool ifaces`.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use clap::Args;
use nettool::interfaces::readable;
use nettool::net::Family;

use crate::output::View;

/// Show the network interfaces of this machine and their addresses.
///
/// Every interface is shown, in the order of its index, those without an address too. Of each:
/// name, state, kind, MTU, MAC and master, then its addresses with prefix, scope, broadcast or peer
/// address and flags. A link-local IPv6 address has its zone, so that it can be pasted.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of its own"
)]
pub(crate) struct IfacesArgs {
    /// Show these interfaces alone
    #[arg(value_name = "NAME")]
    names: Vec<OsString>,
    /// A line an interface: name, state, addresses
    #[arg(short, long, help_heading = "View")]
    brief: bool,
    /// Show bytes, packets, errors and drops, received and sent
    #[arg(short, long, conflicts_with_all = ["brief", "only_names"], help_heading = "View")]
    stats: bool,
    /// Print names alone, one a line
    #[arg(
        long = "names",
        id = "only_names",
        conflicts_with = "brief",
        help_heading = "View"
    )]
    only_names: bool,
    /// IPv4 addresses alone; interfaces without one are still shown
    #[arg(short = '4', conflicts_with = "ipv6", help_heading = "Filter")]
    ipv4: bool,
    /// IPv6 addresses alone; interfaces without one are still shown
    #[arg(short = '6', help_heading = "Filter")]
    ipv6: bool,
    /// Leave out what is down
    #[arg(long, help_heading = "Filter")]
    pub(crate) up: bool,
}

const EXAMPLES: &str = "\
Examples:
  nettool ifaces                    every interface, every address
  nettool ifaces -b --up            at a glance: a line for each that is not down
  nettool ifaces -s eth0            what went through one of them
  nettool ifaces --json | jq -r '.addresses[].address'";

impl IfacesArgs {
    /// The names, as the listing has them.
    pub(crate) fn names(&self) -> Vec<String> {
        let names = self.names.iter().map(|name| readable(name.as_bytes()));
        names.collect()
    }

    /// Which addresses are wanted.
    pub(crate) fn family(&self) -> Family {
        match (self.ipv4, self.ipv6) {
            (true, _) => Family::V4,
            (_, true) => Family::V6,
            _ => Family::Any,
        }
    }

    /// How much of each is wanted.
    pub(crate) fn view(&self) -> View {
        match (self.brief, self.only_names) {
            (true, _) => View::Brief,
            (_, true) => View::Names,
            _ => View::Blocks { stats: self.stats },
        }
    }
}
