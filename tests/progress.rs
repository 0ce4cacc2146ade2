//! What `connect` and `listen` show of the bytes that they carry, and that it is true.

mod bar;
mod checksum;
mod lines;
mod memory;
mod summary;

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
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

/// Every line as a JSON object with a version and a type.
#[track_caller]
fn records(stderr: &str) -> Vec<Value> {
    let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    let records: Vec<Value> = stderr.lines().map(parse).collect();
    for record in &records {
        assert!(
            record.is_object() && record["v"] == 1 && record["type"].is_string(),
            "{record}"
        );
    }
    records
}

/// Those of this type.
#[track_caller]
fn of_type(stderr: &str, kind: &str) -> Vec<Value> {
    let mut records = records(stderr);
    records.retain(|record| record["type"] == kind);
    records
}
