//! What is shown on a terminal while a probe goes on.

use std::fs;

use super::{open_port, probe, records, server, text};
use crate::support::{
    CONTROL_C, Errors, Input, Namespace, Output, Terminal, can_inject, inject_at, need, until,
};

/// Two ends of a wire; the far one serves port 22 and is silent on all others.
fn silent_but_22() -> Option<(Namespace, Namespace, crate::support::Running)> {
    let (near, far) = Namespace::pair().filter(|_| need(&["nft", "python3", "setsid"]))?;
    let server = server(&far, &[("10.77.0.2", 22)]);
    far.rules(
        "table ip t {\nchain i {\ntype filter hook input priority 0;\ntcp dport != 22 drop\n}\n}\n",
    );
    Some((near, far, server))
}

#[test]
fn a_terminal_shows_how_far_it_is_and_is_left_clean() {
    let Some((near, _far, _server)) = silent_but_22() else {
        return;
    };
    let terminal = Terminal::new();
    let words = "--try-timeout 5 --tries 1 10.77.0.2 22,1000-1099";
    let program = near
        .inside(probe(words))
        .stdin(Input::Fd(terminal.slave()))
        .stderr(Errors::Fd(terminal.slave()));
    let exit = terminal.controls(program).start().wait();
    exit.success();
    assert!(text(&exit).contains("22/tcp  open"), "{}", text(&exit));
    let screen = String::from_utf8_lossy(&terminal.screen()).into_owned();
    for part in ["%, 1 open, ", "/s, ETA "] {
        assert!(screen.contains(part), "{part}: {screen:?}");
    }
    assert!(screen.ends_with("\x1b[2K"), "{screen:?}");
}

#[test]
fn an_interrupt_clears_it_and_what_is_known_is_printed() {
    let Some((near, _far, _server)) = silent_but_22() else {
        return;
    };
    let mut terminal = Terminal::new();
    let words = "--try-timeout 50s 10.77.0.2 22,1000-1099";
    let running = terminal.hosts(near.inside(probe(words))).start();
    terminal.shows("1 open, ");
    terminal.types(CONTROL_C);
    running.wait().died_of(libc::SIGINT);
    terminal.shows(", 100 not determined, stopped after ");
}

#[test]
fn who_is_no_terminal_is_shown_nothing_and_neither_is_a_pipeline() {
    let Some((near, _far, _server)) = silent_but_22() else {
        return;
    };
    let words = "--try-timeout 800ms --tries 1 10.77.0.2 22,1000-1009";
    near.inside(probe(words)).run().success().silent();
    for options in ["", "--quiet "] {
        let terminal = Terminal::new();
        let program = near.inside(probe(&format!("{options}{words}")));
        let program = match options {
            "" => program.stdin(Input::Open),
            _ => program.stdout(Output::Fd(terminal.slave())),
        };
        let program = program.stderr(Errors::Fd(terminal.slave()));
        terminal.controls(program).start().wait().success();
        let screen = String::from_utf8_lossy(&terminal.screen()).into_owned();
        assert!(!screen.contains("ETA"), "{screen:?}");
    }
}

#[test]
fn it_follows_a_terminal_that_becomes_narrower() {
    if !need(&["setsid"]) {
        return;
    }
    let mut terminal = Terminal::new();
    let program = probe("--rate 15 127.0.0.1 1-1000").env("TERM", "xterm");
    let running = terminal.hosts(program).start();
    terminal.shows("/s, ETA ");
    terminal.resizes(20);
    let frames = || -> Vec<usize> {
        let screen = String::from_utf8_lossy(&terminal.screen()).into_owned();
        let frames = screen.split("\r\x1b[2K");
        frames
            .map(|frame| frame.trim_end().chars().count())
            .collect()
    };
    let before = frames().len();
    // One frame may have been on its way.
    until("some more frames are drawn", || frames().len() > before + 2);
    let width = frames().pop().expect("a frame");
    terminal.types(CONTROL_C);
    running.wait().died_of(libc::SIGINT);
    assert!(width < 20, "{width}");
}

/// A terminal that hung up takes nothing, and all records are on stdout nevertheless.
#[test]
fn a_frame_that_is_not_taken_is_no_record() {
    if !need(&["setsid"]) || !can_inject() {
        return;
    }
    let (_listener, open) = open_port("127.0.0.1");
    let terminal = Terminal::new();
    let log = tempfile::NamedTempFile::new().unwrap();
    let program = probe(&format!("--json --rate 10 127.0.0.1 1-50,{open}"));
    let program = inject_at(program, terminal.path(), "write:error=EIO", log.path());
    let program = program.stderr(Errors::Fd(terminal.slave()));
    let exit = terminal.controls(program).start().wait();
    let summary = &records(exit.success(), "summary")[0];
    assert_eq!(summary["ports"], 51);
    let log = fs::read_to_string(log.path()).unwrap();
    assert!(log.contains("[2K=") && log.contains("(INJECTED)"), "{log}");
}
