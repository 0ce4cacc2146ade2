//! A socket of this machine, as its kernel sees it.

use std::net::{IpAddr, SocketAddr};

/// A socket with what waits in it, in bytes. What the system does not tell is `None`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Socket {
    /// What kind it is.
    pub kind: SocketKind,
    /// How far its conversation is.
    pub state: SocketState,
    /// Its own address.
    pub local: Option<SocketAddr>,
    /// Its peer's address.
    pub peer: Option<SocketAddr>,
    /// The number of the interface that it is bound to, which is the zone of its link-local addresses.
    pub interface_index: Option<u32>,
    /// What that interface is called.
    pub interface: Option<String>,
    /// The name of a Unix socket; an abstract one begins with `@`.
    pub path: Option<String>,
    /// What came and is not read. Of UDP, and of what a Unix socket sent, it is the memory that that
    /// takes.
    pub receive_queue: Option<u64>,
    /// What was sent and is not acknowledged.
    pub send_queue: Option<u64>,
    /// The size of the receive buffer.
    pub receive_buffer: Option<u64>,
    /// The size of the send buffer.
    pub send_buffer: Option<u64>,
    /// The memory that the send buffer takes, which reaches its size when there is no more room.
    pub send_memory: Option<u64>,
    /// How many connections wait to be accepted; of a listening socket alone.
    pub accept_queue: Option<u64>,
    /// How many may; of a listening socket alone.
    pub backlog: Option<u64>,
    /// Packets that there was no room for.
    pub drops: Option<u64>,
    /// Its number, by which a process has it; 0 is nobody's.
    pub inode: u64,
    /// A process that has it.
    pub process: Option<Process>,
    /// What TCP measures, if that was wanted.
    pub tcp: Option<Tcp>,
}

impl Socket {
    /// Its own end as people write it: an address with its interface, if it is bound to one, and the
    /// port.
    #[must_use]
    pub fn local_end(&self) -> Option<String> {
        let local = self.local?;
        Some(match &self.interface {
            Some(interface) => written(local, interface),
            None => local.to_string(),
        })
    }

    /// The peer's end: a link-local address has the same interface.
    #[must_use]
    pub fn peer_end(&self) -> Option<String> {
        let peer = self.peer?;
        Some(match &self.interface {
            Some(interface) if is_of_link(peer) => written(peer, interface),
            _ => peer.to_string(),
        })
    }

    /// Whether a program that writes has to wait for room: the kernel wakes it when a third of the
    /// send buffer is free (`sk_stream_is_writeable` in `include/net/sock.h`).
    pub(super) fn is_full(&self) -> bool {
        let (Some(memory), Some(size)) = (self.send_memory, self.send_buffer) else {
            return false;
        };
        memory.saturating_mul(3) >= size.saturating_mul(2)
    }
}

/// An address with an interface and the port.
fn written(end: SocketAddr, interface: &str) -> String {
    match end.ip() {
        IpAddr::V4(address) => format!("{address}%{interface}:{}", end.port()),
        IpAddr::V6(address) => format!("[{address}%{interface}]:{}", end.port()),
    }
}

/// Whether the address means something on its own link alone.
fn is_of_link(end: SocketAddr) -> bool {
    matches!(end.ip(), IpAddr::V6(address) if address.is_unicast_link_local())
}

/// A kind of socket.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum SocketKind {
    /// A stream over IP.
    #[default]
    Tcp,
    /// Datagrams over IP.
    Udp,
    /// A stream inside this machine.
    UnixStream,
    /// Datagrams inside this machine.
    UnixDatagram,
    /// A stream of messages inside this machine.
    UnixSeqpacket,
}

impl SocketKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [
        Self::Tcp,
        Self::Udp,
        Self::UnixStream,
        Self::UnixDatagram,
        Self::UnixSeqpacket,
    ];

    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::UnixStream => "unix",
            Self::UnixDatagram => "unix-datagram",
            Self::UnixSeqpacket => "unix-seqpacket",
        }
    }

    /// Whether it stays inside this machine.
    #[must_use]
    pub fn is_unix(self) -> bool {
        !matches!(self, Self::Tcp | Self::Udp)
    }
}

/// How far a conversation is (RFC 9293, section 3.3.2).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum SocketState {
    /// Both ways are open.
    Established,
    /// We asked for a connection.
    SynSent,
    /// We were asked for one.
    SynReceived,
    /// We ended, and that is not acknowledged.
    FinWait1,
    /// We ended, and the peer has not.
    FinWait2,
    /// Both ended; late packets are waited for.
    TimeWait,
    /// No connection.
    #[default]
    Unconnected,
    /// The peer ended, and we have not.
    CloseWait,
    /// Both ended, and ours is not acknowledged.
    LastAck,
    /// It takes connections.
    Listen,
    /// Both ended at once.
    Closing,
}

impl SocketState {
    /// Every state, in the order of the kernel's numbers.
    pub const ALL: [Self; 11] = [
        Self::Established,
        Self::SynSent,
        Self::SynReceived,
        Self::FinWait1,
        Self::FinWait2,
        Self::TimeWait,
        Self::Unconnected,
        Self::CloseWait,
        Self::LastAck,
        Self::Listen,
        Self::Closing,
    ];

    /// The word for it, as ss(8) writes them.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Established => "established",
            Self::SynSent => "syn-sent",
            Self::SynReceived => "syn-received",
            Self::FinWait1 => "fin-wait-1",
            Self::FinWait2 => "fin-wait-2",
            Self::TimeWait => "time-wait",
            Self::Unconnected => "unconnected",
            Self::CloseWait => "close-wait",
            Self::LastAck => "last-ack",
            Self::Listen => "listen",
            Self::Closing => "closing",
        }
    }
}

/// A process that has a socket.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// The name of its program, cut by the kernel.
    pub name: String,
}

/// What TCP measures of a connection (tcp(7), `TCP_INFO`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Tcp {
    /// The smoothed round-trip time in microseconds.
    pub rtt_us: u32,
    /// How many segments the network is trusted with at once.
    pub congestion_window: u32,
    /// The size of a segment that we send.
    pub segment: u32,
    /// How many segments were sent again since the connection began.
    pub retransmissions: u32,
    /// Bytes that the peer acknowledged since then; the SYN counts as one.
    pub acknowledged: Option<u64>,
    /// Bytes that came since then.
    pub received: Option<u64>,
    /// Bytes that wait to be sent for the first time.
    pub unsent: Option<u32>,
    /// Whether lately there was less to send than the network would have taken.
    pub starved: bool,
    /// How long there was something to send, in microseconds.
    pub busy_us: Option<u64>,
    /// How long of that the receiver's window was full.
    pub receiver_limited_us: Option<u64>,
    /// How long of that the send buffer was full.
    pub send_buffer_limited_us: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_has_the_interface_that_it_needs() {
        let ends = |local: &str, peer: &str, interface: Option<&str>| {
            let socket = Socket {
                local: local.parse().ok(),
                peer: peer.parse().ok(),
                interface: interface.map(str::to_owned),
                ..Socket::default()
            };
            (socket.local_end().unwrap(), socket.peer_end().unwrap())
        };
        assert_eq!(
            ends("[fe80::1%7]:1", "[fe80::2%7]:2", Some("eth0")),
            ("[fe80::1%eth0]:1".into(), "[fe80::2%eth0]:2".into())
        );
        assert_eq!(
            ends("10.0.0.1:1", "10.0.0.2:2", Some("lo")),
            ("10.0.0.1%lo:1".into(), "10.0.0.2:2".into())
        );
        assert_eq!(
            ends("[::1]:1", "[::2]:2", None),
            ("[::1]:1".into(), "[::2]:2".into())
        );
    }
}
