//! `nettool connect`.

use clap::Args;
use nettool::net::{Family, Retries, SocketOptions};
use nettool::value::{Duration, Endpoint, Host, Port, parse_unix_path};

use super::common::{DataArgs, Peer, SocketArgs, TimeArgs, TransportArgs};
use super::datagrams::DatagramArgs;
use super::place::{check_family, check_family_of, destination, is_both};
use super::{ShapingArgs, Usage, limit, value};

/// Connect to a server: stdin goes to it, its bytes to stdout.
///
/// All addresses of a name are raced, one more each quarter of a second and IPv6 and IPv4 in turn;
/// the first that answers is taken. Everything read from stdin
/// is sent, then the peer is told that no more will come, and its answer is received to the end.
/// A connection that fails, or that did not take everything, is exit status 1.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES, override_usage = USAGE)]
pub(crate) struct ConnectArgs {
    /// A name, an IPv4 or an IPv6 address, or HOST:PORT
    #[arg(value_name = "HOST")]
    host: Option<String>,
    /// A number or a service name
    #[arg(value_name = "PORT")]
    port: Option<String>,
    #[command(flatten)]
    pub(crate) transport: TransportArgs,
    /// The address of this machine to connect from
    #[arg(
        short,
        long,
        value_name = "ADDR",
        help_heading = "Transport",
        conflicts_with = "unix"
    )]
    #[arg(value_parser = address)]
    pub(crate) source: Option<Host>,
    /// The port to connect from; 0 lets the system pick
    #[arg(short = 'p', long, value_name = "PORT", value_parser = value::<Port>)]
    #[arg(help_heading = "Transport", conflicts_with = "unix")]
    source_port: Option<Port>,
    #[command(flatten)]
    socket: SocketArgs,
    #[command(flatten)]
    pub(crate) times: TimeArgs,
    /// Give up when no address answers in time
    ///
    /// The look-up of the name included [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = limit, help_heading = "Times")]
    connect_timeout: Option<Duration>,
    /// Try again up to N times
    ///
    /// When the peer cannot be reached, or resets before a byte has moved
    #[arg(long, value_name = "N", value_parser = retries, help_heading = "Times")]
    retry: Option<u32>,
    /// Wait this long before the first retry, twice as long before each later one [default: 1s]
    #[arg(long, value_name = "TIME", value_parser = delay)]
    #[arg(help_heading = "Times")]
    retry_delay: Option<std::time::Duration>,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    #[command(flatten)]
    pub(crate) datagrams: DatagramArgs,
    #[command(flatten)]
    pub(crate) shaping: ShapingArgs,
    /// Accepted for those who know nc: it is what happens anyway
    #[arg(short = 'N', hide = true)]
    _shut_down: bool,
    /// Belongs to another command
    #[arg(short = 'z', hide = true)]
    probe: bool,
}

const USAGE: &str = "nettool connect [OPTIONS] HOST PORT
       nettool connect [OPTIONS] HOST:PORT
       nettool connect [OPTIONS] --unix PATH";

const EXAMPLES: &str = "\
Examples:
  printf 'HEAD / HTTP/1.0\\r\\n\\r\\n' | nettool connect example.org 80
  nettool connect [::1]:9000 < file            send a file over IPv6
  nettool connect -U /run/app.sock             talk to a Unix socket
  nettool connect -u 127.0.0.1 9000 --lines    each line typed is a datagram
  tar c dir | nettool connect host 9000 --send-only
  ssh -o ProxyCommand='nettool connect %h %p' host";

/// How long a connection may take to come about, unless said otherwise.
const CONNECT_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);

/// How long to wait before the first retry, unless said otherwise.
const RETRY_DELAY: std::time::Duration = std::time::Duration::from_secs(1);

impl ConnectArgs {
    /// Whom to connect to.
    pub(crate) fn peer(&self) -> Result<Peer, Usage> {
        let words = (self.host.as_deref(), self.port.as_deref());
        if self.probe {
            return Err(Usage::new(format!(
                "connect sends data; use: nettool probe {}",
                target(words)
            )));
        }
        let host = match (&self.transport.unix, words) {
            (Some(path), (None, _)) => return Ok(Peer::Unix(parse_unix_path(path.as_os_str())?)),
            (Some(_), (Some(host), _)) => {
                return Err(Usage::new(format!(
                    "--unix PATH takes no HOST, and there is {host:?}"
                )));
            }
            (None, (None, _)) => return Err(Usage::new("whom to connect to? write HOST PORT")),
            (None, (Some(host), _)) => host,
        };
        check_scheme(host)?;
        let (host, port) = destination("connect", host, words.1)?;
        self.check_family(&host)?;
        Ok(Peer::Ip(host, port))
    }

    /// Refuses an address that the options leave no way to.
    fn check_family(&self, host: &Host) -> Result<(), Usage> {
        let family = self.family()?;
        match &self.source {
            Some(source) => check_family_of(host, family, &format!("--source {source}")),
            None => check_family(host, family),
        }
    }

    /// Which addresses of the peer can be reached: those of the source's family, where there is one.
    pub(crate) fn family(&self) -> Result<Family, Usage> {
        let (source, family) = match (&self.source, self.transport.family()) {
            (None, family) => return Ok(family),
            (Some(source @ Host::V4(_)), Family::V6) => (source, "-6"),
            (Some(source @ Host::V6(..)), Family::V4) => (source, "-4"),
            (Some(Host::V4(_)), _) => return Ok(Family::V4),
            (Some(_), _) => return Ok(Family::V6),
        };
        Err(Usage::new(format!(
            "--source {source} cannot be used with {family}"
        )))
    }

    /// What the socket is told; of the source only the port.
    pub(crate) fn options(&self) -> SocketOptions {
        SocketOptions {
            source_port: self.source_port.map_or(0, |port| port.0),
            broadcast: self.datagrams.broadcast,
            groups: self.datagrams.groups.clone(),
            ..self.socket.options()
        }
    }

    /// How often it is tried again, and how soon.
    pub(crate) fn retries(&self) -> Retries {
        Retries::new(
            self.retry.unwrap_or(0),
            self.retry_delay.unwrap_or(RETRY_DELAY),
        )
    }

    /// How long a connection may take to come about.
    pub(crate) fn patience(&self) -> Option<std::time::Duration> {
        match self.connect_timeout.or(self.times.patience()) {
            None => Some(CONNECT_TIMEOUT),
            Some(limit) => limit.limit(),
        }
    }
}

/// Reads a number of tries.
fn retries(text: &str) -> Result<u32, String> {
    let wrong = |_| "not a number of tries; write 0 to 4294967295".to_owned();
    text.parse().map_err(wrong)
}

/// Reads the time before another try.
fn delay(text: &str) -> Result<std::time::Duration, String> {
    let delay = value::<Duration>(text)?.limit();
    delay.ok_or_else(|| "it never comes to a try; write a time such as 500ms or 2s".to_owned())
}

/// Reads an address of this machine.
fn address(text: &str) -> Result<Host, String> {
    match value::<Host>(text)? {
        Host::Name(_) => {
            Err("not an address; write an IPv4 or IPv6 address of this machine".into())
        }
        address => Ok(address),
    }
}

/// Refuses an endpoint with what is an option here before it, as it is written for `--forward`.
fn check_scheme(word: &str) -> Result<(), Usage> {
    let option = match word.parse() {
        Ok(Endpoint::Udp(host, port)) => format!("-u {}:{port}", host.bracketed()),
        Ok(Endpoint::Unix(path)) => format!("-U {}", path.display()),
        _ => return Ok(()),
    };
    Err(Usage::new(format!(
        "{word:?} is no HOST:PORT: nettool connect {option}"
    )))
}

/// The words for a probe of the same port.
fn target(words: (Option<&str>, Option<&str>)) -> String {
    match words {
        (Some(both), None) if is_both(both) => both.to_owned(),
        (host, port) => format!("{} {}", host.unwrap_or("HOST"), port.unwrap_or("PORT")),
    }
}
