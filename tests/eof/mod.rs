//! The end-of-file table of `connect` and `listen`, row by row, with every kind of standard input.

mod both_ended;
mod failures;
mod leaving;
mod peer_ends;
mod pipelines;
mod signals;
mod stdin_ends;
mod udp;

use std::fs;
use std::io::Write;
use std::time::Duration;

use tempfile::TempDir;

use crate::support::{
    Exit, Input, Output, Peer, Program, Running, Seen, Step, Terminal, nettool, scratch,
};

/// Long enough for something to happen that must not happen.
const MOMENT: Duration = Duration::from_millis(300);

/// The command under test.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Side {
    /// `nettool connect`.
    Connect,
    /// `nettool listen`.
    Listen,
}

/// What its standard input is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Stdin {
    /// A pipe that stays open and says only this.
    Pipe(&'static str),
    /// A pipe that says this and ends.
    EndedPipe(&'static str),
    /// A regular file with this in it.
    File(&'static str),
    /// A terminal where this is typed.
    Terminal(&'static str),
    /// `/dev/null`.
    Null,
}

/// A run of the program under test against a scripted peer.
struct Talk {
    running: Running,
    peer: Peer,
    terminal: Option<Terminal>,
    _directory: TempDir,
}

/// The program under test, not yet started.
struct Plan {
    side: Side,
    stdin: Stdin,
    options: Vec<&'static str>,
    stdout: Output,
    way: &'static str,
}

impl Plan {
    /// With standard output captured and no options.
    fn new(side: Side, stdin: Stdin) -> Self {
        Self {
            side,
            stdin,
            options: Vec::new(),
            stdout: Output::Captured,
            way: "",
        }
    }

    /// With these options.
    fn options(mut self, options: &[&'static str]) -> Self {
        self.options.extend(options);
        self
    }

    /// Carried in this way.
    fn way(mut self, way: &'static str) -> Self {
        self.way = way;
        self
    }

    /// With another standard output.
    fn stdout(mut self, stdout: Output) -> Self {
        self.stdout = stdout;
        self
    }

    /// Starts it against a peer that does `steps`.
    fn start(self, steps: Vec<Step>) -> Talk {
        let directory = scratch();
        let mut terminal = None;
        let program = |words: Vec<String>| {
            let program = nettool(words).args(&self.options).stdout(self.stdout);
            program.env("NETTOOL_PATH", self.way)
        };
        let mut host = |program| self.stdin.give(program, &directory, &mut terminal);
        let (running, peer) = match self.side {
            Side::Connect => {
                let peer = Peer::serve(steps);
                let words = vec!["connect".to_owned(), peer.target()];
                (host(program(words)).start(), peer)
            }
            Side::Listen => {
                let words = ["listen", "127.0.0.1", "0"].map(str::to_owned);
                let running = host(program(words.into())).start();
                let peer = Peer::connect(running.listening(), steps);
                (running, peer)
            }
        };
        let mut talk = Talk {
            running,
            peer,
            terminal,
            _directory: directory,
        };
        talk.say(self.stdin);
        talk
    }

    /// Starts it and waits for both ends.
    fn run(self, steps: Vec<Step>) -> (Exit, Seen) {
        self.start(steps).ends()
    }
}

impl Stdin {
    /// Makes it the standard input of `program`.
    fn give(
        &self,
        program: Program,
        directory: &TempDir,
        screen: &mut Option<Terminal>,
    ) -> Program {
        match self {
            Self::Null => program.stdin(Input::Null),
            Self::Pipe(_) => program.stdin(Input::Open),
            Self::EndedPipe(text) => program.stdin(*text),
            Self::File(text) => {
                let path = directory.path().join("stdin");
                fs::write(&path, text).expect("a file");
                program.stdin(path.as_path())
            }
            Self::Terminal(_) => {
                let terminal = screen.insert(Terminal::new());
                let program = program.stdin(terminal.slave());
                terminal.controls(program)
            }
        }
    }
}

impl Talk {
    /// Says what an open standard input has to say.
    fn say(&mut self, stdin: Stdin) {
        match stdin {
            Stdin::Pipe(text) => {
                // Where the peer does not wait for it the program may have ended already.
                let _ = self.pipe().write_all(text.as_bytes());
            }
            Stdin::Terminal(text) => self.keyboard().types(text),
            _ => {}
        }
    }

    /// The open pipe to its standard input.
    fn pipe(&mut self) -> &mut std::io::PipeWriter {
        self.running.stdin.as_mut().expect("an open pipe")
    }

    /// The terminal that is its standard input.
    fn keyboard(&mut self) -> &mut Terminal {
        self.terminal.as_mut().expect("a terminal")
    }

    /// Waits for both ends.
    fn ends(self) -> (Exit, Seen) {
        let exit = self.running.wait();
        (exit, self.peer.seen())
    }
}

/// A module of tests for a row of the table: one for each command and kind of standard input named.
macro_rules! rows {
    ($($row:ident: $($name:ident($side:expr, $stdin:expr)),+;)+) => {$(
        mod $row {
            use crate::eof::{Side::*, Stdin::*};

            $(
                #[test]
                fn $name() {
                    super::$row($side, $stdin);
                }
            )+
        }
    )+};
}
use rows;
