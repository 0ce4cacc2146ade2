//! A file that says which port it became.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::error::{Action, Error};

/// Writes the number and a newline, so that whoever finds the file finds all of it. It takes the
/// place of a regular file; anything else there is an error.
pub(super) fn write_port(path: &Path, port: u16) -> crate::error::Result<()> {
    put(path, port).map_err(|(action, error)| Error::new(action, path.display(), error))
}

/// Makes a new file beside it and gives it the name.
fn put(path: &Path, port: u16) -> Result<(), (Action, io::Error)> {
    if fs::symlink_metadata(path).is_ok_and(|found| !found.is_file()) {
        let problem = io::Error::other("it exists and is no regular file");
        return Err((Action::Open, problem));
    }
    let (new, mut file) = create(path).map_err(|error| (Action::Open, error))?;
    let renamed = writeln!(file, "{port}").and_then(|()| fs::rename(&new, path));
    if renamed.is_err() {
        // What is left behind could not be removed, either.
        let _ = fs::remove_file(&new);
    }
    renamed.map_err(|error| (Action::Write, error))
}

/// A new file in the same directory.
fn create(path: &Path) -> io::Result<(PathBuf, File)> {
    let new = beside(path)?;
    let file = OpenOptions::new().write(true).create_new(true).open(&new)?;
    Ok((new, file))
}

/// A name in the same directory that nobody else uses.
fn beside(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let mut new = std::ffi::OsString::from(".");
    new.push(name);
    new.push(format!(".{}", std::process::id()));
    Ok(path.with_file_name(new))
}
