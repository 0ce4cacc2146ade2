//! `nettool man` and `nettool completions`.

use clap::{Args, ValueEnum};

/// Print a manual page.
///
/// The text is roff; read it with: nettool man connect | man -l -
#[derive(Args, Debug)]
pub(crate) struct ManArgs {
    /// Which command's page; without it the page of nettool itself
    #[arg(value_name = "COMMAND")]
    pub(crate) page: Option<Page>,
}

/// A command that has a page.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Page {
    Ifaces,
    Connect,
    Listen,
    Probe,
    Buffers,
    BuffersFill,
    BuffersList,
    BuffersAdvise,
    BuffersWatch,
}

/// Print the completions of a shell.
///
/// For this session of bash: source <(nettool completions bash)
#[derive(Args, Debug)]
pub(crate) struct CompletionsArgs {
    /// Which shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: Shell,
}

/// A shell that we have completions for.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
}
