//! Sockets and what leads to one: names, addresses, connecting, listening.

mod address;
mod connect;
mod datagrams;
mod groups;
mod interface;
mod line;
mod listen;
mod options;
mod own_path;
mod port_file;
mod resolve;
mod retries;
mod stream;

pub(crate) use address::is_link_local;
pub use address::{Address, Family, Proto};
pub(crate) use connect::connect_tcp_if;
pub use connect::{Connecting, Reached, connect_tcp, connect_unix};
pub use datagrams::{
    Arrived, Batch, Correspondent, DatagramSocket, bind_udp, bind_unix_datagram, connect_udp,
    connect_unix_datagram,
};
pub(crate) use line::Line;
pub use listen::{Accepted, Binding, Listener, every_address, loopback_addresses};
pub use options::{Keepalive, ListenOptions, SocketOptions};
pub use resolve::resolve;
pub use retries::Retries;
pub(crate) use stream::LONGEST_MESSAGE;
pub use stream::Stream;
