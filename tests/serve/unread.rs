//! A stderr that nobody reads: the clients are served all the same, and signals are obeyed.

use std::fs;
use std::io::{self, PipeReader};
use std::os::fd::OwnedFd;

use rustix::pipe::fcntl_setpipe_size;

use super::*;
use crate::support::{Errors, scratch, until};

/// The smallest pipe there is.
const NARROW: usize = 4096;

/// A server whose stderr is a narrow pipe that is not read until the test does.
struct Unread {
    server: Running,
    stderr: PipeReader,
    addr: SocketAddr,
}

impl Unread {
    fn new(options: &[&str]) -> Self {
        let (stderr, writer) = io::pipe().expect("a pipe");
        fcntl_setpipe_size(&writer, NARROW).expect("a narrow pipe");
        let (server, addr) = start(options, writer.into());
        Self {
            server,
            stderr,
            addr,
        }
    }

    /// Everything that it still says, and its end.
    fn ends(self) -> (String, crate::support::Exit) {
        let mut stderr = self.stderr;
        let reading = std::thread::spawn(move || io::read_to_string(&mut stderr).expect("text"));
        let exit = self.server.wait();
        (reading.join().expect("text"), exit)
    }
}

/// A server that says where it listens in a file.
fn start(options: &[&str], stderr: OwnedFd) -> (Running, SocketAddr) {
    let directory = scratch();
    let file = directory.path().join("port");
    let server = nettool(["listen", "127.0.0.1", "0", "--port-file"])
        .arg(&file)
        .args(options)
        .stderr(Errors::Fd(stderr))
        .start();
    let mut port = None;
    until("it listens", || {
        let text = fs::read_to_string(&file).unwrap_or_default();
        port = text.trim().parse().ok();
        port.is_some()
    });
    let port = port.expect("a port");
    (server, SocketAddr::from(([127, 0, 0, 1], port)))
}

/// So many clients, one after the other.
fn visits(addr: SocketAddr, count: usize) {
    for _ in 0..count {
        assert_eq!(ask(&client(addr), b"x", 1), b"x");
    }
}

#[test]
fn many_clients_are_served_and_their_records_wait() {
    let unread = Unread::new(&["-k", "--echo", "--json"]);
    visits(unread.addr, 100);
    unread.server.signal(Signal::TERM);
    let (stderr, exit) = unread.ends();
    exit.died_of(libc::SIGTERM);
    assert_eq!(records_of(&stderr, "transfer").len(), 100);
    assert_eq!(records_of(&stderr, "served")[0]["clients"], 100);
    assert!(records_of(&stderr, "warning").is_empty(), "{stderr}");
}

#[test]
fn signals_end_it_all_the_same() {
    for (option, signals) in [
        ("--json", &[Signal::TERM][..]),
        ("-v", &[Signal::TERM, Signal::INT]),
    ] {
        let unread = Unread::new(&["-k", "--echo", option]);
        visits(unread.addr, 50);
        for signal in signals {
            unread.server.signal(*signal);
        }
        let ended = unread.server.wait().signal;
        assert!(signals.iter().any(|signal| ended == Some(signal.as_raw())));
    }
}

/// Errors that are told without `-v` are many, too.
#[test]
fn a_command_that_cannot_be_run_holds_nobody_up() {
    let unread = Unread::new(&["-k", "-e", "/none"]);
    for _ in 0..100 {
        let seen = Peer::connect(unread.addr, vec![Step::ReadToEnd]).seen();
        assert_eq!(seen.end, End::Reset);
    }
    unread.server.signal(Signal::INT);
    unread.server.wait().died_of(libc::SIGINT);
}

#[test]
fn a_single_client_is_served_and_its_record_waits() {
    for (signal, options) in [
        (false, &["--echo", "--json"][..]),
        (false, &["--json"]),
        (true, &["--echo", "-v"]),
        (true, &["-v"]),
    ] {
        let (stderr, writer) = io::pipe().expect("a pipe");
        let mut full = &writer;
        fcntl_setpipe_size(&writer, NARROW).expect("a narrow pipe");
        full.write_all(&[b' '; NARROW]).expect("an empty pipe");
        let (server, addr) = start(options, writer.into());
        let unread = Unread {
            server,
            stderr,
            addr,
        };
        let client = client(addr);
        (&client).write_all(b"x").unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        (&client).read_to_end(&mut answer).unwrap();
        let is_echo = options.contains(&"--echo");
        assert_eq!(answer, if is_echo { &b"x"[..] } else { b"" });
        if signal {
            unread.server.signal(Signal::TERM);
            unread.server.wait().died_of(libc::SIGTERM);
            continue;
        }
        let (text, exit) = unread.ends();
        exit.success();
        let transfer = &records_of(text.trim_start(), "transfer")[0];
        assert_eq!(transfer["complete"], true);
    }
}

/// What is kept has its limit; what is left out is counted, once there is room to say so.
#[test]
fn what_is_left_out_is_counted() {
    let unread = Unread::new(&["-k", "--echo", "--json"]);
    let clients = 3000;
    visits(unread.addr, clients);
    unread.server.signal(Signal::TERM);
    let (stderr, exit) = unread.ends();
    exit.died_of(libc::SIGTERM);
    let told = records_of(&stderr, "connected").len() + records_of(&stderr, "transfer").len();
    let warnings = records_of(&stderr, "warning");
    let message = warnings[0]["message"].as_str().expect("text");
    let number = message
        .split_whitespace()
        .find_map(|word| word.parse().ok());
    // Those of the listening and of the end may be among them.
    let missed: usize = number.expect("a number");
    assert!(
        (2 * clients - told..=2 * clients - told + 2).contains(&missed),
        "{message}, {told}"
    );
}

/// A screen that stands still is a stderr that takes nothing, too.
#[test]
fn a_terminal_that_stands_still_holds_nobody_up() {
    let flags = rustix::pty::OpenptFlags::RDWR | rustix::pty::OpenptFlags::NOCTTY;
    let master = rustix::pty::openpt(flags).expect("a terminal");
    rustix::pty::unlockpt(&master).expect("a terminal of ours");
    let path = rustix::pty::ptsname(&master, Vec::new()).expect("a name");
    let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY;
    let slave = rustix::fs::open(&*path, flags, rustix::fs::Mode::empty()).expect("its slave");
    let (server, addr) = start(&["-k", "--echo", "-v"], slave);
    visits(addr, 1000);
    server.signal(Signal::TERM);
    server.wait().died_of(libc::SIGTERM);
}
