//! Values that a user writes, parsed once at the edge.
//!
//! Every type here is read with [`FromStr`](std::str::FromStr) and written with
//! [`Display`](std::fmt::Display) so that what is written reads back as the same value. A value
//! that does not read is a [`ValueError`], which quotes it and shows the accepted form.

mod address_range;
mod cidr;
mod common_ports;
mod decimal;
mod dscp;
mod duration;
mod endpoint;
mod error;
mod group;
mod host;
mod host_name;
mod port;
mod port_item;
mod port_list;
mod probe_ports;
mod rate;
pub mod service;
mod service_table;
mod shard;
mod size;
#[cfg(test)]
mod testing;

pub use address_range::AddressRange;
pub use cidr::Cidr;
pub use dscp::Dscp;
pub use duration::Duration;
pub use endpoint::{Endpoint, UNIX_PATH_MAX, parse_host_port, parse_unix_path};
pub use error::ValueError;
pub use group::Group;
pub use host::{Bracketed, Host};
pub use port::{Port, parse_port};
pub use port_list::PortList;
pub use probe_ports::ProbePorts;
pub use rate::Rate;
pub use service::Protocol;
pub use shard::Shard;
pub use size::Size;
