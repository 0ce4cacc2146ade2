//! A thread that reads one descriptor, and waits for what it read, each with a deadline.

use std::io::{self, Read, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Instant;

use super::data::{Fingerprint, Tally};

/// What came from a descriptor so far.
#[derive(Default)]
struct State {
    bytes: Vec<u8>,
    tally: Tally,
    ended: bool,
}

/// Takes a piece of what was read.
type Keep = fn(&mut State, &[u8]);

/// A descriptor that is read to its end in the background.
#[derive(Clone)]
pub(crate) struct Watched(Arc<(Mutex<State>, Condvar)>);

impl Watched {
    /// Keeps every byte.
    pub(crate) fn keep(source: impl Read + Send + 'static) -> Self {
        Self::start(source, |state, bytes| state.bytes.extend_from_slice(bytes))
    }

    /// Keeps only count and hash, for more than should lie in memory.
    pub(crate) fn hash(source: impl Read + Send + 'static) -> Self {
        Self::start(source, |state, bytes| {
            state.tally.write_all(bytes).expect("a tally cannot fail");
        })
    }

    /// Reads `source` until it ends or fails.
    fn start(mut source: impl Read + Send + 'static, keep: Keep) -> Self {
        let watched = Self(Arc::default());
        let shared = watched.clone();
        thread::spawn(move || {
            let mut buffer = vec![0; 64 * 1024];
            loop {
                match source.read(&mut buffer) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    // A terminal whose other side is gone fails instead of ending.
                    Ok(0) | Err(_) => break shared.change(|state| state.ended = true),
                    Ok(count) => shared.change(|state| keep(state, &buffer[..count])),
                }
            }
        });
        watched
    }

    /// Applies a change and wakes whoever waits.
    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.0.1.notify_all();
    }

    /// The state, for reading it as it is now.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().expect("the reader does not panic")
    }

    /// The first `Some` that `find` makes of the bytes; `None` when they end or `deadline` passes without.
    pub(crate) fn find<T>(
        &self,
        deadline: Instant,
        find: impl Fn(&[u8]) -> Option<T>,
    ) -> Option<T> {
        let mut state = self.lock();
        loop {
            if let Some(found) = find(&state.bytes) {
                return Some(found);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if state.ended || left.is_zero() {
                return None;
            }
            (state, _) = self
                .0
                .1
                .wait_timeout(state, left)
                .expect("the reader does not panic");
        }
    }

    /// Whether `text` came before `deadline`.
    pub(crate) fn shows(&self, deadline: Instant, text: &str) -> bool {
        self.find(deadline, |bytes| {
            String::from_utf8_lossy(bytes).contains(text).then_some(())
        })
        .is_some()
    }

    /// Whether the descriptor ended before `deadline`.
    pub(crate) fn ended(&self, deadline: Instant) -> bool {
        self.find(deadline, |_| None::<()>);
        self.lock().ended
    }

    /// The bytes kept so far.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.lock().bytes.clone()
    }

    /// The bytes kept so far as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.lock().bytes).into_owned()
    }

    /// Count and hash of what came so far.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        let state = self.lock();
        if state.bytes.is_empty() {
            state.tally.fingerprint()
        } else {
            Fingerprint::of(&state.bytes)
        }
    }
}
