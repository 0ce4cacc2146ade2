//! Numbers with their units.

use std::time::Duration;

use humansize::{BINARY, format_size};

/// A number of bytes, exact and, where that helps, in units of 1024: `4194304 B (4 MiB)`.
pub(crate) fn bytes(count: u64) -> String {
    if count < 1024 {
        return format!("{count} B");
    }
    format!("{count} B ({})", in_units(count))
}

/// So many of something whose plural ends in s: `1 client`, `2 clients`.
pub(crate) fn counted(count: u64, what: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {what}{ending}")
}

/// Bytes a second in units of 1024, and as bits: `1.2 MiB/s`, `10.1 Mbit/s`.
pub(crate) fn rate(bytes_per_s: u64) -> (String, String) {
    let bits = bits(u128::from(bytes_per_s) * 8);
    (format!("{}/s", in_units(bytes_per_s)), format!("{bits}/s"))
}

/// A number of bits in units of 1000.
pub(crate) fn bits(count: u128) -> String {
    const UNITS: [&str; 6] = ["kbit", "Mbit", "Gbit", "Tbit", "Pbit", "Ebit"];
    let mut tenths = count.saturating_mul(10);
    let mut unit = "bit";
    for larger in UNITS {
        // Half a tenth below the next unit rounds up to it.
        if tenths + 5 < 10_000 || (unit == "bit" && tenths < 10_000) {
            break;
        }
        tenths = (tenths + 500) / 1000;
        unit = larger;
    }
    match (tenths / 10, tenths % 10) {
        (whole, 0) => format!("{whole} {unit}"),
        (whole, tenth) => format!("{whole}.{tenth} {unit}"),
    }
}

/// The same in units of 1024 alone. What rounds up to a whole unit is shown as that unit, which the
/// library leaves at `1024.0 KiB`.
pub(crate) fn in_units(count: u64) -> String {
    let format = BINARY.decimal_places(1);
    let text = format_size(count, format);
    if text.starts_with("1024") {
        return format_size(count.checked_next_power_of_two().unwrap_or(count), format);
    }
    text
}

/// How fast so many bytes went, in both of the field's units: `, 119.2 MiB/s, 1000.0 Mbit/s`.
/// Nothing for what is too little or too short to have a rate.
pub(crate) fn speed(count: u64, elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64();
    if count < 1024 || seconds < 1e-3 {
        return String::new();
    }
    #[expect(clippy::cast_precision_loss, reason = "a rate is shown to a tenth")]
    let per_second = count as f64 / seconds;
    let (mebibytes, megabits) = (per_second / 1_048_576.0, per_second * 8.0 / 1e6);
    format!(", {mebibytes:.1} MiB/s, {megabits:.1} Mbit/s")
}

/// A time, to the tenth of a second or finer.
pub(crate) fn seconds(elapsed: Duration) -> String {
    let elapsed = elapsed.as_secs_f64();
    if elapsed < 0.1 {
        format!("{elapsed:.3} s")
    } else {
        format!("{elapsed:.1} s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_exact_and_readable() {
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(4096), "4096 B (4 KiB)");
        assert_eq!(bytes(1_234_567), "1234567 B (1.2 MiB)");
        assert_eq!(bytes(1_048_575), "1048575 B (1 MiB)");
        assert_eq!(bytes(u64::MAX), "18446744073709551615 B (16 EiB)");
    }

    #[test]
    fn one_is_no_plural() {
        let texts = [0, 1, 2].map(|count| counted(count, "datagram"));
        assert_eq!(texts, ["0 datagrams", "1 datagram", "2 datagrams"]);
    }

    #[test]
    fn rates_are_told_where_there_are_any() {
        let second = Duration::from_secs(1);
        assert_eq!(speed(125_000_000, second), ", 119.2 MiB/s, 1000.0 Mbit/s");
        assert_eq!(speed(100, second), "");
        assert_eq!(speed(1_000_000, Duration::ZERO), "");
    }

    #[test]
    fn bits_are_decimal() {
        assert_eq!(bits(0), "0 bit");
        assert_eq!(bits(999), "999 bit");
        assert_eq!(bits(1000), "1 kbit");
        assert_eq!(bits(10_500_000), "10.5 Mbit");
        assert_eq!(bits(999_960), "1 Mbit");
        assert_eq!(bits(u64::MAX.into()), "18.4 Ebit");
        assert_eq!(
            rate(131_072),
            ("128 KiB/s".to_owned(), "1 Mbit/s".to_owned())
        );
    }
}
