//! What `connect` and `listen` say of datagrams.

use clap::{Args, ValueEnum};
use nettool::net::Family;
use nettool::relay::{Audience, Cut, Input};
use nettool::value::{Group, Size};

use super::common::TransportArgs;
use super::{Usage, value};

/// The most payload of a UDP datagram.
const LONGEST_UDP: u64 = 65_507;

/// The most that a Unix socket could ever be asked to take as one.
const LONGEST: u64 = 1 << 30;

/// How input becomes datagrams, and who may hear them.
#[derive(Args, Debug)]
#[command(next_help_heading = "Datagrams")]
pub(crate) struct DatagramArgs {
    /// With --unix: a connection that carries messages, their boundaries kept
    #[arg(long)]
    #[arg(conflicts_with_all = ["udp", "limit_rate", "delay", "hexdump"])]
    seqpacket: bool,
    /// Cut each read of stdin into datagrams of N bytes, the last one maybe shorter [default: 1400]
    #[arg(long, value_name = "N", value_parser = size)]
    datagram_size: Option<Size>,
    /// Send each line of stdin as a datagram, its end included
    #[arg(long, conflicts_with = "datagram_size")]
    lines: bool,
    /// Allow datagrams to an address that stands for everybody of a network
    #[arg(long, conflicts_with = "unix")]
    pub(crate) broadcast: bool,
    /// Receive what is sent to this multicast group; may be given again
    #[arg(long = "multicast-join", value_name = "GROUP[%IFACE]", value_parser = value::<Group>)]
    #[arg(conflicts_with = "unix")]
    pub(crate) groups: Vec<Group>,
}

/// Who hears what is sent.
#[derive(Args, Debug)]
#[command(next_help_heading = "Datagrams")]
pub(crate) struct AudienceArgs {
    /// Of those heard within five minutes stdin goes to the first, the last or all [default: last]
    #[arg(long, value_name = "WHOM")]
    to: Option<AudienceArg>,
}

/// Who hears what is sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum AudienceArg {
    /// Whoever was heard first
    First,
    /// Whoever was heard last
    Last,
    /// Everybody
    All,
}

impl AudienceArgs {
    /// Who hears what is sent.
    pub(crate) fn audience(&self) -> Audience {
        match self.to {
            Some(AudienceArg::First) => Audience::First,
            Some(AudienceArg::Last) | None => Audience::Last,
            Some(AudienceArg::All) => Audience::All,
        }
    }
}

/// What kind of socket it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// A stream of bytes.
    Stream,
    /// Datagrams.
    Datagrams,
    /// A connection that carries messages.
    Messages,
}

impl DatagramArgs {
    /// What kind of socket it is.
    pub(crate) fn kind(&self, transport: &TransportArgs) -> Kind {
        match (transport.udp, self.seqpacket) {
            (true, _) => Kind::Datagrams,
            (_, true) => Kind::Messages,
            _ => Kind::Stream,
        }
    }

    /// Input in the datagrams that it becomes, if it does.
    pub(crate) fn shaped(&self, input: Input, transport: &TransportArgs) -> Input {
        if self.kind(transport) == Kind::Stream {
            return input;
        }
        let size = self.datagram_size.map(Size::bytes);
        let size = size.and_then(|size| usize::try_from(size).ok());
        let cut = if self.lines {
            Cut::Lines
        } else {
            size.map_or_else(Cut::default, Cut::Every)
        };
        input.for_datagrams(cut)
    }

    /// Refuses what a stream has not, sizes that UDP cannot carry, and groups of a family that is
    /// not used.
    pub(crate) fn check(&self, transport: &TransportArgs) -> Result<(), Usage> {
        self.check_cut(transport)?;
        self.check_groups(transport.family())
    }

    /// Refuses datagrams of a stream, and those that are too long.
    fn check_cut(&self, transport: &TransportArgs) -> Result<(), Usage> {
        let option = match (self.datagram_size, self.lines) {
            (Some(_), _) => "--datagram-size",
            (_, true) => "--lines",
            _ => return Ok(()),
        };
        if self.kind(transport) == Kind::Stream {
            return Err(Usage::new(format!(
                "{option} needs --udp or --seqpacket: a stream has no datagrams"
            )));
        }
        let is_udp = transport.udp && transport.unix.is_none();
        match self.datagram_size {
            Some(size) if is_udp && size.bytes() > LONGEST_UDP => Err(Usage::new(format!(
                "--datagram-size: a datagram of --udp holds at most {LONGEST_UDP} bytes"
            ))),
            _ => Ok(()),
        }
    }

    /// Refuses groups of a family that is not used.
    fn check_groups(&self, family: Family) -> Result<(), Usage> {
        let mut groups = self.groups.iter();
        let Some(group) = groups.find(|group| !family.includes(group.address)) else {
            return Ok(());
        };
        let other = if group.address.is_ipv4() { "-6" } else { "-4" };
        Err(Usage::new(format!(
            "--multicast-join {group} cannot be used with {other}"
        )))
    }
}

/// Reads the size of a datagram.
fn size(text: &str) -> Result<Size, String> {
    match value::<Size>(text)? {
        size if (1..=LONGEST).contains(&size.bytes()) => Ok(size),
        _ => Err("not a size for a datagram; write 1 to 65507, of --unix to 1G".to_owned()),
    }
}
