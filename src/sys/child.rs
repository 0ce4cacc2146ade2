//! What a child process is not to have of us.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::process::{Pid, Signal};
use tokio::io::unix::AsyncFd;

use super::{hear_of_children, restore_open_files, restore_signals};

/// Has the child begin as if we had never been there: the signals as we found them and SIGPIPE at
/// its default, the limit on open files as it was, of all descriptors 0, 1 and 2 alone, and a
/// process group of its own. From then on children can be waited for.
pub(crate) fn prepare_child(command: &mut Command) {
    hear_of_children();
    command.process_group(0);
    // SAFETY: between fork(2) and exec(2) it makes system calls alone, and allocates nothing.
    unsafe {
        command.pre_exec(|| {
            become_stranger();
            Ok(())
        })
    };
}

/// Gives up what is ours, in the child.
fn become_stranger() {
    restore_open_files();
    restore_signals();
    // SAFETY: the default action runs none of our code.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
    close_others();
}

/// Closes everything but 0, 1 and 2 at exec(2): what is ours is so already, and what we inherited
/// was given to us, not to whoever connects. Before Linux 5.11 those stay open.
#[cfg(target_os = "linux")]
fn close_others() {
    // SAFETY: it sets a flag of descriptors (close_range(2)).
    unsafe {
        libc::syscall(
            libc::SYS_close_range,
            3,
            libc::c_uint::MAX,
            libc::CLOSE_RANGE_CLOEXEC,
        )
    };
}

/// What is ours is closed at exec(2) already.
#[cfg(not(target_os = "linux"))]
fn close_others() {}

/// Sends a signal to a child and its children, as far as they stayed in its process group. The
/// child must not have been waited for, so that the number is still its own.
pub(crate) fn signal_group(leader: Pid, signal: Signal) {
    // Refused, by a child that became somebody else, it runs on until it ends by itself.
    let _ = rustix::process::kill_process_group(leader, signal);
}

/// A descriptor that is readable once this child has ended (`pidfd_open(2)`). Needs a runtime.
#[cfg(target_os = "linux")]
pub(crate) fn watch_child(pid: Pid) -> io::Result<AsyncFd<OwnedFd>> {
    use rustix::process::{PidfdFlags, pidfd_open};
    use tokio::io::Interest;

    let ended = pidfd_open(pid, PidfdFlags::empty())?;
    super::watched(ended, Interest::READABLE)
}

/// Not here: a signal tells of all children.
#[cfg(not(target_os = "linux"))]
pub(crate) fn watch_child(_pid: Pid) -> io::Result<AsyncFd<OwnedFd>> {
    Err(io::ErrorKind::Unsupported.into())
}
