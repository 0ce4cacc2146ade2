//! How a server is asked what it is doing.

use std::sync::Arc;

use tokio::sync::Notify;

use super::Totals;

/// A question to a server, which answers with
/// [`Event::Standing`](crate::event::Event::Standing). Copies ask the same one.
#[derive(Clone, Debug, Default)]
pub struct Inquiry(Arc<Notify>);

/// What a server is doing, and has done so far.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Standing {
    /// How many clients are there now.
    pub present: u64,
    /// What was done for all clients, these included.
    pub totals: Totals,
}

impl Inquiry {
    /// Asks. Questions that come faster than answers are one.
    pub fn ask(&self) {
        self.0.notify_one();
    }

    /// Waits until somebody asks.
    pub(super) async fn asked(&self) {
        self.0.notified().await;
    }
}
