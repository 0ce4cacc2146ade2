//! The end of standard input.

use std::time::Duration;

use super::{MOMENT, Plan, Side, Stdin, rows};
use crate::support::{CONTROL_D, End, Pattern, Step};

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
