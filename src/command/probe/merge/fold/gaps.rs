//! Which numbers are missing among others.

use std::collections::BTreeSet;

/// The first and last of the numbers from 1 to `of` that are not there: a file may say of itself that
/// it is one of billions.
pub(super) fn gaps(of: u32, numbers: &BTreeSet<u32>) -> Vec<(u32, u32)> {
    let mut gaps = Vec::new();
    let mut next = 1;
    for number in numbers.range(1..).take_while(|number| **number <= of) {
        if *number > next {
            gaps.push((next, number.saturating_sub(1)));
        }
        let Some(after) = number.checked_add(1) else {
            return gaps;
        };
        next = after;
    }
    if next <= of {
        gaps.push((next, of));
    }
    gaps
}

/// Numbers in a row, in words.
pub(super) fn words((first, last): (u32, u32)) -> String {
    match last.saturating_sub(first) {
        0 => first.to_string(),
        1 => format!("{first}, {last}"),
        _ => format!("{first}-{last}"),
    }
}
