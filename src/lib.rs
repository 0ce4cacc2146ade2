//! The engine of `nettool`: it knows sockets, and never prints, exits or reads arguments.
//!
//! A value is parsed once, at the edge:
//!
//! ```
//! use nettool::value::Endpoint;
//!
//! let endpoint: Endpoint = "[::1]:80".parse()?;
//! assert_eq!(endpoint.to_string(), "[::1]:80");
//! # Ok::<(), nettool::value::ValueError>(())
//! ```
//!
//! Whoever bound a socket knows its address before anything is served:
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! use nettool::net::{Binding, ListenOptions};
//!
//! let here = Binding::Tcp(vec!["127.0.0.1:0".parse().unwrap()]);
//! let listener = here.listen(&ListenOptions::default())?;
//! let (proto, address) = &listener.addresses()[0];
//! assert_eq!(proto.name(), "tcp");
//! assert_ne!(address.ip().unwrap().port(), 0);
//! # Ok::<(), nettool::error::Error>(())
//! # }).unwrap();
//! ```

pub mod buffers;
pub mod error;
pub mod event;
#[cfg(any(test, feature = "fuzz"))]
#[doc(hidden)]
pub mod fuzz;
pub mod interfaces;
pub mod net;
pub mod probe;
pub mod process;
pub mod relay;
#[cfg(test)]
#[path = "../tests/fuzz/replay.rs"]
mod replay;
pub mod serve;
mod sys;
pub mod value;
