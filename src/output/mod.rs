//! The only printer: everything that a user sees is worded and written here.
//!
//! stdout carries the result, stderr the talk. Every line is one `write(2)`, so that the lines of
//! many processes on one terminal do not mix, and a stderr that is closed or full hurts nobody, nor
//! does one that nobody reads hold up a conversation.

mod buffers;
mod chat;
mod escape;
mod hint;
mod interfaces;
mod layout;
mod live;
mod probe;
mod progress;
mod quantity;
mod record;
mod service;
mod session;
mod stderr;
mod style;

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anstream::ColorChoice;
use nettool::error::{Action, Error};
use nettool::process;

pub(crate) use buffers::{BufferTable, Connections, Drained, Filled, SocketTable};
pub(crate) use chat::{ChatWords, tag};
pub(crate) use escape::escaped;
pub(crate) use interfaces::{Details, Interfaces, Rates, Routes, View};
pub(crate) use live::Live;
pub(crate) use probe::{Conclusion, Findings, Hosts, LatencyTalk, PartRecord, Remark, WaitTalk};
pub(crate) use progress::{Form, Probed, Progress, Total};
pub(crate) use style::Style;

/// What the user asked of the printer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wishes {
    /// Records instead of prose.
    pub(crate) json: bool,
    /// When to colour.
    pub(crate) color: ColorChoice,
    /// Errors alone.
    pub(crate) quiet: bool,
    /// How much to tell beyond the usual.
    pub(crate) verbose: u8,
}

/// Where the records of `--json` go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Records {
    /// The report is the result.
    Stdout,
    /// stdout belongs to the payload.
    Stderr,
}

/// A result that can be shown to a person or to a script, from the same value.
pub(crate) trait Report {
    /// The value as records, a line each, in the contract's words.
    fn records(&self) -> String;
    /// The value as text, with its line ends.
    fn text(&self, style: Style) -> String;
}

/// The printer of one run.
#[derive(Debug)]
pub(crate) struct Output {
    wishes: Wishes,
    records: Records,
    stdout: Style,
    stderr: Style,
    /// What has been said once and need not be said again.
    said: Mutex<Vec<&'static str>>,
    /// Where a bar may be in the way of what is said.
    screen: Arc<progress::Screen>,
    /// Whether stdout did not take a record.
    lost: AtomicBool,
    /// Whether we are to end at once.
    hurries: AtomicBool,
    /// Whether the command is `connect`, which has options of its own for hints to name.
    is_connect: bool,
}

impl Output {
    /// A printer for a command whose records go there.
    pub(crate) fn new(wishes: Wishes, records: Records) -> Self {
        Self {
            wishes,
            records,
            stdout: Style::of_stdout(wishes.color),
            stderr: Style::of_stderr(wishes.color),
            said: Mutex::default(),
            screen: Arc::default(),
            lost: AtomicBool::new(false),
            hurries: AtomicBool::new(false),
            is_connect: false,
        }
    }

    /// The same for `connect`.
    pub(crate) fn of_connect(self) -> Self {
        Self {
            is_connect: true,
            ..self
        }
    }

    /// Whether something that was to stand on stdout does not.
    pub(crate) fn has_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    /// Whether records were asked for.
    pub(crate) fn is_json(&self) -> bool {
        self.wishes.json
    }

    /// Whether errors and results alone are to be told.
    pub(crate) fn is_quiet(&self) -> bool {
        self.wishes.quiet
    }

    /// How stdout may be decorated.
    pub(crate) fn style(&self) -> Style {
        self.stdout
    }

    /// Whether more than the usual is to be told.
    pub(crate) fn is_verbose(&self) -> bool {
        self.wishes.verbose > 0
    }

    /// Prints a result on stdout: as text, or as records.
    pub(crate) fn report(&self, report: &impl Report) -> Result<(), Error> {
        if self.wishes.json {
            return self.result(&report.records());
        }
        self.result(&report.text(self.stdout))
    }

    /// Prints text on stdout as it is.
    #[expect(clippy::unused_self, reason = "stdout is the printer's alone")]
    pub(crate) fn result(&self, text_of_result: &str) -> Result<(), Error> {
        text(text_of_result)
    }

    /// Tells of a failure, with a hint where we know one.
    pub(crate) fn error(&self, error: &Error) {
        let hint = hint::of(error, self.is_connect);
        let record = || record::line("error", &record::Failure::new(error, hint.as_deref()));
        if !self.wishes.json || self.try_put(&record()).is_err() {
            self.complain(&error.to_string(), hint.as_deref());
        }
    }

    /// Tells that the command line cannot be understood.
    pub(crate) fn usage(&self, message: &str) {
        let record = || record::line("error", &record::Failure::usage(message));
        if self.wishes.json && self.try_put(&record()).is_ok() {
            return;
        }
        let label = self.stderr.error("error:");
        self.talk(&format!(
            "nettool: {label} {}\n",
            escape::escaped_lines(message.trim_end())
        ));
    }

    /// Tells of a condition that does not end the run.
    pub(crate) fn warn(&self, message: &str) {
        let record = || record::line("warning", &record::Warning { message });
        if self.wishes.json && self.try_put(&record()).is_ok() {
            return;
        }
        if self.wishes.json || !self.wishes.quiet {
            let label = self.stderr.warning("warning:");
            self.talk(&format!("nettool: {label} {}\n", escaped(message)));
        }
    }

    /// Says what a person may want to know; scripts that asked for records are spared.
    pub(crate) fn note(&self, message: &str) {
        if !self.wishes.quiet && !self.wishes.json {
            self.talk(&format!("nettool: {}\n", escaped(message)));
        }
    }

    /// Says what was asked for, even where only errors are wanted otherwise.
    fn answer(&self, message: &str) {
        self.talk(&format!("nettool: {}\n", escaped(message)));
    }

    /// Says something as it is, without our name before it: a line that others look for.
    fn talk_plain(&self, message: &str) {
        if !self.wishes.quiet {
            self.talk(&format!("{}\n", escaped(message)));
        }
    }

    /// Says what might help.
    fn hint(&self, message: &str) {
        if !self.wishes.quiet {
            self.talk(&format!(
                "{} {}\n",
                self.stderr.hint("hint:"),
                escaped(message)
            ));
        }
    }

    /// Says it at this level of `-v` or above.
    pub(crate) fn detail(&self, level: u8, message: &str) {
        if self.tells(level) {
            self.note(message);
        }
    }

    /// Whether a person is told what belongs to this level of `-v`.
    fn tells(&self, level: u8) -> bool {
        self.wishes.verbose >= level && !self.wishes.quiet && !self.wishes.json
    }

    /// Whether this is the first time that somebody wants to say it.
    fn first_time(&self, what: &'static str) -> bool {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let first = !said.contains(&what);
        if first {
            said.push(what);
        }
        first
    }

    /// A line for the error and one for the hint, in a single write.
    fn complain(&self, message: &str, hint: Option<&str>) {
        let label = self.stderr.error("error:");
        let hint = hint.map_or_else(String::new, |hint| {
            format!("{} {}\n", self.stderr.hint("hint:"), escaped(hint))
        });
        self.talk(&format!("nettool: {label} {}\n{hint}", escaped(message)));
    }

    /// Writes a record to where this command's records go.
    fn put(&self, line: &str) {
        // What a stdout did not take is known, and ends the run as a failure.
        let _ = self.try_put(line);
    }

    /// The same. Fails if that is a stdout that does not take it: then it is to be said on stderr.
    fn try_put(&self, line: &str) -> io::Result<()> {
        match self.records {
            Records::Stdout => process::write_stdout(line.as_bytes()).inspect_err(|error| {
                // A reader that wants no more has lost nothing.
                let is_lost = error.kind() != io::ErrorKind::BrokenPipe;
                self.lost.fetch_or(is_lost, Ordering::Relaxed);
            }),
            Records::Stderr => {
                self.talk(line);
                Ok(())
            }
        }
    }

    /// Writes to stderr, where the bar makes room for it. There is nobody to tell when that fails.
    /// A conversation does not wait until somebody reads it; a report does, as it does with stdout.
    fn talk(&self, text: &str) {
        self.screen.lift();
        self.tell_missed();
        stderr::say(text);
        if self.records == Records::Stdout {
            stderr::wait();
        }
    }

    /// Tells what could not be told for want of a reader, once there is one.
    fn tell_missed(&self) {
        if let Some(missed) = stderr::missed() {
            let lines = quantity::counted(missed, "line");
            self.warn(&format!(
                "nobody read stderr for too long: {lines} missing here"
            ));
        }
    }

    /// Whether all that was said was read, or nobody waits for that any more.
    pub(crate) fn is_read(&self) -> bool {
        if stderr::is_taken() {
            self.tell_missed();
        }
        self.hurries.load(Ordering::Relaxed) || stderr::is_taken()
    }

    /// There is no time to wait for whoever reads stderr.
    pub(crate) fn hurry(&self) {
        self.hurries.store(true, Ordering::Relaxed);
    }

    /// Waits until all that was said was read, unless there is no time. Whether no record that was
    /// asked for is missing.
    pub(crate) fn finish(&self) -> bool {
        while !self.is_read() {
            stderr::wait();
        }
        let has_records = self.is_json() && self.records == Records::Stderr;
        !(has_records && stderr::has_missed())
    }
}

/// Whether a terminal would do what it is told: one that does not say what it is gets lines alone.
fn terminal_understands() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term != "dumb")
}

/// Helps somebody who said nothing: on stderr, for it is no result.
pub(crate) fn help(text: &str) {
    stderr::say(text);
    stderr::wait();
}

/// Tells that a text that was asked for could not be printed.
pub(crate) fn complain(error: &Error) {
    Output::new(Wishes::default(), Records::Stdout).error(error);
}

/// Prints text that was asked for: help, a version, a manual page.
pub(crate) fn text(text: &str) -> Result<(), Error> {
    process::write_stdout(text.as_bytes())
        .map_err(|error| Error::new(Action::Write, "stdout", error))
}
