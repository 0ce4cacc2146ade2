//! UDP: a question to each port, and what comes back.
//!
//! Silence says nothing here: a port may be filtered, or its server keep silent. That nobody is there
//! the target's system says by ICMP, and most systems ration that; see [`Survey`].

mod asked;
mod question;
mod rations;
mod sockets;
mod survey;
#[cfg(test)]
mod tests;

pub(super) use asked::{Asked, Kind};
#[cfg(any(test, feature = "fuzz"))]
pub(crate) use question::fuzz;
pub(super) use question::variety;
pub(super) use sockets::Datagrams;
pub(super) use survey::Survey;
