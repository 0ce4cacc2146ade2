//! What differs between systems, and every call that the safe crates do not offer: the only place
//! that says `unsafe` or `target_os`.
//!
//! Linux is supported and tested. Elsewhere a question that only Linux answers is answered with
//! `None`, and the caller says «unknown», never zero.

mod binding;
mod child;
#[cfg(target_os = "linux")]
mod connection;
#[cfg(target_os = "linux")]
mod control;
mod datagrams;
mod descriptors;
mod errno;
mod exec;
mod icmp;
mod local_ports;
mod settings;
mod signals;
#[cfg(target_os = "linux")]
mod sockopt;
mod watched;

#[cfg(any(test, feature = "fuzz"))]
pub(crate) mod fuzz;

#[cfg(target_os = "linux")]
mod ethtool;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
mod netlink;
#[cfg(not(target_os = "linux"))]
mod portable;
#[cfg(target_os = "linux")]
mod proc_net;
#[cfg(target_os = "linux")]
mod processes;
#[cfg(target_os = "linux")]
mod socket_list;

#[cfg(target_os = "linux")]
pub(crate) use connection::{carried, forget_news, peer_state, watch_for_end};
#[cfg(target_os = "linux")]
pub(crate) use ethtool::hardware;
#[cfg(target_os = "linux")]
pub(crate) use linux::{
    CONNECTS_AGAIN, alarm, bind_to_interface, closed_at_start, forget_closed, nonblocking_socket,
    read_now, receive_drops, send_file, set_receive_low_water, sigpipe_was_ignored, splice,
    unacknowledged, unix_address, unsent, wide_pipe, widen_pipe, write_now,
};
#[cfg(target_os = "linux")]
pub(crate) use netlink::{default_routes, interfaces, neighbours, route_to, tcp_socket};
#[cfg(not(target_os = "linux"))]
pub(crate) use portable::{
    CONNECTS_AGAIN, alarm, bind_to_interface, closed_at_start, default_routes, forget_closed,
    hardware, interfaces, neighbours, nonblocking_socket, process_sockets, receive_drops, route_to,
    sockets, tcp_socket, unix_address, unsent,
};
#[cfg(not(target_os = "linux"))]
pub(crate) use portable::{
    carried, forget_news, peer_state, read_now, send_file, set_receive_low_water,
    sigpipe_was_ignored, splice, unacknowledged, watch_for_end, wide_pipe, widen_pipe, write_now,
};
#[cfg(target_os = "linux")]
pub(crate) use processes::process_sockets;
#[cfg(target_os = "linux")]
pub(crate) use socket_list::sockets;

pub(crate) use binding::{bind_without_port, limit_connect};
pub(crate) use child::{prepare_child, signal_group, watch_child};
pub(crate) use datagrams::{
    Arrival, MOST_MESSAGES, OwnEnd, Post, bind_own_name, keep_to_own_groups, receive_many,
    receive_message, request_arrival_address, request_bundles, send_bundle, send_many,
};
pub use descriptors::StdinKind;
pub(crate) use descriptors::StdoutKind;
pub(crate) use descriptors::{
    are_same, close, close_stdout, descriptors_in_use, foreground, inherited, input_left,
    input_waits, interface_index, interface_name, is_channel, is_terminal, open_files, poll_now,
    raise_open_files, read_stdin, replace_stdin, replace_stdout, restore_open_files,
    stderr_has_room, stdin_kind, stdin_place, stdout_kind, terminal_columns, terminal_lines,
    was_closed, write_all, write_piece, write_stderr, write_stderr_now, write_stdout,
};
pub use errno::errno_name;
pub(crate) use exec::replace_with;
pub(crate) use icmp::{IcmpError, next_icmp_error, request_icmp_errors};
pub(crate) use local_ports::{limit_local_ports, local_ports, retransmissions};
pub(crate) use settings::{BUFFER_FACTOR, TUNES_TCP, setting};
pub(crate) use signals::{
    die_of, end_by_signals, hear_of_children, ignored, prefer_errors, restore_signals,
    spare_status_signals,
};
pub(crate) use watched::watched;

/// What a call came to that moves bytes inside the system.
#[cfg_attr(
    not(target_os = "linux"),
    expect(dead_code, reason = "no other does so")
)]
pub(crate) enum Splice {
    /// It failed.
    Failed(std::io::Error),
    /// So many bytes went; 0 is the end of the source.
    Moved(usize),
    /// The system does not do so between these two ends.
    NotHere,
    /// The source is empty or the destination full: nobody says which.
    NotNow,
}

impl Splice {
    /// The number of its error, if it failed.
    pub(crate) fn errno(&self) -> Option<i32> {
        match self {
            Self::Failed(error) => error.raw_os_error(),
            _ => None,
        }
    }
}

/// The sockets of a kind.
pub(crate) struct SocketList {
    /// What there is.
    pub(crate) sockets: Vec<crate::buffers::Socket>,
    /// Why a source that tells less was read, if one was.
    pub(crate) refused: Option<std::io::Error>,
}

/// How a connection looks to whoever does not read from it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PeerState {
    /// The peer has shut its write half down, or closed.
    pub(crate) ended: bool,
    /// An error is kept for whoever reads or writes next.
    pub(crate) failed: bool,
    /// Both halves are over.
    pub(crate) over: bool,
}

/// What a TCP connection has carried, whoever reads from it and writes to it.
pub(crate) struct Carried {
    /// Bytes that were written to it.
    pub(crate) written: u64,
    /// Bytes that came in order and were read.
    pub(crate) taken: u64,
    /// Whether the write half was shut down, as far as a connection that is over tells.
    pub(crate) we_ended: bool,
    /// Whether both sides have ended it, and the peer has acknowledged everything.
    pub(crate) is_finished: bool,
}
