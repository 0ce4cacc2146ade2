//! `nettool buffers fill`.

use std::time;

use clap::{Args, ValueEnum};
use nettool::buffers::{LARGEST_REQUEST, Sizes, Transport};
use nettool::net::Family;
use nettool::value::{Duration, Host, Port, Size, parse_host_port};

use crate::cli::{Usage, value};

/// Send to a peer that does not read until send would block, and show where the bytes are.
///
/// Without HOST a pair of sockets of our own is filled. With HOST and PORT a connection is made to
/// a program that should not read; whatever it reads is gone.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES, override_usage = USAGE)]
pub(crate) struct FillArgs {
    /// A name, an IPv4 or an IPv6 address, or HOST:PORT
    #[arg(value_name = "HOST")]
    host: Option<String>,
    /// A number or a service name
    #[arg(value_name = "PORT")]
    port: Option<String>,
    /// What carries the bytes of a pair of our own
    #[arg(
        long,
        value_name = "PROTO",
        default_value = "tcp",
        conflicts_with = "host"
    )]
    proto: ProtoArg,
    /// Then read at the peer's end, bit by bit, and show how the bytes leave; with HOST the peer reads
    #[arg(long)]
    pub(crate) drain: bool,
    /// Give the sender a send buffer of this size, which switches its autotuning off
    #[arg(long, value_name = "SIZE", value_parser = value::<Size>)]
    send_buffer: Option<Size>,
    /// Give the peer a receive buffer of this size, which switches its autotuning off
    #[arg(long, value_name = "SIZE", value_parser = value::<Size>, conflicts_with = "host")]
    recv_buffer: Option<Size>,
    /// Stop sending after this time, blocked or not; and as long for a HOST to read with --drain
    #[arg(long, value_name = "TIME", value_parser = value::<Duration>, default_value = "10s")]
    max_time: Duration,
    /// IPv4 alone
    #[arg(short = '4', conflicts_with = "ipv6")]
    ipv4: bool,
    /// IPv6 alone
    #[arg(short = '6')]
    ipv6: bool,
}

const USAGE: &str = "nettool buffers fill [OPTIONS]
       nettool buffers fill [OPTIONS] HOST PORT
       nettool buffers fill [OPTIONS] HOST:PORT";

const EXAMPLES: &str = "\
Examples:
  nettool buffers fill                       how much fits between two programs
  nettool buffers fill --drain               ... and how it leaves again
  nettool buffers fill --send-buffer 64K     ... with a buffer of this size
  nettool buffers fill --proto udp           where send() never waits
  nettool buffers fill host 9000             to a peer that does not read";

/// What carries the bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum ProtoArg {
    /// A TCP connection
    Tcp,
    /// UDP datagrams
    Udp,
    /// A Unix stream
    Unix,
}

impl FillArgs {
    /// What carries the bytes.
    pub(crate) fn transport(&self) -> Transport {
        match self.proto {
            ProtoArg::Tcp => Transport::Tcp,
            ProtoArg::Udp => Transport::Udp,
            ProtoArg::Unix => Transport::UnixStream,
        }
    }

    /// Whom to send to, if not to ourselves.
    pub(crate) fn peer(&self) -> Result<Option<(Host, u16)>, Usage> {
        let (host, port) = match (&self.host, &self.port) {
            (None, _) => return Ok(None),
            (Some(host), Some(port)) => (host.parse()?, port.parse::<Port>()?.0),
            (Some(both), None) => parse_host_port(both)?,
        };
        match port {
            0 => Err(Usage::new(
                "port 0 is no port that can be reached; write 1 to 65535",
            )),
            port => Ok(Some((host, port))),
        }
    }

    /// Whether a pair of our own is filled.
    pub(crate) fn is_own(&self) -> bool {
        self.host.is_none()
    }

    /// The sizes that were asked for.
    pub(crate) fn sizes(&self) -> Result<Sizes, Usage> {
        Ok(Sizes {
            send: size(self.send_buffer)?,
            receive: size(self.recv_buffer)?,
        })
    }

    /// How long to send.
    pub(crate) fn limit(&self) -> Option<time::Duration> {
        self.max_time.limit()
    }

    /// Which addresses.
    pub(crate) fn family(&self) -> Family {
        match (self.ipv4, self.ipv6) {
            (true, _) => Family::V4,
            (_, true) => Family::V6,
            _ => Family::Any,
        }
    }

    /// Refuses what the protocol does not have.
    pub(crate) fn check(&self) -> Result<(), Usage> {
        match self.proto {
            ProtoArg::Udp if self.drain => Err(Usage::new(
                "--drain has nothing to show with --proto udp: what does not fit is dropped",
            )),
            ProtoArg::Unix if self.ipv4 || self.ipv6 => {
                Err(Usage::new("-4 and -6 cannot be used with --proto unix"))
            }
            _ => Ok(()),
        }
    }
}

/// A size that a program can ask for.
pub(super) fn size(size: Option<Size>) -> Result<Option<u64>, Usage> {
    match size.map(Size::bytes) {
        Some(size) if size > LARGEST_REQUEST => Err(Usage::new(format!(
            "no program can ask for {size} bytes; write at most {LARGEST_REQUEST}"
        ))),
        size => Ok(size),
    }
}
