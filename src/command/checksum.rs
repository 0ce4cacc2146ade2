//! The checksums that can be asked for.

use nettool::relay::{Digest, Meter};
use sha2::Digest as _;

use crate::cli::Algorithm;

/// What counts the bytes, and makes a checksum of them if one was asked for.
pub(super) fn meter(algorithm: Option<Algorithm>) -> Meter {
    match algorithm {
        None => Meter::default(),
        Some(Algorithm::Sha256) => Meter::with_digests(|| Box::new(Sha256::default())),
        Some(Algorithm::Blake3) => Meter::with_digests(|| Box::new(Blake3::default())),
    }
}

/// SHA-256 (FIPS 180-4).
#[derive(Debug, Default)]
struct Sha256(sha2::Sha256);

impl Digest for Sha256 {
    fn name(&self) -> &'static str {
        "sha256"
    }

    fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn hex(&self) -> String {
        let digest = self.0.clone().finalize();
        let digits = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        digits
            .filter_map(|digit| char::from_digit(digit.into(), 16))
            .collect()
    }
}

/// BLAKE3, 256 bits of it.
#[derive(Debug, Default)]
struct Blake3(blake3::Hasher);

impl Digest for Blake3 {
    fn name(&self) -> &'static str {
        "blake3"
    }

    fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn hex(&self) -> String {
        self.0.finalize().to_hex().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The checksum of these bytes.
    fn of(algorithm: Algorithm, bytes: &[u8]) -> String {
        let mut digest: Box<dyn Digest> = match algorithm {
            Algorithm::Sha256 => Box::new(Sha256::default()),
            Algorithm::Blake3 => Box::new(Blake3::default()),
        };
        for part in bytes.chunks(7) {
            digest.update(part);
        }
        digest.hex()
    }

    #[test]
    fn sha256_is_that_of_the_standard() {
        // FIPS 180-4, example B.2.
        let text = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
        let expected = "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1";
        assert_eq!(of(Algorithm::Sha256, text), expected);
    }

    #[test]
    fn blake3_is_that_of_its_authors() {
        // BLAKE3 team, test_vectors.json: lengths 0 and 1025 of the bytes 0 to 250, repeated.
        let empty = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";
        assert_eq!(of(Algorithm::Blake3, b""), empty);
        let bytes: Vec<u8> = (0..=250).cycle().take(1025).collect();
        let expected = "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444";
        assert_eq!(of(Algorithm::Blake3, &bytes), expected);
    }
}
