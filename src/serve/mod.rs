//! Clients that come to us: one, or as many as like.
//!
//! A [`Service`] says what each gets. [`serve_many`] gives every client a task of its own;
//! a [`Behaviour`] is a small file that reads from one client and writes to it, and everything
//! else (numbers, limits, timeouts, stopping, ending well) is done for all of them alike.

mod accept;
mod attend;
mod behaviour;
mod broker;
mod caller;
mod chat;
mod client;
mod cut;
mod datagrams;
mod discard;
mod echo;
mod exec;
mod first;
mod forward;
mod gate;
mod held;
mod inquiry;
mod lines;
mod many;
mod one;
mod reply;
mod room;
mod said;
mod save;
mod scratch;
mod seats;
mod service;
mod stdio;
mod stop;
mod watch;

pub use behaviour::Behaviour;
pub use broker::Broker;
pub use chat::{Chat, Wording};
pub use datagrams::serve_datagrams;
pub use exec::{ChildEnd, Exec, Words};
pub use first::Waiting;
pub use gate::{Gate, Refusal};
pub use inquiry::{Inquiry, Standing};
pub use many::{Totals, serve_many};
pub use one::{OneClient, Talk, one_client, serve_one};
pub use room::Slow;
pub use save::Folder;
pub use service::Service;
pub use stdio::{Source, Stdio, Tag};
pub use stop::Stop;
