//! Bytes to send and what is known of bytes received: seeded streams, hashes, scratch directories.

use std::fmt;
use std::io::{self, Read, Write};

use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

/// A reproducible stream of pseudo-random bytes: equal seeds give equal bytes, however they are read.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    seed: u64,
    position: u64,
    length: u64,
}

impl Pattern {
    /// The first `length` bytes of the stream `seed`.
    pub(crate) fn new(seed: u64, length: u64) -> Self {
        Self {
            seed,
            position: 0,
            length,
        }
    }

    /// How many bytes it has.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// All of it in memory.
    pub(crate) fn to_vec(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.clone()
            .read_to_end(&mut bytes)
            .expect("a pattern cannot fail");
        bytes
    }

    /// What a receiver must have counted and hashed.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        let mut tally = Tally::default();
        io::copy(&mut self.clone(), &mut tally).expect("a pattern cannot fail");
        tally.fingerprint()
    }

    /// Eight bytes of the stream (splitmix64 of their index).
    fn word(&self, index: u64) -> [u8; 8] {
        let mut word = self
            .seed
            .wrapping_add(index.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)).to_le_bytes()
    }
}

impl Read for Pattern {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.length - self.position).unwrap_or(usize::MAX);
        let count = buffer.len().min(left);
        let mut rest = &mut buffer[..count];
        while !rest.is_empty() {
            let word = self.word(self.position / 8);
            let word = &word[(self.position % 8) as usize..];
            let part = word.len().min(rest.len());
            rest[..part].copy_from_slice(&word[..part]);
            rest = &mut rest[part..];
            self.position += part as u64;
        }
        Ok(count)
    }
}

/// Counts and hashes what is written to it.
#[derive(Clone, Default)]
pub(crate) struct Tally {
    count: u64,
    hasher: Sha256,
}

impl Tally {
    /// What was written so far.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        Fingerprint {
            count: self.count,
            sha256: self.hasher.clone().finalize().into(),
        }
    }
}

impl Write for Tally {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hasher.update(bytes);
        self.count += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Length and SHA-256 of a stream: equal ones are equal streams.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) struct Fingerprint {
    /// How many bytes.
    pub(crate) count: u64,
    sha256: [u8; 32],
}

impl Fingerprint {
    /// That of bytes in memory.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut tally = Tally::default();
        tally.write_all(bytes).expect("a tally cannot fail");
        tally.fingerprint()
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes, sha256 ", self.count)?;
        self.sha256[..8]
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// An empty directory that is removed when dropped; its path is short enough for a Unix socket.
pub(crate) fn scratch() -> TempDir {
    tempfile::Builder::new()
        .prefix("nettool-")
        .tempdir()
        .expect("a temporary directory")
}
