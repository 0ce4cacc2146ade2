//! Runtimes that can be made, or not, without a panic.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Mutex;
use std::thread;

use tokio::runtime::{Builder, Runtime};

/// A runtime on this thread.
pub(super) fn on_this_thread() -> io::Result<Runtime> {
    spare_descriptors()?;
    Builder::new_current_thread().enable_all().build()
}

/// A runtime on as many threads as there are processors.
pub(super) fn on_threads() -> io::Result<Runtime> {
    let count = thread::available_parallelism()?.get();
    spare_descriptors()?;
    spare_threads(count)?;
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(count).enable_all().build()
}

/// Finds out whether there is room for the runtime's own descriptors: it panics where there is none
/// for those that its signals take.
fn spare_descriptors() -> io::Result<()> {
    let pairs: io::Result<Vec<_>> = (0..4).map(|_| UnixStream::pair()).collect();
    pairs.map(drop)
}

/// Finds out whether so many threads may run at once: the runtime panics where they may not.
fn spare_threads(count: usize) -> io::Result<()> {
    let gate = Mutex::new(());
    thread::scope(|scope| {
        // Nobody ends before all have begun.
        let held = gate.lock();
        let wait = || drop(gate.lock());
        let mut begun = (0..count).map(|_| thread::Builder::new().spawn_scoped(scope, wait));
        let all = begun.try_for_each(|thread| thread.map(drop));
        drop(held);
        all
    })
}
