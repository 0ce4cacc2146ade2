//! How a server is told to stop: first to finish what it has begun, then at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

/// What is asked of everybody who serves. Copies ask the same.
#[derive(Clone, Debug)]
pub struct Stop(Arc<Asked>);

/// What is asked, and why.
#[derive(Debug)]
struct Asked {
    phase: watch::Sender<Phase>,
    /// Whether nobody wanted it: the server itself has failed.
    failed: AtomicBool,
}

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
        Self(Arc::new(Asked {
            phase: watch::Sender::new(Phase::Serving),
            failed: AtomicBool::new(false),
        }))
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

    /// Goes on to this phase, since the server has failed and cannot go on.
    pub(super) fn fail(&self, phase: Phase) {
        self.0.failed.store(true, Ordering::Release);
        self.raise(phase);
    }

    /// Whether the server has failed: what ends then, nobody wanted to end.
    pub(super) fn has_failed(&self) -> bool {
        self.0.failed.load(Ordering::Acquire)
    }

    /// How far stopping has come, and news of it.
    pub(super) fn watch(&self) -> watch::Receiver<Phase> {
        self.0.phase.subscribe()
    }

    /// Waits until stopping has come so far.
    pub(super) async fn reached(&self, phase: Phase) {
        // The sender is ours: it cannot be gone.
        let _ = self.watch().wait_for(|now| *now >= phase).await;
    }

    /// Goes on to this phase, never back.
    fn raise(&self, phase: Phase) {
        self.0.phase.send_modify(|now| *now = phase.max(*now));
    }
}
