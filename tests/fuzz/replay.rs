//! Replays a corpus on any compiler: each file of `tests/fuzz/corpus/NAME`, and mutations of them.
//! `NETTOOL_FUZZ_RUNS` says how many mutations; the same ones every time.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "only tests have it, and a module that has another path is none to the lint"
)]

use std::fs;
use std::path::Path;

/// How many mutations an ordinary test tries.
const RUNS: u64 = 20_000;

/// The longest input.
const LONGEST: usize = 4096;

/// Numbers that follow from a seed (splitmix64).
struct Dice(u64);

impl Dice {
    /// A number below `end`.
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let word = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((word ^ (word >> 31)) >> 16).expect("48 bits") % end.max(1)
    }

    /// Changes the bytes in one way or another.
    fn mutate(&mut self, bytes: &mut Vec<u8>, other: &[u8]) {
        let place = self.below(bytes.len().saturating_add(1));
        let odd = [0, 1, 0x7f, 0x80, 0xff, b'-', b':', b'/', b'.', 0x1b][self.below(10)];
        match self.below(7) {
            0 => bytes.truncate(place),
            1 => bytes.insert(place, odd),
            2 => bytes.extend_from_slice(&other[..self.below(other.len().saturating_add(1))]),
            3 if place < bytes.len() => drop(bytes.remove(place)),
            4 if place < bytes.len() => bytes[place] ^= 1 << self.below(8),
            _ if place < bytes.len() => bytes[place] = odd,
            _ => bytes.push(odd),
        }
        bytes.truncate(LONGEST);
    }
}

/// Calls `target` with every file of the corpus `name`, and with as many mutations as are wanted.
pub(crate) fn replay(name: &str, target: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fuzz/corpus")
        .join(name);
    let mut paths: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    let seeds: Vec<_> = paths
        .iter()
        .map(|path| fs::read(path).expect("a file"))
        .collect();
    assert!(!seeds.is_empty(), "{} is empty", folder.display());
    for seed in &seeds {
        target(seed);
    }
    let runs = std::env::var("NETTOOL_FUZZ_RUNS").ok();
    let runs = runs.and_then(|runs| runs.parse().ok()).unwrap_or(RUNS);
    let mut dice = Dice(9);
    for _ in 0..runs {
        let mut bytes = seeds[dice.below(seeds.len())].clone();
        let other = &seeds[dice.below(seeds.len())];
        for _ in 0..=dice.below(6) {
            dice.mutate(&mut bytes, other);
        }
        target(&bytes);
    }
}
