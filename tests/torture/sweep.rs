//! C10: the n-th of every system call fails, with every error that it could fail with, in every
//! scenario. Whatever happens is allowed but this: a hang, a panic, an answer that is wrong, a
//! success with bytes missing, a failure that looks like a good end to the peer, a leftover.
//!
//! A fault is one that a kernel could make there: of which calls that is so is learnt from a run
//! without faults. Threads do not always share their work in the same way, so that a call may not
//! come; and the n-th call of every thread is hit, also where that cannot fail. If a rule is broken
//! then, that says nothing.
//!
//! Ordinary runs take a seeded sample of each scenario. `NETTOOL_TORTURE=all` takes everything;
//! `NETTOOL_TORTURE_LOG` names a file that gets a line a case: scenario, call, error, which one,
//! outcome. `tests/bench/torture` does both and adds up.

use std::collections::BTreeSet;
use std::env;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::scenarios::{self, Outcome, Scenario};
use crate::support::{Call, calls, can_inject, inject, scratch, trace};

/// How many cases of a scenario an ordinary run takes.
const SAMPLE: usize = 16;

/// The most times that one call fails with one error.
const CAP: usize = 30;

/// Decides which cases are the sample.
const SEED: u64 = 9;

/// System calls, and how each of them could fail here.
const ERRORS: [(&str, &[&str]); 39] = [
    ("read", &["EINTR", "EAGAIN", "EIO"]),
    ("readv", &["EINTR", "EIO"]),
    ("preadv2", &["EINTR", "EOPNOTSUPP", "EIO"]),
    ("write", &["EINTR", "EAGAIN", "ENOSPC", "EIO"]),
    ("writev", &["EINTR", "ENOSPC"]),
    ("pwritev2", &["EINTR", "EAGAIN", "EOPNOTSUPP", "ENOSPC"]),
    ("splice", &["EINTR", "EAGAIN", "EINVAL", "ENOSYS", "EPERM"]),
    (
        "sendfile",
        &["EINTR", "EAGAIN", "EINVAL", "ENOSYS", "EIO", "ENOMEM"],
    ),
    ("recvfrom", &["EINTR", "EAGAIN", "ETIMEDOUT", "ENOMEM"]),
    ("recvmsg", &["EINTR", "EAGAIN", "ENOBUFS", "ENOMEM"]),
    ("recvmmsg", &["EINTR", "EAGAIN", "ENOSYS", "ENOMEM"]),
    ("sendto", &["EINTR", "EAGAIN", "ETIMEDOUT", "ENOBUFS"]),
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

/// All cases of a scenario: what it calls, and on what, is learnt from a run without a fault.
fn cases(scenario: &Scenario) -> Vec<Case> {
    let directory = scratch();
    let log = directory.path().join("log");
    let names: Vec<_> = ERRORS.iter().map(|(name, _)| format!("?{name}")).collect();
    let names = names.join(",");
    let healthy = (scenario.play)(&|program| trace(program, &names, &log));
    let log = std::fs::read_to_string(&log).expect("the log of strace");
    let calls = calls(&log);
    let said = calls
        .iter()
        .filter(|call| call.text.starts_with("write(2<"));
    let said: Vec<_> = said.map(|call| call.text.as_str()).collect();
    assert_eq!(
        healthy,
        Ok(Outcome::Exact),
        "{} without a fault: {said:?}",
        scenario.name
    );
    let loopers: BTreeSet<_> = calls
        .iter()
        .filter(|call| call.name == "epoll_wait")
        .map(|call| call.thread.as_str())
        .collect();
    let mut cases = Vec::new();
    for (name, errors) in ERRORS {
        let calls = || calls.iter().filter(|call| call.name == name);
        let most = calls().map(|call| call.nth).max().unwrap_or_default();
        // What the loader of shared libraries does with a fault is no concern of ours.
        let loading = calls().filter(|call| call.is_loading);
        let before = loading.map(|call| call.nth).max().unwrap_or_default();
        for error in errors {
            let fits = |nth: &u32| {
                let mut hit = calls().filter(|call| call.nth == *nth);
                hit.any(|call| {
                    can_fail(scenario, call, error)
                        && (*error != "EAGAIN" || !loopers.contains(call.thread.as_str()))
                })
            };
            let possible = (before + 1..=most).filter(fits);
            cases.extend(possible.take(CAP).map(|nth| Case {
                call: name.to_owned(),
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

/// How often a case is played until its call comes.
const ATTEMPTS: u32 = 4;

/// Plays one case.
fn play(scenario: &Scenario, case: &Case) -> Result<Outcome, String> {
    for _ in 0..ATTEMPTS {
        if let Some(result) = attempt(scenario, case) {
            return result;
        }
    }
    Ok(Outcome::Missed)
}

/// Plays it once; nothing if no call was hit that can fail like this.
fn attempt(scenario: &Scenario, case: &Case) -> Option<Result<Outcome, String>> {
    let Case { call, error, nth } = case;
    let fault = format!("{call}:error={error}:when={nth}");
    let directory = scratch();
    let log = directory.path().join("log");
    let also: &[_] = if *error == "EAGAIN" {
        &["epoll_wait"]
    } else {
        &[]
    };
    let result = (scenario.play)(&|program| inject(program, &[&fault], also, &log));
    let log = std::fs::read_to_string(&log).unwrap_or_default();
    let calls = calls(&log);
    let hit: Vec<_> = calls.iter().filter(|call| call.is_injected).collect();
    let loops = |call: &Call| {
        let mut others = calls.iter().filter(|other| other.thread == call.thread);
        *error == "EAGAIN" && others.any(|other| other.name == "epoll_wait")
    };
    let meant = |call: &&&Call| can_fail(scenario, call, error) && !loops(call);
    let count = hit.iter().filter(meant).count();
    if count == 0 {
        return None;
    }
    if result.is_err() && count < hit.len() {
        return Some(Ok(Outcome::Spoilt));
    }
    let told = |problem: String| {
        let hit: Vec<_> = hit.iter().map(|call| call.text.as_str()).collect();
        format!("{problem}\n    {}", hit.join("\n    "))
    };
    Some(result.map_err(told))
}

/// Whether a kernel could let this call fail so, and the program could do something about it.
fn can_fail(scenario: &Scenario, call: &Call, error: &str) -> bool {
    let (text, nth) = (call.text.as_str(), call.nth);
    let first = text.split(',').next().unwrap_or_default();
    let is_server = scenario.name.starts_with("server");
    let unix = scenario.name.contains("unix");
    match (call.name.as_str(), error) {
        // An eventfd (fs/eventfd.c of the kernel) and the pairs of sockets by which the runtime and
        // the standard library talk to themselves fail with none of these.
        _ if first.contains("[eventfd]") => false,
        _ if first.contains("UNIX") && !unix => false,
        // The runtime panics without a pair of sockets for its signals, which is its only one, or
        // without its threads: we have just seen that there is room for them.
        ("socketpair", _) => nth != SPARE_PAIRS + 1,
        ("clone3", _) if is_server => {
            let threads = thread::available_parallelism().map_or(1, usize::from);
            let threads = u32::try_from(threads).expect("not so many threads");
            nth <= threads || nth > 2 * threads
        }
        // Whichever worker of a server finds a socket not ready, another one may be who hears that it
        // is: of one that was ready all the time nothing is heard.
        ("recvfrom" | "recvmsg" | "recvmmsg" | "sendto" | "sendmsg" | "sendmmsg", "EAGAIN") => {
            !is_server
        }
        // A file never makes anybody wait.
        ("read" | "write" | "writev", "EAGAIN") => !first.contains("</"),
        // Only a file system has a close that fails, and only some commands of fcntl fail at all.
        ("close", _) => first.contains("/in>") || first.contains("/out>"),
        ("fcntl", "EMFILE") => text.contains("DUPFD"),
        ("fcntl", _) => text.contains("PIPE_SZ"),
        // Every socket has it.
        ("setsockopt", _) => !text.contains("SO_LINGER"),
        // What cannot be identified is not removed: somebody else may have put it there.
        ("statx", _) => !unix || nth <= 3,
        // Taking something off an event queue needs no memory.
        ("epoll_ctl", _) => !text.contains("EPOLL_CTL_DEL"),
        _ => true,
    }
}

/// How many pairs of sockets are made to see whether there is room for the runtime's.
const SPARE_PAIRS: u32 = 4;

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
