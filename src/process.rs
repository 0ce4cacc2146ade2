//! What a program does with itself: limits, job control, terminals, and how to die of a signal.
//!
//! The engine calls none of it on its own; a program's `main` does.

mod output_file;

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;

use self::output_file::descriptor_number;
pub use self::output_file::{Existing, OutputFile};
use crate::sys;

/// Raises the soft limit on open files to the hard one. Programs that we become or start are to
/// have the old one back ([`restore_open_files`]): some cannot do with many (select(2)).
pub fn raise_open_files() {
    sys::raise_open_files();
}

/// Gives the soft limit on open files its value from before [`raise_open_files`]. Safe between
/// fork(2) and exec(2).
pub fn restore_open_files() {
    sys::restore_open_files();
}

/// How many files we may have open; `None` is as many as there can be.
#[must_use]
pub fn open_files() -> Option<u64> {
    sys::open_files()
}

/// Has the system answer with an error where it would stop or end us by a signal: when a background
/// job touches the terminal (SIGTTIN, SIGTTOU), and when a file may not grow (SIGXFSZ). Programs
/// that we become or start find these signals as we did.
pub fn prefer_errors() {
    sys::prefer_errors();
}

/// Whether this signal is set to be ignored: asked at the start, whether our parent (`nohup`, say)
/// wants it so.
#[must_use]
pub fn ignored(signal: i32) -> bool {
    sys::ignored(signal)
}

/// Whether this is a terminal.
pub fn is_terminal(descriptor: impl AsFd) -> bool {
    sys::is_terminal(descriptor)
}

/// Whether our process group is this terminal's foreground one; true of what is no terminal.
pub fn foreground(terminal: impl AsFd) -> bool {
    sys::foreground(terminal)
}

/// How many lines this terminal shows, if it is one that says so.
pub fn terminal_lines(terminal: impl AsFd) -> Option<usize> {
    sys::terminal_lines(terminal)
}

/// How many columns this terminal shows, if it is one that says so.
pub fn terminal_columns(terminal: impl AsFd) -> Option<u16> {
    sys::terminal_columns(terminal)
}

/// Whether this is a pipe or a socket.
pub fn is_channel(descriptor: impl AsFd) -> bool {
    sys::is_channel(descriptor)
}

/// How many bytes are left of stdin, where it is a regular file.
#[must_use]
pub fn input_left() -> Option<u64> {
    sys::input_left()
}

/// Keeps the signals that ask how far we are (SIGUSR1, and SIGINFO where it exists) from ending us
/// until somebody watches for them, and says which ones are to be watched for.
#[must_use]
pub fn spare_status_signals() -> Vec<i32> {
    sys::spare_status_signals()
}

/// Puts this file in the place of stdin. A path that stands for a descriptor that we were given, as
/// `/dev/stdin` and what the shell makes of `<(...)` do, is that descriptor, read from where it
/// stands.
///
/// # Errors
/// It cannot be opened, is a directory, or a descriptor that nobody gave us.
pub fn read_from(path: &Path) -> io::Result<()> {
    let file = match descriptor_number(path) {
        Some(number) => sys::inherited(number)?.into(),
        None => File::open(path)?,
    };
    if file.metadata()?.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    sys::replace_stdin(&file)
}

/// Whether stdout was closed when the process began, and is no file since.
#[must_use]
pub fn stdout_was_closed() -> bool {
    sys::was_closed(libc::STDOUT_FILENO)
}

/// Writes all of it to stdout, whatever flags the description has.
///
/// # Errors
/// What `write(2)` says; `EBADF` where stdout was closed when the process began.
pub fn write_stdout(bytes: &[u8]) -> io::Result<()> {
    sys::write_stdout(bytes)
}

/// Writes all of it to stderr, likewise.
///
/// # Errors
/// What `write(2)` says.
pub fn write_stderr(bytes: &[u8]) -> io::Result<()> {
    sys::write_stderr(bytes)
}

/// Writes to stderr what it takes without waiting for its reader: nothing, if that is a terminal.
///
/// # Errors
/// What `write(2)` says; `WouldBlock` where it takes nothing now.
pub fn write_stderr_now(bytes: &[u8]) -> io::Result<usize> {
    sys::write_stderr_now(bytes)
}

/// Whether stderr takes a line at once: a stopped terminal or a full pipe does not.
#[must_use]
pub fn stderr_has_room() -> bool {
    sys::stderr_has_room()
}

/// Has the signals that end a program end the first process of a container as well, which they would
/// not. For programs that do nothing else about them.
pub fn end_by_signals() {
    sys::end_by_signals();
}

/// Ends the process by this signal, and comes back only where the signal does not end us: the
/// first process of a container. The caller then exits with 128 + n.
pub fn die_of(signal: i32) {
    sys::die_of(signal);
}

/// Replaces this process by a program, as if we had never been there: signals are as we found them,
/// and of our descriptors it gets those of 0, 1 and 2 that we were given. Comes back only with the
/// reason why it could not.
#[must_use]
pub fn replace_with(words: &[OsString]) -> io::Error {
    sys::replace_with(words)
}
