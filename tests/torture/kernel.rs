//! Faults of the kernel that change nothing (part C): what is sent arrives all the same.

use super::scenarios::{self, Outcome, Wrap};
use crate::support::{can_inject, inject, inject_at, inject_at_stdout, scratch};

/// A piece of work, as the sweep has it.
type Play = fn(Wrap) -> Result<Outcome, String>;

/// Work over every transport, both commands, every path of the bytes.
const WORK: [(&str, Play); 8] = [
    ("connect sends a file", scenarios::connect_sends_a_file),
    ("connect receives", scenarios::connect_receives_into_a_file),
    ("connect talks", scenarios::connect_talks_through_pipes),
    ("connect hashes", scenarios::connect_hashes),
    ("connect over UDP", scenarios::connect_talks_over_udp),
    ("listen receives", scenarios::listen_receives),
    (
        "listen over Unix",
        scenarios::listen_talks_over_a_unix_socket,
    ),
    ("a server", scenarios::server_echoes),
];

/// Everything is done in spite of the faults.
#[track_caller]
fn unharmed(work: &[(&str, Play)], faults: &[&str]) {
    if !can_inject() {
        return;
    }
    for (name, play) in work {
        let directory = scratch();
        let log = directory.path().join("log");
        let outcome = play(&|program| inject(program, faults, &[], &log));
        let log = std::fs::read_to_string(&log).unwrap_or_default();
        assert_eq!(outcome, Ok(Outcome::Exact), "{name}, {faults:?}:\n{log}");
    }
}

/// C1: a signal interrupts every third call, once the shared libraries are loaded. `write` is not
/// among them: the runtime wakes itself by one on an eventfd, which no signal interrupts; the sweep
/// has it where it can be.
#[test]
fn interrupted_calls_are_made_again() {
    let calls = "readv,writev,recvfrom,sendto,recvmsg,sendmsg,recvmmsg,sendmmsg,splice,epoll_wait,\
                 poll,ppoll,accept4,pwritev2,preadv2,sendfile";
    let often = format!("{calls}:error=EINTR:when=2+3");
    unharmed(&WORK[..7], &[&often, "read:error=EINTR:when=8+3"]);
    // The runtime of a server hears of signals by a pair of sockets that no signal interrupts.
    let calls = "accept4,epoll_wait,poll,ppoll,writev,sendmsg:error=EINTR:when=2+3";
    unharmed(&WORK[7..], &[calls]);
}

/// C2: what is ready is not, every other time, where readiness is asked for each time.
#[test]
fn calls_that_would_block_are_waited_for() {
    let faults = ["splice,sendfile,recvfrom,sendto,pwritev2:error=EAGAIN:when=2+2"];
    unharmed(&WORK[..3], &faults);
}

/// C5: whatever `accept()` says of one client, the next one is served.
#[test]
fn a_client_that_cannot_be_accepted_shuts_nobody_out() {
    for error in [
        "ECONNABORTED",
        "EPROTO",
        "ENETDOWN",
        "EHOSTUNREACH",
        "EPERM",
        "ENOBUFS",
    ] {
        let fault = format!("accept4:error={error}:when=1..2");
        unharmed(&WORK[7..], &[&fault]);
    }
}

/// C6: what the kernel or a container does not offer is done in another way.
#[test]
fn calls_that_are_not_offered_are_replaced() {
    for error in ["ENOSYS", "EPERM"] {
        let fault = format!("splice,copy_file_range,sendfile:error={error}");
        unharmed(&WORK, &[&fault]);
    }
    // What only sending a file whole fails with, reading tells, or does not find.
    unharmed(&WORK[..1], &["sendfile:error=EIO:when=2+2"]);
    for fault in [
        "pwritev2,preadv2:error=EOPNOTSUPP",
        "pwritev2,preadv2:error=ENOSYS",
        "statx:error=ENOSYS",
    ] {
        unharmed(&WORK, &[fault]);
    }
}

/// C7, C8: closing that is interrupted, and options that are not to be had, cost no byte.
#[test]
fn options_that_are_not_to_be_had_cost_nothing() {
    unharmed(&WORK, &["close:error=EINTR:when=12+2"]);
    unharmed(&WORK[..4], &["ioctl:error=ENOTTY:when=40+"]);
}

/// C7: what a file system finds out only when the file is closed is told.
#[test]
fn a_close_that_fails_is_told() {
    if !can_inject() {
        return;
    }
    let directory = scratch();
    let log = directory.path().join("log");
    for error in ["EIO", "ENOSPC", "EDQUOT"] {
        let fault = format!("close:error={error}");
        let outcome = scenarios::connect_receives_into_a_file(&|program| {
            inject_at_stdout(program, &fault, &log)
        });
        assert_eq!(outcome, Ok(Outcome::Failed), "{fault}");
    }
}

/// C3: commands are waited for, and ended, though nobody can be told of their ends: there is no
/// descriptor for that, or the event queue has no room for it at first or later.
#[test]
fn commands_end_though_nobody_tells_of_it() {
    if !can_inject() {
        return;
    }
    let play = |wrap: Wrap| {
        let outcome = scenarios::server_runs_a_command(wrap);
        assert_eq!(outcome, Ok(Outcome::Exact));
    };
    let directory = scratch();
    let log = directory.path().join("log");
    play(&|program| inject(program, &["pidfd_open:error=EMFILE"], &[], &log));
    for which in ["1+", "2+", "3"] {
        let fault = format!("epoll_ctl:error=ENOMEM:when={which}");
        play(&|program| inject_at(program, "anon_inode:[pidfd]", &fault, &log));
    }
}

/// C3: a thread that is told to stop hears of it though the system has no memory for a message.
#[test]
fn an_order_to_stop_is_never_lost() {
    if !can_inject() {
        return;
    }
    let directory = scratch();
    let log = directory.path().join("log");
    for which in 1..=2 {
        let fault = format!("sendto:error=ENOBUFS:when={which}");
        let outcome = scenarios::connect_talks_over_a_unix_socket(&|program| {
            inject(program, &[&fault], &[], &log)
        });
        assert_eq!(outcome, Ok(Outcome::Failed), "{fault}");
    }
}
