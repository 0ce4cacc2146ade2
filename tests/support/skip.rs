//! Tests that need something of the machine: skipped with a reason, and a failure under CI.

use std::env;
use std::ffi::OsString;
use std::io::{self, Write};

/// Says why a test is skipped; where `CI` is set a skip is a failure.
pub(crate) fn skip(reason: &str) {
    assert!(env::var_os("CI").is_none(), "skipped under CI: {reason}");
    // The test runner hides what the print macros say in a test that passes.
    let _ = writeln!(io::stderr(), "skipped: {reason}");
}

/// Whether all `programs` are installed; skips the test with their names where not.
pub(crate) fn need(programs: &[&str]) -> bool {
    let missing: Vec<_> = programs
        .iter()
        .filter(|name| !installed(name))
        .copied()
        .collect();
    if !missing.is_empty() {
        skip(&format!("not installed: {}", missing.join(", ")));
    }
    missing.is_empty()
}

/// Whether `program` is found on the search path.
fn installed(program: &str) -> bool {
    env::split_paths(&search_path()).any(|directory| directory.join(program).is_file())
}

/// Where programs are looked for: an ordinary user's path often lacks what configures networks.
pub(super) fn search_path() -> OsString {
    let mut path = env::var_os("PATH").unwrap_or_default();
    path.push(":/usr/sbin:/sbin");
    path
}
