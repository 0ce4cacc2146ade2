//! What `connect` and `listen` show of the bytes that they carry.

use clap::{Args, ValueEnum};
use nettool::value::Size;

use super::Usage;
use super::common::some_bytes;
use crate::output::Form;

/// Progress and checksums.
#[derive(Args, Debug)]
#[command(next_help_heading = "Progress")]
pub(crate) struct ProgressArgs {
    /// How to show on stderr how far it is
    #[arg(
        long,
        value_name = "FORM",
        default_value = "auto",
        hide_default_value = true
    )]
    progress: FormArg,
    /// How many bytes it will be, where no file says so: for percent and time left
    #[arg(long, value_name = "SIZE", value_parser = some_bytes)]
    size: Option<Size>,
    /// Print the checksum of what was sent and of what was received at the end
    #[arg(long, value_name = "ALGORITHM")]
    pub(crate) checksum: Option<Algorithm>,
}

/// How progress is shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum FormArg {
    /// A bar on a terminal, where it is in nobody's way [default]
    Auto,
    /// A bar, wherever stderr goes
    Bar,
    /// A line a second
    Log,
    /// Not at all
    None,
}

/// How a checksum is made.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Algorithm {
    /// As sha256sum prints it
    Sha256,
    /// As b3sum prints it; several times as fast where the processor has no help for SHA-256
    Blake3,
}

impl ProgressArgs {
    /// How progress is shown.
    pub(crate) fn form(&self) -> Form {
        match self.progress {
            FormArg::Auto => Form::Auto,
            FormArg::Bar => Form::Bar,
            FormArg::Log => Form::Log,
            FormArg::None => Form::Nothing,
        }
    }

    /// How many bytes it will be, if the user says so.
    pub(crate) fn size(&self) -> Option<u64> {
        self.size.map(Size::bytes)
    }

    /// Refuses a size that nothing is measured by.
    pub(crate) fn check(&self) -> Result<(), Usage> {
        if self.size.is_some() && self.progress == FormArg::None {
            let text = "--size cannot be used with --progress none: it is there for the progress";
            return Err(Usage::new(text));
        }
        Ok(())
    }
}
