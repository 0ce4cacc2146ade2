//! The rules for the name of a host.

use super::ValueError;
use super::host::refuse;

/// The longest name, in octets, without a final dot (RFC 1035, section 3.1).
const NAME_MAX: usize = 253;
/// The longest label of a name, in octets (RFC 1035, section 2.3.4).
const LABEL_MAX: usize = 63;

/// Refuses what is no host name, or is one that a resolver takes for an address.
pub(super) fn check_name(text: &str) -> Result<(), ValueError> {
    if !text.is_ascii() {
        let accepted = "the ASCII form of the name, such as xn--mnchen-3ya.example";
        return Err(ValueError::new(
            "host",
            text,
            "not all characters are ASCII",
            accepted,
        ));
    }
    if text.starts_with('-') {
        return Err(refuse(text, "a name does not begin with -"));
    }
    if let Some(c) = text.chars().find(|c| !is_name_char(*c)) {
        return Err(refuse(text, format!("a name has no {c:?} in it")));
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    if name.len() > NAME_MAX {
        return Err(refuse(text, "the name is longer than 253 characters"));
    }
    name.split('.')
        .try_for_each(|label| check_label(text, label))?;
    check_no_number(text, name)
}

/// Whether a host name may have `c` in it; underscores are common, whatever RFC 952 says.
fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

/// Refuses a label that is empty or too long.
fn check_label(text: &str, label: &str) -> Result<(), ValueError> {
    match label.len() {
        0 => Err(refuse(text, "a part between the dots is empty")),
        1..=LABEL_MAX => Ok(()),
        _ => Err(refuse(
            text,
            "a part between the dots is longer than 63 characters",
        )),
    }
}

/// Refuses a last label that is a number: `inet_aton` reads `127.1` and `0177.0.0.1` as addresses.
fn check_no_number(text: &str, name: &str) -> Result<(), ValueError> {
    let last = name.rsplit('.').next().unwrap_or(name);
    let hex = last.strip_prefix("0x").or(last.strip_prefix("0X"));
    let number = match hex {
        Some(digits) => digits.bytes().all(|b| b.is_ascii_hexdigit()),
        None => last.bytes().all(|b| b.is_ascii_digit()),
    };
    if number {
        let accepted = "all four decimal numbers without leading zeros, such as 127.0.0.1";
        return Err(ValueError::new(
            "host",
            text,
            "not a full IPv4 address",
            accepted,
        ));
    }
    Ok(())
}
