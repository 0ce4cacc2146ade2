//! The engine of `nettool`: it knows sockets, and never prints, exits or reads arguments.

pub mod probe;
mod sys;
pub mod value;
