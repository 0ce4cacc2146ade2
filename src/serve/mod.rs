//! Clients that come to us.

mod accept;
mod one;

pub use one::{OneClient, one_client};
