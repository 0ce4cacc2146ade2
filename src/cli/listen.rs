//! `nettool listen`.

use std::path::PathBuf;

use clap::Args;
use nettool::net::{ListenOptions, SocketOptions};
use nettool::value::{Duration, Host, Port, parse_host_port, parse_unix_path};

use super::common::{DataArgs, SocketArgs, TimeArgs, TransportArgs};
use super::datagrams::{AudienceArgs, DatagramArgs, Kind};
use super::place::{check_family, pair};
use super::serve::ServeArgs;
use super::{ShapingArgs, Usage, file, limit, value};

/// Wait for a client: stdin goes to it, its bytes to stdout; or serve many.
///
/// Says on stderr where it listens, a line an address, as soon as a client can connect; port 0
/// lets the system pick one. The first client is served, and its end is the end. A connection
/// that is reset before a byte has passed, by a port probe say, is no client. With --keep-open
/// as many as come are served at once, until a signal.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES, override_usage = USAGE)]
pub(crate) struct ListenArgs {
    /// PORT, HOST:PORT, or HOST before a PORT; without HOST on every address
    #[arg(value_name = "HOST")]
    first: Option<String>,
    /// A number or a service name
    #[arg(value_name = "PORT")]
    second: Option<String>,
    #[command(flatten)]
    pub(crate) transport: TransportArgs,
    #[command(flatten)]
    pub(crate) serve: ServeArgs,
    #[command(flatten)]
    socket: SocketArgs,
    #[command(flatten)]
    pub(crate) times: TimeArgs,
    /// Give up when no client comes in time
    #[arg(long, value_name = "TIME", value_parser = limit, help_heading = "Times")]
    accept_timeout: Option<Duration>,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    #[command(flatten)]
    pub(crate) datagrams: DatagramArgs,
    #[command(flatten)]
    pub(crate) audience: AudienceArgs,
    #[command(flatten)]
    pub(crate) shaping: ShapingArgs,
    /// The port, as nc has it
    #[arg(short = 'p', long, value_name = "PORT", value_parser = value::<Port>)]
    #[arg(help_heading = "Transport")]
    port: Option<Port>,
    /// Let N clients wait to be accepted, as far as the system allows
    #[arg(long, value_name = "N", value_parser = backlog, conflicts_with = "udp")]
    #[arg(help_heading = "Socket")]
    backlog: Option<i32>,
    /// Share the port with other listeners of this user that also say so
    #[arg(long, conflicts_with = "unix", help_heading = "Socket")]
    reuse_port: bool,
    /// Who may use the path of --unix, as chmod has it in octal [default: 600]
    #[arg(long, value_name = "MODE", value_parser = mode)]
    #[arg(help_heading = "Socket")]
    mode: Option<u16>,
    /// Write the port into FILE as soon as a client can connect; it stays there
    #[arg(
        long,
        value_name = "FILE",
        value_parser = file(),
        conflicts_with = "unix",
        help_heading = "Output"
    )]
    port_file: Option<PathBuf>,
    /// Accepted for those who know nc: it is what happens anyway
    #[arg(short = 'l', hide = true)]
    _listen: bool,
}

const USAGE: &str = "nettool listen [OPTIONS] [HOST] PORT
       nettool listen [OPTIONS] HOST:PORT
       nettool listen [OPTIONS] --unix PATH";

const EXAMPLES: &str = "\
Examples:
  nettool listen 9000                          talk to the first client
  nettool listen 9000 > copy                   receive a file
  nettool listen localhost 9000 < file         give a file to a local client
  nettool listen -U app.sock                   a Unix socket
  nettool listen -u 9000                       datagrams, of whoever sends some
  nettool listen -U app.sock --seqpacket       messages, their boundaries kept
  nettool listen -k --echo 7                   many clients, each hears itself
  nettool listen -k -v --reply hello 9000      answer everybody, tell of them
  nettool listen -k --save incoming 9000       a file of what each client sends
  nettool listen -k -c 'date; uptime' 9000     a command for each client
  nettool listen -k 8080 --forward db:5432     a way for them to another server";

/// Where to wait for clients.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Where {
    /// A port, on one host's addresses or on every one.
    Ip(Option<Host>, u16),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

impl ListenArgs {
    /// Where to wait for clients.
    pub(crate) fn place(&self) -> Result<Where, Usage> {
        let place = self.named_place()?;
        self.check_port_file()?;
        if let Where::Ip(Some(host), _) = &place {
            check_family(host, self.transport.family())?;
        }
        Ok(place)
    }

    /// Refuses a file for the port that has another use: the port would take its place.
    fn check_port_file(&self) -> Result<(), Usage> {
        let Some(file) = self.port_file.as_deref() else {
            return Ok(());
        };
        let (input, output) = (self.data.input.as_deref(), self.data.output.as_deref());
        if ![input, output, self.shaping.hexdump()].contains(&Some(file)) {
            return Ok(());
        }
        Err(Usage::new(format!(
            "--port-file cannot be the file of --input, --output or --hexdump: {}",
            file.display()
        )))
    }

    /// That place by the words for it alone.
    fn named_place(&self) -> Result<Where, Usage> {
        let port = self.port.map(|port| port.0);
        match (
            &self.transport.unix,
            self.first.as_deref(),
            self.second.as_deref(),
            port,
        ) {
            (Some(path), None, _, None) => Ok(Where::Unix(parse_unix_path(path.as_os_str())?)),
            (Some(_), _, _, Some(_)) => Err(Usage::new("--unix PATH takes no --port")),
            (Some(_), Some(word), _, _) => Err(Usage::new(format!(
                "--unix PATH takes no HOST or PORT, and there is {word:?}"
            ))),
            (None, None, _, None) => Err(Usage::new(
                "where to listen? write PORT, or 0 for a free one",
            )),
            (None, None, _, Some(port)) => Ok(Where::Ip(None, port)),
            (None, Some(_), Some(word), Some(_)) => Err(twice(word)),
            (None, Some(word), None, Some(_)) if word.parse::<Port>().is_ok() => Err(twice(word)),
            (None, Some(host), None, Some(port)) => Ok(Where::Ip(Some(host.parse()?), port)),
            (None, Some(host), Some(port), None) => {
                let (host, port) = pair("listen", host, port)?;
                Ok(Where::Ip(Some(host), port))
            }
            (None, Some(word), None, None) => port_or_both(word),
        }
    }

    /// What kind of socket serves.
    pub(crate) fn kind(&self) -> Kind {
        self.datagrams.kind(&self.transport)
    }

    /// What the sockets are told.
    pub(crate) fn options(&self) -> ListenOptions {
        ListenOptions {
            socket: SocketOptions {
                broadcast: self.datagrams.broadcast,
                groups: self.datagrams.groups.clone(),
                ..self.socket.options()
            },
            backlog: self.backlog,
            reuse_port: self.reuse_port,
            mode: self.mode,
            port_file: self.port_file.clone(),
        }
    }

    /// Refuses what has no meaning for many clients that share stdin.
    pub(crate) fn check_many(&self) -> Result<(), Usage> {
        let option = match self.times.quit_after() {
            Some(_) => "--quit-after",
            None => match self.data.ending_option() {
                None => return Ok(()),
                Some(option) => option,
            },
        };
        Err(Usage::new(format!(
            "{option} cannot be used with --keep-open: each client ends for itself"
        )))
    }

    /// How long a client is waited for.
    pub(crate) fn patience(&self) -> Option<std::time::Duration> {
        self.accept_timeout.or(self.times.patience())?.limit()
    }
}

/// Reads a number of clients, which the system takes as an int.
fn backlog(text: &str) -> Result<i32, String> {
    let count = text.parse().ok().filter(|count| *count > 0);
    count.ok_or_else(|| format!("not a number of clients; write 1 to {}", i32::MAX))
}

/// Reads permissions in octal.
fn mode(text: &str) -> Result<u16, String> {
    let mode = u16::from_str_radix(text, 8).ok();
    let mode = mode.filter(|mode| *mode <= 0o777 && !text.starts_with('+'));
    mode.ok_or_else(|| "not permissions in octal; write 600, 660 or 666, say".to_owned())
}

/// The error of a port that is given twice, once as this word.
fn twice(word: &str) -> Usage {
    Usage::new(format!("the port is given twice: {word:?} and --port"))
}

/// Reads `PORT` or `HOST:PORT`.
fn port_or_both(word: &str) -> Result<Where, Usage> {
    let everywhere = word.strip_prefix('*').unwrap_or(word).strip_prefix(':');
    if let Some(port) = everywhere.filter(|port| port.parse::<Port>().is_ok()) {
        return Err(Usage::new(format!(
            "without a host it is every address: nettool listen {port}"
        )));
    }
    if word.contains(':') {
        let (host, port) = parse_host_port(word)?;
        return Ok(Where::Ip(Some(host), port));
    }
    let error = match word.parse::<Port>() {
        Ok(port) => return Ok(Where::Ip(None, port.0)),
        Err(error) => error,
    };
    if word.parse::<Host>().is_err() {
        return Err(error.into());
    }
    if word.contains('.') {
        return Err(Usage::new(format!(
            "the port is missing: nettool listen {word} PORT"
        )));
    }
    Err(Usage::new(format!(
        "{error}; if it is a host: nettool listen {word} PORT"
    )))
}
