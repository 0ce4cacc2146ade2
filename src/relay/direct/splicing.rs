//! Whether bytes are spliced or read and written: a splice copies nothing, but costs a short
//! message more than a read and a write.

/// How many full reads in a row begin the splicing.
const FULL_READS: u32 = 2;

/// A splice that moves less is a small one.
const LEAST: usize = 4 * 1024;

/// How many small splices in a row end the splicing: a single one comes of a pipe that is just
/// full or empty.
const SMALL_SPLICES: u32 = 16;

/// The choice of one direction.
#[derive(Debug)]
pub(super) struct Splicing {
    is_possible: bool,
    /// Reads in a row that filled the buffer.
    full_reads: u32,
    /// Splices in a row that moved little.
    small_splices: u32,
}

impl Splicing {
    /// Nothing is spliced at first, and never where it is not possible.
    pub(super) fn new(is_possible: bool) -> Self {
        Self {
            is_possible,
            full_reads: 0,
            small_splices: 0,
        }
    }

    /// Whether to splice now.
    pub(super) fn is_due(&self) -> bool {
        self.is_possible && self.full_reads >= FULL_READS
    }

    /// Takes note of a read, which filled the buffer or not.
    pub(super) fn note_read(&mut self, is_full: bool) {
        self.full_reads = if is_full {
            self.full_reads.saturating_add(1)
        } else {
            0
        };
    }

    /// Takes note of a splice that moved this much.
    pub(super) fn note_splice(&mut self, length: usize) {
        self.small_splices = if length < LEAST {
            self.small_splices.saturating_add(1)
        } else {
            0
        };
        if self.small_splices >= SMALL_SPLICES {
            *self = Self::new(self.is_possible);
        }
    }

    /// Takes note that the system will not.
    pub(super) fn give_up(&mut self) {
        self.is_possible = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk() -> Splicing {
        let mut splicing = Splicing::new(true);
        splicing.note_read(true);
        splicing.note_read(true);
        splicing
    }

    #[test]
    fn short_messages_are_read() {
        let mut splicing = Splicing::new(true);
        for (number, is_full) in [false, true, false, true, false].into_iter().enumerate() {
            splicing.note_read(is_full);
            assert!(!splicing.is_due(), "read {number}");
        }
    }

    #[test]
    fn bulk_is_spliced_where_that_is_possible() {
        let mut splicing = bulk();
        assert!(splicing.is_due());
        splicing.give_up();
        assert!(!splicing.is_due());
    }

    #[test]
    fn only_many_small_splices_in_a_row_end_it() {
        let mut splicing = bulk();
        for round in 1..100 {
            let length = if round % 16 == 0 { LEAST } else { 1 };
            splicing.note_splice(length);
            assert!(splicing.is_due(), "round {round}");
        }
        for _ in 0..SMALL_SPLICES {
            splicing.note_splice(1);
        }
        assert!(!splicing.is_due());
    }
}
