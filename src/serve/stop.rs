//! How a server is told to stop: first to finish what it has begun, then at once.

use std::sync::Arc;

use tokio::sync::watch;

/// What is asked of everybody who serves. Copies ask the same.
#[derive(Clone, Debug)]
pub struct Stop(Arc<watch::Sender<Phase>>);

/// How far stopping has come.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Phase {
    /// Nobody has asked.
    Serving,
    /// No new clients; what is in flight may finish.
    Finishing,
    /// Everything ends now.
    Over,
}

impl Default for Stop {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Phase::Serving)))
    }
}

impl Stop {
    /// Takes no more clients, and lets what is in flight finish.
    pub fn finish(&self) {
        self.raise(Phase::Finishing);
    }

    /// Ends everything now.
    pub fn now(&self) {
        self.raise(Phase::Over);
    }

    /// How far stopping has come, and news of it.
    pub(super) fn watch(&self) -> watch::Receiver<Phase> {
        self.0.subscribe()
    }

    /// Waits until stopping has come so far.
    pub(super) async fn reached(&self, phase: Phase) {
        // The sender is ours: it cannot be gone.
        let _ = self.watch().wait_for(|now| *now >= phase).await;
    }

    /// Goes on to this phase, never back.
    fn raise(&self, phase: Phase) {
        self.0.send_modify(|now| *now = phase.max(*now));
    }
}
