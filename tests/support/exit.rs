//! How a program ended, and what a test expects of it.

use std::time::Duration;

use super::data::Fingerprint;
use super::stopwatch::Stopwatch;

/// The end of a program.
#[derive(Debug)]
pub(crate) struct Exit {
    /// Its command line.
    pub(crate) name: String,
    /// Its exit status, unless a signal ended it.
    pub(crate) code: Option<i32>,
    /// The signal that ended it.
    pub(crate) signal: Option<i32>,
    /// Captured standard output.
    pub(crate) stdout: Vec<u8>,
    /// Count and hash of standard output, captured or hashed.
    pub(crate) received: Option<Fingerprint>,
    /// Captured standard error.
    pub(crate) stderr: String,
    /// From start to end.
    pub(crate) elapsed: Duration,
    /// Runs from its start.
    pub(super) watch: Stopwatch,
}

impl Exit {
    /// What no program may ever do: panic.
    #[track_caller]
    pub(crate) fn checked(self) -> Self {
        self.assert(
            !self.stderr.contains("panicked at") && self.code != Some(101),
            "panicked",
        );
        self
    }

    /// Everything was done and delivered: status 0, no error line.
    #[track_caller]
    pub(crate) fn success(&self) -> &Self {
        self.assert(!self.stderr.contains("error:"), "complained");
        self.status(0)
    }

    /// It ended with exit status `code`.
    #[track_caller]
    pub(crate) fn status(&self, code: i32) -> &Self {
        self.assert(
            self.code == Some(code),
            &format!("status {code} was expected"),
        );
        self
    }

    /// It failed: exit status `code` and exactly one error line, which is handed over.
    #[track_caller]
    pub(crate) fn failure(&self, code: i32) -> &str {
        self.status(code);
        let mut errors = self
            .stderr
            .lines()
            .filter(|line| line.starts_with("nettool: error: "));
        let first = errors.next();
        self.assert(
            first.is_some() && errors.next().is_none(),
            "one error line was expected",
        );
        first.unwrap_or_default()
    }

    /// A signal ended it: a shell would show 128 + `signal`.
    #[track_caller]
    pub(crate) fn died_of(&self, signal: i32) -> &Self {
        self.assert(
            self.signal == Some(signal),
            &format!("death of signal {signal} was expected"),
        );
        self
    }

    /// Standard error has `text` in it.
    #[track_caller]
    pub(crate) fn says(&self, text: &str) -> &Self {
        self.assert(
            self.stderr.contains(text),
            &format!("{text:?} was expected"),
        );
        self
    }

    /// Standard error is empty.
    #[track_caller]
    pub(crate) fn silent(&self) -> &Self {
        self.assert(self.stderr.is_empty(), "silence was expected");
        self
    }

    /// Standard error has no lines but such as begin with `known`.
    #[track_caller]
    pub(crate) fn silent_but_for(&self, known: &str) -> &Self {
        let silent = self.stderr.lines().all(|line| line.starts_with(known));
        self.assert(silent, &format!("no line but {known:?} was expected"));
        self
    }

    /// Standard output is exactly `expected`.
    #[track_caller]
    pub(crate) fn printed(&self, expected: impl AsRef<[u8]>) -> &Self {
        let expected = expected.as_ref();
        let shown = String::from_utf8_lossy(&expected[..expected.len().min(200)]);
        self.assert(
            self.stdout == expected,
            &format!("{} bytes were expected: {shown:?}", expected.len()),
        );
        self
    }

    /// Standard output has the length and hash of `expected`.
    #[track_caller]
    pub(crate) fn received(&self, expected: Fingerprint) -> &Self {
        self.assert(
            self.received == Some(expected),
            &format!("{expected:?} was expected"),
        );
        self
    }

    /// From start to end, without what the machine stood still.
    pub(crate) fn awake(&self) -> Duration {
        self.elapsed.saturating_sub(self.watch.stood_still())
    }

    /// It ended within `limit` of its start, what the machine stood still not counted.
    #[track_caller]
    pub(crate) fn within(&self, limit: Duration) -> &Self {
        self.assert(
            self.elapsed < limit || self.awake() < limit,
            &format!("an end within {limit:?} was expected"),
        );
        self
    }

    /// It ran for at least `time`.
    #[track_caller]
    pub(crate) fn at_least(&self, time: Duration) -> &Self {
        self.assert(
            self.elapsed >= time,
            &format!("no end before {time:?} was expected"),
        );
        self
    }

    /// Panics with all that is known unless `holds`.
    #[track_caller]
    fn assert(&self, holds: bool, problem: &str) {
        let Self {
            name,
            code,
            signal,
            stdout,
            received,
            stderr,
            elapsed,
            ..
        } = self;
        let shown = String::from_utf8_lossy(&stdout[..stdout.len().min(2000)]);
        assert!(
            holds,
            "{name}: {problem}\nstatus {code:?}, signal {signal:?}, after {elapsed:?}\n\
             standard output ({received:?}): {shown}\nstandard error:\n{stderr}",
        );
    }
}
