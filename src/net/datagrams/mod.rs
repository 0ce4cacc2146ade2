//! Sockets of datagrams, over UDP and inside this machine: many a call, each with its sender and
//! its true length.

mod batch;
mod correspondent;
mod socket;
mod udp;
mod unix;

pub use batch::{Arrived, Batch};
pub use correspondent::Correspondent;
pub use socket::DatagramSocket;
pub use udp::{bind_udp, connect_udp};
pub use unix::{bind_unix_datagram, connect_unix_datagram};
