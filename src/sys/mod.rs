//! What differs between systems, and every call that the safe crates do not offer: the only place
//! that says `unsafe` or `target_os`.
//!
//! Linux is supported and tested. Elsewhere a question that only Linux answers is answered with
//! `None`, and the caller says «unknown», never zero.

mod descriptors;
mod errno;
mod icmp;
mod signals;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod portable;

#[cfg(target_os = "linux")]
pub(crate) use linux::{stdout_was_closed, unacknowledged};
#[cfg(not(target_os = "linux"))]
pub(crate) use portable::{stdout_was_closed, unacknowledged};

pub use descriptors::StdinKind;
pub(crate) use descriptors::{
    close_stdout, foreground, interface_index, is_terminal, raise_open_files, read_stdin,
    stdin_kind, stdout_hangup, stdout_has_reader, write_stderr, write_stdout,
};
pub use errno::errno_name;
pub(crate) use icmp::{IcmpError, next_icmp_error, request_icmp_errors};
pub(crate) use signals::{die_of, ignore_job_control, ignored};
