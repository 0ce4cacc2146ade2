//! Bytes that were taken from one end and have not gone to the other yet.

/// How many are taken at once at first; a buffer that is full doubles.
const FIRST: usize = 16 * 1024;

/// How many are taken at once at most: on loopback 512 KiB moved most bytes a second.
const LARGEST: usize = 512 * 1024;

/// A buffer that grows with the flow, and the part of it that is still to go.
pub(super) struct Held {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl Held {
    /// Begins with what was taken before.
    pub(super) fn new(pending: Vec<u8>) -> Self {
        Self {
            end: pending.len(),
            buffer: pending,
            start: 0,
        }
    }

    /// Where the next bytes go, once there are none.
    pub(super) fn room(&mut self) -> &mut [u8] {
        if self.buffer.len() < FIRST {
            self.buffer.resize(FIRST, 0);
        }
        &mut self.buffer
    }

    /// Takes note of so many bytes that were put there; whether they fill it.
    pub(super) fn fill(&mut self, length: usize) -> bool {
        (self.start, self.end) = (0, length);
        self.is_full()
    }

    /// What is still to go.
    pub(super) fn bytes(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Whether nothing is.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes().is_empty()
    }

    /// Takes note of so many bytes that have gone.
    pub(super) fn pass(&mut self, length: usize) {
        self.start = self.start.saturating_add(length).min(self.end);
    }

    /// All have gone: a buffer that was full is larger the next time.
    pub(super) fn release(&mut self) {
        if self.is_full() && self.end < LARGEST {
            let larger = self.end.saturating_mul(2).min(LARGEST);
            self.buffer.resize(larger, 0);
        }
        (self.start, self.end) = (0, 0);
    }

    fn is_full(&self) -> bool {
        self.end > 0 && self.end == self.buffer.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_gone_is_gone() {
        let mut held = Held::new(b"abc".to_vec());
        assert_eq!(held.bytes(), b"abc");
        held.pass(1);
        assert_eq!(held.bytes(), b"bc");
        held.pass(5);
        assert!(held.is_empty());
    }

    #[test]
    fn it_grows_with_the_flow_and_not_for_ever() {
        let mut held = Held::new(Vec::new());
        assert_eq!(held.room().len(), FIRST);
        assert!(!held.fill(FIRST - 1));
        held.release();
        assert_eq!(held.room().len(), FIRST);
        for _ in 0..20 {
            let length = held.room().len();
            assert!(held.fill(length));
            held.release();
        }
        assert_eq!(held.room().len(), LARGEST);
    }
}
