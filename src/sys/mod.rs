//! What differs between systems, and every call that the safe crates do not offer: the only place
//! that says `unsafe` or `target_os`.
//!
//! Linux is supported and tested. Elsewhere a question that only Linux answers is answered with
//! `None`, and the caller says «unknown», never zero.

mod descriptors;
mod errno;
mod signals;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
mod netlink;
#[cfg(not(target_os = "linux"))]
mod portable;

#[cfg(target_os = "linux")]
pub(crate) use linux::{BUFFER_FACTOR, TUNES_TCP, setting, stdout_was_closed, unacknowledged};
#[cfg(target_os = "linux")]
pub(crate) use netlink::interfaces;
#[cfg(not(target_os = "linux"))]
pub(crate) use portable::{
    BUFFER_FACTOR, TUNES_TCP, interfaces, setting, stdout_was_closed, unacknowledged,
};

pub use descriptors::StdinKind;
pub(crate) use descriptors::{
    close_stdout, foreground, interface_index, is_terminal, raise_open_files, read_stdin,
    stdin_kind, stdout_hangup, stdout_has_reader, write_stderr, write_stdout,
};
pub use errno::errno_name;
pub(crate) use signals::{die_of, ignore_job_control, ignored};
