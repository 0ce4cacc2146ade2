//! What every test stands on: programs under a hard deadline, scripted peers, namespaces of their
//! own, terminals, a faulty network, and data that is compared by hash.

mod data;
mod deadline;
mod exit;
mod faults;
mod netns;
mod peer;
mod ports;
mod program;
mod pty;
mod records;
mod relay;
mod running;
mod skip;
mod stdio;
mod stopwatch;
mod watch;

pub(crate) use data::{Fingerprint, Pattern, scratch};
pub(crate) use deadline::{LIMIT, TRIES, again, in_some_try, unless_late, until};
pub(crate) use exit::Exit;
pub(crate) use faults::{Call, calls, can_inject, inject, inject_at, inject_at_stdout, trace};
pub(crate) use netns::Namespace;
pub(crate) use peer::{End, Peer, Seen, Step};
pub(crate) use ports::{closed_port, closed_udp_port, own_address};
pub(crate) use program::{Program, alone, let_go, nettool, refused};
pub(crate) use pty::{CONTROL_C, CONTROL_D, Terminal, on_screen};
pub(crate) use records::{json_lines, records, records_of};
pub(crate) use relay::{Relay, Way};
pub(crate) use running::{Running, all_rest};
pub(crate) use skip::{need, skip};
pub(crate) use stdio::{Errors, Input, Output};
pub(crate) use stopwatch::Stopwatch;
