//! The `nettool` command: parse, run, report, exit.

fn main() {}
