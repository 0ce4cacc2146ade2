//! Signals that end a conversation, turned into a future.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use nettool::process;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that end us, unless our parent wanted them ignored.
const ENDINGS: [i32; 4] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT];

/// Waits for the signal that ends us, and remembers which one it was.
pub(super) struct Endings {
    signals: Vec<(i32, Signal)>,
    came: Rc<Cell<Option<i32>>>,
}

impl Endings {
    /// Takes the signals over. Needs a runtime.
    pub(super) fn watch() -> Self {
        let wanted = ENDINGS
            .into_iter()
            .filter(|number| !process::ignored(*number));
        let signals = wanted
            .filter_map(|number| Some((number, signal(SignalKind::from_raw(number)).ok()?)))
            .collect();
        Self {
            signals,
            came: Rc::default(),
        }
    }

    /// Which signal has come.
    pub(super) fn came(&self) -> Rc<Cell<Option<i32>>> {
        Rc::clone(&self.came)
    }

    /// Waits for one.
    pub(super) async fn wait(mut self) {
        self.next().await;
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) {
        poll_fn(|context| self.poll(context)).await;
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        for (number, signal) in &mut self.signals {
            if Pin::new(signal).poll_recv(context).is_ready() {
                self.came.set(Some(*number));
                return Poll::Ready(());
            }
        }
        Poll::Pending
    }
}
