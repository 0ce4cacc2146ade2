//! What came of a client and is not yet where it is to go.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::lines::Lines;
use super::room::Piece;

/// Kept beside whoever serves the client, and who may be dropped wherever it waits: what was
/// received is not lost with it.
#[derive(Debug, Default)]
pub(super) struct Held(Mutex<Kept>);

/// What is kept.
#[derive(Debug, Default)]
struct Kept {
    /// What is to be passed on as it is.
    piece: Option<Piece>,
    /// The beginning of a line, which is to be passed on when it is whole.
    lines: Lines,
}

impl Held {
    /// Keeps what came until it is passed on.
    pub(super) fn keep(&self, came: &[u8]) {
        self.lock().piece = Some(came.into());
    }

    /// Keeps the lines that it completes until they are passed on, as they are worded, and the
    /// beginning of the next one.
    pub(super) fn keep_lines(&self, came: &[u8], mut word: impl FnMut(&[u8], &mut Vec<u8>)) {
        let (mut kept, mut text) = (self.lock(), Vec::with_capacity(came.len()));
        kept.lines.take(came, |line| word(line, &mut text));
        kept.piece = (!text.is_empty()).then(|| text.into());
    }

    /// Adds the beginning of a line, if there is one, as if it were whole: no more will come.
    pub(super) fn end_line(&self, mut word: impl FnMut(&[u8], &mut Vec<u8>)) {
        let mut kept = self.lock();
        let mut text = kept.piece.as_deref().unwrap_or_default().to_vec();
        kept.lines.finish(|line| word(line, &mut text));
        kept.piece = (!text.is_empty()).then(|| text.into());
    }

    /// What is to be passed on now.
    pub(super) fn piece(&self) -> Option<Piece> {
        self.lock().piece.clone()
    }

    /// That is where it is to go.
    pub(super) fn note_passed_on(&self) {
        self.lock().piece = None;
    }

    /// Whether there is nothing, not even the beginning of a line.
    pub(super) fn is_empty(&self) -> bool {
        let kept = self.lock();
        kept.piece.is_none() && kept.lines.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
