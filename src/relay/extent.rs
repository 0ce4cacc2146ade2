//! How long the file is that stdin is, for noticing that it became shorter under our hands.

use crate::error::{Action, Error, Result};
use crate::sys;

/// The size that the file had when the conversation began, in bytes; nothing of what is no file.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Extent(Option<u64>);

impl Extent {
    /// The size that it has now.
    pub(super) fn of_stdin() -> Self {
        Self(sys::stdin_place().map(|place| place.size))
    }

    /// At the end of the file: whether all was read that was there when the conversation began.
    /// The offset counts, for others may have read some of it, as in a shell's
    /// `(head -1; nettool …) < file`. A file that is as long as before and yet ends sooner (those of
    /// `/sys`) never had more.
    ///
    /// # Errors
    /// It became shorter.
    pub(super) fn check_end(self) -> Result<()> {
        let (Some(before), Some(now)) = (self.0, sys::stdin_place()) else {
            return Ok(());
        };
        if now.size >= before || now.offset >= before {
            return Ok(());
        }
        let problem = format!(
            "the file became shorter while it was sent, {} of {before} bytes",
            now.offset
        );
        Err(Error::new(Action::Read, "stdin", problem))
    }
}
