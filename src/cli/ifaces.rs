//! `nettool ifaces`.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::time;

use clap::Args;
use nettool::interfaces::{State, readable};
use nettool::net::Family;
use nettool::value::Host;

use super::place::{check_family, family};
use super::{Usage, interval, value};
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
    /// Show lifetimes, links, drivers, flags and name servers too
    #[arg(long, conflicts_with_all = ["brief", "only_names"], help_heading = "View")]
    pub(crate) details: bool,
    /// Show source, interface and gateway towards a host
    ///
    /// Nothing is sent
    #[arg(
        long = "for",
        value_name = "HOST",
        value_parser = value::<Host>,
        group = "route",
        conflicts_with_all = NOT_FOR_ROUTES,
        help_heading = "Routes"
    )]
    host: Option<Host>,
    /// Show the same of the default routes
    ///
    /// Those that packets meet first come first
    #[arg(long, group = "route", conflicts_with_all = NOT_FOR_ROUTES, help_heading = "Routes")]
    default: bool,
    /// Print the source address alone
    ///
    /// Of the default routes the first one's of each family
    #[arg(long, requires = "route", help_heading = "Routes")]
    pub(crate) ip: bool,
    /// Show how fast bytes come and go, until a signal
    #[arg(
        long,
        conflicts_with_all = ["brief", "stats", "only_names", "details", "ipv4", "ipv6"],
        help_heading = "Watch"
    )]
    watch: bool,
    /// Time between two looks of --watch
    #[arg(
        long,
        value_name = "TIME",
        value_parser = interval,
        default_value = "1s",
        help_heading = "Watch"
    )]
    every: time::Duration,
    /// IPv4 addresses alone; interfaces without one are still shown
    #[arg(short = '4', conflicts_with = "ipv6", help_heading = "Filter")]
    ipv4: bool,
    /// IPv6 addresses alone; interfaces without one are still shown
    #[arg(short = '6', help_heading = "Filter")]
    ipv6: bool,
    /// Leave out what is down
    #[arg(long, help_heading = "Filter")]
    up: bool,
}

/// What says nothing of a route.
const NOT_FOR_ROUTES: [&str; 7] = [
    "names",
    "brief",
    "stats",
    "only_names",
    "details",
    "watch",
    "up",
];

/// What is asked of the interfaces.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Question<'a> {
    /// What they are.
    Interfaces,
    /// Which one leads to a host.
    RouteTo(&'a Host),
    /// Which ones lead to everything else.
    DefaultRoutes,
    /// What goes through them, looked at every so often.
    Rates(time::Duration),
}

const EXAMPLES: &str = "\
Examples:
  nettool ifaces                     every interface, every address
  nettool ifaces -b --up             a line for each that is not down
  nettool ifaces -s eth0             what went through one of them
  nettool ifaces --for example.org   our address and gateway on the way there
  nettool ifaces --default --ip -4   the address of this machine, for a script
  nettool ifaces --watch eth0        how fast bytes come and go
  nettool ifaces --json | jq -r '.addresses[].address'";

impl IfacesArgs {
    /// The names, as the listing has them.
    pub(crate) fn names(&self) -> Vec<String> {
        let names = self.names.iter().map(|name| readable(name.as_bytes()));
        names.collect()
    }

    /// Which addresses are wanted.
    pub(crate) fn family(&self) -> Family {
        family(self.ipv4, self.ipv6)
    }

    /// Whether an interface in this state is wanted.
    pub(crate) fn wants(&self, state: Option<State>) -> bool {
        !self.up || state != Some(State::Down)
    }

    /// What is asked.
    pub(crate) fn question(&self) -> Result<Question<'_>, Usage> {
        match &self.host {
            Some(host) => {
                check_family(host, self.family())?;
                Ok(Question::RouteTo(host))
            }
            None if self.default => Ok(Question::DefaultRoutes),
            None if self.watch => Ok(Question::Rates(self.every)),
            None => Ok(Question::Interfaces),
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
