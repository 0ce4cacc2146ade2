//! What `connect` and `listen` show of the bytes that they carry, and that it is true.

mod bar;
mod checksum;
mod lines;
mod memory;
mod summary;

use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;

use crate::support::{Pattern, scratch};

/// Long enough for a bar or a line to appear that must not appear.
const MOMENT: Duration = Duration::from_millis(1200);

/// A file of so many bytes, in a directory that is removed with it.
fn file(length: u64) -> (TempDir, PathBuf) {
    let directory = scratch();
    let path = directory.path().join("file");
    std::fs::write(&path, Pattern::new(71, length).to_vec()).expect("a file");
    (directory, path)
}
