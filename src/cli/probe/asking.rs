//! What `nettool probe` asks.

use std::str::FromStr;

use clap::Args;
use nettool::value::{ProbePorts, Protocol, ValueError};

/// What is asked.
#[derive(Args, Debug)]
#[command(next_help_heading = "Question")]
pub(super) struct AskingArgs {
    /// Ask over UDP, in the protocol of each port
    ///
    /// t: and u: in a list of ports say it for what follows
    #[arg(short, long, conflicts_with = "connect_ex")]
    pub(super) udp: bool,
    /// Read what open TCP ports say first
    ///
    /// Or when asked politely (HTTP HEAD, TLS)
    #[arg(long, conflicts_with = "connect_ex")]
    pub(super) banner: bool,
    /// Tell which hosts are up
    ///
    /// By ICMP echo, or else by TCP; ports are then asked of these alone, and --wait and --count follow
    /// hosts
    #[arg(long, conflicts_with = "connect_ex")]
    pub(super) ping: bool,
}

impl AskingArgs {
    /// The transport of ports that name none.
    pub(super) fn protocol(&self) -> Protocol {
        if self.udp {
            Protocol::Udp
        } else {
            Protocol::Tcp
        }
    }
}

/// Ports as they are written, before it is known which transport they mean.
#[derive(Clone, Debug)]
pub(super) struct WrittenPorts {
    tcp: ProbePorts,
    udp: ProbePorts,
}

impl WrittenPorts {
    /// The ports, where those without a prefix are of `protocol`.
    pub(super) fn of(&self, protocol: Protocol) -> &ProbePorts {
        match protocol {
            Protocol::Tcp => &self.tcp,
            Protocol::Udp => &self.udp,
        }
    }

    /// The ports, where those without a prefix are of both transports.
    pub(super) fn of_both(&self) -> ProbePorts {
        self.tcp.with(&self.udp)
    }
}

impl FromStr for WrittenPorts {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        Ok(Self {
            tcp: ProbePorts::read(text, Protocol::Tcp)?,
            udp: ProbePorts::read(text, Protocol::Udp)?,
        })
    }
}
