//! A line an interface.

use nettool::interfaces::Interface;

use super::{name, state};
use crate::output::Style;
use crate::output::layout::{Tone, Word, table};

/// Name, state, and every address, separated by spaces; no address is `-`.
pub(super) fn text(interfaces: &[Interface], style: Style) -> String {
    let rows: Vec<_> = interfaces
        .iter()
        .map(|interface| vec![name(interface), state(interface), addresses(interface)])
        .collect();
    table(0, &rows, style)
}

/// The addresses of an interface.
fn addresses(interface: &Interface) -> Word {
    if interface.addresses.is_empty() {
        return Word::new(Tone::Dim, "-");
    }
    let addresses = interface.addresses.iter().map(ToString::to_string);
    Word::plain(addresses.collect::<Vec<_>>().join(" "))
}
