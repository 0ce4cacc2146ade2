//! A pseudo-terminal: typing, the screen, and whether its settings were left alone.

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use rustix::fs::{Mode, OFlags, fcntl_getfl};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcgetattr, tcsetwinsize};

use super::deadline::LIMIT;
use super::program::Program;
use super::stdio::{Errors, Input, Output};
use super::watch::Watched;

/// Interrupt, as Ctrl-C types it.
pub(crate) const CONTROL_C: &[u8] = b"\x03";
/// End of file, as Ctrl-D types it at the start of a line.
pub(crate) const CONTROL_D: &[u8] = b"\x04";

/// How a mark begins that the test itself writes to the screen; a number and a semicolon follow.
const MARK: &str = "\u{1}mark ";

/// A terminal of 80 × 24 with its keyboard and screen in the hands of the test.
pub(crate) struct Terminal {
    keyboard: File,
    screen: Watched,
    slave: OwnedFd,
    path: String,
    /// How many marks were written to the screen.
    marks: AtomicUsize,
}

/// What a program must leave as it was.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Settings {
    modes: String,
    flags: OFlags,
}

impl Terminal {
    /// Opens one.
    pub(crate) fn new() -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags).expect("a terminal");
        grantpt(&master).expect("a terminal of ours");
        unlockpt(&master).expect("a terminal of ours");
        let path = ptsname(&master, Vec::new())
            .expect("a name")
            .into_string()
            .expect("a plain name");
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let slave = rustix::fs::open(path.as_str(), flags, Mode::empty()).expect("its slave side");
        let screen = Watched::keep(File::from(master.try_clone().expect("a descriptor")));
        let terminal = Self {
            keyboard: master.into(),
            screen,
            slave,
            path,
            marks: AtomicUsize::new(0),
        };
        terminal.resizes(80);
        terminal
    }

    /// The path of its slave side.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Makes it so many columns wide, and 24 lines high.
    pub(crate) fn resizes(&self, columns: u16) {
        let size = Winsize {
            ws_row: 24,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&self.slave, size).expect("a size");
    }

    /// One more descriptor of its slave side. All of them share one open file description, as a shell's do.
    pub(crate) fn slave(&self) -> OwnedFd {
        self.slave.try_clone().expect("a descriptor")
    }

    /// Runs `program` in a session of its own with this as its controlling terminal, in the foreground.
    ///
    /// What it inherits is as `program` says: this is for programs with only some of 0, 1, 2 on the terminal.
    pub(crate) fn controls(&self, program: Program) -> Program {
        // The first terminal that the leader of a session opens becomes its controlling one.
        program.by_way_of(["setsid", "sh", "-c", ": <>\"$0\"; exec \"$@\"", &self.path])
    }

    /// Runs `program` with all of 0, 1, 2 on this terminal, which controls it.
    pub(crate) fn hosts(&self, program: Program) -> Program {
        let program = program.stdin(Input::Fd(self.slave()));
        let program = program
            .stdout(Output::Fd(self.slave()))
            .stderr(Errors::Fd(self.slave()));
        self.controls(program)
    }

    /// Types.
    pub(crate) fn types(&mut self, keys: impl AsRef<[u8]>) {
        self.keyboard.write_all(keys.as_ref()).expect("a keyboard");
    }

    /// Waits until the screen shows `text`.
    #[track_caller]
    pub(crate) fn shows(&self, text: &str) {
        let shown = self.screen.shows(Instant::now() + LIMIT, text);
        assert!(
            shown,
            "the screen should show {text:?}: {:?}",
            self.screen.text()
        );
    }

    /// All that was written to the screen so far: what comes before a mark of ours has been read once
    /// the mark has.
    pub(crate) fn screen(&self) -> Vec<u8> {
        let number = self.marks.fetch_add(1, Ordering::Relaxed);
        let mark = format!("{MARK}{number};");
        rustix::io::write(&self.slave, mark.as_bytes()).expect("room on the terminal");
        self.shows(&mark);
        without_marks(&self.screen.bytes())
    }

    /// Its settings now.
    pub(crate) fn settings(&self) -> Settings {
        let modes = format!("{:?}", tcgetattr(&self.slave).expect("terminal modes"));
        Settings {
            modes,
            flags: fcntl_getfl(&self.slave).expect("flags"),
        }
    }
}

/// What a program, which must succeed, writes to a terminal of so many columns.
#[track_caller]
pub(crate) fn on_screen(program: Program, columns: u16) -> String {
    let terminal = Terminal::new();
    terminal.resizes(columns);
    terminal.hosts(program).start().wait().success();
    let screen = String::from_utf8(terminal.screen()).expect("text");
    screen.replace("\r\n", "\n")
}

/// What a program wrote, without our own marks.
fn without_marks(bytes: &[u8]) -> Vec<u8> {
    let mut rest = bytes;
    let mut kept = Vec::with_capacity(bytes.len());
    while let Some(start) = rest
        .windows(MARK.len())
        .position(|part| part == MARK.as_bytes())
    {
        kept.extend_from_slice(&rest[..start]);
        let mark = &rest[start..];
        let length = mark.iter().position(|byte| *byte == b';');
        rest = length.map_or(&[], |length| &mark[length + 1..]);
    }
    kept.extend_from_slice(rest);
    kept
}
