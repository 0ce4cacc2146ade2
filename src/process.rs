//! What a program does with itself: limits, job control, terminals, and how to die of a signal.
//!
//! The engine calls none of it on its own; a program's `main` does.

use std::io;
use std::os::fd::AsFd;

use crate::sys;

/// Raises the soft limit on open files to the hard one.
pub fn raise_open_files() {
    sys::raise_open_files();
}

/// Keeps a background job running when it touches the terminal (SIGTTIN, SIGTTOU).
pub fn ignore_job_control() {
    sys::ignore_job_control();
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

/// Ends the process by this signal, and comes back only where the signal does not end us: the
/// first process of a container. The caller then exits with 128 + n.
pub fn die_of(signal: i32) {
    sys::die_of(signal);
}
