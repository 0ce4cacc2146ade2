//! Where a connection goes.

use super::{Host, ValueError, parse_port};
use std::ffi::OsStr;
use std::fmt::{self, Display, Formatter};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::str::FromStr;

/// The forms that a message offers for an endpoint.
const ACCEPTED: &str = "host:port, tcp://host:port, udp://host:port or unix:/path";
/// The forms that a message offers for a host with its port.
const HOST_PORT: &str = "host:port, such as example.org:80 or [::1]:80";
/// The longest path of a Unix socket, in bytes: `sun_path` of unix(7) has 108 with the final NUL.
/// Systems where it is shorter (104 on macOS and the BSDs) refuse the rest themselves.
pub const UNIX_PATH_MAX: usize = 107;

/// One end of a connection, as a user names it.
///
/// Read from `host:port` or `tcp://host:port`, `udp://host:port`, and `unix:/path`. An IPv6
/// address before a port is in brackets.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// A TCP port.
    Tcp(Host, u16),
    /// A UDP port.
    Udp(Host, u16),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

impl FromStr for Endpoint {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        if let Some(path) = text.strip_prefix("unix:") {
            return parse_unix_path(path.as_ref()).map(Self::Unix);
        }
        match text.split_once("://") {
            None => parse_host_port(text).map(|(host, port)| Self::Tcp(host, port)),
            Some(("tcp", rest)) => parse_host_port(rest).map(|(host, port)| Self::Tcp(host, port)),
            Some(("udp", rest)) => parse_host_port(rest).map(|(host, port)| Self::Udp(host, port)),
            Some(_) => {
                let problem = "the scheme before :// is neither tcp nor udp";
                Err(ValueError::new("endpoint", text, problem, ACCEPTED))
            }
        }
    }
}

/// A path that is not UTF-8 is written with replacement characters, and does not read back.
impl Display for Endpoint {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            // Without a scheme it would read as the path of a Unix socket.
            Self::Tcp(Host::Name(name), port) if name == "unix" => write!(f, "tcp://{name}:{port}"),
            Self::Tcp(host, port) => write!(f, "{}:{port}", host.bracketed()),
            Self::Udp(host, port) => write!(f, "udp://{}:{port}", host.bracketed()),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// Reads `host:port`, as `connect` takes it: an IPv6 address is in brackets.
pub fn parse_host_port(text: &str) -> Result<(Host, u16), ValueError> {
    let (host, port) = split_host_port(text)?;
    if host.is_empty() {
        return Err(refuse(text, "the host is missing"));
    }
    let host = host.parse()?;
    if port.is_empty() {
        return Err(refuse(text, "the port is missing"));
    }
    Ok((host, parse_port(port)?))
}

/// Reads the path of a Unix socket.
pub fn parse_unix_path(path: &OsStr) -> Result<PathBuf, ValueError> {
    let bytes = path.as_bytes();
    if bytes.is_empty() {
        return Err(refuse_path(path, "it is empty"));
    }
    if bytes.contains(&0) {
        return Err(refuse_path(path, "it has a NUL in it"));
    }
    if bytes.len() > UNIX_PATH_MAX {
        let problem = format!(
            "it is {} bytes long, and the address of a Unix socket has room for {UNIX_PATH_MAX}",
            bytes.len()
        );
        return Err(refuse_path(path, &problem));
    }
    Ok(path.into())
}

/// Splits at the colon before the port.
fn split_host_port(text: &str) -> Result<(&str, &str), ValueError> {
    if text.starts_with('[') {
        return split_bracketed(text);
    }
    let Some((host, port)) = text.rsplit_once(':') else {
        return Err(missing_port(text));
    };
    if host.contains(':') {
        return Err(explain_colons(text, host, port));
    }
    Ok((host, port))
}

/// Splits `[address]:port`.
fn split_bracketed(text: &str) -> Result<(&str, &str), ValueError> {
    let Some(close) = text.find(']') else {
        return Err(refuse(text, "the bracket is not closed"));
    };
    let (host, rest) = text.split_at(close.saturating_add(1));
    match rest.strip_prefix(':') {
        Some(port) => Ok((host, port)),
        None if rest.is_empty() => Err(missing_port(text)),
        None => Err(refuse(text, "no colon follows the bracket")),
    }
}

/// The error of a bare IPv6 address where a port is needed too, or of too many colons.
fn explain_colons(text: &str, host: &str, port: &str) -> ValueError {
    let (whole, host) = (text.parse::<Host>(), host.parse::<Host>());
    match (whole, host, parse_port(port)) {
        (_, Ok(host), Ok(_)) => {
            let accepted = format!("{}:{port}", host.bracketed());
            let problem = "which colon stands before the port cannot be told";
            ValueError::new("address", text, problem, accepted)
        }
        (Ok(whole), ..) => {
            let accepted = format!("{}:80 for port 80", whole.bracketed());
            ValueError::new("address", text, "the port is missing", accepted)
        }
        (_, Ok(_), Err(_)) if port.is_empty() => missing_port(text),
        (_, Ok(_), Err(error)) => error,
        _ => refuse(text, "there are too many colons"),
    }
}

/// The error of a host without a port, which must be a host at least.
fn missing_port(text: &str) -> ValueError {
    match text.parse::<Host>() {
        Ok(_) => refuse(text, "the port is missing"),
        Err(error) => error,
    }
}

/// An error about `text` that offers both forms.
fn refuse(text: &str, problem: &str) -> ValueError {
    ValueError::new("address", text, problem, HOST_PORT)
}

/// An error about the path of a Unix socket.
fn refuse_path(path: &OsStr, problem: &str) -> ValueError {
    let accepted = "a path of at most 107 bytes; a relative one may do";
    ValueError::new(
        "Unix socket path",
        &path.to_string_lossy(),
        problem,
        accepted,
    )
}
