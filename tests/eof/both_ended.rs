//! When both sides have ended, and what the peer did not take.

use super::{Plan, Side, Stdin, rows};
use crate::support::{End, Step};

rows! {
    all_is_delivered:
        connect_pipe(Connect, EndedPipe("bytes")),
        connect_file(Connect, File("bytes")),
        connect_terminal(Connect, Terminal("bytes\x04\x04")),
        listen_pipe(Listen, EndedPipe("bytes")),
        listen_file(Listen, File("bytes")),
        listen_terminal(Listen, Terminal("bytes\x04\x04"));
    a_peer_that_ends_and_closes_with_our_data_unread_is_an_error:
        connect_pipe(Connect, Pipe("unread")),
        listen_pipe(Listen, Pipe("unread"));
    a_peer_that_closes_with_our_data_unread_is_an_error:
        connect_pipe(Connect, EndedPipe("unread")),
        connect_open_pipe(Connect, Pipe("unread")),
        connect_file(Connect, File("unread")),
        connect_terminal(Connect, Terminal("unread\x04")),
        listen_pipe(Listen, EndedPipe("unread")),
        listen_open_pipe(Listen, Pipe("unread")),
        listen_file(Listen, File("unread")),
        listen_terminal(Listen, Terminal("unread\x04"));
}

fn all_is_delivered(side: Side, stdin: Stdin) {
    let answer = Step::Write(b"answer".to_vec());
    let (exit, seen) = Plan::new(side, stdin).run(vec![answer, Step::ReadToEnd]);
    exit.success()
        .printed("answer")
        .silent_but_for("listening on ");
    assert_eq!((seen.head.as_slice(), seen.end), (&b"bytes"[..], End::Eof));
}

/// `recv()` sees a clean end here; only the socket's error tells that something was lost.
fn a_peer_that_ends_and_closes_with_our_data_unread_is_an_error(side: Side, stdin: Stdin) {
    // A reset is what such a close sends, and it does not wait for a program that another test is
    // starting, which holds a copy of the socket until it runs.
    let steps = vec![Step::Pending(6), Step::Shutdown, Step::Await, Step::Reset];
    let mut talk = Plan::new(side, stdin).start(steps);
    talk.running.output_ends();
    let pipe = talk.running.stdin.take();
    talk.peer.go();
    talk.peer.seen();
    drop(pipe);
    let exit = talk.running.wait();
    let error = exit.printed("").failure(1);
    assert!(
        error.contains("0 bytes received and 6 bytes sent"),
        "{error}"
    );
}

fn a_peer_that_closes_with_our_data_unread_is_an_error(side: Side, stdin: Stdin) {
    let answer = Step::Write(b"answers".to_vec());
    let mut talk = Plan::new(side, stdin).start(vec![Step::Pending(6), answer]);
    let pipe = talk.running.stdin.take();
    let (exit, _) = talk.ends();
    let error = exit.printed("answers").failure(1);
    assert!(
        error.contains("7 bytes received and 6 bytes sent"),
        "{error}"
    );
    drop(pipe);
}
