//! Every test over real sockets, in one binary: a file a subcommand, a file an engine part.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod buffers;
mod connect;
mod datagrams;
mod docs;
mod document;
mod eof;
mod harness;
mod ifaces;
mod interop;
mod listen;
mod messages;
mod odd_ends;
mod options;
mod packages;
mod probe;
mod process;
mod progress;
mod pump;
mod serve;
mod shaping;
mod slips;
mod support;
mod terminal;
mod torture;
