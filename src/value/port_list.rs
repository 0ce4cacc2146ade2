//! A set of ports.

use super::ValueError;
use super::common_ports::COMMON;
use super::port_item::{Item, WELL_KNOWN, parse_item, refuse};
use std::fmt::{self, Display, Formatter};
use std::ops::RangeInclusive;
use std::str::FromStr;

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
        let first = self.ranges.partition_point(|range| *range.end() < port);
        self.ranges
            .get(first)
            .is_some_and(|range| range.contains(&port))
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

#[cfg(test)]
mod tests {
    use super::super::testing::{any_text, assert_reads, assert_refused, check, check_round_trip};
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    /// A list that is known to read; an empty one if it does not.
    fn list(text: &str) -> PortList {
        text.parse().unwrap_or_default()
    }

    #[test]
    fn lists_read_and_are_written_in_order() {
        assert_reads::<PortList>(&[
            ("22,80,8000-8100,https", "22,80,443,8000-8100"),
            ("80,22,80", "22,80"),
            ("10-20,15-30,31", "10-31"),
            ("1-65535,5", "1-65535"),
            ("80-80", "80"),
            ("http-alt", "8080"),
            ("ftp-data,FTP", "20-21"),
            ("0", "0"),
            ("well-known", "well-known"),
            ("Well-Known,1024", "well-known,1024"),
            ("well-known,registered", "well-known,1024-49151"),
            ("well-known,0", "0-1023"),
            ("0-1023", "0-1023"),
            ("registered", "1024-49151"),
            ("dynamic", "49152-65535"),
            ("all", "1-65535"),
            ("all,well-known", "well-known,1024-65535"),
        ]);
        assert_eq!("common".parse(), Ok(PortList::common()));
    }

    #[test]
    fn what_is_no_list_is_refused() {
        let (none, large) = (
            "not a number, a range of numbers or a known service",
            "larger than",
        );
        assert_refused::<PortList>(&[
            ("", "it is empty"),
            (",", "an item between the commas is empty"),
            ("80,,81", "an item between the commas is empty"),
            ("80,", "an item between the commas is empty"),
            ("80-70", "write 70-80"),
            ("80-", "the range has no end"),
            ("-80", "the range has no start"),
            ("-", "the range has no end"),
            ("80--90", none),
            ("80-90-100", none),
            ("http-https", none),
            ("80x", none),
            (" 80", none),
            ("0x50", none),
            ("nosuchsvc", none),
            ("no-such-svc", none),
            ("65536", large),
            ("080", "no leading zeros"),
        ]);
    }

    #[test]
    fn the_message_quotes_the_item_that_is_wrong() {
        let quoted = |text: &str| text.parse::<PortList>().map_err(|error| error.value);
        assert_eq!(quoted("22,80x,443"), Err("80x".to_owned()));
        assert_eq!(quoted("22,1-99999"), Err("99999".to_owned()));
        assert_eq!(quoted("22,08-9"), Err("08".to_owned()));
    }

    #[test]
    fn zero_is_probed_by_nobody() {
        assert_eq!(list("well-known").probed(), Ok(list("1-1023")));
        assert_eq!(list("well-known,8080").probed(), Ok(list("1-1023,8080")));
        assert_eq!(list("all").probed(), Ok(list("all")));
        for text in ["0", "0,80", "0-1023", "0-65535", "well-known,0"] {
            let problem = list(text).probed().map_err(|error| error.problem);
            assert_eq!(problem, Err("port 0 cannot be probed".to_owned()), "{text}");
        }
    }

    #[test]
    fn taking_ports_away_leaves_the_rest() {
        assert_eq!(
            list("20-30").without(&list("22,25-40")),
            list("20-21,23-24")
        );
        assert_eq!(list("80").without(&list("http")), PortList::default());
        assert_eq!(
            list("well-known").without(&list("2000")),
            list("well-known")
        );
        assert_eq!(list("well-known").without(&list("1023")), list("1-1022"));
        assert_eq!(list("0-1023").without(&list("1023")), list("0-1022"));
    }

    #[test]
    fn the_common_ports_are_in_order_and_no_two_the_same() {
        assert!(COMMON.is_sorted_by(|a, b| a < b));
        assert_eq!(PortList::common().len(), COMMON.len());
        assert!(!PortList::common().contains(0));
    }

    proptest! {
        #[test]
        fn any_text_is_read_back_or_refused(text in any_text()) {
            check::<PortList>(&text)?;
        }

        #[test]
        fn a_list_is_the_set_of_its_ports(ranges in ranges(), gone in ranges()) {
            let (all, gone) = (set(&ranges), set(&gone));
            let list: PortList = all.iter().copied().collect();
            prop_assert_eq!(&list, &written(&ranges).parse::<PortList>()?);
            check_round_trip(&list)?;
            prop_assert_eq!(list.len(), all.len());
            prop_assert!(list.iter().eq(all.iter().copied()));
            prop_assert!((0..=u16::MAX).all(|port| list.contains(port) == all.contains(&port)));
            let rest = list.without(&gone.iter().copied().collect());
            prop_assert!(rest.iter().eq(all.difference(&gone).copied()));
        }

        #[test]
        fn a_named_zero_survives_or_goes_with_its_range(ranges in ranges()) {
            let gone = written(&ranges).parse::<PortList>()?;
            let rest = list("well-known,2000").without(&gone);
            if !rest.is_empty() {
                check_round_trip(&rest)?;
            }
            prop_assert!(rest.probed().is_ok());
        }
    }

    /// A few ranges, some of one port.
    fn ranges() -> impl Strategy<Value = Vec<(u16, u16)>> {
        let range = (0..4000_u16, prop_oneof![Just(0), 0..2000_u16]);
        prop::collection::vec(range.prop_map(|(start, more)| (start, start + more)), 1..8)
    }

    /// Every port of the ranges.
    fn set(ranges: &[(u16, u16)]) -> BTreeSet<u16> {
        ranges
            .iter()
            .flat_map(|(start, end)| *start..=*end)
            .collect()
    }

    /// The ranges as a user writes them.
    fn written(ranges: &[(u16, u16)]) -> String {
        let items: Vec<_> = ranges
            .iter()
            .map(|(start, end)| format!("{start}-{end}"))
            .collect();
        items.join(",")
    }
}
