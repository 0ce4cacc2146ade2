//! `nettool man` and `nettool completions`.

use clap::{Args, ValueEnum};

/// Print a manual page.
///
/// The text is roff, which man(1) makes readable.
#[derive(Args, Debug)]
#[command(after_help = MAN_EXAMPLES)]
pub(crate) struct ManArgs {
    /// Which command's page; without it the page of nettool itself
    #[arg(value_name = "COMMAND")]
    pub(crate) page: Option<Page>,
}

const MAN_EXAMPLES: &str = "\
Examples:
  nettool man | man -l -            the ideas, and which command does what
  nettool man connect | man -l -    everything about one command";

/// A command that has a page, which may also be called what the page is called.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Page {
    #[value(alias = "nettool-ifaces")]
    Ifaces,
    #[value(alias = "nettool-connect")]
    Connect,
    #[value(alias = "nettool-listen")]
    Listen,
    #[value(alias = "nettool-probe")]
    Probe,
    #[value(alias = "nettool-buffers")]
    Buffers,
    #[value(alias = "nettool-buffers-fill")]
    BuffersFill,
    #[value(alias = "nettool-buffers-list")]
    BuffersList,
    #[value(alias = "nettool-buffers-advise")]
    BuffersAdvise,
    #[value(alias = "nettool-buffers-watch")]
    BuffersWatch,
}

/// Print the completions of a shell.
///
/// A package puts them where shells look for them; otherwise a shell reads them when it starts.
#[derive(Args, Debug)]
#[command(after_help = COMPLETIONS_EXAMPLES)]
pub(crate) struct CompletionsArgs {
    /// Which shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: Shell,
}

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  source <(nettool completions bash)          for ~/.bashrc
  nettool completions zsh > _nettool          into a folder of $fpath
  nettool completions fish > nettool.fish     into ~/.config/fish/completions";

/// A shell that we have completions for.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
}
