//! The `nettool` command: parse, run, report, exit.

mod cli;
mod command;
mod output;
#[cfg(test)]
#[path = "../tests/fuzz/replay.rs"]
mod replay;

use std::process::ExitCode;

fn main() -> ExitCode {
    nettool::process::prefer_errors();
    command::run(cli::parse()).exit()
}
