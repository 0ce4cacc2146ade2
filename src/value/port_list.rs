//! A set of ports.

use super::common_ports::COMMON;
use super::{ValueError, port, service};
use std::fmt::{self, Display, Formatter};
use std::ops::RangeInclusive;
use std::str::FromStr;

/// The forms that a message offers.
const ACCEPTED: &str = "ports such as 22,80,8000-8100,https or \
    one of well-known, registered, dynamic, all, common";
/// The ports that RFC 6335 calls system ports.
const WELL_KNOWN: RangeInclusive<u16> = 0..=1023;

/// A set of ports: numbers, ranges, service names and named ranges, joined by commas.
///
/// Named ranges are `well-known` (0-1023), `registered` (1024-49151), `dynamic` (49152-65535),
/// `all` (1-65535) and `common` (the TCP ports most often found open). Order and repetition do not
/// matter; it is written back in ascending order, with what touches joined.
///
/// Port 0 cannot be probed. A list remembers whether its 0 was written or only came with
/// `well-known`: see [`probed`](Self::probed).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PortList {
    /// Ascending, none touching the next.
    ranges: Vec<RangeInclusive<u16>>,
    /// The list has 0 only because it has all of `well-known`.
    named_zero: bool,
}

impl PortList {
    /// The `common` ports, which a probe takes when none are given.
    #[must_use]
    pub fn common() -> Self {
        COMMON.into_iter().collect()
    }

    /// The ports in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = u16> + '_ {
        self.ranges.iter().cloned().flatten()
    }

    /// How many ports there are: at most 65,536.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ranges.iter().map(ExactSizeIterator::len).sum()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Whether `port` is among them.
    #[must_use]
    pub fn contains(&self, port: u16) -> bool {
        self.ranges.iter().any(|range| range.contains(&port))
    }

    /// These ports but not those of `other`. The 0 of a `well-known` that is no longer whole goes
    /// too.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        let rest: Self = self.iter().filter(|port| !other.contains(*port)).collect();
        match self.named_zero {
            true if rest.has_well_known() => Self {
                named_zero: true,
                ..rest
            },
            true => rest.without_zero(),
            false => rest,
        }
    }

    /// The ports to probe: without the 0 that came with `well-known`.
    ///
    /// A 0 that was written out is an error.
    pub fn probed(&self) -> Result<Self, ValueError> {
        if !self.contains(0) || self.named_zero {
            return Ok(self.without_zero());
        }
        let text = self.to_string();
        Err(ValueError::new(
            "port list",
            &text,
            "port 0 cannot be probed",
            "ports from 1 to 65535",
        ))
    }

    /// The same ports but 0.
    fn without_zero(&self) -> Self {
        self.iter().filter(|port| *port != 0).collect()
    }

    /// Whether every well-known port is there.
    fn has_well_known(&self) -> bool {
        self.ranges
            .first()
            .is_some_and(|first| *first.start() == 0 && first.contains(WELL_KNOWN.end()))
    }
}

impl FromIterator<u16> for PortList {
    fn from_iter<T: IntoIterator<Item = u16>>(ports: T) -> Self {
        let ranges = ports.into_iter().map(|port| port..=port).collect();
        Self {
            ranges: merge(ranges),
            named_zero: false,
        }
    }
}

impl FromStr for PortList {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        if text.is_empty() {
            return Err(refuse(text, "it is empty"));
        }
        if text.split(',').any(str::is_empty) {
            return Err(refuse(text, "an item between the commas is empty"));
        }
        let items = text
            .split(',')
            .map(parse_item)
            .collect::<Result<Vec<_>, _>>()?;
        let ranges = merge(items.iter().flat_map(Item::ranges).collect());
        let has_zero = ranges.first().is_some_and(|first| *first.start() == 0);
        let named_zero = has_zero && !items.iter().any(Item::writes_zero);
        Ok(Self { ranges, named_zero })
    }
}

/// An empty list, which only [`without`](PortList::without) makes, is written as nothing and does
/// not read back.
impl Display for PortList {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut comma = "";
        for range in &self.ranges {
            f.write_str(comma)?;
            comma = ",";
            match (range.start(), range.end()) {
                (0, end) if self.named_zero => write_well_known(f, *end)?,
                (start, end) if start == end => write!(f, "{start}")?,
                (start, end) => write!(f, "{start}-{end}")?,
            }
        }
        Ok(())
    }
}

/// Writes the ports from 0 to `end` such that the 0 stays a named one.
fn write_well_known(f: &mut Formatter<'_>, end: u16) -> fmt::Result {
    f.write_str("well-known")?;
    match end {
        0..=1023 => Ok(()),
        1024 => f.write_str(",1024"),
        _ => write!(f, ",1024-{end}"),
    }
}

/// One item of a list.
enum Item {
    /// A range that has a name, where a 0 is not meant as a port to probe.
    Named(RangeInclusive<u16>),
    /// The curated list.
    Common,
    /// A port or a range that was written out.
    Written(RangeInclusive<u16>),
}

impl Item {
    /// The ports it stands for.
    fn ranges(&self) -> Vec<RangeInclusive<u16>> {
        match self {
            Self::Named(range) | Self::Written(range) => vec![range.clone()],
            Self::Common => COMMON.iter().map(|port| *port..=*port).collect(),
        }
    }

    /// Whether a user wrote a 0 here.
    fn writes_zero(&self) -> bool {
        matches!(self, Self::Written(range) if *range.start() == 0)
    }
}

/// Reads one item.
fn parse_item(text: &str) -> Result<Item, ValueError> {
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

/// The same ports in ascending ranges, with what overlaps or touches joined.
fn merge(mut ranges: Vec<RangeInclusive<u16>>) -> Vec<RangeInclusive<u16>> {
    ranges.sort_unstable_by_key(|range| *range.start());
    let mut merged: Vec<RangeInclusive<u16>> = Vec::new();
    for range in ranges {
        match merged.last_mut() {
            Some(last) if *range.start() <= last.end().saturating_add(1) => {
                *last = *last.start()..=*last.end().max(range.end());
            }
            _ => merged.push(range),
        }
    }
    merged
}

/// An error about `text` that offers every form.
fn refuse(text: &str, problem: &str) -> ValueError {
    ValueError::new("port list", text, problem, ACCEPTED)
}
