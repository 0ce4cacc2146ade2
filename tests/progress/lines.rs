//! A line a second, and a line when it is asked for.

use std::io::Write;
use std::net::UdpSocket;

use rustix::process::Signal;
use serde_json::Value;

use super::{MOMENT, file};
use crate::support::{Input, Output, Pattern, Peer, Step, again, nettool, records_of, until};

#[test]
fn a_line_a_second() {
    let (_directory, path) = file(20_000_000);
    let peer = Peer::serve(vec![Step::Await, Step::ReadToEnd]);
    let words = ["connect", &peer.target(), "--progress", "log"];
    let client = nettool(words)
        .arg("--send-only")
        .stdin(path.as_path())
        .start();
    until("there are two lines", || client.said().lines().count() > 1);
    peer.go();
    let exit = client.wait();
    exit.success();
    let mut before = "0:00".to_owned();
    for line in exit.stderr.lines() {
        assert!(line.starts_with("nettool: sent "), "{line}");
        assert!(line.contains(" of 20000000 B (19.1 MiB), "), "{line}");
        assert!(line.contains(" %, received 0 B, "), "{line}");
        // A second in which the machine stood still has no line.
        let second = line
            .strip_suffix(" elapsed")
            .and_then(|rest| rest.get(rest.len() - 4..));
        let second = second.expect("a time").to_owned();
        assert!(before < second, "{before}: {line}");
        before = second;
    }
}

#[test]
fn records_a_second() {
    for form in ["log", "bar"] {
        let (_directory, path) = file(20_000_000);
        let peer = Peer::serve(vec![Step::Await, Step::ReadToEnd]);
        let words = ["connect", "--json", &peer.target(), "--progress", form];
        let client = nettool(words).stdin(path.as_path()).start();
        let full = |record: &Value| {
            let number = |name: &str| record[name].as_u64().expect("a number");
            number("bytes_acked") < number("bytes_sent")
        };
        until("the queues are full", || {
            let said = client.said();
            let whole = said.rfind('\n').map_or("", |end| &said[..end]);
            records_of(whole, "progress").iter().any(full)
        });
        peer.go();
        let exit = client.wait();
        exit.status(0);
        let mut progress = records_of(&exit.stderr, "progress");
        progress.retain(full);
        let progress = progress.remove(0);
        let number = |name: &str| progress[name].as_u64().expect("a number");
        assert_eq!(number("client"), 1);
        assert_eq!(number("bytes_total"), 20_000_000);
        assert_eq!(number("bytes_received"), 0);
        assert!(number("elapsed_us") >= 1_000_000, "{progress}");
        // Nothing was read: what the two kernels do not hold is not even written.
        assert!(number("bytes_sent") < 20_000_000, "{progress}");
        let transfer = records_of(&exit.stderr, "transfer").remove(0);
        assert_eq!(transfer["bytes_acked"], 20_000_000);
    }
}

/// `-q` wants errors alone, and an answer to who asks.
#[test]
fn quiet_means_no_progress() {
    let (_directory, path) = file(20_000_000);
    for form in ["log", "bar"] {
        let peer = Peer::serve(vec![Step::Await, Step::ReadToEnd]);
        let words = ["connect", "-q", &peer.target(), "--progress", form];
        let client = nettool(words).stdin(path.as_path()).start();
        assert!(client.stays(MOMENT));
        client.rests();
        client.signal(Signal::USR1);
        client.says(" queued, ");
        peer.go();
        let exit = client.wait();
        exit.success().silent_but_for("nettool: sent ");
        assert_eq!(exit.stderr.lines().count(), 1, "{}", exit.stderr);
    }
}

#[test]
fn whoever_asks_is_told() {
    let peer = Peer::serve(vec![
        Step::Write(b"answer".to_vec()),
        Step::Read(5),
        Step::Await,
        Step::ReadToEnd,
    ]);
    let client = nettool(["connect", &peer.target()]).stdin(Input::Open);
    let mut client = client.start();
    let mut pipe = client.stdin.take().expect("a pipe");
    pipe.write_all(b"bytes").expect("a reader");
    client.prints("answer");
    until("the peer has read it", || {
        client.signal(Signal::USR1);
        client.said().contains("nettool: sent 5 B, received 6 B, ")
    });
    peer.go();
    drop(pipe);
    client.wait().success();
}

/// A signal cuts any system call short; not a byte is lost by it.
#[test]
fn however_often_somebody_asks_the_bytes_arrive() {
    for path in ["auto", "portable", "looped"] {
        let pattern = Pattern::new(76, 50_000_000);
        let server = nettool(["listen", "127.0.0.1", "0"]).env("NETTOOL_PATH", path);
        let server = server.stdout(Output::Hashed).start();
        let target = server.listening().to_string();
        let client = nettool(["connect", "-v", "--send-only", &target]);
        let client = client.env("NETTOOL_PATH", path).stdin(pattern.clone());
        let client = client.start();
        client.says("connected over");
        let length = format!("sent {} B", 50_000_000);
        until("all of it is sent", || {
            client.signal(Signal::USR1);
            server.signal(Signal::USR1);
            client.said().contains(&length)
        });
        client.wait().success();
        let exit = server.wait();
        exit.success().received(pattern.fingerprint());
    }
}

/// A port probe is nobody.
#[test]
fn whoever_looks_in_is_nobody() {
    let server = nettool(["listen", "-v", "127.0.0.1", "0", "--progress", "log"]);
    let server = server.stdin(Input::Open).start();
    let client = Peer::connect(server.listening(), vec![Step::Reset]);
    client.seen();
    server.says("not the client");
    server.signal(Signal::USR1);
    server.says("nettool: listening, no client yet, 0:");
    let client = Peer::connect(
        server.listening(),
        vec![Step::Write(b"word".to_vec()), Step::Await],
    );
    server.prints("word");
    server.says("nettool: sent 0 B, received 4 B, 0:");
    client.go();
    server.wait().success();
}

#[test]
fn nobody_is_there_yet() {
    let server = nettool(["listen", "127.0.0.1", "0"]).start();
    let addr = server.listening();
    server.signal(Signal::USR1);
    server.says("nettool: listening, no client yet, 0:");
    let client = Peer::connect(addr, vec![Step::Write(b"word".to_vec())]);
    server.prints("word");
    server.wait().success();
    client.seen();
    let server = nettool(["listen", "--json", "127.0.0.1", "0"]).start();
    server.says("listening");
    server.signal(Signal::USR1);
    server.says("progress");
    server.signal(Signal::TERM);
    let exit = server.wait();
    exit.died_of(15);
    let progress = records_of(&exit.stderr, "progress").remove(0);
    assert!(progress["client"].is_null(), "{progress}");
    assert_eq!(progress["bytes_received"], 0);
}

/// Between two tries there is nobody, either.
#[test]
fn nobody_has_answered_yet() {
    let words = ["connect", "-v", "-U", "/nonexistent/socket"];
    let client = nettool(words).args(["--retry", "1", "--retry-delay", "1h"]);
    let client = client.start();
    client.says("again in 1h");
    client.signal(Signal::USR1);
    client.says("nettool: connecting to /nonexistent/socket, 0:");
    client.signal(Signal::TERM);
    client.wait().died_of(15);
}

#[test]
fn datagrams_are_counted() {
    let server = UdpSocket::bind("127.0.0.1:0").expect("a port");
    server
        .set_read_timeout(Some(crate::support::LIMIT))
        .expect("a timeout");
    let target = server.local_addr().expect("an address").to_string();
    let client = nettool(["connect", "-u", "--json", &target]).stdin(Input::Open);
    let mut client = client.start();
    let mut pipe = client.stdin.take().expect("a pipe");
    pipe.write_all(b"bytes").expect("a reader");
    let mut buffer = [0; 16];
    let (_, from) = again(|| server.recv_from(&mut buffer)).expect("a datagram");
    server.send_to(b"answer", from).expect("a datagram");
    client.prints("answer");
    client.signal(Signal::USR1);
    client.says("progress");
    drop(pipe);
    let exit = client.wait();
    exit.status(0);
    let progress = records_of(&exit.stderr, "progress").remove(0);
    assert_eq!(progress["bytes_sent"], 5);
    assert!(progress["bytes_acked"].is_null());
    assert_eq!(progress["bytes_received"], 6);
}

#[test]
fn a_question_that_our_parent_ignores_is_ignored() {
    let peer = Peer::serve(vec![
        Step::Write(b"word".to_vec()),
        Step::Await,
        Step::ReadToEnd,
    ]);
    let words = ["sh", "-c", "trap '' USR1; exec \"$@\"", "sh"];
    let client = nettool(["connect", &peer.target()]).by_way_of(words);
    let client = client.stdin(Input::Open).start();
    client.prints("word");
    client.signal(Signal::USR1);
    peer.go();
    client.wait().success().silent();
}

#[test]
fn a_size_without_progress_is_refused() {
    for command in ["connect", "listen"] {
        let words = [command, "127.0.0.1", "9", "--size", "1G", "--progress=none"];
        let exit = nettool(words).run();
        assert!(
            exit.failure(2).contains("--size") && exit.failure(2).contains("--progress none"),
            "{}",
            exit.stderr
        );
    }
    for wrong in [["--progress", "bars"], ["--size", "0"], ["--size", "1x"]] {
        let exit = nettool(["connect", "127.0.0.1", "9"]).args(wrong).run();
        exit.status(2).says(wrong[0]).says(wrong[1]);
    }
}
