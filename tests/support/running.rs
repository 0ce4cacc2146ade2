//! A program that runs: what it says, when it ends, and that it does not outlive its test.

use std::fs;
use std::io::{PipeReader, PipeWriter, Read};
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::process::{Signal, pidfd_send_signal};

use super::deadline::{LIMIT, ready, until};
use super::exit::Exit;
use super::stopwatch::Stopwatch;
use super::watch::Watched;

/// A started program; it is killed when dropped.
pub(crate) struct Running {
    /// The pipe to its standard input, if the test asked to keep it ([`super::Input::Open`]).
    pub(crate) stdin: Option<PipeWriter>,
    /// The pipe from its standard output, if the test asked to keep it ([`super::Output::Open`]).
    pub(crate) stdout: Option<PipeReader>,
    /// Its command line.
    pub(super) name: String,
    /// The process, not yet waited for.
    pub(super) child: Child,
    /// Its pidfd: ready when it has ended.
    pub(super) handle: OwnedFd,
    /// When it was started.
    pub(super) started: Stopwatch,
    /// When it must have ended.
    pub(super) deadline: Instant,
    /// Its standard output, if that is read in the background.
    pub(super) output: Option<Watched>,
    /// Its standard error, if that is captured.
    pub(super) errors: Option<Watched>,
}

impl Running {
    /// The address in the first line `listening on tcp …` or `listening on udp …`, as soon as it is there.
    pub(crate) fn listening(&self) -> SocketAddr {
        let end = self.announced(1).remove(0);
        let (_, address) = end.split_once(' ').expect("a protocol and an address");
        address
            .parse()
            .unwrap_or_else(|_| self.fail(&format!("announced {end:?}")))
    }

    /// The first address or path that it announces, unless it ends before or takes longer.
    pub(crate) fn heard(&self, patience: Duration) -> Option<String> {
        let deadline = self.deadline.min(Instant::now() + patience);
        let all = self.errors().find(deadline, |bytes| {
            let all = announcements(bytes);
            (!all.is_empty()).then_some(all)
        });
        all?.first()?.split_once(' ').map(|(_, end)| end.to_owned())
    }

    /// What follows `listening on ` in the first `count` such lines, as soon as they are there.
    pub(crate) fn announced(&self, count: usize) -> Vec<String> {
        let found = self.errors().find(self.deadline, |bytes| {
            let all = announcements(bytes);
            (all.len() >= count).then_some(all)
        });
        found.unwrap_or_else(|| self.fail(&format!("did not announce {count} address(es)")))
    }

    /// Waits until standard error contains `text`.
    pub(crate) fn says(&self, text: &str) {
        if !self.errors().shows(self.deadline, text) {
            self.fail(&format!("did not say {text:?}"));
        }
    }

    /// The first complete line of standard error with `text` in it, as soon as it is there.
    pub(crate) fn line_with(&self, text: &str) -> String {
        let found = self.errors().find(self.deadline, |bytes| {
            let all = String::from_utf8_lossy(bytes);
            let mut lines = all.split_inclusive('\n');
            let line = lines.find(|line| line.ends_with('\n') && line.contains(text));
            line.map(|line| line.trim_end().to_owned())
        });
        found.unwrap_or_else(|| self.fail(&format!("did not say {text:?}")))
    }

    /// Captured standard error so far.
    pub(crate) fn said(&self) -> String {
        self.errors().text()
    }

    /// Waits until captured standard output contains `text`.
    pub(crate) fn prints(&self, text: &str) {
        let output = self.output.as_ref().expect("captured standard output");
        if !output.shows(self.deadline, text) {
            self.fail(&format!("did not print {text:?} but {:?}", output.text()));
        }
    }

    /// Waits until captured standard output is `count` bytes long.
    pub(crate) fn prints_bytes(&self, count: usize) {
        let output = self.output.as_ref().expect("captured standard output");
        let found = output.find(self.deadline, |bytes| (bytes.len() >= count).then_some(()));
        found.unwrap_or_else(|| self.fail(&format!("printed {:?}", output.fingerprint())));
    }

    /// Waits until captured standard output has `count` complete lines.
    #[track_caller]
    pub(crate) fn prints_lines(&self, count: usize) {
        let output = self.output.as_ref().expect("captured standard output");
        let lines = |bytes: &[u8]| bytes.split(|byte| *byte == b'\n').skip(1).count();
        let found = output.find(self.deadline, |bytes| (lines(bytes) >= count).then_some(()));
        found.unwrap_or_else(|| self.fail(&format!("printed {:?}", output.text())));
    }

    /// The first `Some` that `find` makes of captured standard output, waited for no longer than any
    /// other single thing.
    pub(crate) fn finds<T>(&self, find: impl Fn(&str) -> Option<T>) -> Option<T> {
        let output = self.output.as_ref().expect("captured standard output");
        let find = |bytes: &[u8]| find(&String::from_utf8_lossy(bytes));
        output.find(self.deadline.min(Instant::now() + LIMIT), find)
    }

    /// Captured standard output so far.
    pub(crate) fn output_so_far(&self) -> String {
        let output = self.output.as_ref().expect("captured standard output");
        output.text()
    }

    /// How many bytes of captured standard output came so far.
    pub(crate) fn printed(&self) -> usize {
        let output = self.output.as_ref().expect("captured standard output");
        output.bytes().len()
    }

    /// Waits until captured standard output ends, which may be long before the program does.
    pub(crate) fn output_ends(&self) {
        let output = self.output.as_ref().expect("captured standard output");
        if !output.ended(self.deadline) {
            self.fail("standard output did not end");
        }
    }

    /// Reads exactly `count` bytes from the kept pipe of standard output.
    pub(crate) fn read(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        let mut filled = 0;
        while filled < count {
            let pipe = self.stdout.as_mut().expect("a kept pipe");
            let came = ready(pipe.as_fd(), PollFlags::IN, self.deadline)
                && pipe
                    .read(&mut bytes[filled..])
                    .map(|n| filled += n)
                    .is_ok_and(|()| filled > 0);
            if !came {
                self.fail(&format!("only {filled} of {count} bytes came"));
            }
        }
        bytes
    }

    /// Its process id; it stays its own until [`Running::wait`].
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The processor's time that it spent so far, in ticks of a hundredth of a second (proc(5)).
    pub(crate) fn processor_ticks(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid())).expect("a process");
        // The name before the bracket may have spaces in it.
        let (_, fields) = stat.rsplit_once(')').expect("a name in brackets");
        let (user, system) = (11, 12);
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let ticks = |field: usize| fields[field].parse::<u64>().expect("a number");
        ticks(user) + ticks(system)
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        pidfd_send_signal(&self.handle, signal).expect("a running program");
    }

    /// Gives it so much time from now.
    pub(crate) fn limit(&mut self, limit: Duration) {
        self.deadline = Instant::now() + limit;
    }

    /// Stops it, does this, and lets it go on: then it finds all of this at once, however late it or
    /// we are.
    pub(crate) fn asleep<T>(&self, work: impl FnOnce() -> T) -> T {
        self.signal(Signal::STOP);
        until("it is stopped", || {
            let threads = threads(self.pid());
            threads.iter().all(|thread| "TZX".contains(thread.state))
        });
        let done = work();
        self.signal(Signal::CONT);
        done
    }

    /// Waits until it has done all that it can do now: each of its threads waits for something.
    pub(crate) fn rests(&self) {
        all_rest(&[self]);
    }

    /// Whether it is still there after `patience`: for what must *not* end it.
    pub(crate) fn stays(&self, patience: Duration) -> bool {
        !ready(
            self.handle.as_fd(),
            PollFlags::IN,
            Instant::now() + patience,
        )
    }

    /// Waits for its end, which must come before its deadline.
    pub(crate) fn wait(mut self) -> Exit {
        drop(self.stdin.take());
        if !self.ends() {
            self.fail("did not end in time");
        }
        self.collect().checked()
    }

    /// Its end, whatever it was like; `None` when it does not come in time. For whoever counts
    /// failures instead of stopping at the first.
    pub(crate) fn outcome(mut self) -> Option<Exit> {
        drop(self.stdin.take());
        self.ends().then(|| self.collect())
    }

    /// Whether it ends before its deadline.
    fn ends(&self) -> bool {
        ready(self.handle.as_fd(), PollFlags::IN, self.deadline)
    }

    /// What is known of a program that has ended.
    fn collect(mut self) -> Exit {
        let elapsed = self.started.elapsed();
        let status = self.child.wait().expect("a child of ours");
        for watched in self.output.iter().chain(&self.errors) {
            assert!(
                watched.ended(self.deadline),
                "{}: something of it still holds its output",
                self.name
            );
        }
        let stderr = self.errors.as_ref().map_or_else(String::new, Watched::text);
        let stdout = self.output.as_ref().map_or_else(Vec::new, Watched::bytes);
        let received = self.output.as_ref().map(Watched::fingerprint);
        let name = self.name.clone();
        Exit {
            name,
            code: status.code(),
            signal: status.signal(),
            stdout,
            received,
            stderr,
            elapsed,
            watch: self.started.clone(),
        }
    }

    /// Ends it by force and says what came until then, for peers that have no end of their own.
    pub(crate) fn kill(self) -> Exit {
        self.signal(Signal::KILL);
        self.wait()
    }

    /// Captured standard error.
    fn errors(&self) -> &Watched {
        self.errors.as_ref().expect("captured standard error")
    }

    /// Panics with all that is known.
    fn fail(&self, what: &str) -> ! {
        // What ends it may still be on its way to its last words.
        let patience = Instant::now() + Duration::from_millis(500);
        let ended = ready(self.handle.as_fd(), PollFlags::IN, patience);
        let state = if ended {
            "has ended".to_owned()
        } else {
            format!("still runs{}", whereabouts(self.pid()))
        };
        let stderr = self.errors.as_ref().map_or_else(String::new, Watched::text);
        panic!(
            "{}: {what} ({:?} after its start; it {state}); standard error:\n{stderr}",
            self.name,
            self.started.elapsed()
        );
    }
}

/// Waits until all of them have done all that they can do now: none of their threads has run between
/// two looks, and each waits for something.
pub(crate) fn all_rest(all: &[&Running]) {
    let look = || -> Vec<_> { all.iter().flat_map(|one| threads(one.pid())).collect() };
    let mut before = look();
    until("they rest", || {
        let now = look();
        let rest = now.iter().all(|thread| thread.state == 'S') && now == before;
        before = now;
        rest
    });
}

/// A thread of a process.
#[derive(Eq, PartialEq)]
struct Thread {
    /// What it does, by its letter (proc(5)).
    state: char,
    /// Its number, and how often it has begun to wait or been made to.
    switches: Vec<String>,
}

/// What the threads of a process do.
fn threads(pid: u32) -> Vec<Thread> {
    let place = Path::new("/proc").join(pid.to_string()).join("task");
    let tasks = fs::read_dir(place).into_iter().flatten().flatten();
    let thread = |status: String| {
        let of = |name: &str| {
            let mut lines = status.lines();
            let value = lines.find_map(|line| line.strip_prefix(name));
            value.unwrap_or_default().trim().to_owned()
        };
        let names = [
            "Pid:",
            "voluntary_ctxt_switches:",
            "nonvoluntary_ctxt_switches:",
        ];
        Thread {
            state: of("State:").chars().next().unwrap_or('X'),
            switches: names.map(of).into(),
        }
    };
    let statuses = tasks.map(|task| fs::read_to_string(task.path().join("status")));
    // Whoever has just ended does nothing any more.
    statuses.flatten().map(thread).collect()
}

/// In which calls the threads of a process are (proc(5): number and arguments), what its environment
/// says of us, and the state of the TCP connections around it.
fn whereabouts(pid: u32) -> String {
    let read = |path: &Path| fs::read_to_string(path).unwrap_or_default();
    let place = Path::new("/proc").join(pid.to_string());
    let tasks = fs::read_dir(place.join("task"))
        .into_iter()
        .flatten()
        .flatten();
    let calls = tasks.map(|task| format!("\n  {}", read(&task.path().join("syscall")).trim()));
    let environment = read(&place.join("environ"));
    let ours = environment
        .split('\0')
        .filter(|word| word.starts_with("NETTOOL_"));
    let told = calls.chain(ours.map(|word| format!("\n  {word}")));
    let sockets = Command::new("ss").args(["-tnmip"]).output();
    let sockets = sockets.map_or_else(
        |_| String::new(),
        |found| String::from_utf8_lossy(&found.stdout).into_owned(),
    );
    let lines: Vec<_> = sockets.lines().collect();
    let is_its = |pair: &&[&str]| {
        pair.iter()
            .any(|line| line.contains(&format!("pid={pid},")))
    };
    let connections = lines
        .windows(2)
        .filter(is_its)
        .map(|pair| format!("\n  {}", pair.join(" ")));
    told.chain(connections).collect()
}

/// What follows `listening on ` in each complete line that begins with it.
fn announcements(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let complete = text
        .split_inclusive('\n')
        .filter_map(|line| line.strip_suffix('\n'));
    complete
        .filter_map(|line| line.strip_prefix("listening on "))
        .map(str::to_owned)
        .collect()
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail when it has ended and was waited for, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
