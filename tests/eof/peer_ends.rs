//! The end of the peer while we have not ended.

use std::io::Write;
use std::time::{Duration, Instant};

use super::{MOMENT, Plan, Side, Stdin, Talk, rows};
use crate::support::{
    End, Exit, Input, LIMIT, Namespace, Pattern, Peer, Seen, Step, in_some_try, need, nettool,
    scratch, unless_late,
};

rows! {
    stdout_is_closed_and_stdin_still_sent:
        connect_pipe(Connect, Pipe("")),
        listen_pipe(Listen, Pipe(""));
    somebody_who_types_is_done:
        connect_terminal(Connect, Terminal("")),
        listen_terminal(Listen, Terminal("")),
        connect_terminal_that_spoke(Connect, Terminal("hello\n")),
        listen_terminal_that_spoke(Listen, Terminal("hello\n"));
    an_input_that_ended_is_done:
        connect_pipe(Connect, EndedPipe("")),
        connect_file(Connect, File("bytes")),
        connect_null(Connect, Null),
        listen_pipe(Listen, EndedPipe("bytes")),
        listen_file(Listen, File("")),
        listen_null(Listen, Null);
    a_peer_that_said_nothing_is_no_reason_to_leave:
        connect_pipe(Connect, Pipe("bytes"));
    a_listener_waits_for_its_input:
        listen_pipe(Listen, Pipe("bytes"));
    until_peer_leaves_at_once:
        connect_pipe(Connect, Pipe("bytes")),
        connect_terminal(Connect, Terminal("bytes\n")),
        listen_pipe(Listen, Pipe("bytes")),
        listen_terminal(Listen, Terminal("bytes\n"));
    until_both_waits:
        connect_pipe(Connect, Pipe("bytes\n")),
        connect_terminal(Connect, Terminal("bytes\n")),
        listen_pipe(Listen, Pipe("bytes\n")),
        listen_terminal(Listen, Terminal("bytes\n"));
}

/// A peer that says goodbye and goes on listening.
fn goodbye() -> Vec<Step> {
    vec![
        Step::Write(b"BYE".to_vec()),
        Step::Shutdown,
        Step::ReadToEnd,
    ]
}

/// The same when it is told to go on.
fn goodbye_later() -> Vec<Step> {
    [vec![Step::Await], goodbye()]
        .into_iter()
        .flatten()
        .collect()
}

/// It printed what the peer said and complained of nothing, and the peer heard this and a good end.
#[track_caller]
fn ended_well(exit: &Exit, seen: &Seen, heard: &str) {
    exit.success()
        .printed("BYE")
        .silent_but_for("listening on ");
    assert_eq!(
        (seen.head.trim_ascii_end(), seen.end),
        (heard.as_bytes(), End::Eof)
    );
}

/// Less than an input may be idle when the peer has ended.
const HASTE: Duration = Duration::from_millis(400);

fn stdout_is_closed_and_stdin_still_sent(side: Side, stdin: Stdin) {
    unless_late(|| {
        let mut talk = Plan::new(side, stdin).start(goodbye_later());
        let ends = Instant::now();
        talk.peer.go();
        talk.running.output_ends();
        let wrote = talk.pipe().write_all(b"still to say");
        drop(talk.running.stdin.take());
        if ends.elapsed() > HASTE {
            return false;
        }
        wrote.expect("a program that reads on");
        let (exit, seen) = talk.ends();
        ended_well(&exit, &seen, "still to say");
        true
    });
}

/// Much to send when the peer has ended already; whether the input never paused for too long.
fn much_is_still_sent(side: Side, give: impl Fn(&Pattern) -> Input) -> bool {
    let much = Pattern::new(21, 50_000_000);
    let program = |words: &[&str]| {
        nettool(words)
            .stdin(give(&much))
            .limit(Duration::from_secs(120))
    };
    let (running, peer) = match side {
        Side::Connect => {
            let peer = Peer::serve(goodbye());
            (program(&["connect", &peer.target()]).start(), peer)
        }
        Side::Listen => {
            let running = program(&["listen", "127.0.0.1", "0"]).start();
            let peer = Peer::connect(running.listening(), goodbye());
            (running, peer)
        }
    };
    let exit = running.wait();
    exit.success().printed("BYE");
    let seen = peer.seen();
    if exit.stderr.contains("stdin is idle") {
        return false;
    }
    assert_eq!((seen.received, seen.end), (much.fingerprint(), End::Eof));
    true
}

#[test]
fn much_is_still_sent_from_a_pipe() {
    for side in [Side::Connect, Side::Listen] {
        in_some_try(|| much_is_still_sent(side, |much| much.clone().into()));
    }
}

#[test]
fn much_is_still_sent_from_a_file() {
    let directory = scratch();
    let path = directory.path().join("much");
    for side in [Side::Connect, Side::Listen] {
        let sent = much_is_still_sent(side, |much| {
            std::fs::write(&path, much.to_vec()).expect("a file");
            path.as_path().into()
        });
        assert!(sent, "a file is never idle");
    }
}

fn somebody_who_types_is_done(side: Side, stdin: Stdin) {
    let said = if stdin == Stdin::Terminal("") {
        ""
    } else {
        "hello\n"
    };
    let before = vec![Step::Read(said.len())];
    let mut talk = Plan::new(side, stdin).start(before.into_iter().chain(goodbye()).collect());
    let settings = talk.keyboard().settings();
    let terminal = talk.terminal.take();
    let (exit, seen) = talk.ends();
    exit.success()
        .printed("BYE")
        .silent_but_for("listening on ");
    assert_eq!(
        (seen.head.as_slice(), seen.end),
        (said.as_bytes(), End::Eof)
    );
    assert_eq!(terminal.expect("a terminal").settings(), settings);
}

fn an_input_that_ended_is_done(side: Side, stdin: Stdin) {
    let (exit, seen) = Plan::new(side, stdin).run(goodbye());
    exit.success()
        .printed("BYE")
        .silent_but_for("listening on ");
    assert_eq!(seen.end, End::Eof);
}

#[test]
fn connect_leaves_an_idle_input_after_an_answer() {
    let mut talk = Plan::new(Side::Connect, Stdin::Pipe("bytes")).start(goodbye_later());
    let ends = Instant::now();
    talk.peer.go();
    talk.running.output_ends();
    let pipe = talk.running.stdin.take();
    let (exit, seen) = talk.ends();
    let idle = ends.elapsed();
    // How long it really takes is up to the machine: the far bound is a wait without end.
    assert!(
        idle >= Duration::from_millis(500) && idle < LIMIT,
        "{idle:?}"
    );
    exit.success().printed("BYE").says("--until both");
    assert_eq!(exit.stderr.lines().count(), 1, "{}", exit.stderr);
    assert_eq!((seen.head.as_slice(), seen.end), (&b"bytes"[..], End::Eof));
    drop(pipe);
}

#[test]
fn connect_stays_while_its_input_is_not_idle() {
    unless_late(|| {
        let mut talk = Plan::new(Side::Connect, Stdin::Pipe("")).start(goodbye_later());
        let mut spoke = Instant::now();
        talk.peer.go();
        talk.running.output_ends();
        for _ in 0..10 {
            let stays = talk.running.stays(MOMENT / 3);
            let wrote = talk.pipe().write_all(b"word ");
            if spoke.elapsed() > HASTE {
                return false;
            }
            assert!(stays);
            wrote.expect("a program that reads on");
            spoke = Instant::now();
        }
        drop(talk.running.stdin.take());
        if spoke.elapsed() > HASTE {
            return false;
        }
        let (exit, seen) = talk.ends();
        exit.success().silent();
        assert_eq!((seen.head, seen.end), (b"word ".repeat(10), End::Eof));
        true
    });
}

/// Whoever was stopped, as by Ctrl-Z, does not take that time for one in which its input was idle.
#[test]
fn a_stopped_program_does_not_leave_for_its_sleep() {
    unless_late(|| {
        let mut talk = Plan::new(Side::Connect, Stdin::Pipe("")).start(goodbye_later());
        let ends = Instant::now();
        talk.peer.go();
        talk.running.output_ends();
        let (mut stopped, mut woken) = (ends, ends);
        talk.running.asleep(|| {
            stopped = Instant::now();
            talk.running.stays(Duration::from_secs(1));
            woken = Instant::now();
        });
        let stays = talk.running.stays(MOMENT / 2);
        let wrote = talk.pipe().write_all(b"late");
        drop(talk.running.stdin.take());
        // It had less than half a second before, and has less now.
        if stopped - ends > HASTE || woken.elapsed() > HASTE {
            return false;
        }
        assert!(stays);
        wrote.expect("a program that reads on");
        let (exit, seen) = talk.ends();
        exit.success().silent();
        assert_eq!((seen.head.as_slice(), seen.end), (&b"late"[..], End::Eof));
        true
    });
}

fn a_peer_that_said_nothing_is_no_reason_to_leave(side: Side, stdin: Stdin) {
    waits(
        Plan::new(side, stdin).start(vec![Step::Shutdown, Step::ReadToEnd]),
        "",
    );
}

fn a_listener_waits_for_its_input(side: Side, stdin: Stdin) {
    waits(Plan::new(side, stdin).start(goodbye()), "BYE");
}

/// It waits for its input, and says so after two seconds, once.
fn waits(mut talk: Talk, answer: &str) {
    talk.running.output_ends();
    talk.running.says("--until peer");
    assert!(talk.running.stays(MOMENT));
    talk.pipe()
        .write_all(b" and more")
        .expect("a program that reads on");
    drop(talk.running.stdin.take());
    let (exit, seen) = talk.ends();
    exit.success()
        .printed(answer)
        .at_least(Duration::from_secs(2));
    let said = exit
        .stderr
        .lines()
        .filter(|line| line.contains("--until peer"))
        .count();
    assert_eq!(said, 1, "{}", exit.stderr);
    assert_eq!(
        (seen.head.as_slice(), seen.end),
        (&b"bytes and more"[..], End::Eof)
    );
}

fn until_peer_leaves_at_once(side: Side, stdin: Stdin) {
    let steps = [vec![Step::Read(5)], goodbye()]
        .into_iter()
        .flatten()
        .collect();
    let plan = Plan::new(side, stdin).options(&["--until", "peer"]);
    let mut talk = plan.start(steps);
    let pipe = talk.running.stdin.take();
    let (exit, seen) = talk.ends();
    // Without the option it would have said that it leaves, or that it waits.
    ended_well(&exit, &seen, "bytes");
    drop(pipe);
}

fn until_both_waits(side: Side, stdin: Stdin) {
    let typed = matches!(stdin, Stdin::Terminal(_));
    let mut talk = Plan::new(side, stdin)
        .options(&["--until", "both"])
        .start(goodbye());
    talk.running.output_ends();
    assert!(talk.running.stays(Duration::from_secs(1)));
    if typed {
        talk.keyboard().types("more\n\x04");
    } else {
        talk.pipe()
            .write_all(b"more\n")
            .expect("a program that reads on");
        drop(talk.running.stdin.take());
    }
    let (exit, seen) = talk.ends();
    exit.success().printed("BYE");
    assert_eq!(
        (seen.head.as_slice(), seen.end),
        (&b"bytes\nmore\n"[..], End::Eof)
    );
}

/// From the peer's end on a probe every five seconds finds that it is gone.
#[test]
fn a_peer_that_vanished_after_its_end_is_found() {
    if !need(&["nft"]) {
        return;
    }
    let Some((near, far)) = Namespace::pair() else {
        return;
    };
    let server = nettool(["listen", "10.77.0.1", "7"]).stdin(Input::Open);
    let server = near.inside(server).start();
    let address = server.listening();
    let steps = vec![
        Step::Write(b"BYE".to_vec()),
        Step::Shutdown,
        Step::Await,
        Step::Reset,
    ];
    let Some(peer) = far.on_a_thread(|| Peer::connect(address, steps)) else {
        return;
    };
    server.output_ends();
    let silence =
        "table inet t { chain c { type filter hook output priority 0; tcp dport 7 drop; }; }";
    far.rules(silence);
    peer.go();
    peer.seen();
    far.rules("flush ruleset");
    let mut server = server;
    let pipe = server.stdin.take();
    let exit = server.wait();
    exit.printed("BYE").failure(1);
    drop(pipe);
}
