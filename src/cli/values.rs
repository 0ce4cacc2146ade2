//! Readers of values, for clap: each says what is wrong and what to write, and clap quotes the value.

use std::ffi::OsString;
use std::fmt::Display;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time;

use clap::builder::{OsStringValueParser, TypedValueParser};
use nettool::error::{Action, Error};
use nettool::value::{Duration, ValueError};

/// Reads one of our values.
pub(super) fn value<T>(text: &str) -> Result<T, String>
where
    T: FromStr<Err = ValueError>,
{
    text.parse()
        .map_err(|error: ValueError| format!("{}; write {}", error.problem, error.accepted))
}

/// Reads a number, which is at least and at most these.
pub(super) fn number<T: FromStr>(text: &str, least: u8, most: impl Display) -> Result<T, String> {
    let wrong = |_| format!("not a number that it takes; write {least} to {most}");
    text.parse().map_err(wrong)
}

/// Reads the most that something may take: no time at all is a mistake, and not how other programs
/// say «no limit».
pub(super) fn limit(text: &str) -> Result<Duration, String> {
    let time = value::<Duration>(text)?;
    if time.limit().is_some_and(|limit| limit.is_zero()) {
        return Err("nothing happens in no time; write forever for no limit".to_owned());
    }
    Ok(time)
}

/// Reads the time between two looks; a machine that is looked at all the time has no time for
/// anything.
pub(super) fn interval(text: &str) -> Result<time::Duration, String> {
    const SHORTEST: time::Duration = time::Duration::from_millis(10);
    let every = value::<Duration>(text)?.limit();
    every
        .filter(|every| *every >= SHORTEST)
        .ok_or_else(|| "that is no time to wait; write 10ms or more".to_owned())
}

/// Reads the name of a file. Others mean stdin or stdout by `-`: where neither can be meant, whoever
/// writes it must not get a file of that name.
pub(super) fn file() -> impl TypedValueParser<Value = PathBuf> {
    let read = |name: OsString| {
        if name == "-" {
            return Err("no stream is meant here; write ./- for the file, or leave the option out");
        }
        Ok(PathBuf::from(name))
    };
    OsStringValueParser::new().try_map(read)
}

/// Reads a whole file that the command line names.
pub(crate) fn contents(path: &Path) -> Result<Vec<u8>, Error> {
    let failed = |action| move |error: io::Error| Error::new(action, path.display(), error);
    let mut file = File::open(path).map_err(failed(Action::Open))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(failed(Action::Read))?;
    Ok(bytes)
}
