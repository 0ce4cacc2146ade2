//! The `nettool` command: parse, run, report, exit.

mod cli;
mod command;
mod output;

use std::process::ExitCode;

fn main() -> ExitCode {
    nettool::process::ignore_job_control();
    command::run(cli::parse()).exit()
}
