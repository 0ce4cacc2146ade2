//! Where a connection goes.

use super::host::authority;
use super::{Host, ValueError, parse_port, service};
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

/// Reads `host:port`, as `connect` takes it: an IPv6 address is in brackets. The error of a URL has
/// the host and the port that it means.
pub fn parse_host_port(text: &str) -> Result<(Host, u16), ValueError> {
    if let Some((scheme, rest)) = text.split_once("://") {
        return Err(refuse_url(text, scheme, authority(rest)));
    }
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

/// The error of a URL: its port, or that of its scheme, is what is meant.
fn refuse_url(text: &str, scheme: &str, authority: &str) -> ValueError {
    let problem = "it is a URL";
    let port = || Some((authority.parse::<Host>().ok()?, service::port_of(scheme)?));
    match parse_host_port(authority).ok().or_else(port) {
        Some((host, port)) => {
            let accepted = format!("{}:{port}", host.bracketed());
            ValueError::new("address", text, problem, accepted)
        }
        None => refuse(text, problem),
    }
}

/// The error of a bare IPv6 address where a port is needed too, or of too many colons.
fn explain_colons(text: &str, host: &str, port: &str) -> ValueError {
    let (whole, host) = (text.parse::<Host>(), host.parse::<Host>());
    let (problem, accepted) = match (whole, host, parse_port(port)) {
        (_, Ok(host), Ok(_)) => (
            "which colon stands before the port cannot be told",
            format!("{}:{port}", host.bracketed()),
        ),
        (Ok(addr), ..) => ("the port is missing", example(&addr)),
        (_, Ok(addr), _) if port.is_empty() => ("the port is missing", example(&addr)),
        (_, Ok(_), Err(error)) => return error,
        _ => ("there are too many colons", HOST_PORT.to_owned()),
    };
    ValueError::new("address", text, problem, accepted)
}

/// What to write for an address and some port.
fn example(addr: &Host) -> String {
    format!("{}:80 for port 80", addr.bracketed())
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

#[cfg(test)]
mod tests {
    use super::super::testing::{any_text, assert_reads, assert_refused, check, check_round_trip};
    use super::*;
    use proptest::prelude::*;
    use std::net::Ipv6Addr;

    #[test]
    fn every_kind_of_endpoint_reads() {
        let host = Host::Name("example.org".into());
        let cases = [
            ("example.org:80", Endpoint::Tcp(host.clone(), 80)),
            ("tcp://example.org:http", Endpoint::Tcp(host.clone(), 80)),
            ("udp://example.org:53", Endpoint::Udp(host, 53)),
            (
                "[::1]:80",
                Endpoint::Tcp(Host::V6(Ipv6Addr::LOCALHOST, None), 80),
            ),
            ("unix:/run/x.sock", Endpoint::Unix("/run/x.sock".into())),
            ("unix:80", Endpoint::Unix("80".into())),
            (
                "tcp://unix:80",
                Endpoint::Tcp(Host::Name("unix".into()), 80),
            ),
        ];
        for (text, endpoint) in cases {
            assert_eq!(text.parse(), Ok(endpoint), "{text}");
        }
    }

    #[test]
    fn an_endpoint_is_written_in_its_shortest_form() {
        assert_reads::<Endpoint>(&[
            ("tcp://192.0.2.1:https", "192.0.2.1:443"),
            ("tcp://unix:80", "tcp://unix:80"),
            ("udp://[fe80::1%25eth0]:53", "udp://[fe80::1%eth0]:53"),
            ("unix:///run/a b", "unix:///run/a b"),
            ("localhost:0", "localhost:0"),
        ]);
    }

    /// The one line of a refusal, whatever part of the text it quotes.
    fn message(text: &str) -> String {
        let endpoint = text.parse::<Endpoint>();
        endpoint.map_or_else(
            |error| error.to_string(),
            |endpoint| format!("read: {endpoint}"),
        )
    }

    #[test]
    fn what_is_no_endpoint_is_refused() {
        assert_refused::<Endpoint>(&[
            ("", "it is empty"),
            ("example.org", "the port is missing"),
            ("example.org:", "the port is missing"),
            (":80", "the host is missing"),
            (":", "the host is missing"),
            ("a:b:80", "too many colons"),
            ("[::1", "the bracket is not closed"),
            ("[::1]", "the port is missing"),
            ("[::1]:", "the port is missing"),
            ("[::1]80", "no colon follows the bracket"),
            ("http://example.org", "neither tcp nor udp"),
            ("UDP://example.org:53", "neither tcp nor udp"),
        ]);
        let parts = [
            ("example.org:80x", r#"invalid port "80x""#),
            ("example.org:65536", r#"invalid port "65536""#),
            ("[::1]:80:90", r#"invalid port "80:90""#),
            ("127.1:80", r#"invalid host "127.1""#),
            ("[192.0.2.1]:80", r#"invalid host "[192.0.2.1]""#),
            ("a b:80", r#"invalid host "a b""#),
            ("tcp://:80", "the host is missing"),
            ("udp://a:80/", r#"invalid port "80/""#),
        ];
        for (text, part) in parts {
            assert!(message(text).contains(part), "{text}: {}", message(text));
        }
    }

    #[test]
    fn a_url_is_told_what_it_means() {
        for (text, meant) in [
            ("http://example.org/index", "example.org:80"),
            ("https://me@example.org", "example.org:443"),
            ("https://example.org:8443", "example.org:8443"),
            ("ssh://[::1]", "[::1]:22"),
            ("tcp://localhost:80", "localhost:80"),
            ("nosuch://h", "host:port, such as"),
            ("://://", "host:port, such as"),
        ] {
            let error = parse_host_port(text).map_err(|error| error.to_string());
            let expected = format!("it is a URL; write {meant}");
            assert!(
                error.as_ref().is_err_and(|e| e.contains(&expected)),
                "{error:?}"
            );
        }
    }

    #[test]
    fn a_bare_ipv6_address_is_told_how_to_be_written() {
        assert_refused::<Endpoint>(&[
            ("::1:80", "write [::1]:80"),
            ("::1:https", "write [::1]:https"),
            ("2001:db8:0:0:0:0:0:1:80", "write [2001:db8::1]:80"),
            ("fe80::1%eth0:80", "write [fe80::1%eth0]:80"),
            ("::1", "the port is missing; write [::1]:80"),
            ("::", "the port is missing; write [::]:80"),
            ("::1:beef", "the port is missing; write [::1:beef]:80"),
            ("::1:", "the port is missing; write [::1]:80"),
            ("2001:db8:0:0:0:0:0:1", "the port is missing"),
        ]);
        assert!(message("::1:99999").contains(r#"invalid port "99999""#));
    }

    #[test]
    fn a_unix_path_fits_the_address() {
        let longest = format!("unix:/{}", "x".repeat(106));
        assert_reads::<Endpoint>(&[(&longest, &longest)]);
        let long = message(&format!("{longest}x"));
        assert!(
            long.contains("it is 108 bytes long") && long.contains("has room for 107"),
            "{long}"
        );
        assert!(message("unix:").contains(r#"invalid Unix socket path "": it is empty"#));
        assert!(message("unix:/a\0b").contains("it has a NUL in it"));
        let bytes = OsStr::from_bytes(b"/run/\xff.sock");
        assert_eq!(parse_unix_path(bytes), Ok(PathBuf::from(bytes)));
        assert!(parse_unix_path(OsStr::from_bytes(&[0xff; 108])).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_back_or_refused(text in any_text()) {
            check::<Endpoint>(&text)?;
        }

        #[test]
        fn an_endpoint_reads_back(host in host(), port in any::<u16>(), path in "[^\0]{1,26}") {
            check_round_trip(&Endpoint::Tcp(host.clone(), port))?;
            check_round_trip(&Endpoint::Udp(host, port))?;
            check_round_trip(&Endpoint::Unix(path.into()))?;
        }

        #[test]
        fn a_unix_path_of_any_bytes_is_kept_or_refused(bytes in any::<Vec<u8>>()) {
            let path = OsStr::from_bytes(&bytes);
            let fits = (1..=UNIX_PATH_MAX).contains(&bytes.len()) && !bytes.contains(&0);
            prop_assert_eq!(parse_unix_path(path).ok(), fits.then(|| PathBuf::from(path)));
        }
    }

    /// Any kind of host.
    fn host() -> impl Strategy<Value = Host> {
        prop_oneof![
            "[a-z][a-z0-9_.-]{0,10}[a-z]|unix|tcp|udp"
                .prop_filter_map("no name", |name| { name.parse().ok() }),
            any::<std::net::IpAddr>().prop_map(Host::from),
            (any::<Ipv6Addr>(), "[a-z0-9]{1,5}|25[a-z0-9]{0,3}")
                .prop_map(|(addr, zone)| Host::V6(addr, Some(zone))),
        ]
    }
}
