//! The signal that ends us, noticed beside work that blocks its thread.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use nettool::process;
use tokio::sync::Notify;
use tokio::time::sleep;

use super::Status;
use super::runtime;
use super::signals::Endings;

/// How long after a signal another one is the same request.
const SAME: Duration = Duration::from_millis(500);

/// Whether a signal has come that ends us, and which.
#[derive(Debug, Default)]
pub(super) struct Interruption {
    stop: AtomicBool,
    signal: AtomicI32,
    told: Notify,
}

impl Interruption {
    /// Takes the signals over, from now on, in a thread of its own.
    pub(super) fn watch() -> io::Result<Arc<Self>> {
        let interruption = Arc::new(Self::default());
        let runtime = runtime::on_this_thread()?;
        let (ready, begun) = channel();
        let watcher = Arc::clone(&interruption);
        thread::Builder::new().spawn(move || runtime.block_on(watcher.listen(ready)))?;
        // An end without a word means that nothing is watched, and signals end us as they always do.
        let _ = begun.recv();
        Ok(interruption)
    }

    /// What is set when work has to stop.
    pub(super) fn stop(&self) -> &AtomicBool {
        &self.stop
    }

    /// Waits for the signal, once.
    pub(super) async fn came(&self) {
        self.told.notified().await;
    }

    /// The status of a run: the signal, if one has come.
    pub(super) fn status(&self, status: Status) -> Status {
        match self.signal.load(Ordering::Acquire) {
            0 => status,
            signal => Status::Signal(signal),
        }
    }

    /// The first signal asks for an end, and the second does not wait for it; but one that comes
    /// with the first is the same request. (timeout(1) sends each to us, and to our group.)
    async fn listen(&self, ready: Sender<()>) {
        let first = Self::next(Some(ready)).await;
        self.signal.store(first, Ordering::Release);
        self.stop.store(true, Ordering::Release);
        self.told.notify_one();
        sleep(SAME).await;
        process::die_of(Self::next(None).await);
    }

    /// Waits for a signal.
    async fn next(ready: Option<Sender<()>>) -> i32 {
        let endings = Endings::watch();
        let came = endings.came();
        drop(ready);
        endings.wait().await;
        came.get().unwrap_or(libc::SIGTERM)
    }
}
