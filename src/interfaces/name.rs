//! Text from the kernel, which allows any byte in a name but `/`, `:` and white space.

use std::fmt::Write as _;

/// Bytes as text: what is no UTF-8 is spelt out (`\xff`), so that two names that differ in it alone
/// do not look alike.
#[must_use]
pub fn readable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            // Writing to a String cannot fail.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_can_be_seen() {
        assert_eq!(readable(b"eth0"), "eth0");
        assert_eq!(readable("wän".as_bytes()), "wän");
        assert_eq!(readable(b"a\xff\xc3z"), "a\\xff\\xc3z");
        assert_eq!(readable(b"\x1b[2J"), "\u{1b}[2J");
    }
}
