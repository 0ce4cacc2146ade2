//! `nettool` as a process among others: signals in every phase, what it inherits, what it leaves.

use std::fs;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::{Pid, Signal, geteuid, kill_process};

use crate::support::{
    CONTROL_C, CONTROL_D, End, Exit, Fingerprint, Input, Namespace, Output, Pattern, Peer, Program,
    Running, Step, Stopwatch, Terminal, need, nettool, scratch, skip, until,
};

/// The signals that end a session.
const ENDINGS: [Signal; 4] = [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT];

/// How soon a signal must have ended us, on a busy machine.
const SOON: Duration = Duration::from_secs(10);

/// Sends the signal, which must end it soon.
#[track_caller]
fn ends_by(running: Running, signal: Signal) {
    let sent = Stopwatch::start();
    running.signal(signal);
    let exit = without_end_of_input(running);
    exit.died_of(signal.as_raw());
    assert!(sent.awake() < SOON, "{signal:?}: {:?}", sent.awake());
}

/// Waits for its end and holds its stdin open until then.
#[track_caller]
fn without_end_of_input(mut running: Running) -> Exit {
    let _stdin = running.stdin.take();
    running.wait()
}

/// `nettool connect -v` to `addr` with a stdin that stays open, when it is connected.
fn connected(addr: SocketAddr) -> Running {
    let client = nettool(["connect", "-v", &addr.to_string()])
        .stdin(Input::Open)
        .start();
    client.says("connected over tcp");
    client
}

/// A name server that hears and never answers, and the way to it.
fn deaf_name_server(space: &mut Namespace) -> Running {
    let config = "nameserver 127.0.0.1\noptions timeout:20\n";
    space.replace("/etc/resolv.conf", config);
    let server = nettool(["listen", "-u", "127.0.0.1", "53"]);
    let server = space.inside(server).start();
    server.listening();
    server
}

#[test]
fn a_signal_ends_the_look_up_of_a_name() {
    let Some(mut space) = Namespace::new() else {
        return;
    };
    let server = deaf_name_server(&mut space);
    for signal in ENDINGS {
        let heard = server.printed();
        let client = space
            .inside(nettool(["connect", "host.example", "9"]))
            .stdin(Input::Open);
        let client = client.start();
        server.prints_bytes(heard + 1);
        ends_by(client, signal);
    }
}

#[test]
fn a_signal_ends_an_attempt() {
    let Some(space) = Namespace::with_a_deaf_port() else {
        return;
    };
    for signal in ENDINGS {
        let client = space
            .inside(nettool(["connect", "-vv", "127.0.0.1", "9"]))
            .stdin(Input::Open)
            .start();
        client.says("trying 127.0.0.1:9");
        ends_by(client, signal);
    }
}

#[test]
fn a_signal_ends_the_wait_for_a_client() {
    let directory = scratch();
    let path = directory.path().join("s");
    for signal in ENDINGS {
        let tcp = nettool(["listen", "127.0.0.1", "0"])
            .stdin(Input::Open)
            .start();
        let udp = nettool(["listen", "-u", "127.0.0.1", "0"])
            .stdin(Input::Open)
            .start();
        let unix = nettool(["listen", "-U"])
            .arg(&path)
            .stdin(Input::Open)
            .start();
        for server in [tcp, udp, unix] {
            server.announced(1);
            ends_by(server, signal);
        }
        assert!(!path.exists(), "the path of a socket is removed");
    }
}

#[test]
fn a_signal_in_an_open_conversation_resets_it() {
    for signal in ENDINGS {
        let server = Peer::serve(vec![Step::ReadToEnd]);
        ends_by(connected(server.addr()), signal);
        assert_eq!(server.seen().end, End::Reset);
        let server = nettool(["listen", "-v", "127.0.0.1", "0"])
            .stdin(Input::Open)
            .start();
        let client = Peer::connect(server.listening(), vec![Step::ReadToEnd]);
        server.says("connected over tcp");
        ends_by(server, signal);
        assert_eq!(client.seen().end, End::Reset);
    }
}

#[test]
fn a_signal_after_the_end_of_stdin_is_a_clean_end() {
    for signal in ENDINGS {
        let server = Peer::serve(vec![
            Step::ReadToEnd,
            Step::Write(b"got".to_vec()),
            Step::Await,
            Step::ReadToEnd,
        ]);
        let client = nettool(["connect", &server.addr().to_string()])
            .stdin("bytes")
            .start();
        client.prints("got");
        ends_by(client, signal);
        server.go();
        let server = server.seen();
        assert_eq!(
            (server.head.as_slice(), server.end),
            (&b"bytes"[..], End::Eof)
        );
        let server = nettool(["listen", "-v", "127.0.0.1", "0"]).start();
        let client = Peer::connect(
            server.listening(),
            vec![Step::Write(b"x".to_vec()), Step::ReadToEnd],
        );
        server.prints("x");
        // Nothing shows that it has found its stdin empty.
        server.rests();
        ends_by(server, signal);
        assert_eq!(client.seen().end, End::Eof);
    }
}

#[test]
fn a_signal_ends_a_transfer_in_both_directions() {
    for signal in ENDINGS {
        let steps = vec![
            Step::Write(vec![7; 1 << 20]),
            Step::Read(1 << 20),
            Step::Await,
            Step::ReadToEnd,
        ];
        let server = Peer::serve(steps);
        let client =
            nettool(["connect", &server.addr().to_string()]).stdin(Pattern::new(1, 1 << 40));
        let client = client.stdout(Output::Captured).start();
        client.prints_bytes(1 << 20);
        ends_by(client, signal);
        server.go();
        assert_eq!(server.seen().end, End::Reset);
    }
}

#[test]
fn a_signal_ends_the_wait_for_a_stalled_stdout() {
    // A pipe may hold as many pages of a socket as it has slots, which is more than its size.
    for signal in ENDINGS {
        let server = Peer::serve(vec![
            Step::Write(vec![7; 40_000_000]),
            Step::Shutdown,
            Step::ReadToEnd,
        ]);
        let client = nettool(["connect", &server.addr().to_string()]);
        let mut client = client.stdout(Output::Open).start();
        client.read(1);
        assert!(client.stays(Duration::from_millis(100)));
        ends_by(client, signal);
    }
}

#[test]
fn a_peer_sees_that_we_were_killed() {
    for input in [Input::Open, Input::Null] {
        let server = nettool(["listen", "-v", "127.0.0.1", "0"])
            .stdin(input)
            .start();
        let client = Peer::connect(server.listening(), vec![Step::ReadToEnd]);
        server.says("connected over tcp");
        server.kill().died_of(9);
        assert_eq!(client.seen().end, End::Reset);
    }
    let server = Peer::serve(vec![Step::ReadToEnd]);
    connected(server.addr()).kill().died_of(9);
    assert_eq!(server.seen().end, End::Reset);
}

#[test]
fn what_nohup_ignores_stays_ignored() {
    if !need(&["nohup"]) {
        return;
    }
    let server = nettool(["listen", "127.0.0.1", "0"])
        .by_way_of(["nohup"])
        .start();
    let addr = server.listening();
    server.signal(Signal::HUP);
    assert!(server.stays(Duration::from_millis(200)));
    nettool(["connect", &addr.to_string()])
        .stdin("whole")
        .run()
        .success();
    server.wait().success().printed("whole");
    let ignoring = ["sh", "-c", "trap '' INT QUIT; exec \"$@\"", "sh"];
    let server = nettool(["listen", "127.0.0.1", "0"])
        .by_way_of(ignoring)
        .start();
    server.listening();
    server.signal(Signal::INT);
    server.signal(Signal::QUIT);
    assert!(server.stays(Duration::from_millis(200)));
    ends_by(server, Signal::TERM);
}

/// The words that make a program the first process of a PID namespace.
fn as_first_process() -> Option<Vec<&'static str>> {
    let flags = if geteuid().is_root() { "-pf" } else { "-Urpf" };
    let words = vec!["unshare", flags, "--mount-proc", "--kill-child"];
    if !need(&["unshare"]) {
        return None;
    }
    if Program::new("true").by_way_of(&words).run().code != Some(0) {
        skip("no permission for a PID namespace");
        return None;
    }
    Some(words)
}

/// The only child of a process.
fn child_of(running: &Running) -> Pid {
    let pid = running.pid();
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    Pid::from_raw(children.trim().parse().unwrap()).unwrap()
}

#[test]
fn the_first_process_of_a_container_ends_by_a_signal_too() {
    let Some(words) = as_first_process() else {
        return;
    };
    for signal in ENDINGS {
        let server = nettool(["listen", "127.0.0.1", "0"])
            .by_way_of(&words)
            .stdin(Input::Open)
            .start();
        server.listening();
        kill_process(child_of(&server), signal).unwrap();
        server.wait().status(128 + signal.as_raw());
    }
    for signal in ENDINGS {
        let watching = nettool(["ifaces", "--json", "--watch", "--every", "20ms", "lo"]);
        let watching = watching.by_way_of(&words).start();
        watching.prints("\"type\":\"rate\"");
        kill_process(child_of(&watching), signal).unwrap();
        watching.wait().status(128 + signal.as_raw());
    }
    let server = Peer::serve(vec![Step::Write(b"x".to_vec()), Step::ReadToEnd]);
    let client = nettool(["connect", &server.addr().to_string()]).by_way_of(&words);
    client
        .stdin(Input::Open)
        .stdout(Output::Broken)
        .run()
        .status(141)
        .silent();
}

/// Whatever the parent does with SIGPIPE, this holds.
fn with_each_sigpipe(check: impl Fn(&[&str])) {
    check(&["sh", "-c", "trap - PIPE; exec \"$@\"", "sh"]);
    check(&["sh", "-c", "trap '' PIPE; exec \"$@\"", "sh"]);
}

#[test]
fn sigpipe_is_the_same_whatever_the_parent_does() {
    with_each_sigpipe(|words| {
        for steps in [
            vec![Step::ReadToEnd],
            vec![Step::Write(vec![7; 1 << 20]), Step::ReadToEnd],
        ] {
            let server = Peer::serve(steps);
            let client = nettool(["connect", &server.addr().to_string()]).by_way_of(words);
            let client = client.stdin(Input::Open).stdout(Output::Broken).start();
            without_end_of_input(client).died_of(13).silent();
            assert_eq!(server.seen().end, End::Reset);
        }
    });
}

#[test]
fn a_dead_socket_is_an_error_and_no_signal() {
    with_each_sigpipe(|words| {
        let server = Peer::serve(vec![Step::Read(1), Step::Reset]);
        let client = nettool(["connect", &server.addr().to_string()]).by_way_of(words);
        client.stdin(Pattern::new(1, 100_000_000)).run().failure(1);
        let directory = scratch();
        let path = directory.path().join("s");
        let _server = Peer::serve_unix(&path, vec![Step::Read(1)]);
        let client = nettool(["connect", "-U"]).arg(&path).by_way_of(words);
        client.stdin(Pattern::new(1, 100_000_000)).run().failure(1);
    });
}

/// Everything that can carry the bytes.
const PATHS: [&str; 3] = ["auto", "portable", "looped"];

/// Sends a pattern through `nettool connect` over `path` with these descriptors as its stdin and stdout, and
/// back again; hands over what came out.
fn echo_through(
    path: &str,
    input: OwnedFd,
    output: OwnedFd,
    mut source: impl Write + Send + 'static,
    mut sink: impl Read,
) {
    let pattern = Pattern::new(1, 3_000_000);
    let server = Peer::serve(vec![Step::Exchange(Pattern::new(2, 3_000_000))]);
    let client = nettool(["connect", &server.addr().to_string(), "--until=both"]);
    let client = client
        .env("NETTOOL_PATH", path)
        .stdin(Input::Fd(input))
        .stdout(Output::Fd(output))
        .start();
    let mut sent = pattern.clone();
    let feeder = thread::spawn(move || io::copy(&mut sent, &mut source).map(|_| ()));
    let mut received = Vec::new();
    sink.by_ref()
        .take(3_000_000)
        .read_to_end(&mut received)
        .unwrap();
    feeder.join().unwrap().unwrap();
    client.wait().success();
    assert_eq!(
        Fingerprint::of(&received),
        Pattern::new(2, 3_000_000).fingerprint()
    );
    assert_eq!(server.seen().received, pattern.fingerprint());
}

#[test]
fn inherited_pipes_keep_their_flags() {
    let flags = [OFlags::empty(), OFlags::NONBLOCK];
    for (path, nonblocking) in PATHS
        .into_iter()
        .flat_map(|path| flags.map(|flags| (path, flags)))
    {
        let (input, source) = io::pipe().unwrap();
        let (sink, output) = io::pipe().unwrap();
        let ends = [input.as_fd(), output.as_fd()].map(|end| end.try_clone_to_owned().unwrap());
        let set = |end: &OwnedFd| {
            fcntl_setfl(end, fcntl_getfl(end).unwrap() | nonblocking).unwrap();
            fcntl_getfl(end).unwrap()
        };
        let before = [set(&ends[0]), set(&ends[1])];
        echo_through(path, input.into(), output.into(), source, sink);
        assert_eq!(
            [&ends[0], &ends[1]].map(|end| fcntl_getfl(end).unwrap()),
            before
        );
    }
}

#[test]
fn an_inherited_socket_keeps_its_flags() {
    for (path, nonblocking) in PATHS
        .into_iter()
        .flat_map(|path| [(path, false), (path, true)])
    {
        let (theirs, ours) = UnixStream::pair().unwrap();
        theirs.set_nonblocking(nonblocking).unwrap();
        let kept = theirs.try_clone().unwrap();
        let before = fcntl_getfl(&kept).unwrap();
        let output = theirs.try_clone().unwrap();
        let source = Closing(ours.try_clone().unwrap());
        echo_through(path, theirs.into(), output.into(), source, ours);
        assert_eq!(fcntl_getfl(&kept).unwrap(), before);
    }
}

/// Half of a socket pair that ends when it is dropped, though the other half is still read.
struct Closing(UnixStream);

impl Write for Closing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Closing {
    fn drop(&mut self) {
        let _ = self.0.shutdown(std::net::Shutdown::Write);
    }
}

#[test]
fn a_terminal_keeps_its_flags_and_modes() {
    if !need(&["setsid"]) {
        return;
    }
    let terminal = Terminal::new();
    let before = terminal.settings();
    let server = Peer::serve(vec![Step::Write(b"hello\n".to_vec()), Step::Await]);
    let client = terminal
        .hosts(nettool(["connect", &server.addr().to_string()]))
        .start();
    terminal.shows("hello\r\n");
    assert_eq!(terminal.settings(), before);
    server.go();
    client.wait().status(0);
    assert_eq!(terminal.settings(), before);
    let server = terminal
        .hosts(nettool(["listen", "127.0.0.1", "0"]))
        .start();
    terminal.shows("listening on");
    ends_by(server, Signal::TERM);
    assert_eq!(terminal.settings(), before);
}

/// What the keyboard ends, and a peer that breaks off, with a bar drawn or not.
#[test]
fn a_terminal_is_left_as_it_was_whatever_ends_us() {
    if !need(&["setsid"]) {
        return;
    }
    let mut terminal = Terminal::new();
    let before = terminal.settings();
    let hello = || Step::Write(b"hello\n".to_vec());
    let mut shown = 0;
    for bar in [&[][..], &["--progress", "bar"]] {
        for (keys, end) in [
            (Some(CONTROL_C), Step::ReadToEnd),
            (Some(CONTROL_D), Step::ReadToEnd),
            (None, Step::Reset),
        ] {
            let server = Peer::serve(vec![hello(), Step::Await, end]);
            let client = nettool(["connect", &server.addr().to_string()]).args(bar);
            let client = terminal.hosts(client).start();
            shown += 1;
            until("it has come", || {
                let screen = String::from_utf8_lossy(&terminal.screen()).into_owned();
                screen.matches("hello\r\n").count() == shown
            });
            assert_eq!(terminal.settings(), before);
            server.go();
            if let Some(keys) = keys {
                terminal.types(keys);
            }
            let exit = client.wait();
            let expected = match keys {
                Some(CONTROL_C) => (None, Some(libc::SIGINT)),
                Some(_) => (Some(0), None),
                None => (Some(1), None),
            };
            assert_eq!((exit.code, exit.signal), expected);
            assert_eq!(terminal.settings(), before);
            server.seen();
        }
    }
}

#[test]
fn a_background_job_reads_no_terminal_and_goes_on() {
    if !need(&["setsid", "stty"]) {
        return;
    }
    let mut terminal = Terminal::new();
    let steps = vec![
        Step::Write(b"one\n".to_vec()),
        Step::Await,
        Step::Write(b"two\n".to_vec()),
        Step::Shutdown,
    ];
    let server = Peer::serve(
        [steps, vec![Step::ReadToEnd]]
            .into_iter()
            .flatten()
            .collect(),
    );
    let script =
        "set -m; stty tostop; \"$@\" & read line; echo read:$line; wait $!; echo status:$?";
    let job =
        nettool(["connect", &server.addr().to_string()]).by_way_of(["sh", "-c", script, "sh"]);
    let job = terminal.hosts(job).start();
    terminal.shows("one\r\n");
    terminal.types("typed\n");
    terminal.shows("read:typed\r\n");
    server.go();
    terminal.shows("two\r\n");
    terminal.shows("status:0\r\n");
    job.wait().status(0);
    let seen = server.seen();
    assert_eq!((seen.received.count, seen.end), (0, End::Eof));
}

#[test]
fn a_directory_is_no_input() {
    let server = Peer::serve(vec![Step::ReadToEnd]);
    let exit = nettool(["connect", &server.addr().to_string()])
        .redirected("< /")
        .run();
    assert!(
        exit.failure(1).contains("read from stdin: is a directory"),
        "{}",
        exit.stderr
    );
    assert_eq!(server.seen().end, End::Reset);
    let server = nettool(["listen", "127.0.0.1", "0"])
        .redirected("< /")
        .start();
    let client = Peer::connect(server.listening(), vec![Step::ReadToEnd]);
    server.wait().failure(1);
    assert_eq!(client.seen().end, End::Reset);
}

#[test]
fn a_closed_stdin_is_an_empty_one() {
    let server = Peer::serve(vec![Step::ReadToEnd, Step::Write(b"answer".to_vec())]);
    let exit = nettool(["connect", &server.addr().to_string()])
        .redirected("<&-")
        .run();
    exit.success().printed("answer");
    assert_eq!(server.seen().end, End::Eof);
}

#[test]
fn a_closed_stdout_takes_no_bytes() {
    let server = Peer::serve(vec![Step::Write(b"x".to_vec()), Step::ReadToEnd]);
    let client = nettool(["connect", &server.addr().to_string()]).redirected(">&-");
    let exit = without_end_of_input(client.stdin(Input::Open).start());
    assert!(
        exit.failure(1).contains("write to stdout: "),
        "{}",
        exit.stderr
    );
    exit.says("stdout was closed");
    assert_eq!(server.seen().end, End::Reset);
    let server = Peer::serve(vec![Step::ReadToEnd]);
    let client = nettool(["connect", &server.addr().to_string()]).redirected(">&-");
    client.stdin("bytes").run().success();
    assert_eq!(server.seen().head, b"bytes");
}

/// It was not closed, and nobody should look for why it was.
#[test]
fn a_stdout_that_is_open_for_reading_alone_is_no_closed_one() {
    let server = Peer::serve(vec![Step::Write(b"x".to_vec()), Step::ReadToEnd]);
    let client = nettool(["connect", &server.target()]).redirected("1< /dev/null");
    let exit = without_end_of_input(client.stdin(Input::Open).start());
    exit.status(1)
        .says("write to stdout: ")
        .says("not for writing");
    assert!(!exit.stderr.contains("was closed"), "{}", exit.stderr);
    assert_eq!(server.seen().end, End::Reset);
}

/// The payload knows nothing of it. Records that were asked for and that a full disk did not take are
/// lost, and that shows in the status.
#[test]
fn a_stderr_that_takes_nothing_changes_nothing_of_the_payload() {
    for redirection in ["2>&-", "2>/dev/full"] {
        for option in ["-vv", "--json"] {
            let server = Peer::serve(vec![Step::Exchange(Pattern::new(2, 200_000))]);
            let words = ["connect", option, "--until=both", &server.target()];
            let client = nettool(words).redirected(redirection);
            let exit = client
                .stdin(Pattern::new(1, 200_000))
                .stdout(Output::Hashed)
                .run();
            let is_lost = option == "--json" && redirection == "2>/dev/full";
            exit.status(i32::from(is_lost))
                .received(Pattern::new(2, 200_000).fingerprint());
            assert_eq!(
                server.seen().received,
                Pattern::new(1, 200_000).fingerprint()
            );
        }
        let server = Peer::serve(vec![Step::Reset]);
        let client = nettool(["connect", &server.addr().to_string()]).redirected(redirection);
        client.stdin(Input::Open).run().status(1);
        nettool(["connect", "h", "99999"])
            .redirected(redirection)
            .run()
            .status(2);
    }
}

#[test]
fn a_listener_without_stderr_serves() {
    let directory = scratch();
    for redirection in ["2>&-", "2>/dev/full"] {
        let path = directory.path().join("s");
        let server = nettool(["listen", "-v", "-U"])
            .arg(&path)
            .redirected(redirection)
            .start();
        let client = || nettool(["connect", "-U"]).arg(&path).stdin("x").run();
        until("a client is served", || client().code == Some(0));
        server.wait().status(0).printed("x");
    }
}

#[test]
fn being_stopped_loses_nothing() {
    let (forth, back) = (Pattern::new(1, 20_000_000), Pattern::new(2, 20_000_000));
    let server = Peer::serve(vec![Step::Exchange(back.clone())]);
    let client = nettool(["connect", &server.addr().to_string(), "--until=both"]);
    let client = client.stdin(forth.clone());
    let client = client.stdout(Output::Captured).start();
    client.prints_bytes(1_000_000);
    client.signal(Signal::STOP);
    assert!(client.stays(Duration::from_millis(100)));
    for signal in [Signal::CONT, Signal::WINCH, Signal::CHILD, Signal::URG]
        .into_iter()
        .cycle()
        .take(400)
    {
        client.signal(signal);
    }
    client.wait().success().received(back.fingerprint());
    assert_eq!(server.seen().received, forth.fingerprint());
}

#[test]
fn a_signal_ends_the_rescue_of_a_broken_connection() {
    let server = Peer::serve(vec![
        Step::Write(vec![7; 1 << 20]),
        Step::Await,
        Step::Reset,
    ]);
    let client = nettool(["connect", &server.addr().to_string()]).env("NETTOOL_PATH", "portable");
    let mut client = client.stdin(Input::Open).stdout(Output::Open).start();
    client.read(1);
    server.go();
    server.seen();
    assert!(client.stays(Duration::from_millis(200)));
    ends_by(client, Signal::INT);
}
