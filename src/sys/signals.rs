//! Signals: which ones were ignored before us, and how to die of one.
#![allow(unsafe_code)]

use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

use super::sigpipe_was_ignored;

/// The signals that stop or end us where an error would say more: those of job control, and that of
/// a file that may not grow (setrlimit(2)).
const UNWANTED: [i32; 3] = [libc::SIGTTIN, libc::SIGTTOU, libc::SIGXFSZ];

/// Which of them were ignored before us.
static WERE_IGNORED: [AtomicBool; 3] = [const { AtomicBool::new(false) }; 3];

/// Whether this signal was set to be ignored, by `nohup` say, when it is asked first.
pub(crate) fn ignored(signal: i32) -> bool {
    // SAFETY: a null new action only reads the old one, into zeroed memory of the right type.
    unsafe {
        let mut old: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, ptr::null(), &raw mut old) == 0 && old.sa_sigaction == libc::SIG_IGN
    }
}

/// Has the system answer with an error where it would stop or end us by a signal. A background job
/// that touches the terminal goes on: a read fails with EIO, and the reader waits for the
/// foreground. Of a file that may not grow the write fails, with EFBIG.
pub(crate) fn prefer_errors() {
    for (signal, was_ignored) in UNWANTED.into_iter().zip(&WERE_IGNORED) {
        was_ignored.store(ignored(signal), Ordering::Relaxed);
        // SAFETY: SIG_IGN runs none of our code.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
}

/// The signals that ask how far we are. `SIGINFO` is that of Ctrl-T (termios(4)).
#[cfg(any(
    target_vendor = "apple",
    target_os = "dragonfly",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "openbsd"
))]
const STATUS_SIGNALS: &[i32] = &[libc::SIGUSR1, libc::SIGINFO];
/// The signals that ask how far we are.
#[cfg(not(any(
    target_vendor = "apple",
    target_os = "dragonfly",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "openbsd"
)))]
const STATUS_SIGNALS: &[i32] = &[libc::SIGUSR1];

/// Whether they are ignored on our own account.
static SPARED: AtomicBool = AtomicBool::new(false);

/// Has the signals that ask how far we are do nothing: by default `SIGUSR1` ends a process. Says
/// which ones they are, without those that our parent wants ignored.
pub(crate) fn spare_status_signals() -> Vec<i32> {
    let wanted = STATUS_SIGNALS.iter().copied();
    let wanted: Vec<i32> = wanted.filter(|signal| !ignored(*signal)).collect();
    for signal in &wanted {
        // SAFETY: SIG_IGN runs none of our code.
        unsafe { libc::signal(*signal, libc::SIG_IGN) };
    }
    SPARED.store(!wanted.is_empty(), Ordering::Relaxed);
    wanted
}

/// Whether SIGCHLD was ignored before us, and is no more.
static CHILDREN_WERE_IGNORED: AtomicBool = AtomicBool::new(false);

/// Has children be waited for: where SIGCHLD is ignored, by our parent say, the system forgets them
/// when they end (waitpid(2)).
pub(crate) fn hear_of_children() {
    if ignored(libc::SIGCHLD) {
        CHILDREN_WERE_IGNORED.store(true, Ordering::Relaxed);
        // SAFETY: the default action runs none of our code.
        unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
    }
}

/// Gives the signals that we changed on our own account what they had before us, for a program that
/// takes our place: what is ignored stays so (execve(2)).
pub(crate) fn restore_signals() {
    if CHILDREN_WERE_IGNORED.load(Ordering::Relaxed) {
        // SAFETY: SIG_IGN runs none of our code.
        unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
    }
    let unwanted = UNWANTED.into_iter().zip(&WERE_IGNORED);
    let unwanted = unwanted.map(|(signal, was)| (signal, was.load(Ordering::Relaxed)));
    let others = unwanted.chain([(libc::SIGPIPE, sigpipe_was_ignored())]);
    let not_spared = !SPARED.load(Ordering::Relaxed);
    let status = STATUS_SIGNALS.iter().map(|signal| (*signal, not_spared));
    for (signal, was_ignored) in others.chain(status) {
        if !was_ignored {
            // SAFETY: the default action runs none of our code.
            unsafe { libc::signal(signal, libc::SIG_DFL) };
        }
    }
}

/// The signals that end a program which does nothing about them.
const ENDINGS: [libc::c_int; 4] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT];

/// Has the signals that end a program end the first process of a PID namespace too, with 128 + n: it
/// has no default actions (`pid_namespaces(7)`). Any other process is left as it is.
pub(crate) fn end_by_signals() {
    if std::process::id() != 1 {
        return;
    }
    let handler: extern "C" fn(libc::c_int) = end_at_once;
    for signal in ENDINGS.into_iter().filter(|signal| !ignored(*signal)) {
        // SAFETY: the handler does nothing but what a handler may do (signal-safety(7)).
        unsafe { libc::signal(signal, handler as libc::sighandler_t) };
    }
}

/// Ends the process as a shell tells of a signal.
extern "C" fn end_at_once(signal: libc::c_int) {
    // SAFETY: it may be called in a handler, and does not come back.
    unsafe { libc::_exit(signal.saturating_add(128)) }
}

/// Ends the process by this signal, so that the shell sees it (128 + n in `$?`).
///
/// Comes back only where the signal does not end us: the first process of a PID namespace has no
/// default action (`pid_namespaces(7)`). The caller then exits with 128 + n.
pub(crate) fn die_of(signal: i32) {
    // SAFETY: the default action runs none of our code; the set is initialised before its use.
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, signal);
        libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const set, ptr::null_mut());
        libc::raise(signal);
    }
}
