//! The default view: a block an interface.

use nettool::interfaces::{AddressFlag, Counters, Interface, InterfaceAddress, Statistics};
use nettool::net::Family;

use super::details::lifetimes;
use super::{Interfaces, name, state, zoned};
use crate::output::Style;
use crate::output::layout::{Columns, Tone, Word, table};
use crate::output::quantity;

/// How far everything below the headline is indented.
pub(super) const INDENT: usize = 4;

/// All of it, the columns aligned from the first block to the last.
pub(super) fn text(report: &Interfaces<'_>, stats: bool, style: Style) -> String {
    let heads: Vec<_> = report.shown.iter().map(headline).collect();
    let head_columns = Columns::of(heads.iter().map(|head| head.columns.as_slice()));
    let detailed = report.details.is_some();
    let addresses = |interface: &Interface| -> Vec<Row> {
        let lines = interface.addresses.iter();
        lines
            .map(|address| address_line(address, detailed))
            .collect()
    };
    let addresses: Vec<Vec<Row>> = report.shown.iter().map(addresses).collect();
    let address_columns = Columns::of(addresses.iter().flatten().map(|row| row.columns.as_slice()));
    let mut text = String::new();
    for ((interface, head), addresses) in report.shown.iter().zip(&heads).zip(&addresses) {
        text += &head_columns.line(0, &head.columns, &head.rest, style);
        if let Some(alias) = &interface.alias {
            text += &table(INDENT, &[vec![Word::plain(format!("\"{alias}\""))]], style);
        }
        if let Some(details) = &report.details {
            text += &details.of(interface, style);
        }
        for row in addresses {
            text += &address_columns.line(INDENT, &row.columns, &row.rest, style);
        }
        if addresses.is_empty() {
            text += &no_address(report.family, style);
        }
        if stats {
            text += &counters(interface.stats, style);
        }
    }
    let details = report.details.as_ref();
    text + &details.map_or_else(String::new, |details| details.resolver(style))
}

/// A line: what stands in columns, and what follows.
struct Row {
    columns: Vec<Word>,
    rest: Vec<Word>,
}

/// What an interface is.
fn headline(interface: &Interface) -> Row {
    let kind = interface.kind.as_deref().unwrap_or("-");
    let mtu = interface
        .mtu
        .map_or_else(|| "-".to_owned(), |mtu| mtu.to_string());
    let mac = interface.mac.as_ref().filter(|mac| !mac.is_zero());
    let mac = mac.map(|mac| Word::plain(mac.to_string()));
    let master = interface.master.as_ref();
    let master = master.map(|master| Word::plain(format!("master {master}")));
    Row {
        columns: vec![
            name(interface),
            state(interface),
            Word::plain(kind),
            Word::plain(format!("mtu {mtu}")),
        ],
        rest: mac.into_iter().chain(master).collect(),
    }
}

/// What an address is.
fn address_line(address: &InterfaceAddress, detailed: bool) -> Row {
    let scope = address
        .scope
        .map(|scope| Word::new(Tone::Dim, scope.name()));
    let zone = address.zone.as_deref();
    let relation = |word: &str, other| Word::plain(format!("{word} {}", zoned(other, zone)));
    let peer = address.peer.map(|peer| relation("peer", peer));
    let broadcast = address.broadcast.map(|ip| relation("broadcast", ip));
    let label = address.label.as_ref();
    let label = label.map(|label| Word::plain(format!("label {label}")));
    let flags = address.flags.iter().flatten().map(|flag| flag_word(*flag));
    let lifetimes = detailed.then(|| lifetimes(address));
    let rest = scope.into_iter().chain(peer).chain(broadcast);
    Row {
        columns: vec![Word::plain(address.to_string())],
        rest: rest
            .chain(label)
            .chain(flags)
            .chain(lifetimes.into_iter().flatten())
            .collect(),
    }
}

/// A flag, in a warning tone if the address is not to be counted on.
fn flag_word(flag: AddressFlag) -> Word {
    let tone = match flag {
        AddressFlag::Deprecated | AddressFlag::Tentative | AddressFlag::DadFailed => Tone::Warning,
        _ => Tone::Plain,
    };
    Word::new(tone, flag.name())
}

/// What stands in the place of addresses.
fn no_address(family: Family, style: Style) -> String {
    let text = match family {
        Family::Any => "no address",
        Family::V4 => "no IPv4 address",
        Family::V6 => "no IPv6 address",
    };
    table(INDENT, &[vec![Word::new(Tone::Dim, text)]], style)
}

/// The counters, received and sent.
fn counters(stats: Option<Statistics>, style: Style) -> String {
    let row = |name: &str, counters: Counters| {
        let number = |count: u64, unit: &str, tone| Word::new(tone, format!("{count} {unit}"));
        let bad = |count: u64| if count == 0 { Tone::Dim } else { Tone::Warning };
        vec![
            Word::new(Tone::Dim, name),
            Word::plain(quantity::bytes(counters.bytes)).right(),
            number(counters.packets, "packets", Tone::Plain).right(),
            number(counters.errors, "errors", bad(counters.errors)).right(),
            number(counters.dropped, "dropped", bad(counters.dropped)).right(),
        ]
    };
    match stats {
        Some(stats) => table(INDENT, &[row("rx", stats.rx), row("tx", stats.tx)], style),
        None => table(INDENT, &[vec![Word::new(Tone::Dim, "no counters")]], style),
    }
}
