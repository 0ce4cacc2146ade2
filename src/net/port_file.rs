//! A file that says which port it became.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::error::{Action, Error, Result};

/// Writes the number and a newline, so that whoever finds the file finds all of it. It takes the
/// place of a regular file; anything else there is an error.
pub(super) fn write_port(path: &Path, port: u16) -> Result<()> {
    put(path, port).map_err(|error| Error::new(Action::Write, path.display(), error))
}

/// Makes a new file beside it and gives it the name.
fn put(path: &Path, port: u16) -> io::Result<()> {
    if fs::symlink_metadata(path).is_ok_and(|found| !found.is_file()) {
        return Err(io::Error::other("it exists and is no regular file"));
    }
    let new = beside(path)?;
    let mut file = OpenOptions::new().write(true).create_new(true).open(&new)?;
    let renamed = writeln!(file, "{port}").and_then(|()| fs::rename(&new, path));
    if renamed.is_err() {
        // What is left behind could not be removed, either.
        let _ = fs::remove_file(&new);
    }
    renamed
}

/// A name in the same directory that nobody else uses.
fn beside(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let mut new = std::ffi::OsString::from(".");
    new.push(name);
    new.push(format!(".{}", std::process::id()));
    Ok(path.with_file_name(new))
}
