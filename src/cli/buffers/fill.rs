//! `nettool buffers fill`.

use std::time;

use clap::{Args, ValueEnum};
use nettool::buffers::{Sizes, Transport};
use nettool::net::Family;
use nettool::value::{Duration, Host, Size};

use super::requested;
use crate::cli::place::{check_family, destination, family};
use crate::cli::{Usage, limit, value};

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
    /// Then read at the peer's end, and show how the bytes leave
    ///
    /// Bit by bit; with HOST it is the peer that reads
    #[arg(long)]
    pub(crate) drain: bool,
    /// Give the sender a send buffer of this size
    ///
    /// Which switches its autotuning off
    #[arg(long, value_name = "SIZE", value_parser = value::<Size>)]
    send_buffer: Option<Size>,
    /// Give the peer a receive buffer of this size
    ///
    /// Which switches its autotuning off
    #[arg(long, value_name = "SIZE", value_parser = value::<Size>, conflicts_with = "host")]
    recv_buffer: Option<Size>,
    /// Stop sending after this time, blocked or not
    ///
    /// With --drain a HOST has as long to read
    #[arg(long, value_name = "TIME", value_parser = limit, default_value = "10s")]
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
  nettool buffers fill                      how much fits between two programs
  nettool buffers fill --drain              ... and how it leaves as one reads
  nettool buffers fill --send-buffer 64K    ... with a buffer that was asked for
  nettool buffers fill --proto udp          where send() never waits
  nettool buffers fill host 9000            to a peer that does not read";

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
        let Some(host) = &self.host else {
            return Ok(None);
        };
        let (host, port) = destination("buffers fill", host, self.port.as_deref())?;
        check_family(&host, self.family())?;
        Ok(Some((host, port)))
    }

    /// Whether a pair of our own is filled.
    pub(crate) fn is_own(&self) -> bool {
        self.host.is_none()
    }

    /// The sizes that were asked for.
    pub(crate) fn sizes(&self) -> Result<Sizes, Usage> {
        Ok(Sizes {
            send: requested(self.send_buffer)?,
            receive: requested(self.recv_buffer)?,
        })
    }

    /// How long to send.
    pub(crate) fn limit(&self) -> Option<time::Duration> {
        self.max_time.limit()
    }

    /// Which addresses.
    pub(crate) fn family(&self) -> Family {
        family(self.ipv4, self.ipv6)
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
