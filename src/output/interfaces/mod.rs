//! The report of `nettool ifaces`.

mod blocks;
mod brief;
mod details;
mod rates;
mod record;
mod routes;

use std::net::IpAddr;

use nettool::error::Error;
use nettool::interfaces::{Interface, State};
use nettool::net::Family;

pub(crate) use details::Details;
pub(crate) use rates::Rates;
pub(crate) use routes::Routes;

use super::layout::{Tone, Word};
use super::{Output, Report, Style, escaped, record as records};

/// How much of an interface a person wants to see.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum View {
    /// A line for the interface, one for each address, and two for the counters if they are wanted.
    Blocks {
        /// Whether they are.
        stats: bool,
    },
    /// A line an interface.
    Brief,
    /// Names alone.
    Names,
}

/// Interfaces, as they are to be shown.
#[derive(Debug)]
pub(crate) struct Interfaces<'a> {
    /// Which ones, with the addresses that are wanted.
    pub(crate) shown: &'a [Interface],
    /// The family that all the addresses are of, to say so where there is none.
    pub(crate) family: Family,
    /// How much of them.
    pub(crate) view: View,
    /// What is known beyond the usual, if it is wanted.
    pub(crate) details: Option<Details>,
}

impl Report for Interfaces<'_> {
    fn records(&self) -> String {
        let details = self.details.as_ref();
        let lines = self.shown.iter().map(|interface| {
            let record = record::Interface::new(interface, details);
            records::line("interface", &record)
        });
        let resolver = details.and_then(|details| details.resolver.as_ref());
        let resolver = resolver.map(|r| records::line("resolver", &record::Resolver::new(r)));
        lines.chain(resolver).collect()
    }

    fn text(&self, style: Style) -> String {
        match self.view {
            View::Blocks { stats } => blocks::text(self, stats, style),
            View::Brief => brief::text(self.shown, style),
            View::Names => names(self.shown),
        }
    }
}

impl Output {
    /// Warns that the system tells less of its interfaces than it could.
    pub(crate) fn incomplete_interfaces(&self, reason: &Error) {
        self.warn(&format!(
            "interfaces without an address, and most of what there is to know of the others, \
             are missing: {reason}"
        ));
    }
}

/// An address with the zone that it needs to be used.
fn zoned(address: IpAddr, zone: Option<&str>) -> String {
    match (address, zone) {
        (IpAddr::V6(v6), Some(zone)) if v6.is_unicast_link_local() => format!("{address}%{zone}"),
        _ => address.to_string(),
    }
}

/// The names, a line each.
fn names(interfaces: &[Interface]) -> String {
    let lines = interfaces
        .iter()
        .map(|interface| format!("{}\n", escaped(&interface.name)));
    lines.collect()
}

/// The name, in the tone of the headline.
fn name(interface: &Interface) -> Word {
    Word::new(Tone::Strong, &interface.name)
}

/// The state, in a tone that says whether it is as it should be.
fn state(interface: &Interface) -> Word {
    let Some(state) = interface.state else {
        return Word::new(Tone::Dim, "-");
    };
    let tone = match state {
        State::Up => Tone::Good,
        State::Down => Tone::Dim,
        _ => Tone::Warning,
    };
    Word::new(tone, state.name())
}
