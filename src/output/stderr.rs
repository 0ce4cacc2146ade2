//! stderr, written so that nobody who says something waits for whoever reads it.
//!
//! What is not taken at once is kept, in its order, for a thread that may wait. Where too much is
//! kept already the rest is left out and counted, until all of that has been taken.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use nettool::process;

/// How many bytes are kept at most.
const MOST: usize = 1024 * 1024;

/// How long a terminal is given for a line: what is drawn on it next is to come after that.
const PATIENCE: Duration = Duration::from_millis(100);

/// What is kept, and news of it.
static KEPT: (Mutex<Kept>, Condvar) = (Mutex::new(Kept::new()), Condvar::new());

/// What was not taken yet.
struct Kept {
    /// In the order in which it was said; the first is being written.
    lines: VecDeque<Vec<u8>>,
    /// How many bytes these are.
    length: usize,
    /// Whether there is a thread that writes them.
    has_writer: bool,
    /// How much was left out since it was last told.
    missed: u64,
    /// Whether anything ever was.
    has_missed: bool,
}

impl Kept {
    /// Nothing.
    const fn new() -> Self {
        Self {
            lines: VecDeque::new(),
            length: 0,
            has_writer: false,
            missed: 0,
            has_missed: false,
        }
    }

    /// A line was not taken, and there is nobody to tell; but a full disk is no reader that wants no
    /// more, and no stderr that was closed for us.
    fn note_failure(&mut self, error: &io::Error) {
        let is_unwanted = matches!(error.raw_os_error(), Some(libc::EPIPE | libc::EBADF));
        self.has_missed |= !is_unwanted;
    }

    /// Keeps a line, and has it written.
    fn keep(&mut self, line: &[u8]) {
        if !self.has_writer {
            self.has_writer = thread::Builder::new().spawn(write_kept).is_ok();
        }
        if !self.has_writer {
            if let Err(error) = process::write_stderr(line) {
                self.note_failure(&error);
            }
            return;
        }
        self.lines.push_back(line.to_vec());
        self.length = self.length.saturating_add(line.len());
        KEPT.1.notify_all();
    }
}

/// Says it, and does not wait until somebody hears it; a terminal has a moment.
pub(super) fn say(text: &str) {
    let mut kept = kept();
    if !kept.lines.is_empty() {
        if kept.missed > 0 || kept.length.saturating_add(text.len()) > MOST {
            kept.missed = kept.missed.saturating_add(1);
            kept.has_missed = true;
        } else {
            kept.keep(text.as_bytes());
        }
        return;
    }
    let rest = match left_of(text.as_bytes()) {
        Ok(Some(rest)) => rest,
        Ok(None) => return,
        Err(error) => return kept.note_failure(&error),
    };
    kept.keep(rest);
    if process::is_terminal(io::stderr()) {
        let patience = KEPT
            .1
            .wait_timeout_while(kept, PATIENCE, |kept| !kept.lines.is_empty());
        drop(patience);
    }
}

/// Whether everything was taken that was said.
pub(super) fn is_taken() -> bool {
    kept().lines.is_empty()
}

/// Waits until everything was taken that was said.
pub(super) fn wait() {
    let waited = KEPT.1.wait_while(kept(), |kept| !kept.lines.is_empty());
    drop(waited);
}

/// How much was left out, once there is room to tell.
pub(super) fn missed() -> Option<u64> {
    let mut kept = kept();
    let is_due = kept.lines.is_empty() && kept.missed > 0;
    is_due.then(|| std::mem::take(&mut kept.missed))
}

/// Whether anything was ever left out.
pub(super) fn has_missed() -> bool {
    kept().has_missed
}

/// What is left of a text when stderr has taken what it takes at once. Fails where it takes no more.
fn left_of(text: &[u8]) -> io::Result<Option<&[u8]>> {
    let taken = match process::write_stderr_now(text) {
        Ok(taken) => taken,
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => 0,
        Err(error) => return Err(error),
    };
    Ok(text.get(taken..).filter(|rest| !rest.is_empty()))
}

/// Writes what is kept, a line a write, for as long as we live.
fn write_kept() {
    let mut now = kept();
    loop {
        let Some(line) = now.lines.front_mut().map(std::mem::take) else {
            let waited = KEPT.1.wait_while(now, |kept| kept.lines.is_empty());
            now = waited.unwrap_or_else(PoisonError::into_inner);
            continue;
        };
        drop(now);
        let written = process::write_stderr(&line);
        now = kept();
        if let Err(error) = written {
            now.note_failure(&error);
        }
        now.lines.pop_front();
        now.length = now.length.saturating_sub(line.len());
        KEPT.1.notify_all();
    }
}

/// What is kept.
fn kept() -> MutexGuard<'static, Kept> {
    KEPT.0.lock().unwrap_or_else(PoisonError::into_inner)
}
