//! One item of a list of ports.

use super::common_ports::COMMON;
use super::{ValueError, port, service};
use std::ops::RangeInclusive;

/// The forms that a message offers.
const ACCEPTED: &str = "ports such as 22,80,8000-8100,https or \
    one of well-known, registered, dynamic, all, common";
/// The ports that RFC 6335 calls system ports.
pub(super) const WELL_KNOWN: RangeInclusive<u16> = 0..=1023;

/// One item of a list.
pub(super) enum Item {
    /// A range that has a name, where a 0 is not meant as a port to probe.
    Named(RangeInclusive<u16>),
    /// The curated list.
    Common,
    /// A port or a range that was written out.
    Written(RangeInclusive<u16>),
}

impl Item {
    /// The ports it stands for.
    pub(super) fn ranges(&self) -> Vec<RangeInclusive<u16>> {
        match self {
            Self::Named(range) | Self::Written(range) => vec![range.clone()],
            Self::Common => COMMON.iter().map(|port| *port..=*port).collect(),
        }
    }

    /// Whether a user wrote a 0 here.
    pub(super) fn writes_zero(&self) -> bool {
        matches!(self, Self::Written(range) if *range.start() == 0)
    }
}

/// Reads one item.
pub(super) fn parse_item(text: &str) -> Result<Item, ValueError> {
    if let Some(named) = named(text) {
        return Ok(named);
    }
    if port::is_number(text) {
        let port = port::parse_number(text)?;
        return Ok(Item::Written(port..=port));
    }
    if let Some(port) = service::port_of(text) {
        return Ok(Item::Written(port..=port));
    }
    match text.split_once('-') {
        Some((_, "")) => Err(refuse(text, "the range has no end")),
        Some(("", _)) => Err(refuse(text, "the range has no start")),
        Some((start, end)) if port::is_number(start) && port::is_number(end) => {
            parse_range(text, start, end).map(Item::Written)
        }
        _ => Err(refuse(
            text,
            "not a number, a range of numbers or a known service",
        )),
    }
}

/// The range of a name.
fn named(text: &str) -> Option<Item> {
    match text.to_ascii_lowercase().as_str() {
        "well-known" => Some(Item::Named(WELL_KNOWN)),
        "registered" => Some(Item::Named(1024..=49151)),
        "dynamic" => Some(Item::Named(49152..=65535)),
        "all" => Some(Item::Named(1..=65535)),
        "common" => Some(Item::Common),
        _ => None,
    }
}

/// Reads a range from its two numbers.
fn parse_range(text: &str, start: &str, end: &str) -> Result<RangeInclusive<u16>, ValueError> {
    let (start, end) = (port::parse_number(start)?, port::parse_number(end)?);
    if start > end {
        let accepted = format!("{end}-{start}");
        return Err(ValueError::new(
            "port list",
            text,
            "the range runs backwards",
            accepted,
        ));
    }
    Ok(start..=end)
}

/// An error about `text` that offers every form.
pub(super) fn refuse(text: &str, problem: &str) -> ValueError {
    ValueError::new("port list", text, problem, ACCEPTED)
}
