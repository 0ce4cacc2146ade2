//! A signal in the middle: the peer sees an end where everything was said, and a reset where not.

use rustix::process::Signal;

use super::{MOMENT, Plan, Side, Stdin, rows};
use crate::support::{CONTROL_C, End, Output, Pattern, Peer, Step, Stopwatch, nettool, until};

rows! {
    a_signal_resets_what_was_not_all_said:
        connect_pipe(Connect, Pipe("bytes")),
        listen_pipe(Listen, Pipe("bytes"));
    a_signal_is_a_clean_end_where_all_was_said:
        connect_pipe(Connect, EndedPipe("bytes")),
        connect_file(Connect, File("bytes")),
        connect_terminal(Connect, Terminal("bytes\n")),
        connect_null(Connect, Null),
        listen_pipe(Listen, EndedPipe("bytes")),
        listen_file(Listen, File("bytes")),
        listen_terminal(Listen, Terminal("bytes\n")),
        listen_null(Listen, Null);
}

fn a_signal_resets_what_was_not_all_said(side: Side, stdin: Stdin) {
    for (signal, number) in [(Signal::TERM, 15), (Signal::INT, 2), (Signal::HUP, 1)] {
        let steps = vec![Step::Write(b"word".to_vec()), Step::ReadToEnd];
        let mut talk = Plan::new(side, stdin).start(steps);
        talk.running.prints("word");
        let pipe = talk.running.stdin.take();
        talk.running.signal(signal);
        let exit = talk.running.wait();
        exit.died_of(number)
            .printed("word")
            .silent_but_for("listening on ");
        assert_eq!(talk.peer.seen().end, End::Reset);
        drop(pipe);
    }
}

fn a_signal_is_a_clean_end_where_all_was_said(side: Side, stdin: Stdin) {
    let expected: &[u8] = if stdin == Stdin::Null { b"" } else { b"bytes" };
    let steps = vec![
        Step::Read(expected.len()),
        Step::Write(b"word".to_vec()),
        Step::ReadToEnd,
        Step::Await,
    ];
    let talk = Plan::new(side, stdin).start(steps);
    talk.running.prints("word");
    // Nobody is told when the end of an empty input was read.
    talk.running.rests();
    talk.running.signal(Signal::TERM);
    talk.running.wait().died_of(15).printed("word");
    talk.peer.go();
    let seen = talk.peer.seen();
    assert_eq!((seen.head.trim_ascii_end(), seen.end), (expected, End::Eof));
}

#[test]
fn a_file_that_was_not_all_sent_is_reset() {
    let directory = crate::support::scratch();
    let path = directory.path().join("much");
    std::fs::write(&path, Pattern::new(51, 20_000_000).to_vec()).expect("a file");
    // Nothing is read, so most of the file is still to be sent.
    let peer = Peer::serve(vec![
        Step::Write(b"word".to_vec()),
        Step::Await,
        Step::ReadToEnd,
    ]);
    let client = nettool(["connect", &peer.target()])
        .stdin(path.as_path())
        .start();
    client.prints("word");
    client.signal(Signal::TERM);
    client.wait().died_of(15);
    peer.go();
    assert_eq!(peer.seen().end, End::Reset);
}

/// The ways that bytes are carried, and options that choose one.
const WAYS: [(&str, &[&str], u64); 5] = [
    // A pipe that is spliced into holds more than its size.
    ("", &[], 24_000_000),
    ("portable", &[], 400_000),
    ("looped", &[], 400_000),
    ("", &["--checksum", "sha256"], 400_000),
    ("", &["--limit-rate", "1G"], 400_000),
];

#[test]
fn what_was_taken_and_not_written_is_never_followed_by_a_good_end() {
    for (side, stdin) in [
        (Side::Listen, Stdin::Null),
        (Side::Listen, Stdin::EndedPipe("bytes")),
        (Side::Connect, Stdin::EndedPipe("bytes")),
    ] {
        for (way, options, length) in WAYS {
            let write = Step::Write(Pattern::new(53, length).to_vec());
            // With an empty stdin our own end is held back, and is what the peer waits for.
            let steps = match stdin {
                Stdin::Null => vec![write, Step::Shutdown, Step::ReadToEnd],
                _ => vec![write, Step::ReadToEnd, Step::AwaitReset],
            };
            let plan = Plan::new(side, stdin).options(options).way(way);
            let mut talk = plan.stdout(Output::Open).start(steps);
            let pipe = talk.running.stdout.as_ref().expect("a kept pipe");
            until("stdout is full", || {
                rustix::io::ioctl_fionread(pipe).expect("a pipe") > 60_000
            });
            talk.running.rests();
            let pipe = talk.running.stdout.take();
            talk.running.signal(Signal::TERM);
            let exit = talk.running.wait();
            exit.died_of(15);
            if options.contains(&"--checksum") {
                exit.says("  received (not all of it was written)");
            }
            assert_eq!(talk.peer.seen().end, End::Reset, "{way} {options:?}");
            drop(pipe);
        }
    }
}

#[test]
fn control_c_ends_both_commands() {
    for side in [Side::Connect, Side::Listen] {
        let steps = vec![Step::Write(b"word".to_vec()), Step::ReadToEnd];
        let mut talk = Plan::new(side, Stdin::Terminal("")).start(steps);
        talk.running.prints("word");
        let before = talk.keyboard().settings();
        talk.keyboard().types(CONTROL_C);
        talk.running.wait().died_of(2);
        assert_eq!(talk.peer.seen().end, End::Eof);
        assert_eq!(talk.terminal.expect("a terminal").settings(), before);
    }
}

#[test]
fn an_ignored_signal_stays_ignored() {
    let steps = vec![Step::Write(b"word".to_vec()), Step::ReadToEnd];
    let peer = Peer::serve(steps);
    let words = ["sh", "-c", "trap '' HUP; exec \"$@\"", "sh"];
    let mut client = nettool(["connect", &peer.target()])
        .by_way_of(words)
        .stdin(crate::support::Input::Open)
        .start();
    client.prints("word");
    client.signal(Signal::HUP);
    assert!(client.stays(MOMENT));
    drop(client.stdin.take());
    client.wait().success();
}

#[test]
fn a_stopped_reader_does_not_hold_a_signal_up() {
    for side in [Side::Connect, Side::Listen] {
        let steps = vec![Step::Exchange(Pattern::new(52, 3_000_000))];
        let mut talk = Plan::new(side, Stdin::Pipe(""))
            .stdout(Output::Open)
            .start(steps);
        assert_eq!(talk.running.read(1).len(), 1);
        talk.running.signal(Signal::TERM);
        let stdout = talk.running.stdout.take();
        let start = Stopwatch::start();
        talk.running.wait().died_of(15);
        assert!(
            start.awake() < std::time::Duration::from_secs(10),
            "{:?}",
            start.awake()
        );
        drop(stdout);
    }
}
