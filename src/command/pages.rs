//! The manual and the completions: the same files that are committed.

use nettool::error::Error;

use crate::cli::{CompletionsArgs, ManArgs, Page, Shell};
use crate::output;

/// Prints a manual page.
pub(super) fn man(arguments: &ManArgs) -> Result<(), Error> {
    output::text(match arguments.page {
        None => include_str!("../../man/nettool.1"),
        Some(Page::Ifaces) => include_str!("../../man/nettool-ifaces.1"),
        Some(Page::Connect) => include_str!("../../man/nettool-connect.1"),
        Some(Page::Listen) => include_str!("../../man/nettool-listen.1"),
        Some(Page::Probe) => include_str!("../../man/nettool-probe.1"),
        Some(Page::Buffers) => include_str!("../../man/nettool-buffers.1"),
        Some(Page::BuffersFill) => include_str!("../../man/nettool-buffers-fill.1"),
        Some(Page::BuffersList) => include_str!("../../man/nettool-buffers-list.1"),
        Some(Page::BuffersAdvise) => include_str!("../../man/nettool-buffers-advise.1"),
        Some(Page::BuffersWatch) => include_str!("../../man/nettool-buffers-watch.1"),
    })
}

/// Prints the completions of a shell.
pub(super) fn completions(arguments: &CompletionsArgs) -> Result<(), Error> {
    output::text(match arguments.shell {
        Shell::Bash => include_str!("../../completions/nettool.bash"),
        Shell::Elvish => include_str!("../../completions/nettool.elv"),
        Shell::Fish => include_str!("../../completions/nettool.fish"),
        Shell::Powershell => include_str!("../../completions/_nettool.ps1"),
        Shell::Zsh => include_str!("../../completions/_nettool"),
    })
}
