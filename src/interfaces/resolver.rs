//! Whom names are asked of: resolv.conf(5), the whole machine's.

use std::fs;
use std::io;

use super::readable;
use crate::error::{Action, Error, Result};

/// Where the C library looks.
const PATH: &str = "/etc/resolv.conf";

/// Where systemd-resolved tells whom it asks itself (systemd-resolved.service(8)).
const RESOLVED: &str = "/run/systemd/resolve/resolv.conf";

/// The address of its own that systemd-resolved answers on.
const STUB: &str = "127.0.0.53";

/// Whom names are asked of.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Resolver {
    /// The addresses of the name servers, in the order in which they are asked.
    pub servers: Vec<String>,
    /// What is added to short names, in turn.
    pub search: Vec<String>,
    /// The file that says so.
    pub path: &'static str,
}

/// Reads who is asked; of systemd-resolved, whom that asks in turn. A machine without the file asks
/// nobody.
///
/// # Errors
/// The file cannot be read.
pub fn resolver() -> Result<Resolver> {
    let own = read(PATH).map_err(|error| Error::new(Action::Read, PATH, error))?;
    if own.servers != [STUB] {
        return Ok(own);
    }
    Ok(read(RESOLVED)
        .ok()
        .filter(|upstream| !upstream.servers.is_empty())
        .unwrap_or(own))
}

/// Reads a file of this kind.
fn read(path: &'static str) -> io::Result<Resolver> {
    match fs::read(path) {
        Ok(bytes) => Ok(Resolver {
            path,
            ..parsed(&readable(&bytes))
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Resolver {
            path,
            ..Resolver::default()
        }),
        Err(error) => Err(error),
    }
}

/// Reads its lines: of `search` and `domain` the last one counts.
fn parsed(text: &str) -> Resolver {
    let mut resolver = Resolver::default();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let word = words.next();
        let rest = words.map(str::to_owned);
        match word {
            Some("nameserver") => resolver.servers.extend(rest.take(1)),
            Some("search") => resolver.search = rest.collect(),
            Some("domain") => resolver.search = rest.take(1).collect(),
            _ => {}
        }
    }
    resolver
}

/// Reads it, for fuzzing.
#[cfg(any(test, feature = "fuzz"))]
pub(crate) fn fuzz(bytes: &[u8]) {
    let _ = parsed(&String::from_utf8_lossy(bytes));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_search_list_counts() {
        let text = "# nameserver 9.9.9.9\nnameserver 192.0.2.1 # first\n\tnameserver fe80::1%eth0\n\
            domain old.example\nsearch a.example b.example\noptions ndots:2\nnameserver\n";
        let resolver = parsed(text);
        assert_eq!(resolver.servers, ["192.0.2.1", "fe80::1%eth0"]);
        assert_eq!(resolver.search, ["a.example", "b.example"]);
    }
}
