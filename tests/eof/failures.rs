//! What fails: what came before is written, and the peer never takes our failure for an end.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;

use super::{MOMENT, Plan, Side, Stdin, rows};
use crate::support::{
    End, Input, Output, Pattern, Peer, Step, Stopwatch, in_some_try, nettool, scratch,
};

rows! {
    a_reset_after_much:
        connect_pipe(Connect, Pipe("bytes")),
        connect_ended_pipe(Connect, EndedPipe("bytes")),
        connect_file(Connect, File("bytes")),
        connect_terminal(Connect, Terminal("bytes\n")),
        connect_null(Connect, Null),
        listen_pipe(Listen, Pipe("bytes")),
        listen_ended_pipe(Listen, EndedPipe("bytes")),
        listen_file(Listen, File("bytes")),
        listen_terminal(Listen, Terminal("bytes\n")),
        listen_null(Listen, Null);
    a_reset_while_we_could_not_read:
        connect_pipe(Connect, Pipe("")),
        connect_null(Connect, Null),
        listen_pipe(Listen, Pipe("")),
        listen_null(Listen, Null);
    a_full_disk_resets:
        connect_pipe(Connect, Pipe("")),
        connect_ended_pipe(Connect, EndedPipe("bytes")),
        connect_file(Connect, File("bytes")),
        connect_terminal(Connect, Terminal("")),
        connect_null(Connect, Null),
        listen_pipe(Listen, Pipe("")),
        listen_ended_pipe(Listen, EndedPipe("bytes")),
        listen_file(Listen, File("bytes")),
        listen_terminal(Listen, Terminal("")),
        listen_null(Listen, Null);
    a_reader_that_is_gone_ends_us:
        connect_pipe(Connect, Pipe("")),
        connect_ended_pipe(Connect, EndedPipe("bytes")),
        connect_file(Connect, File("bytes")),
        connect_terminal(Connect, Terminal("")),
        connect_null(Connect, Null),
        listen_pipe(Listen, Pipe("")),
        listen_ended_pipe(Listen, EndedPipe("bytes")),
        listen_file(Listen, File("bytes")),
        listen_terminal(Listen, Terminal("")),
        listen_null(Listen, Null);
    a_reader_that_leaves_ends_us_within_a_second:
        connect_pipe(Connect, Pipe("")),
        connect_ended_pipe(Connect, EndedPipe("bytes")),
        connect_file(Connect, File("bytes")),
        connect_terminal(Connect, Terminal("")),
        connect_null(Connect, Null),
        listen_pipe(Listen, Pipe("")),
        listen_ended_pipe(Listen, EndedPipe("bytes")),
        listen_file(Listen, File("bytes")),
        listen_terminal(Listen, Terminal("")),
        listen_null(Listen, Null);
    silence_for_too_long_resets:
        connect_pipe(Connect, Pipe("")),
        connect_file(Connect, File("bytes")),
        connect_terminal(Connect, Terminal("")),
        connect_null(Connect, Null),
        listen_pipe(Listen, Pipe("")),
        listen_file(Listen, File("bytes")),
        listen_terminal(Listen, Terminal("")),
        listen_null(Listen, Null);
    a_session_that_lasts_too_long_resets:
        connect_pipe(Connect, Pipe("")),
        connect_null(Connect, Null),
        listen_pipe(Listen, Pipe("")),
        listen_null(Listen, Null);
}

fn a_reset_after_much(side: Side, stdin: Stdin) {
    let much = Pattern::new(41, 100_000);
    let steps = vec![Step::Write(much.to_vec()), Step::Drained, Step::Reset];
    let mut talk = Plan::new(side, stdin).start(steps);
    let pipe = talk.running.stdin.take();
    let (exit, _) = talk.ends();
    let error = exit.received(much.fingerprint()).failure(1);
    assert!(
        error.contains("reset") && error.contains("100000"),
        "{error}"
    );
    drop(pipe);
}

fn a_reset_while_we_could_not_read(side: Side, stdin: Stdin) {
    let much = Pattern::new(42, 50_000);
    let first = Step::Write(b"first".to_vec());
    let steps = vec![
        first,
        Step::Await,
        Step::Write(much.to_vec()),
        Step::Drained,
        Step::Reset,
    ];
    let mut talk = Plan::new(side, stdin).start(steps);
    talk.running.prints_bytes(5);
    talk.running.signal(Signal::STOP);
    talk.peer.go();
    talk.peer.seen();
    talk.running.signal(Signal::CONT);
    let pipe = talk.running.stdin.take();
    let exit = talk.running.wait();
    let expected = [&b"first"[..], &much.to_vec()].concat();
    exit.printed(expected).failure(1);
    drop(pipe);
}

#[test]
fn a_reset_in_the_middle_of_our_sending_counts_what_is_lost() {
    let much = Pattern::new(43, 50_000_000);
    // With the queues full something is lost for certain.
    let steps = || {
        vec![
            Step::Write(b"BYE".to_vec()),
            Step::Read(100_000),
            Step::Full,
            Step::Reset,
        ]
    };
    let peer = Peer::serve(steps());
    let exit = nettool(["connect", &peer.target()])
        .stdin(much.clone())
        .run();
    let error = exit.printed("BYE").failure(1).to_owned();
    assert!(
        error.contains("not delivered") || error.contains("undelivered"),
        "{error}"
    );
    let server = nettool(["listen", "127.0.0.1", "0"]).stdin(much).start();
    let peer = Peer::connect(server.listening(), steps());
    server.wait().printed("BYE").failure(1);
    peer.seen();
}

/// What a peer does that must see a reset, whether an end came before it or not.
fn wronged() -> Vec<Step> {
    vec![
        Step::Write(b"word".to_vec()),
        Step::ReadToEnd,
        Step::AwaitReset,
    ]
}

fn a_full_disk_resets(side: Side, stdin: Stdin) {
    let (exit, seen) = Plan::new(side, stdin).stdout(Output::Full).run(wronged());
    let error = exit.failure(1);
    assert!(
        error.contains("No space left on device") || error.contains("no space left"),
        "{error}"
    );
    assert_eq!(seen.end, End::Reset);
}

fn a_reader_that_is_gone_ends_us(side: Side, stdin: Stdin) {
    let (exit, seen) = Plan::new(side, stdin).stdout(Output::Broken).run(wronged());
    exit.died_of(13).silent_but_for("listening on ");
    assert_eq!(seen.end, End::Reset);
}

fn a_reader_that_leaves_ends_us_within_a_second(side: Side, stdin: Stdin) {
    let mut talk = Plan::new(side, stdin).stdout(Output::Open).start(wronged());
    assert_eq!(talk.running.read(1), b"w");
    drop(talk.running.stdout.take());
    let left = Stopwatch::start();
    let pipe = talk.running.stdin.take();
    let (exit, seen) = talk.ends();
    let awake = left.awake();
    exit.died_of(13).silent_but_for("listening on ");
    assert!(awake < LATE, "{awake:?}");
    assert_eq!(seen.end, End::Reset);
    drop(pipe);
}

/// Far later than anything that ends a program here, whoever is held up.
const LATE: Duration = Duration::from_secs(10);

fn silence_for_too_long_resets(side: Side, stdin: Stdin) {
    ends_in_time(side, stdin, &["--idle-timeout", "300ms"], MOMENT);
}

fn a_session_that_lasts_too_long_resets(side: Side, stdin: Stdin) {
    let least = Duration::from_millis(600);
    ends_in_time(side, stdin, &["--max-time", "600ms"], least);
}

/// A time that passes resets, and what came until then is written.
fn ends_in_time(side: Side, stdin: Stdin, options: &[&'static str], least: Duration) {
    in_some_try(|| {
        let mut talk = Plan::new(side, stdin).options(options).start(wronged());
        let pipe = talk.running.stdin.take();
        let (exit, seen) = talk.ends();
        exit.at_least(least).within(LATE).failure(1);
        assert_eq!(seen.end, End::Reset);
        drop(pipe);
        // The peer may have been too late to say anything.
        if exit.stdout.is_empty() {
            return false;
        }
        exit.printed("word");
        true
    });
}

/// A peer that takes what waits for it in our queue is not silent, though nothing more is written
/// into that for a long time.
#[test]
fn a_peer_that_reads_slowly_is_not_silent() {
    let directory = scratch();
    let path = directory.path().join("file");
    // As much as a queue takes at once.
    let pattern = Pattern::new(46, 3_000_000);
    fs::write(&path, pattern.to_vec()).expect("a file");
    in_some_try(|| reads_slowly(&path, &pattern));
}

/// Sends the file to peers that read slowly, in every way; whether all of it came.
fn reads_slowly(path: &Path, pattern: &Pattern) -> bool {
    let talks = ["auto", "portable", "looped"].map(|way| {
        // All of it takes longer than may be silent, and no pause does, even if it is a long one.
        let read = || [Step::Pause(Duration::from_millis(300)), Step::Read(65_536)];
        let mut steps: Vec<Step> = (0..20).flat_map(|_| read()).collect();
        steps.push(Step::ReadToEnd);
        let peer = Peer::serve(steps);
        let client = nettool(["connect", &peer.target(), "--idle-timeout", "4s"])
            .env("NETTOOL_PATH", way)
            .stdin(path)
            .start();
        (client, peer)
    });
    let ends = talks.map(|(client, peer)| (client.wait(), peer.seen()));
    ends.iter()
        .all(|(exit, seen)| exit.code == Some(0) && seen.received == pattern.fingerprint())
}

/// Nor is one whose bytes wait for our own reader. Once that has taken them silence counts again.
#[test]
fn a_peer_that_waits_for_our_reader_is_not_silent() {
    // More than the pipe and both queues hold.
    let much = Pattern::new(47, 20_000_000).to_vec();
    let steps = || vec![Step::Write(much.clone()), Step::AwaitReset];
    let options = ["--recv-only", "--idle-timeout", "4s"];
    let mut talks: Vec<_> = ["auto", "portable", "looped"]
        .into_iter()
        .flat_map(|way| {
            let start = |words: &[&str]| {
                let program = nettool(words).args(options).env("NETTOOL_PATH", way);
                program.stdout(Output::Open).start()
            };
            let peer = Peer::serve(steps());
            let client = start(&["connect", &peer.target()]);
            let server = start(&["listen", "127.0.0.1", "0"]);
            let other = Peer::connect(server.listening(), steps());
            [(client, peer), (server, other)]
        })
        .collect();
    let longer = Duration::from_millis(4500);
    for ((running, _), patience) in talks.iter().zip([longer].into_iter().chain([MOMENT; 5])) {
        assert!(running.stays(patience), "{}", running.said());
    }
    for (running, _) in &mut talks {
        assert!(running.read(much.len()) == much);
    }
    for (running, peer) in talks {
        let exit = running.wait();
        exit.says("nothing moved for 4s").status(1);
        assert_eq!(peer.seen().end, End::Reset);
    }
}

/// Bytes that never cease leave the limit its turn, whatever carries them.
#[test]
fn a_session_that_lasts_too_long_ends_under_way() {
    for path in ["auto", "portable", "looped"] {
        let endless = Pattern::new(45, u64::from(u32::MAX) * 1024);
        let peer = Peer::serve(vec![Step::Exchange(endless)]);
        let exit = nettool(["connect", &peer.addr().to_string(), "--max-time", "600ms"])
            .env("NETTOOL_PATH", path)
            .stdout(Output::Null)
            .run();
        let error = exit.within(LATE).failure(1);
        assert!(error.contains("timed out after 600ms"), "{error}");
        assert_eq!(peer.seen().end, End::Reset);
    }
}

/// A Unix stream has no reset; what is lost is an error all the same.
#[test]
fn a_unix_peer_that_closes_with_our_data_unread_is_an_error() {
    let directory = scratch();
    let path = directory.path().join("s");
    let text = path.to_str().expect("a plain path");
    let peer = Peer::serve_unix(
        &path,
        vec![Step::Pending(6), Step::Write(b"answer".to_vec())],
    );
    let exit = nettool(["connect", "-U", text]).stdin("unread").run();
    exit.printed("answer").failure(1);
    peer.seen();
    let ours = directory.path().join("o");
    let server = nettool(["listen", "-U", ours.to_str().expect("a plain path")])
        .stdin("unread")
        .start();
    server.announced(1);
    let peer = Peer::connect_unix(
        &ours,
        vec![Step::Pending(6), Step::Write(b"answer".to_vec())],
    );
    peer.seen();
    server.wait().printed("answer").failure(1);
}

/// A reset before a byte has passed was a look, not a client.
#[test]
fn a_listener_outlives_a_look() {
    let server = nettool(["listen", "127.0.0.1", "0"])
        .stdin("answer")
        .start();
    let address = server.listening();
    // Stopped, it finds them all reset already, however busy the machine is.
    server.signal(Signal::STOP);
    for _ in 0..3 {
        Peer::connect(address, vec![Step::Reset]).seen();
    }
    let client = vec![
        Step::Write(b"client".to_vec()),
        Step::Shutdown,
        Step::ReadToEnd,
    ];
    let client = Peer::connect(address, client);
    server.signal(Signal::CONT);
    assert_eq!(client.seen().head, b"answer");
    server.wait().success().printed("client");
}

/// A client whose bytes came before its reset was no look, however late we are to see it.
#[test]
fn a_client_that_came_and_broke_off_while_we_could_not_look() {
    let much = Pattern::new(44, 50_000);
    let server = nettool(["listen", "127.0.0.1", "0"])
        .stdin("answer")
        .start();
    let address = server.listening();
    server.signal(Signal::STOP);
    let steps = vec![Step::Write(much.to_vec()), Step::Drained, Step::Reset];
    Peer::connect(address, steps).seen();
    server.signal(Signal::CONT);
    let exit = server.wait();
    let error = exit.received(much.fingerprint()).failure(1);
    assert!(error.contains("50000 bytes received"), "{error}");
}

/// Our end of file is not sent when the reset is there already: the reset is the reason, not us.
#[test]
fn a_reset_before_our_shutdown_is_named() {
    let peer = Peer::serve(vec![
        Step::Write(b"word".to_vec()),
        Step::Await,
        Step::Reset,
    ]);
    let mut client = nettool(["connect", &peer.target()])
        .stdin(Input::Open)
        .start();
    client.prints("word");
    client.signal(Signal::STOP);
    drop(client.stdin.take());
    peer.go();
    peer.seen();
    client.signal(Signal::CONT);
    let exit = client.wait();
    let error = exit.printed("word").failure(1);
    assert!(
        error.contains("reset") && error.contains("0 bytes sent"),
        "{error}"
    );
}

/// Whoever was stopped, as by Ctrl-Z, knows nothing of that time: the silence was its own.
#[test]
fn a_stopped_program_does_not_take_its_sleep_for_idleness() {
    std::thread::scope(|together| {
        for options in [&[][..], &["--keep-open"]] {
            together.spawn(|| outsleeps_its_limit(options));
        }
    });
}

/// Stops a server with these options for longer than its client may be silent.
fn outsleeps_its_limit(options: &[&str]) {
    // The limit is longer than anybody else may be held up.
    let server = nettool(["listen", "127.0.0.1", "0", "--idle-timeout", "4s"]);
    let server = server.args(options).stdin(Input::Open).start();
    let steps = vec![
        Step::Write(b"word".to_vec()),
        Step::Await,
        Step::Write(b"late".to_vec()),
        Step::Await,
    ];
    let peer = Peer::connect(server.listening(), steps);
    server.prints("word");
    server.asleep(|| assert!(server.stays(Duration::from_millis(4500))));
    peer.go();
    server.prints("wordlate");
    peer.go();
    peer.seen();
    if options.is_empty() {
        server.wait().success();
    } else {
        server.signal(Signal::INT);
        let exit = server.wait();
        assert!(!exit.stderr.contains("nothing moved"), "{}", exit.stderr);
    }
}

/// The kept pipe is written to after the peer has broken off: its failure is the session's.
#[test]
fn sending_into_a_broken_connection_is_an_error() {
    for side in [Side::Connect, Side::Listen] {
        let steps = vec![
            Step::Write(b"word".to_vec()),
            Step::Read(5),
            Step::Await,
            Step::Reset,
        ];
        let mut talk = Plan::new(side, Stdin::Pipe("bytes")).start(steps);
        talk.running.prints("word");
        talk.peer.go();
        talk.peer.seen();
        // It may have noticed already, and closed its end of the pipe.
        let _ = talk
            .running
            .stdin
            .take()
            .map(|mut pipe| pipe.write_all(b"more"));
        talk.running.wait().printed("word").failure(1);
    }
}

/// An input that cannot be read is our failure, too.
#[test]
fn an_unreadable_input_resets() {
    let peer = Peer::serve(wronged());
    let directory = fs::File::open("/").expect("a directory");
    let exit = nettool(["connect", &peer.target()])
        .stdin(Input::Fd(directory.into()))
        .run();
    exit.failure(1);
    assert_eq!(peer.seen().end, End::Reset);
}
