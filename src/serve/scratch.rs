//! The buffer that a thread lends to whichever of its clients has something to read: one that is
//! idle holds none.

use std::cell::Cell;

/// What one read takes at most.
pub(super) const SIZE: usize = 256 * 1024;

thread_local! {
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Lends the buffer for as long as this takes.
pub(super) fn lend<T>(borrower: impl FnOnce(&mut [u8]) -> T) -> T {
    // Who borrows while it is lent gets another one.
    let mut buffer = BUFFER.take();
    buffer.resize(SIZE, 0);
    let result = borrower(&mut buffer);
    BUFFER.set(buffer);
    result
}
