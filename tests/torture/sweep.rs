//! C10: the n-th of every system call fails, with every error that it could fail with, in every
//! scenario. Whatever happens is allowed but this: a hang, a panic, an answer that is wrong, a
//! success with bytes missing, a failure that looks like a good end to the peer, a leftover.
//!
//! Ordinary runs take a seeded sample of each scenario. `NETTOOL_TORTURE=all` takes everything;
//! `NETTOOL_TORTURE_LOG` names a file that gets a line a case: scenario, call, error, which one,
//! outcome. `tests/bench/torture` does both and adds up.

use std::collections::BTreeMap;
use std::env;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::scenarios::{self, Outcome, Scenario};
use crate::support::{can_inject, counts, inject, scratch, trace};

/// How many cases of a scenario an ordinary run takes.
const SAMPLE: usize = 16;

/// The most times that one call fails with one error.
const CAP: u32 = 30;

/// Decides which cases are the sample.
const SEED: u64 = 9;

/// System calls, and how each of them could fail here.
const ERRORS: [(&str, &[&str]); 38] = [
    ("read", &["EINTR", "EAGAIN", "EIO"]),
    ("readv", &["EINTR", "EIO"]),
    ("preadv2", &["EINTR", "EOPNOTSUPP", "EIO"]),
    ("write", &["EINTR", "EAGAIN", "ENOSPC", "EIO"]),
    ("writev", &["EINTR", "ENOSPC"]),
    ("pwritev2", &["EINTR", "EAGAIN", "EOPNOTSUPP", "ENOSPC"]),
    ("splice", &["EINTR", "EAGAIN", "EINVAL", "ENOSYS", "EPERM"]),
    ("recvfrom", &["EINTR", "EAGAIN", "ECONNRESET", "ENOMEM"]),
    ("recvmsg", &["EINTR", "EAGAIN", "ENOBUFS", "ENOMEM"]),
    ("recvmmsg", &["EINTR", "EAGAIN", "ENOSYS", "ENOMEM"]),
    ("sendto", &["EINTR", "EAGAIN", "EPIPE", "ENOBUFS"]),
    ("sendmsg", &["EINTR", "EAGAIN", "ENOBUFS", "EPERM"]),
    ("sendmmsg", &["EINTR", "EAGAIN", "ENOSYS", "ENOBUFS"]),
    ("socket", &["EMFILE", "ENOBUFS", "EACCES"]),
    ("socketpair", &["EMFILE"]),
    ("bind", &["EADDRINUSE", "EACCES"]),
    ("listen", &["EADDRINUSE"]),
    ("connect", &["EINTR", "EADDRNOTAVAIL", "EAGAIN", "ENOBUFS"]),
    (
        "accept4",
        &["EINTR", "ECONNABORTED", "EMFILE", "ENOBUFS", "EPERM"],
    ),
    ("shutdown", &["ENOTCONN"]),
    ("getsockname", &["ENOBUFS"]),
    ("getpeername", &["ENOTCONN"]),
    ("getsockopt", &["ENOPROTOOPT", "ENOBUFS"]),
    ("setsockopt", &["ENOPROTOOPT", "EPERM"]),
    ("epoll_create1", &["EMFILE"]),
    ("epoll_ctl", &["ENOMEM"]),
    ("epoll_wait", &["EINTR"]),
    ("poll", &["EINTR", "ENOMEM"]),
    ("ppoll", &["EINTR", "ENOMEM"]),
    ("eventfd2", &["EMFILE"]),
    ("pipe2", &["EMFILE"]),
    ("openat", &["EMFILE", "EACCES", "ENOENT", "EINTR"]),
    ("close", &["EINTR", "EIO"]),
    ("fcntl", &["EINVAL", "EMFILE"]),
    ("ioctl", &["ENOTTY", "EINVAL"]),
    ("clone3", &["EAGAIN"]),
    ("statx", &["EIO"]),
    ("rename", &["EACCES", "EROFS"]),
];

/// One call that fails once in each thread.
#[derive(Clone, Debug)]
struct Case {
    call: String,
    error: &'static str,
    nth: u32,
}

/// All cases of a scenario: what it calls is learnt from a run without a fault.
fn cases(scenario: &Scenario) -> Vec<Case> {
    let directory = scratch();
    let log = directory.path().join("log");
    let calls: Vec<_> = ERRORS.iter().map(|(call, _)| format!("?{call}")).collect();
    let calls = calls.join(",");
    let healthy = (scenario.play)(&|program| trace(program, &calls, &log));
    assert_eq!(
        healthy,
        Ok(Outcome::Exact),
        "{} without a fault",
        scenario.name
    );
    let log = std::fs::read_to_string(&log).expect("the log of strace");
    let counts = counts(&log);
    let mut cases = Vec::new();
    for (call, errors) in ERRORS {
        let (before, most) = counts.get(call).copied().unwrap_or_default();
        for error in errors {
            // What the loader of shared libraries does with a fault is no concern of ours.
            cases.extend((before + 1..=most.min(before + CAP)).map(|nth| Case {
                call: call.to_owned(),
                error,
                nth,
            }));
        }
    }
    cases
}

/// A seeded choice of `count` of them.
fn sample(mut cases: Vec<Case>, count: usize) -> Vec<Case> {
    // splitmix64 of the place: the same cases every time.
    let mix = |place: usize| {
        let word = SEED.wrapping_add((place as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb)
    };
    let mut places: Vec<_> = (0..cases.len()).collect();
    places.sort_by_key(|place| mix(*place));
    places.truncate(count);
    places.sort_unstable();
    let mut place = 0;
    cases.retain(|_| {
        place += 1;
        places.binary_search(&(place - 1)).is_ok()
    });
    cases
}

/// Plays one case; what breaks a rule after a fault that no kernel makes is no finding.
fn play(scenario: &Scenario, case: &Case) -> Result<Outcome, String> {
    let Case { call, error, nth } = case;
    let fault = format!("{call}:error={error}:when={nth}");
    let directory = scratch();
    let log = directory.path().join("log");
    let result = (scenario.play)(&|program| inject(program, &[&fault], &log));
    let log = std::fs::read_to_string(&log).unwrap_or_default();
    let injected = injections(&log);
    let impossible = injected.iter().any(|line| impossible(scenario, case, line));
    match result {
        Err(_) if impossible => Ok(Outcome::Impossible),
        Err(problem) => Err(format!("{problem}\n    {}", injected.join("\n    "))),
        Ok(outcome) => Ok(outcome),
    }
}

/// What was injected, with the beginning of the call where the log has it on a line of its own.
fn injections(log: &str) -> Vec<String> {
    let mut begun: BTreeMap<&str, &str> = BTreeMap::new();
    let mut found = Vec::new();
    for line in log.lines() {
        let (thread, call) = line.split_once(' ').unwrap_or_default();
        if call.ends_with("<unfinished ...>") {
            begun.insert(thread, call.trim_start());
        } else if call.contains("(INJECTED)") {
            let before = begun.remove(thread).filter(|_| call.contains("resumed>"));
            found.push(format!("{} {call}", before.unwrap_or_default()));
        }
    }
    found
}

/// Whether no kernel fails like this, or nobody could do better: `strace` knows no difference
/// between descriptors.
fn impossible(scenario: &Scenario, case: &Case, line: &str) -> bool {
    let (call, error) = (case.call.as_str(), case.error);
    let first = line.split(',').next().unwrap_or_default();
    let unix = scenario.name.contains("unix");
    match (call, error) {
        // The runtime panics without a pair of sockets for its signals or without its threads: we
        // look before whether there is room for them.
        ("socketpair", _) => case.nth > 4,
        ("clone3", _) => scenario.name.starts_with("server"),
        // A fault that says that the peer did something which it did not.
        (_, "ECONNRESET" | "EPIPE") => true,
        // Readiness is told once: what would have blocked without a reason is never told of again.
        (_, "EAGAIN") => call != "connect",
        // Where clients can connect is said once, and nobody learnt it.
        ("write", _) if line.contains("\"listening on") => true,
        // What a child reads is its own affair.
        ("read", _) if line.contains("/proc/") => true,
        // An eventfd (fs/eventfd.c of the kernel) and the pairs of sockets by which the runtime and
        // the standard library talk to themselves fail with none of these.
        _ if first.contains("[eventfd]") => true,
        _ if first.contains("UNIX") && !unix => true,
        // Only a file system has a close that fails, and only some commands of fcntl fail at all.
        ("close", _) => !first.contains("/in>") && !first.contains("/out>"),
        ("fcntl", "EMFILE") => !line.contains("DUPFD"),
        ("fcntl", _) => !line.contains("PIPE_SZ"),
        // Every socket has it.
        ("setsockopt", _) => line.contains("SO_LINGER"),
        // What cannot be identified is not removed: somebody else may have put it there.
        ("statx", _) => unix && case.nth > 3,
        _ => false,
    }
}

/// Where the outcomes are written down, if anywhere.
fn log() -> Option<File> {
    let path = env::var_os("NETTOOL_TORTURE_LOG")?;
    let file = OpenOptions::new().create(true).append(true).open(path);
    Some(file.expect("a file to append to"))
}

/// Plays the cases of a scenario and fails with those that broke a rule.
fn sweep(scenario: &Scenario) {
    if !can_inject() {
        return;
    }
    let all = env::var_os("NETTOOL_TORTURE").is_some_and(|value| value == "all");
    let found = cases(scenario);
    let (chosen, workers) = if all {
        (found, 4)
    } else {
        (sample(found, SAMPLE), 1)
    };
    let (next, broken) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(case) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = play(scenario, case);
                    note(scenario, case, &result);
                    if let Err(problem) = result {
                        let mut broken = broken.lock().unwrap_or_else(PoisonError::into_inner);
                        broken.push(format!("{case:?}: {problem}"));
                    }
                }
            });
        }
    });
    let broken = broken.into_inner().unwrap_or_else(PoisonError::into_inner);
    assert!(
        broken.is_empty(),
        "{}: {} of {} cases (seed {SEED})\n{}",
        scenario.name,
        broken.len(),
        chosen.len(),
        broken.join("\n")
    );
}

/// Writes an outcome down.
fn note(scenario: &Scenario, case: &Case, result: &Result<Outcome, String>) {
    let Some(mut log) = log() else { return };
    let Case { call, error, nth } = case;
    let outcome = match result {
        Ok(outcome) => format!("{outcome:?}"),
        Err(problem) => format!("BROKEN {}", problem.replace('\n', " / ")),
    };
    let line = format!("{}\t{call}\t{error}\t{nth}\t{outcome}\n", scenario.name);
    log.write_all(line.as_bytes()).expect("the log");
}

/// A test a scenario.
macro_rules! sweeps {
    ($($name:ident),+ $(,)?) => {$(
        #[test]
        fn $name() {
            sweep(&Scenario { name: stringify!($name), play: scenarios::$name });
        }
    )+};
}

sweeps! {
    connect_sends_a_file,
    connect_receives_into_a_file,
    connect_talks_through_pipes,
    connect_talks_over_a_unix_socket,
    connect_hashes,
    connect_talks_over_udp,
    listen_sends_a_file,
    listen_receives,
    listen_talks_over_a_unix_socket,
    listen_hears_datagrams,
    server_echoes,
    server_saves,
    server_runs_a_command,
    interfaces_are_listed,
    a_route_is_found,
    ports_are_probed,
    sockets_are_listed,
    buffers_are_filled,
}
