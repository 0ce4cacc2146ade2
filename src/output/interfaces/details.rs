//! What `--details` adds: to a block a few lines, and to the whole whom names are asked of.

use std::collections::BTreeMap;

use nettool::interfaces::{
    Duplex, Hardware, Interface, InterfaceAddress, InterfaceFlags, LinkedTo, Mac, Resolver,
};
use nettool::value::Duration;

use super::blocks::INDENT;
use crate::output::layout::{Columns, Tone, Word};
use crate::output::{Style, quantity};

/// What is known beyond the usual.
#[derive(Debug)]
pub(crate) struct Details {
    /// What the drivers say, by the indices of the interfaces.
    pub(crate) hardware: BTreeMap<u32, Hardware>,
    /// Whom names are asked of, unless that cannot be read.
    pub(crate) resolver: Option<Resolver>,
}

impl Details {
    /// The lines of an interface.
    pub(super) fn of(&self, interface: &Interface, style: Style) -> String {
        let flags = interface.flags.into_iter().flat_map(InterfaceFlags::names);
        let hardware = self.hardware.get(&interface.index);
        let lines = [
            properties(interface),
            hardware.map(driver).unwrap_or_default(),
            named(
                "names",
                interface.alternative_names.iter().map(String::as_str),
            ),
            named("flags", flags),
        ];
        let lines = lines.iter().filter(|words| !words.is_empty());
        lines.map(|words| line(INDENT, words, style)).collect()
    }

    /// The lines of the resolver.
    pub(super) fn resolver(&self, style: Style) -> String {
        let Some(resolver) = &self.resolver else {
            return String::new();
        };
        let none = if resolver.servers.is_empty() {
            &["none"][..]
        } else {
            &[]
        };
        let servers = resolver.servers.iter().map(String::as_str);
        let servers = named("name servers", servers.chain(none.iter().copied()));
        let search = named("search", resolver.search.iter().map(String::as_str));
        let from = Word::new(Tone::Dim, format!("({})", resolver.path));
        let first: Vec<Word> = servers.into_iter().chain([from]).collect();
        let lines = [first, search]
            .into_iter()
            .filter(|words| !words.is_empty());
        lines.map(|words| line(0, &words, style)).collect()
    }
}

/// How long an address lives, if that is not for ever.
pub(super) fn lifetimes(address: &InterfaceAddress) -> Vec<Word> {
    let word = |name: &str, left| Word::plain(format!("{name} {}", Duration::new(left)));
    let valid = address.valid.map(|left| word("valid", left));
    let preferred = address.preferred.map(|left| word("preferred", left));
    valid.into_iter().chain(preferred).collect()
}

/// A line of words that go on below where it is full.
fn line(indent: usize, words: &[Word], style: Style) -> String {
    Columns::default().line(indent, &[], words, style)
}

/// What the kernel knows.
fn properties(interface: &Interface) -> Vec<Word> {
    let queue = interface.queue_length;
    let queue = queue.map(|packets| Word::plain(format!("queue {packets}")));
    let permanent = interface
        .permanent_mac
        .as_ref()
        .filter(|mac| !mac.is_zero());
    let permanent = permanent.map(|mac: &Mac| Word::plain(format!("permanent MAC {mac}")));
    let link = interface.link.as_ref();
    let link = link.map(|link| linked_to(link, interface.kind.as_deref()));
    let index = Word::plain(format!("index {}", interface.index));
    let rest = queue.into_iter().chain(permanent).chain(link);
    std::iter::once(index).chain(rest).collect()
}

/// The other end of a cable, or what an interface runs on.
fn linked_to(link: &LinkedTo, kind: Option<&str>) -> Word {
    let relation = match kind {
        Some("veth" | "netkit") => "peer",
        _ => "on",
    };
    let number = format!("if{}", link.index);
    let name = link.name.as_ref().unwrap_or(&number);
    Word::plain(match link.namespace {
        Some(number) if number >= 0 => format!("{relation} {name} in namespace {number}"),
        Some(_) => format!("{relation} {name} in another namespace"),
        None => format!("{relation} {name}"),
    })
}

/// What the driver says.
fn driver(hardware: &Hardware) -> Vec<Word> {
    let driver = hardware.driver.as_ref();
    let driver = driver.map(|name| Word::plain(format!("driver {name}")));
    let speed = hardware
        .speed
        .map(|speed| format!("speed {}/s", quantity::bits(speed.into())));
    let duplex = hardware
        .duplex
        .map(|duplex: Duplex| format!("{} duplex", duplex.name()));
    let known = speed.into_iter().chain(duplex).map(Word::plain);
    driver.into_iter().chain(known).collect()
}

/// Words after what they are; nothing if there are none.
fn named<'a>(name: &str, words: impl Iterator<Item = &'a str>) -> Vec<Word> {
    let words: Vec<Word> = words.map(Word::plain).collect();
    let name = (!words.is_empty()).then(|| Word::new(Tone::Dim, name));
    name.into_iter().chain(words).collect()
}
