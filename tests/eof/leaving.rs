//! Leaving early, without turning the close into a reset.

use std::time::Duration;

use super::{Plan, Side, Stdin, rows};
use crate::support::{End, Input, Output, Pattern, Peer, Step, in_some_try, nettool, scratch};

rows! {
    until_stdin_leaves_at_our_end:
        connect_pipe(Connect, EndedPipe("bytes")),
        connect_file(Connect, File("bytes")),
        connect_terminal(Connect, Terminal("bytes\x04\x04")),
        listen_pipe(Listen, EndedPipe("bytes")),
        listen_file(Listen, File("bytes")),
        listen_terminal(Listen, Terminal("bytes\x04\x04"));
    until_stdin_leaves_at_once_when_there_is_none:
        connect_null(Connect, Null),
        connect_pipe(Connect, EndedPipe(""));
    quit_after_leaves_later:
        connect_pipe(Connect, EndedPipe("bytes")),
        connect_file(Connect, File("bytes")),
        connect_terminal(Connect, Terminal("bytes\x04\x04")),
        listen_pipe(Listen, EndedPipe("bytes")),
        listen_file(Listen, File("bytes")),
        listen_terminal(Listen, Terminal("bytes\x04\x04"));
}

/// The peer keeps its side open until it has seen our end.
fn patient() -> Vec<Step> {
    vec![Step::ReadToEnd, Step::Await]
}

fn until_stdin_leaves_at_our_end(side: Side, stdin: Stdin) {
    let talk = Plan::new(side, stdin)
        .options(&["--until", "stdin"])
        .start(patient());
    talk.running.wait().success();
    talk.peer.go();
    let seen = talk.peer.seen();
    assert_eq!((seen.head.as_slice(), seen.end), (&b"bytes"[..], End::Eof));
}

fn until_stdin_leaves_at_once_when_there_is_none(side: Side, stdin: Stdin) {
    let talk = Plan::new(side, stdin)
        .options(&["--until", "stdin"])
        .start(patient());
    talk.running.wait().success().printed("");
    talk.peer.go();
    assert_eq!(talk.peer.seen().end, End::Eof);
}

fn quit_after_leaves_later(side: Side, stdin: Stdin) {
    in_some_try(|| {
        let steps = vec![
            Step::Read(5),
            Step::Write(b"answer".to_vec()),
            Step::ReadToEnd,
            Step::Await,
        ];
        let talk = Plan::new(side, stdin)
            .options(&["--quit-after", "700ms"])
            .start(steps);
        let exit = talk.running.wait();
        exit.success();
        exit.at_least(Duration::from_millis(700))
            .within(Duration::from_secs(10));
        talk.peer.go();
        let seen = talk.peer.seen();
        // The answer may have come too late.
        if exit.stdout.is_empty() {
            return false;
        }
        exit.printed("answer");
        assert_eq!(seen.end, End::Eof);
        true
    });
}

/// A peer that has sent much which nobody reads still gets all that was sent to it; whether our input
/// never paused for too long.
fn input_that_comes_does_no_harm(side: Side, options: &[&str], stdin: impl Into<Input>) -> bool {
    let much = Pattern::new(31, 5_000_000);
    let steps = vec![Step::Exchange(Pattern::new(32, 3_000_000))];
    let program = |words: &[&str]| {
        let words = words.iter().chain(options);
        nettool(words).stdin(stdin).stdout(Output::Hashed)
    };
    let (running, peer) = match side {
        Side::Connect => {
            let peer = Peer::serve(steps);
            (program(&["connect", &peer.target()]).start(), peer)
        }
        Side::Listen => {
            let running = program(&["listen", "127.0.0.1", "0"]).start();
            let peer = Peer::connect(running.listening(), steps);
            (running, peer)
        }
    };
    let exit = running.wait();
    exit.success();
    if options == ["--send-only"] {
        assert_eq!(exit.received.map(|received| received.count), Some(0));
    }
    let seen = peer.seen();
    if exit.stderr.contains("stdin is idle") {
        return false;
    }
    assert_eq!(seen.received, much.fingerprint());
    true
}

#[test]
fn sending_only_drops_what_comes() {
    let directory = scratch();
    let path = directory.path().join("much");
    let much = Pattern::new(31, 5_000_000);
    std::fs::write(&path, much.to_vec()).expect("a file");
    for side in [Side::Connect, Side::Listen] {
        for options in [&["--send-only"][..], &["--until", "stdin"]] {
            in_some_try(|| input_that_comes_does_no_harm(side, options, much.clone()));
            let sent = input_that_comes_does_no_harm(side, options, path.as_path());
            assert!(sent, "a file is never idle");
        }
    }
}
