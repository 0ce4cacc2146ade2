//! A host and its port, as people write them; what is no such pair is told how to be written.

use std::net::IpAddr;

use nettool::net::Family;
use nettool::value::{Host, Port, PortList, parse_host_port};

use super::Usage;

/// Where a client goes, from the words `HOST PORT` or `HOST:PORT` behind `command`.
pub(super) fn destination(
    command: &str,
    host: &str,
    port: Option<&str>,
) -> Result<(Host, u16), Usage> {
    let (host, port) = match port {
        None => host_and_port(command, host)?,
        Some(port) if is_both(host) => {
            return Err(Usage::new(format!(
                "the port is given twice: {host:?} and {port:?}"
            )));
        }
        Some(port) => pair(command, host, port)?,
    };
    check_reachable(port)?;
    Ok((host, port))
}

/// Reads a host and a port.
pub(super) fn pair(command: &str, host: &str, port: &str) -> Result<(Host, u16), Usage> {
    let error = match (host.parse::<Host>(), port.parse::<Port>()) {
        (Ok(host), Ok(port)) => return Ok((host, port.0)),
        (Err(error), _) | (_, Err(error)) => error,
    };
    Err(meant(command, host, port).unwrap_or_else(|| error.into()))
}

/// Whether a word is a host with its port, and no host.
pub(super) fn is_both(word: &str) -> bool {
    word.parse::<Host>().is_err() && parse_host_port(word).is_ok()
}

/// Refuses the port that only the system can make something of.
pub(super) fn check_reachable(port: u16) -> Result<(), Usage> {
    if port == 0 {
        return Err(Usage::new(
            "port 0 is no port that can be reached; write 1 to 65535",
        ));
    }
    Ok(())
}

/// Refuses an address of the other family than -4 or -6 says: that it has none of this one is known
/// before anybody is asked.
pub(super) fn check_family(host: &Host, family: Family) -> Result<(), Usage> {
    let option = if family == Family::V4 { "-4" } else { "-6" };
    check_family_of(host, family, option)
}

/// Likewise where it is this option that says so. A name is asked for, and an IPv4-mapped address
/// taken as IPv4.
pub(super) fn check_family_of(host: &Host, family: Family, option: &str) -> Result<(), Usage> {
    let address = host.ip().as_ref().map(IpAddr::to_canonical);
    if address.is_none_or(|address| family.includes(address)) {
        return Ok(());
    }
    Err(Usage::new(format!("{host} cannot be used with {option}")))
}

/// Which addresses `-4` and `-6` leave.
pub(super) fn family(ipv4: bool, ipv6: bool) -> Family {
    match (ipv4, ipv6) {
        (true, _) => Family::V4,
        (_, true) => Family::V6,
        _ => Family::Any,
    }
}

/// Reads `HOST:PORT`.
fn host_and_port(command: &str, word: &str) -> Result<(Host, u16), Usage> {
    let missing = if word.contains(':') {
        None
    } else if word.parse::<Host>().is_ok() {
        Some(("port", format!("{word} PORT")))
    } else {
        let is_port = word.parse::<Port>().is_ok();
        is_port.then(|| ("host", format!("HOST {word}")))
    };
    match missing {
        None => Ok(parse_host_port(word)?),
        Some((what, words)) => Err(Usage::new(format!(
            "the {what} is missing: nettool {command} {words}"
        ))),
    }
}

/// What somebody means who writes these words, of which one is wrong.
fn meant(command: &str, host: &str, port: &str) -> Option<Usage> {
    let is_port = |word: &str| word.parse::<Port>().is_ok();
    if is_port(host) && port.parse::<Host>().is_ok() {
        return Some(Usage::new(format!(
            "the host stands before the port: nettool {command} {port} {host}"
        )));
    }
    if is_port(host) && is_port(port) {
        return Some(Usage::new(format!(
            "{host} and {port} are two ports: write a host and one port"
        )));
    }
    let host = host.parse::<Host>().ok()?;
    for (ending, option) in [("/tcp", ""), ("/udp", "-u ")] {
        if let Some(number) = port.strip_suffix(ending).filter(|number| is_port(number)) {
            return Some(Usage::new(format!(
                "{port:?} is no port: nettool {command} {option}{host} {number}"
            )));
        }
    }
    port.parse::<PortList>().ok().map(|_| {
        Usage::new(format!(
            "{port:?} is more than one port; to see which are open use: nettool probe {host} {port}"
        ))
    })
}
