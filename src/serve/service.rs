//! What every client of a server gets, and within which limits.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{Behaviour, Gate, Inquiry, Stop};
use crate::event::Observer;

/// What every client gets, within which limits, and who is told.
#[derive(Clone)]
pub struct Service {
    /// What it gets.
    pub behaviour: Behaviour,
    /// Who may be a client.
    pub gate: Gate,
    /// So many may be there at once; `None` is as many as come.
    pub max_clients: Option<usize>,
    /// How long nothing may move with a client.
    pub idle_timeout: Option<Duration>,
    /// How long a client may stay.
    pub max_time: Option<Duration>,
    /// As many bytes are taken from it, and as many go to it, at most.
    pub most: Option<u64>,
    /// Who is told.
    pub observer: Arc<dyn Observer>,
    /// How it is asked what it is doing, when it serves many.
    pub inquiry: Inquiry,
    /// How it is stopped.
    pub stop: Stop,
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("behaviour", &self.behaviour)
            .finish_non_exhaustive()
    }
}
