//! Every test over real sockets, in one binary: a file a subcommand, a file an engine part.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod document;
mod eof;
mod harness;
mod interop;
mod messages;
mod probe;
mod reaching;
mod support;
