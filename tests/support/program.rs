//! A program to run: its words, its environment, what it inherits, how long it may take.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::process::Command;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::deadline::LIMIT;
use super::exit::Exit;
use super::running::Running;
use super::skip::search_path;
use super::stdio::{Errors, Input, Outlet, Output};
use super::stopwatch::Stopwatch;

/// Variables that would change what the program under test prints.
const UNWANTED: [&str; 7] = [
    "CI",
    "NO_COLOR",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "COLUMNS",
    "LINES",
    "RUST_BACKTRACE",
];

/// What has a program hear the signals that we were started to ignore, as nohup and jobs in the
/// background are; nothing if there are none.
fn hearing() -> &'static [OsString] {
    static WORDS: LazyLock<Vec<OsString>> = LazyLock::new(|| {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mut lines = status.lines();
        let ignored = lines.find_map(|line| line.strip_prefix("SigIgn:"));
        let ignored = ignored.map_or(0, |mask| u64::from_str_radix(mask.trim(), 16).unwrap());
        let wanted = [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM];
        if wanted.iter().all(|signal| ignored >> (signal - 1) & 1 == 0) {
            return Vec::new();
        }
        ["/usr/bin/env", "--default-signal=HUP,INT,QUIT,TERM"]
            .map(OsString::from)
            .into()
    });
    &WORDS
}

/// The program under test, called with `args`.
pub(crate) fn nettool<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Program {
    Program::new(env!("CARGO_BIN_EXE_nettool")).args(args)
}

/// These words are refused before anything happens, in a line that has these in it.
#[track_caller]
pub(crate) fn refused(words: &[&str], names: &[&str]) {
    let exit = nettool(words).run();
    exit.status(2).printed("");
    let tells_all = |line: &str| names.iter().all(|name| line.contains(name));
    let told = exit.stderr.lines().any(tells_all);
    assert!(told, "{words:?}: {}", exit.stderr);
}

/// Does this while no program is being started: until it runs, a child has a copy of everything that
/// we have open.
pub(crate) fn alone<T>(work: impl FnOnce() -> T) -> T {
    static STARTING: Mutex<()> = Mutex::new(());
    let _turn = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    work()
}

/// Closes what nobody else may have open any more when this returns.
pub(crate) fn let_go<T>(what: T) {
    alone(|| drop(what));
}

/// A program that is not running yet. Unless told otherwise it reads `/dev/null`, its output and its
/// errors are captured, and it must end within [`LIMIT`].
pub(crate) struct Program {
    words: Vec<OsString>,
    variables: Vec<(OsString, OsString)>,
    stdin: Input,
    stdout: Output,
    stderr: Errors,
    limit: Duration,
}

impl Program {
    /// The program called `name`.
    pub(crate) fn new(name: impl AsRef<OsStr>) -> Self {
        Self {
            words: vec![name.as_ref().to_owned()],
            variables: Vec::new(),
            stdin: Input::Null,
            stdout: Output::Captured,
            stderr: Errors::Captured,
            limit: LIMIT,
        }
    }

    /// One more word on its command line.
    pub(crate) fn arg(mut self, word: impl AsRef<OsStr>) -> Self {
        self.words.push(word.as_ref().to_owned());
        self
    }

    /// More words on its command line.
    pub(crate) fn args<S: AsRef<OsStr>>(self, words: impl IntoIterator<Item = S>) -> Self {
        words.into_iter().fold(self, Self::arg)
    }

    /// Runs it by way of another program, which must become it (exec) and not start it as a child.
    pub(crate) fn by_way_of<S: AsRef<OsStr>>(mut self, words: impl IntoIterator<Item = S>) -> Self {
        let before = words.into_iter().map(|word| word.as_ref().to_owned());
        self.words.splice(0..0, before);
        self
    }

    /// Runs it with a redirection of the shell, as `<&-`, `>&-` or `2> /dev/full`.
    pub(crate) fn redirected(self, redirection: &str) -> Self {
        let script = format!("exec \"$@\" {redirection}");
        self.by_way_of(["sh", "-c", &script, "sh"])
    }

    /// Runs it with so many open files at most, those that it inherits from us alone not counted.
    pub(crate) fn few_files(self, most: u32) -> Self {
        let closed = "exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-";
        let script = format!("{closed}; ulimit -n {most}; exec \"$@\"");
        self.by_way_of(["sh", "-c", &script, "sh"])
    }

    /// Sets an environment variable.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// What it reads.
    pub(crate) fn stdin(mut self, input: impl Into<Input>) -> Self {
        self.stdin = input.into();
        self
    }

    /// Where it writes.
    pub(crate) fn stdout(mut self, output: Output) -> Self {
        self.stdout = output;
        self
    }

    /// Where it complains.
    pub(crate) fn stderr(mut self, errors: Errors) -> Self {
        self.stderr = errors;
        self
    }

    /// How long it may run.
    pub(crate) fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Starts it.
    pub(crate) fn start(self) -> Running {
        alone(|| self.start_alone())
    }

    /// Starts it while no other one is being started.
    fn start_alone(self) -> Running {
        let name = self
            .words
            .iter()
            .map(|word| word.to_string_lossy())
            .collect::<Vec<_>>()
            .join(" ");
        let (input, stdin) = self.stdin.open();
        let (output, outlet) = self.stdout.open();
        let (complaints, errors) = self.stderr.open();
        let words = [hearing(), &self.words].concat();
        let mut command = Command::new(&words[0]);
        for variable in UNWANTED {
            command.env_remove(variable);
        }
        command.args(&words[1..]);
        // Whoever runs the tests may have a terminal that shows nothing, or none.
        command.env("PATH", search_path()).env("TERM", "xterm");
        command.envs(self.variables);
        let started = Stopwatch::start();
        let child = command
            .stdin(input)
            .stdout(output)
            .stderr(complaints)
            .spawn();
        let child = child.unwrap_or_else(|error| panic!("{name}: {error}"));
        let handle = pidfd_open(Pid::from_child(&child), PidfdFlags::empty()).expect("a pidfd");
        let (stdout, output) = match outlet {
            Outlet::None => (None, None),
            Outlet::Watched(watched) => (None, Some(watched)),
            Outlet::Kept(reader) => (Some(reader), None),
        };
        let deadline = Instant::now() + self.limit;
        Running {
            stdin,
            stdout,
            name,
            child,
            handle,
            started,
            deadline,
            output,
            errors,
        }
    }

    /// Starts it and waits for its end.
    pub(crate) fn run(self) -> Exit {
        self.start().wait()
    }
}
