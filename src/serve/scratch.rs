//! The buffer that a thread lends to whichever of its clients has something to read: one that is
//! idle holds none.

use std::cell::Cell;

/// What one read of a stream takes at most.
pub(super) const SIZE: usize = 256 * 1024;

thread_local! {
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Lends so much of the buffer for as long as this takes.
pub(super) fn lend<T>(size: usize, borrower: impl FnOnce(&mut [u8]) -> T) -> T {
    // Who borrows while it is lent gets another one.
    let mut buffer = BUFFER.take();
    buffer.resize(buffer.len().max(size), 0);
    let result = borrower(buffer.get_mut(..size).unwrap_or_default());
    BUFFER.set(buffer);
    result
}
