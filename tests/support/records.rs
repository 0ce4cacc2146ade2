//! What a program says to scripts: one JSON object a line.

use serde_json::Value;

/// Every line as JSON, whoever wrote it.
#[track_caller]
pub(crate) fn json_lines(text: impl AsRef<[u8]>) -> Vec<Value> {
    let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    let text = std::str::from_utf8(text.as_ref()).expect("text");
    text.lines().map(parse).collect()
}

/// Every line as a JSON object with its version and type.
#[track_caller]
pub(crate) fn records(text: impl AsRef<[u8]>) -> Vec<Value> {
    let records = json_lines(text);
    for record in &records {
        assert!(record["v"] == 1 && record["type"].is_string(), "{record}");
    }
    records
}

/// The records of this type.
#[track_caller]
pub(crate) fn records_of(text: impl AsRef<[u8]>, kind: &str) -> Vec<Value> {
    let mut all = records(text);
    all.retain(|record| record["type"] == kind);
    all
}
