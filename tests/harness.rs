//! The harness itself: what the other tests stand on holds.

use std::fs;
use std::io::{Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::{
    CONTROL_C, CONTROL_D, End, Fingerprint, Input, Namespace, Output, Pattern, Peer, Program,
    Relay, Step, Terminal, Way, need, scratch,
};

/// A program that copies its input to its output.
fn cat() -> Program {
    Program::new("cat")
}

/// A program that runs a line of shell.
fn sh(line: &str) -> Program {
    Program::new("sh").args(["-c", line])
}

#[test]
fn a_pattern_is_the_same_however_it_is_read() {
    let whole = Pattern::new(7, 1000).to_vec();
    let mut pattern = Pattern::new(7, 1000);
    let mut pieces = Vec::new();
    let mut buffer = [0; 13];
    while let Ok(count @ 1..) = pattern.read(&mut buffer) {
        pieces.extend_from_slice(&buffer[..count]);
    }
    assert_eq!(whole, pieces);
    assert_eq!(Pattern::new(7, 1000).fingerprint(), Fingerprint::of(&whole));
    assert_ne!(Pattern::new(8, 1000).fingerprint(), Fingerprint::of(&whole));
}

#[test]
fn a_program_gets_every_kind_of_input() {
    let directory = scratch();
    let path = directory.path().join("in");
    fs::write(&path, "file").unwrap();
    cat().stdin("bytes").run().success().printed("bytes");
    cat().stdin(path.as_path()).run().success().printed("file");
    cat().stdin(Input::Null).run().success().printed("");
    cat().redirected("<&-").run().status(1);
    let mut open = cat().stdin(Input::Open).start();
    open.stdin.as_mut().unwrap().write_all(b"kept").unwrap();
    open.prints("kept");
    open.wait().success().printed("kept");
}

#[test]
fn a_program_gets_every_kind_of_output() {
    let directory = scratch();
    let path = directory.path().join("out");
    let pattern = Pattern::new(1, 300_000);
    cat()
        .stdin(pattern.clone())
        .stdout(Output::Hashed)
        .run()
        .success()
        .received(pattern.fingerprint());
    cat()
        .stdin("x")
        .stdout(Output::File(path.clone()))
        .run()
        .success();
    assert_eq!(fs::read(&path).unwrap(), b"x");
    cat()
        .stdin("x")
        .stdout(Output::Null)
        .run()
        .success()
        .silent();
    cat()
        .stdin("x")
        .stdout(Output::Full)
        .run()
        .status(1)
        .says("No space left");
    cat().stdin("x").stdout(Output::Broken).run().died_of(13);
    let mut open = cat().stdin(pattern.clone()).stdout(Output::Open).start();
    assert_eq!(open.read(300_000), pattern.to_vec());
    open.wait().success();
}

#[test]
fn a_program_that_does_not_end_fails_its_test() {
    let slow = cat()
        .stdin(Input::Open)
        .limit(Duration::from_millis(100))
        .start();
    let pid = slow.pid();
    let mut stuck = sh("echo here >&2; exec sleep 600").start();
    stuck.says("here");
    stuck.limit(Duration::from_millis(100));
    let message = catch_unwind(AssertUnwindSafe(|| stuck.wait())).unwrap_err();
    let message = message.downcast_ref::<String>().unwrap();
    assert!(
        message.contains("did not end in time") && message.contains("here"),
        "{message}"
    );
    drop(slow);
    assert!(!fs::exists(format!("/proc/{pid}")).unwrap());
}

#[test]
fn the_end_of_a_program_is_known() {
    sh("echo $A; echo 'nettool: error: no' >&2; exit 3")
        .env("A", "b")
        .run()
        .printed("b\n")
        .failure(3);
    let running = cat().stdin(Input::Open).start();
    assert!(running.stays(Duration::from_millis(50)));
    running.signal(Signal::TERM);
    running
        .wait()
        .died_of(15)
        .within(Duration::from_secs(10))
        .at_least(Duration::from_millis(50));
    assert!(catch_unwind(|| sh("exit 101").run()).is_err());
}

#[test]
fn the_announced_address_is_found() {
    let line = "printf 'note\nlistening on tcp 127.0.0.1:4' >&2; read _; printf '321\nlistening on unix /a b\n' >&2; cat";
    let mut running = sh(line).stdin(Input::Open).start();
    running.says("127.0.0.1:4");
    running.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    assert_eq!(running.announced(2), ["tcp 127.0.0.1:4321", "unix /a b"]);
    assert_eq!(running.listening(), "127.0.0.1:4321".parse().unwrap());
    running.wait().success();
    let silent = sh("exit 0").start();
    assert!(catch_unwind(AssertUnwindSafe(|| silent.listening())).is_err());
}

#[test]
fn peers_play_their_parts() {
    let (forth, back) = (Pattern::new(1, 3_000_000), Pattern::new(2, 2_000_000));
    let server = Peer::serve(vec![Step::Exchange(back.clone())]);
    let client = Peer::connect(server.addr(), vec![Step::Exchange(forth.clone())]);
    let (server, client) = (server.seen(), client.seen());
    assert_eq!(
        (server.received, server.end, server.sent),
        (forth.fingerprint(), End::Eof, 2_000_000)
    );
    assert_eq!(
        (client.received, client.end, client.sent),
        (back.fingerprint(), End::Eof, 3_000_000)
    );
}

#[test]
fn a_peer_waits_resets_and_notices_a_reset() {
    let server = Peer::serve(vec![
        Step::Read(2),
        Step::Await,
        Step::Write(b"late".to_vec()),
        Step::Await,
        Step::Reset,
    ]);
    let client = Peer::connect(
        server.addr(),
        vec![Step::Write(b"ab".to_vec()), Step::Read(4), Step::ReadToEnd],
    );
    server.go();
    server.go();
    let (server, client) = (server.seen(), client.seen());
    assert_eq!(
        (server.head.as_slice(), server.end),
        (&b"ab"[..], End::Open)
    );
    assert_eq!(
        (client.head.as_slice(), client.end),
        (&b"late"[..], End::Reset)
    );
}

#[test]
fn peers_speak_over_a_unix_socket_and_in_time() {
    let directory = scratch();
    let path = directory.path().join("s");
    let pause = Duration::from_millis(100);
    let server = Peer::serve_unix(
        &path,
        vec![
            Step::ReadToEnd,
            Step::Pause(pause),
            Step::Write(b"answer".to_vec()),
        ],
    );
    let start = Instant::now();
    let client = Peer::connect_unix(
        &path,
        vec![
            Step::Write(b"ask".to_vec()),
            Step::Shutdown,
            Step::ReadToEnd,
        ],
    )
    .seen();
    assert_eq!(
        (client.head.as_slice(), client.end),
        (&b"answer"[..], End::Eof)
    );
    assert!(start.elapsed() >= pause);
    assert_eq!(server.seen().head, b"ask");
}

#[test]
fn a_terminal_controls_its_program() {
    if !need(&["setsid"]) {
        return;
    }
    let mut terminal = Terminal::new();
    let before = terminal.settings();
    let running = terminal.hosts(cat()).start();
    terminal.types("hello\n");
    terminal.shows("hello\r\nhello\r\n");
    terminal.types(CONTROL_D);
    running.wait().success();
    assert_eq!(terminal.settings(), before);
    let running = terminal.controls(sh("exec cat < /dev/tty")).start();
    terminal.types("line\n");
    running.prints("line");
    terminal.types(CONTROL_C);
    running.wait().died_of(2);
    terminal
        .hosts(Program::new("stty").arg("-echo"))
        .run()
        .success();
    assert_ne!(terminal.settings(), before);
    assert!(!terminal.screen().is_empty());
}

#[test]
fn a_namespace_has_ports_and_names_of_its_own() {
    let Some(mut space) = Namespace::new() else {
        return;
    };
    space.replace("/etc/hosts", "192.0.2.7 elsewhere\n");
    space
        .run("getent hosts elsewhere")
        .printed("192.0.2.7       elsewhere\n");
    let directory = scratch();
    let path = directory.path().join("s");
    let path = path.to_str().unwrap();
    let script = format!(
        "import socket\na = socket.create_server(('127.0.0.1', 7))\nb = socket.socket(socket.AF_UNIX)\n\
         b.bind('{path}')\nb.listen()\ninput()"
    );
    let server = space
        .inside(Program::new("python3").args(["-c", &script]))
        .stdin(Input::Open)
        .start();
    space.serves("7");
    space.serves(path);
    drop(server);
}

#[test]
fn namespaces_are_joined_and_filtered() {
    if !need(&["nft"]) {
        return;
    }
    let Some((near, far)) = Namespace::pair() else {
        return;
    };
    far.rules("table inet t { chain c { type filter hook input priority 0; tcp dport 2 reject with tcp reset; }; }");
    let answer = || vec![Step::Write(b"hello".to_vec())];
    for host in ["10.77.0.2", "[fd77::2]"] {
        let server = far.on_a_thread(|| Peer::serve_at(&format!("{host}:0"), answer()));
        let Some(server) = server else { return };
        let addr = server.addr();
        let client = near
            .on_a_thread(|| Peer::connect(addr, vec![Step::ReadToEnd]))
            .unwrap();
        assert_eq!(client.seen().head, b"hello");
    }
    let refused = near.inside(Program::new("python3").args([
        "-c",
        "__import__('socket').create_connection(('10.77.0.2', 2))",
    ]));
    refused.run().status(1).says("ConnectionRefusedError");
}

#[test]
fn the_relay_is_as_faulty_as_it_is_told() {
    let pattern = Pattern::new(3, 10_000);
    let through = |relay: fn(Relay) -> Relay| {
        let server = Peer::serve(vec![Step::ReadToEnd, Step::Write(b"done".to_vec())]);
        let steps = vec![
            Step::Write(pattern.to_vec()),
            Step::Shutdown,
            Step::ReadToEnd,
        ];
        let start = Instant::now();
        let client = Peer::connect(relay(Relay::to(server.addr())).start(), steps).seen();
        (client, server.seen(), start.elapsed())
    };
    let (client, server, elapsed) =
        through(|relay| relay.latency(Duration::from_millis(50)).slice(10));
    assert_eq!(
        (server.received, server.end),
        (pattern.fingerprint(), End::Eof)
    );
    assert_eq!(
        (client.head.as_slice(), client.end),
        (&b"done"[..], End::Eof)
    );
    assert!(elapsed >= Duration::from_millis(100));
    let (_, server, elapsed) = through(|relay| relay.rate(50_000));
    assert_eq!(server.received, pattern.fingerprint());
    assert!(elapsed >= Duration::from_millis(200));
    let (client, server, _) = through(|relay| relay.reset(Way::Forth, 1000));
    assert_eq!(
        (client.end, server.end, server.received.count),
        (End::Reset, End::Reset, 1000)
    );
}
