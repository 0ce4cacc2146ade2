//! What `connect` and `listen` have in common.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use nettool::net::{Family, Keepalive, SocketOptions};
use nettool::process::Existing;
use nettool::relay::{Rules, Side, StdinKind, Until};
use nettool::value::{Dscp, Duration, Host, Size};

use super::place::family;
use super::progress::ProgressArgs;
use super::{Usage, file, limit, value};

/// Somebody to talk with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Peer {
    /// A host and a port.
    Ip(Host, u16),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

/// How bytes are carried.
#[derive(Args, Debug)]
#[command(next_help_heading = "Transport")]
pub(crate) struct TransportArgs {
    /// Datagrams instead of a stream
    ///
    /// UDP, or with --unix Unix datagrams
    #[arg(short, long)]
    pub(crate) udp: bool,
    /// A Unix socket instead of TCP
    ///
    /// A stream, unless --udp or --seqpacket is given. PATH is that of a file, @name too: the abstract
    /// names of Linux, which have no permissions, are for nettool probe alone (unix:@name)
    #[arg(short = 'U', long, value_name = "PATH")]
    pub(crate) unix: Option<PathBuf>,
    /// IPv4 alone
    #[arg(short = '4', conflicts_with_all = ["ipv6", "unix"])]
    ipv4: bool,
    /// IPv6 alone
    #[arg(short = '6', conflicts_with = "unix")]
    ipv6: bool,
}

impl TransportArgs {
    /// Which addresses are wanted.
    pub(crate) fn family(&self) -> Family {
        family(self.ipv4, self.ipv6)
    }
}

/// What the sockets are told.
#[derive(Args, Debug)]
#[command(next_help_heading = "Socket")]
pub(crate) struct SocketArgs {
    /// Everything goes through this interface
    #[arg(long, value_name = "NAME", conflicts_with = "unix")]
    interface: Option<String>,
    /// Packets are dropped after N hops, 1 to 255
    #[arg(long, value_name = "N", value_parser = hops, conflicts_with = "unix")]
    ttl: Option<u8>,
    /// The class of traffic: ef, le, af11 to af43, cs0 to cs7, or 0 to 63
    #[arg(long, value_name = "CLASS", value_parser = value::<Dscp>, conflicts_with = "unix")]
    dscp: Option<Dscp>,
    /// Ask a silent peer after this long whether it is there, and again; forever: never
    ///
    /// Unless it is given the system's times hold: two hours, as Linux comes
    #[arg(long, value_name = "TIME", value_parser = keepalive)]
    #[arg(conflicts_with_all = ["unix", "udp"])]
    keepalive: Option<Keepalive>,
    /// Bytes of the send buffer, which then does not grow by itself
    #[arg(long, value_name = "SIZE", value_parser = buffer)]
    send_buffer: Option<Size>,
    /// Bytes of the receive buffer, which then does not grow by itself
    #[arg(long, value_name = "SIZE", value_parser = buffer, conflicts_with = "unix")]
    recv_buffer: Option<Size>,
}

impl SocketArgs {
    /// What the sockets are told.
    pub(crate) fn options(&self) -> SocketOptions {
        SocketOptions {
            interface: self.interface.clone(),
            ttl: self.ttl,
            dscp: self.dscp,
            keepalive: self.keepalive.unwrap_or_default(),
            send_buffer: self.send_buffer.map(Size::bytes),
            receive_buffer: self.recv_buffer.map(Size::bytes),
            ..SocketOptions::default()
        }
    }
}

/// Reads a number of hops.
fn hops(text: &str) -> Result<u8, String> {
    let hops = text.parse().ok().filter(|hops| *hops > 0);
    hops.ok_or_else(|| "not a number of hops; write 1 to 255".to_owned())
}

/// Reads the time of keepalive, which the system takes in whole seconds (tcp(7)).
fn keepalive(text: &str) -> Result<Keepalive, String> {
    let Some(time) = value::<Duration>(text)?.limit() else {
        return Ok(Keepalive::Never);
    };
    match (time.as_secs(), time.subsec_nanos()) {
        (1..=32_767, 0) => Ok(Keepalive::Every(time)),
        _ => Err("not a time for keepalive; write whole seconds, 1s to 32767s, or forever".into()),
    }
}

/// Reads a number of bytes that is not none.
pub(super) fn some_bytes(text: &str) -> Result<Size, String> {
    match value::<Size>(text)? {
        Size(0) => Err("nothing would be carried; write 1 or more".to_owned()),
        size => Ok(size),
    }
}

/// Reads the size of a buffer, which the system keeps in an int.
fn buffer(text: &str) -> Result<Size, String> {
    let size = value::<Size>(text)?;
    match size.bytes() {
        1..=LARGEST_BUFFER => Ok(size),
        _ => Err("not a size for a buffer; write 1 to 1G".to_owned()),
    }
}

/// The largest size that the system can double.
const LARGEST_BUFFER: u64 = 1 << 30;

/// How long things may take.
#[derive(Args, Debug)]
#[command(next_help_heading = "Times")]
pub(crate) struct TimeArgs {
    /// Fail when nothing moves in either direction for this long
    ///
    /// Time in which stdout takes nothing does not count, except with listen --keep-open
    #[arg(long, value_name = "TIME", value_parser = limit)]
    idle_timeout: Option<Duration>,
    /// Give up when nothing happens for so long
    ///
    /// Sets --idle-timeout, and --connect-timeout or --accept-timeout
    #[arg(short = 'w', long, value_name = "TIME", value_parser = limit)]
    timeout: Option<Duration>,
    /// Fail when the whole session takes longer
    ///
    /// listen counts from its client on; listen --udp ends then, with status 0
    #[arg(long, value_name = "TIME", value_parser = limit)]
    max_time: Option<Duration>,
    /// Leave this long after the end of stdin
    ///
    /// With --udp: after the last datagram
    #[arg(long, value_name = "TIME", value_parser = value::<Duration>)]
    quit_after: Option<Duration>,
}

impl TimeArgs {
    /// How long nothing may move.
    pub(crate) fn idle(&self) -> Option<std::time::Duration> {
        self.idle_timeout.or(self.timeout)?.limit()
    }

    /// What `-w` gives for reaching each other, if it was given.
    pub(crate) fn patience(&self) -> Option<Duration> {
        self.timeout
    }

    /// How long the whole may take.
    pub(crate) fn whole(&self) -> Option<std::time::Duration> {
        self.max_time?.limit()
    }

    /// For how long answers to datagrams are waited for, if anything was said of it.
    pub(crate) fn answers(&self) -> Option<std::time::Duration> {
        let time = self.quit_after.or(self.idle_timeout).or(self.timeout)?;
        Some(time.limit().unwrap_or(std::time::Duration::MAX))
    }

    /// How long to stay after the end of stdin.
    pub(crate) fn quit_after(&self) -> Option<std::time::Duration> {
        self.quit_after?.limit()
    }
}

/// What is read, what is written, and when it is over.
#[derive(Args, Debug)]
#[command(next_help_heading = "Data and end of file")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of its own"
)]
pub(crate) struct DataArgs {
    /// Send stdin alone: its end is the end
    ///
    /// What comes is dropped
    #[arg(long, conflicts_with_all = ["recv_only", "until"])]
    pub(crate) send_only: bool,
    /// Receive alone: the peer's end is the end
    ///
    /// stdin is never read
    #[arg(long, conflicts_with = "until")]
    pub(crate) recv_only: bool,
    /// When to leave
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "auto",
        hide_default_value = true
    )]
    until: UntilArg,
    /// Do not shut the write half down at the end of stdin
    #[arg(long)]
    no_shutdown: bool,
    /// Send this file instead of stdin
    ///
    /// What is open already is read from where it stands: /dev/stdin, /dev/fd/N
    #[arg(long, value_name = "FILE", value_parser = file(), conflicts_with = "recv_only")]
    pub(crate) input: Option<PathBuf>,
    /// Write what comes into a new file instead of stdout
    ///
    /// A device or a FIFO is written to, and so is a descriptor that is open: -, /dev/stdout, /dev/fd/N
    #[arg(short, long, value_name = "FILE", conflicts_with = "send_only")]
    pub(crate) output: Option<PathBuf>,
    /// Add to the file of --output if it exists
    #[arg(long, conflicts_with = "force")]
    append: bool,
    /// Replace the file of --output if it exists
    #[arg(long)]
    force: bool,
    /// Carry at most this many bytes each way: then stdin is at its end, or we leave
    #[arg(long, value_name = "SIZE", value_parser = some_bytes)]
    max_bytes: Option<Size>,
    /// Send each line end as CR LF
    #[arg(short = 'C', long, conflicts_with_all = ["udp", "seqpacket"])]
    pub(crate) crlf: bool,
    /// Pass control sequences to the terminal as they come
    ///
    /// Otherwise they are shown escaped there, but for tabs, line ends, backspace, bell and colours
    #[arg(long)]
    pub(crate) raw: bool,
    #[command(flatten)]
    pub(crate) progress: ProgressArgs,
}

/// When to leave.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum UntilArg {
    /// As END OF FILE in the manual says [default]
    Auto,
    /// When both sides have ended
    Both,
    /// When the peer has ended
    Peer,
    /// When stdin has ended and everything is acknowledged
    Stdin,
}

impl DataArgs {
    /// The rules of a stream.
    pub(crate) fn rules(&self, side: Side, stdin: StdinKind, times: &TimeArgs) -> Rules {
        let until = match self.until {
            UntilArg::Auto => Until::Auto,
            UntilArg::Both => Until::Both,
            UntilArg::Peer => Until::Peer,
            UntilArg::Stdin => Until::Stdin,
        };
        Rules {
            side,
            until,
            stdin,
            shut_down: !self.no_shutdown,
            quit_after: times.quit_after(),
            send_only: self.send_only,
            recv_only: self.recv_only,
        }
    }

    /// What becomes of a file that is there already.
    pub(crate) fn existing(&self) -> Existing {
        match (self.append, self.force) {
            (true, _) => Existing::Extended,
            (_, true) => Existing::Replaced,
            _ => Existing::Kept,
        }
    }

    /// How many bytes are sent at most.
    pub(crate) fn most(&self) -> Option<u64> {
        self.max_bytes.map(Size::bytes)
    }

    /// How many bytes are taken at most; what is dropped has no limit.
    pub(crate) fn most_received(&self) -> Option<u64> {
        self.most().filter(|_| !self.send_only)
    }

    /// An option that says how one stream ends, if there is any.
    pub(crate) fn ending_option(&self) -> Option<&'static str> {
        match (self.until, self.no_shutdown) {
            (UntilArg::Auto, false) => None,
            (UntilArg::Auto, true) => Some("--no-shutdown"),
            _ => Some("--until"),
        }
    }

    /// Refuses what only datagrams have: without reading stdin there is no end of it to leave after.
    pub(crate) fn check_stream(&self, times: &TimeArgs) -> Result<(), Usage> {
        if self.recv_only && times.quit_after.is_some() {
            return Err(Usage::new(
                "--recv-only cannot be used with --quit-after, except with --udp",
            ));
        }
        Ok(())
    }

    /// Refuses what only a stream has.
    pub(crate) fn check_datagrams(&self) -> Result<(), Usage> {
        let Some(option) = self.ending_option() else {
            return Ok(());
        };
        Err(Usage::new(format!(
            "{option} cannot be used with --udp: datagrams have no end of file"
        )))
    }
}
