//! The end of standard input.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use super::{MOMENT, Plan, Side, Stdin, rows};
use crate::support::{
    CONTROL_D, End, Fingerprint, Output, Pattern, Peer, Step, nettool, records_of, scratch,
};

rows! {
    an_answer_comes_a_second_after_our_end:
        connect_pipe(Connect, EndedPipe("question")),
        connect_file(Connect, File("question")),
        connect_null(Connect, Null),
        listen_pipe(Listen, EndedPipe("question")),
        listen_file(Listen, File("question"));
    the_end_is_typed:
        connect_terminal(Connect, Terminal("question\n")),
        listen_terminal(Listen, Terminal("question\n"));
    an_empty_input_ends_at_once:
        connect_pipe(Connect, EndedPipe("")),
        connect_file(Connect, File("")),
        connect_null(Connect, Null),
        listen_file(Listen, File(""));
    an_empty_input_does_not_end_the_answer:
        listen_pipe(Listen, EndedPipe("")),
        listen_null(Listen, Null),
        listen_terminal(Listen, Terminal("\x04"));
    receiving_only_never_ends_first:
        connect_pipe(Connect, EndedPipe("unread")),
        connect_open_pipe(Connect, Pipe("unread")),
        connect_file(Connect, File("unread")),
        connect_terminal(Connect, Terminal("unread\n\x04")),
        connect_null(Connect, Null),
        listen_pipe(Listen, EndedPipe("unread")),
        listen_open_pipe(Listen, Pipe("unread")),
        listen_file(Listen, File("unread")),
        listen_terminal(Listen, Terminal("unread\n\x04")),
        listen_null(Listen, Null);
    no_shutdown_keeps_the_write_half_open:
        connect_pipe(Connect, EndedPipe("question")),
        connect_file(Connect, File("question")),
        connect_terminal(Connect, Terminal("question\n\x04")),
        listen_pipe(Listen, EndedPipe("question")),
        listen_file(Listen, File("question")),
        listen_terminal(Listen, Terminal("question\n\x04"));
    a_peer_without_an_answer_gets_a_hint:
        connect_pipe(Connect, EndedPipe("question")),
        connect_file(Connect, File("question")),
        connect_null(Connect, Null),
        listen_pipe(Listen, EndedPipe("question")),
        listen_file(Listen, File("question"));
}

/// A peer that reads to our end, thinks for a second, and answers a mebibyte.
fn late_answer() -> (Pattern, Vec<Step>) {
    let answer = Pattern::new(11, 1024 * 1024);
    let second = Step::Pause(Duration::from_secs(1));
    let steps = vec![Step::ReadToEnd, second, Step::Write(answer.to_vec())];
    (answer, steps)
}

/// What is said before the end in these rows.
fn said(stdin: &Stdin) -> &'static [u8] {
    if *stdin == Stdin::Null {
        b""
    } else {
        b"question"
    }
}

fn an_answer_comes_a_second_after_our_end(side: Side, stdin: Stdin) {
    let (answer, steps) = late_answer();
    let question = said(&stdin);
    let (exit, seen) = Plan::new(side, stdin).run(steps);
    exit.success()
        .received(answer.fingerprint())
        .at_least(Duration::from_secs(1));
    assert_eq!((seen.head.as_slice(), seen.end), (question, End::Eof));
}

fn the_end_is_typed(side: Side, stdin: Stdin) {
    let (answer, steps) = late_answer();
    let mut talk = Plan::new(side, stdin).start(steps);
    let before = talk.keyboard().settings();
    talk.keyboard().types(CONTROL_D);
    let terminal = talk.terminal.take();
    let (exit, seen) = talk.ends();
    exit.success().received(answer.fingerprint());
    assert_eq!(
        (seen.head.as_slice(), seen.end),
        (&b"question\n"[..], End::Eof)
    );
    assert_eq!(terminal.expect("a terminal").settings(), before);
}

fn an_empty_input_ends_at_once(side: Side, stdin: Stdin) {
    let steps = vec![Step::ReadToEnd, Step::Write(b"answer".to_vec())];
    let (exit, seen) = Plan::new(side, stdin).run(steps);
    exit.success().printed("answer");
    assert_eq!((seen.received.count, seen.end), (0, End::Eof));
}

fn an_empty_input_does_not_end_the_answer(side: Side, stdin: Stdin) {
    let request = Step::Write(b"request".to_vec());
    let steps = vec![
        request,
        Step::Quiet(MOMENT),
        Step::Shutdown,
        Step::ReadToEnd,
    ];
    let (exit, seen) = Plan::new(side, stdin).run(steps);
    exit.success().printed("request");
    assert_eq!((seen.received.count, seen.end), (0, End::Eof));
}

fn receiving_only_never_ends_first(side: Side, stdin: Stdin) {
    let request = Step::Write(b"request".to_vec());
    let steps = vec![
        request,
        Step::Quiet(MOMENT),
        Step::Shutdown,
        Step::ReadToEnd,
    ];
    let plan = Plan::new(side, stdin).options(&["--recv-only"]);
    // The pipe stays open: its end is nothing that is waited for.
    let mut talk = plan.start(steps);
    let pipe = talk.running.stdin.take();
    let (exit, seen) = talk.ends();
    exit.success().printed("request");
    assert_eq!((seen.received.count, seen.end), (0, End::Eof));
    drop(pipe);
}

fn no_shutdown_keeps_the_write_half_open(side: Side, stdin: Stdin) {
    let answer = Step::Write(b"answer".to_vec());
    let steps = vec![
        Step::Read(8),
        Step::Pause(MOMENT),
        answer,
        Step::Shutdown,
        Step::ReadToEnd,
    ];
    let (exit, seen) = Plan::new(side, stdin)
        .options(&["--no-shutdown"])
        .run(steps);
    exit.success().printed("answer");
    assert_eq!(
        (seen.head.trim_ascii_end(), seen.end),
        (&b"question"[..], End::Eof)
    );
}

fn a_peer_without_an_answer_gets_a_hint(side: Side, stdin: Stdin) {
    let (exit, _) = Plan::new(side, stdin).run(vec![Step::ReadToEnd]);
    exit.success()
        .printed("")
        .says("hint: nothing came back; if you expected an answer: ")
        .says("--no-shutdown");
    assert_eq!(
        exit.stderr
            .lines()
            .filter(|line| line.contains("hint: "))
            .count(),
        1
    );
}

/// What is there when a conversation begins is to arrive, however its bytes are carried.
#[test]
fn a_file_that_becomes_shorter_is_an_error() {
    let directory = scratch();
    // The system sends the beginning of a large file without a copy.
    let ways = [
        ("", 200_000_000),
        ("", 20_000_000),
        ("portable", 20_000_000),
        ("looped", 20_000_000),
    ];
    for (number, (way, length)) in ways.into_iter().enumerate() {
        let path = directory.path().join(number.to_string());
        let whole = File::create(&path).expect("a file");
        whole.set_len(length).expect("a long file");
        // Nothing is read, so most of the file is still to be sent.
        let word = Step::Write(b"word".to_vec());
        let peer = Peer::serve(vec![word, Step::Await, Step::ReadToEnd]);
        let program = nettool(["connect", &peer.target()]).env("NETTOOL_PATH", way);
        let (program, name) = if way == "portable" {
            let named = program.arg("--input").arg(&path);
            (named, path.to_str().expect("a plain path"))
        } else {
            (program.stdin(path.as_path()), "stdin")
        };
        let client = program.start();
        client.prints("word");
        let file = File::options().write(true).open(&path).expect("the file");
        file.set_len(1000).expect("a shorter file");
        peer.go();
        let exit = client.wait();
        exit.status(1)
            .says(&format!(
                "read from {name}: the file became shorter while it was sent, "
            ))
            .says(&format!(" of {length} bytes"));
        assert_eq!(peer.seen().end, End::Reset, "{way}");
    }
}

/// What was delivered is the peer's, although it has not read it yet: the file may be used again.
#[test]
fn what_is_delivered_is_no_longer_the_file() {
    let directory = scratch();
    let (before, after) = (Pattern::new(57, 60_000), Pattern::new(58, 60_000));
    for (number, way) in ["", "portable", "looped"].into_iter().enumerate() {
        let path = directory.path().join(number.to_string());
        fs::write(&path, before.to_vec()).expect("a file");
        let peer = Peer::serve(vec![Step::Await, Step::ReadToEnd]);
        let client = nettool(["connect", &peer.target(), "--send-only"])
            .env("NETTOOL_PATH", way)
            .stdin(path.as_path());
        client.run().success();
        let mut file = File::options().write(true).open(&path).expect("the file");
        file.write_all(&after.to_vec()).expect("other bytes");
        peer.go();
        let seen = peer.seen();
        assert_eq!(seen.received, before.fingerprint(), "{way}");
        assert_eq!(seen.end, End::Eof, "{way}");
    }
}

/// The beginning goes without a copy, the end with one, and nothing is lost between them.
#[test]
fn a_large_file_is_sent_in_both_ways() {
    let directory = scratch();
    let path = directory.path().join("large");
    let mut whole = Pattern::new(59, 9_000_001).to_vec();
    whole.resize(72 << 20, 0);
    whole.extend(Pattern::new(60, 1_000_003).to_vec());
    fs::write(&path, &whole).expect("a file");
    let peer = Peer::serve(vec![Step::ReadToEnd]);
    let client = nettool(["connect", &peer.target(), "--send-only"]).stdin(path.as_path());
    client.run().success();
    let seen = peer.seen();
    assert_eq!(
        (seen.received, seen.end),
        (Fingerprint::of(&whole), End::Eof)
    );
}

/// What comes to a file before its end is reached is sent as well, whatever its size was said to be.
#[test]
fn a_file_that_grows_is_sent_to_its_end() {
    let directory = scratch();
    let (before, after) = (20_000_000, 21_000_000);
    for (number, way) in ["", "portable", "looped"].into_iter().enumerate() {
        let path = directory.path().join(number.to_string());
        let whole = Pattern::new(56, after).to_vec();
        let (first, rest) = whole.split_at(before);
        fs::write(&path, first).expect("a file");
        // Nothing is read, so most of the file is still to be sent.
        let word = Step::Write(b"word".to_vec());
        let peer = Peer::serve(vec![word, Step::Await, Step::ReadToEnd]);
        let client = nettool(["connect", &peer.target(), "--json", "--progress", "log"])
            .args(["--size", "20M"])
            .env("NETTOOL_PATH", way)
            .stdin(path.as_path())
            .start();
        client.prints("word");
        let mut file = File::options().append(true).open(&path).expect("the file");
        file.write_all(rest).expect("a longer file");
        peer.go();
        let exit = client.wait();
        exit.success();
        let seen = peer.seen();
        assert_eq!(
            (seen.received, seen.end),
            (Fingerprint::of(&whole), End::Eof)
        );
        let transfer = records_of(&exit.stderr, "transfer").remove(0);
        assert_eq!(transfer["bytes_sent"], after, "{way}");
        assert_eq!(transfer["bytes_acked"], after, "{way}");
    }
}

#[test]
fn messages_of_a_file_that_becomes_shorter_are_an_error() {
    let directory = scratch();
    let (path, socket) = (directory.path().join("file"), directory.path().join("s"));
    fs::write(&path, Pattern::new(55, 20_000_000).to_vec()).expect("a file");
    let words = ["--seqpacket", "-U", socket.to_str().expect("a plain path")];
    let server = nettool(["listen"]).args(words).stdout(Output::Open);
    let mut server = server.start();
    server.says("listening on ");
    let client = nettool(["connect"]).args(words).stdin(path.as_path());
    let client = client.start();
    assert_eq!(server.read(1).len(), 1);
    let file = File::options().write(true).open(&path).expect("the file");
    file.set_len(1000).expect("a shorter file");
    let mut rest = server.stdout.take().expect("a kept pipe");
    std::io::copy(&mut rest, &mut std::io::sink()).expect("an end");
    client
        .wait()
        .status(1)
        .says("the file became shorter while it was sent, ");
}

/// Others may have read some of it, or nobody knows its size, or it grows.
#[test]
fn a_file_that_is_read_to_its_end_is_not_shorter() {
    let directory = scratch();
    let path = directory.path().join("file");
    fs::write(&path, "0123456789rest").expect("a file");
    for way in ["", "portable", "looped"] {
        let peer = Peer::serve(vec![Step::ReadToEnd]);
        let shell = ["sh", "-c", "head -c 10 > /dev/null; exec \"$@\"", "sh"];
        let client = nettool(["connect", &peer.target()]).env("NETTOOL_PATH", way);
        client
            .by_way_of(shell)
            .stdin(path.as_path())
            .run()
            .success();
        // What head had read and not written it has given back.
        assert_eq!(peer.seen().head, b"rest", "{way}");
        for strange in ["/proc/self/status", "/sys/class/net/lo/mtu"] {
            let peer = Peer::serve(vec![Step::ReadToEnd]);
            let client = nettool(["connect", &peer.target()]).env("NETTOOL_PATH", way);
            client.stdin(Path::new(strange)).run().success();
            assert!(!peer.seen().head.is_empty(), "{way} {strange}");
        }
    }
}
