//! Becoming another program, as if we had never been there.
#![allow(unsafe_code)]

use std::ffi::{CString, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::ptr;

use super::{closed_at_start, restore_open_files, restore_signals};

/// Replaces this process by a program that is looked for on the search path (execvp(3)). It gets
/// the signals and the limit on open files as we found them, with those that we handle at their
/// default again (execve(2)), and of our descriptors only those of 0, 1 and 2 that we were given.
/// Comes back only with the reason why it could not.
pub(crate) fn replace_with(words: &[OsString]) -> io::Error {
    let words: Result<Vec<CString>, _> = words
        .iter()
        .map(|word| CString::new(word.as_bytes()))
        .collect();
    let words = match words {
        Ok(words) => words,
        Err(error) => return error.into(),
    };
    let Some(program) = words.first() else {
        return io::ErrorKind::InvalidInput.into();
    };
    let mut pointers: Vec<_> = words.iter().map(|word| word.as_ptr()).collect();
    pointers.push(ptr::null());
    restore_signals();
    restore_open_files();
    for number in closed_at_start() {
        // What Rust's runtime put in its place: a program that is given it writes into nothing, and
        // thinks that all is well.
        // SAFETY: the flags of a descriptor are set that nobody else changes.
        unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) };
    }
    // SAFETY: the words outlive the call, end with NUL, and the list of them with a null pointer.
    unsafe { libc::execvp(program.as_ptr(), pointers.as_ptr()) };
    io::Error::last_os_error()
}
