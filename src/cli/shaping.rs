//! What slows the bytes of a conversation down, or writes them down.

use std::path::{Path, PathBuf};

use clap::Args;
use nettool::relay::{Dump, Shaping};
use nettool::value::{Duration, Rate};

use super::{DataArgs, Usage, value};

/// What slows the bytes down, or writes them down.
#[derive(Args, Debug)]
#[command(next_help_heading = "Data and end of file")]
pub(crate) struct ShapingArgs {
    /// Carry at most so many bytes a second
    ///
    /// Evenly, and each way
    #[arg(long, value_name = "RATE", value_parser = value::<Rate>)]
    limit_rate: Option<Rate>,
    /// Wait this long after each line that is sent
    #[arg(long, value_name = "TIME", value_parser = delay)]
    delay: Option<std::time::Duration>,
    /// Write all bytes, both ways, as hexadecimal into FILE; - is stderr
    #[arg(short = 'x', long, value_name = "FILE")]
    hexdump: Option<PathBuf>,
}

impl ShapingArgs {
    /// What is done to the bytes; `dump` is where they are written down.
    pub(crate) fn shaping<'a>(&self, dump: Option<&'a Dump>) -> Shaping<'a> {
        Shaping {
            rate: self.limit_rate,
            delay: self.delay,
            dump,
        }
    }

    /// The file of the dump; `-` is stderr.
    pub(crate) fn hexdump(&self) -> Option<&Path> {
        self.hexdump.as_deref()
    }

    /// Refuses a dump into what has another use.
    pub(crate) fn check(&self, data: &DataArgs, json: bool) -> Result<(), Usage> {
        let Some(file) = self.hexdump() else {
            return Ok(());
        };
        if json && file == Path::new("-") {
            return Err(Usage::new(
                "--hexdump - cannot be used with --json: records alone are on stderr; write a file",
            ));
        }
        if [&data.input, &data.output].contains(&&self.hexdump) {
            return Err(Usage::new(format!(
                "--hexdump cannot be the file of --input or --output: {}",
                file.display()
            )));
        }
        Ok(())
    }
}

/// Reads the time between two lines.
fn delay(text: &str) -> Result<std::time::Duration, String> {
    let delay = value::<Duration>(text)?.limit();
    delay.ok_or_else(|| "no second line would ever be sent; write a time such as 500ms".to_owned())
}
