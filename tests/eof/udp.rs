//! Datagrams have no end: how long `connect --udp` stays, and what it reports.

use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{
    Input, LIMIT, Program, again, closed_udp_port, in_some_try, nettool, scratch, unless_late,
};

/// A peer on a free port, no receive of which waits longer than the limit.
fn peer() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    socket.set_read_timeout(Some(LIMIT)).expect("a timeout");
    socket
}

/// `nettool connect --udp` to `peer`.
fn connect(peer: &UdpSocket) -> Program {
    let addr = peer.local_addr().expect("a bound address");
    nettool(["connect", "--udp", &addr.to_string()])
}

/// The next datagram and who sent it.
fn receive(peer: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut buffer = vec![0; 65_536];
    let (length, from) = again(|| peer.recv_from(&mut buffer)).expect("a datagram");
    buffer.truncate(length);
    (buffer, from)
}

#[test]
fn answers_are_waited_for_until_a_second_passes_without_one() {
    let peer = peer();
    let directory = scratch();
    let path = directory.path().join("stdin");
    std::fs::write(&path, "question").expect("a file");
    for input in [
        |_: &Path| Input::from("question"),
        |path: &Path| path.into(),
    ] {
        in_some_try(|| {
            let client = connect(&peer).stdin(input(&path)).start();
            let (question, from) = receive(&peer);
            assert_eq!(question, b"question");
            let mut answered = Instant::now();
            for answer in ["one ", "two "] {
                client.stays(Duration::from_millis(600));
                answered = Instant::now();
                peer.send_to(answer.as_bytes(), from).expect("a client");
            }
            let exit = client.wait();
            let stayed = answered.elapsed();
            exit.success().silent();
            // An answer may have come too late.
            if exit.stdout != b"one two " {
                return false;
            }
            assert!(stayed >= Duration::from_secs(1), "{stayed:?}");
            stayed < Duration::from_secs(3)
        });
    }
}

#[test]
fn another_patience_is_no_error() {
    for option in ["-w", "--quit-after"] {
        let peer = peer();
        in_some_try(|| {
            let client = connect(&peer).args([option, "50ms"]);
            let exit = client.stdin("question").run();
            exit.success().at_least(Duration::from_millis(50));
            exit.awake() < Duration::from_millis(900)
        });
    }
}

/// What ends `connect --udp` when nothing is heard.
const PATIENCE: [&str; 3] = ["-w", "--idle-timeout", "--quit-after"];

#[test]
fn who_only_receives_waits_from_the_start_and_from_the_last_datagram() {
    for option in PATIENCE {
        let peer = peer();
        let client = connect(&peer).args(["--recv-only", option, "300ms"]);
        let exit = client.stdin(Input::Open).run();
        exit.success()
            .printed("")
            .silent()
            .at_least(Duration::from_millis(300));
    }
}

#[test]
fn who_only_receives_stays_while_something_comes() {
    thread::scope(|together| {
        for option in PATIENCE {
            together.spawn(move || stays_while_something_comes(option));
        }
    });
}

/// Whoever is to leave five seconds after the last datagram does not leave before, and the machine
/// may be late.
fn stays_while_something_comes(option: &str) {
    let peer = peer();
    let client = connect(&peer).args(["--recv-only", "-v", option, "5s"]);
    let client = client.start();
    let connected = client.line_with("connected over udp: ");
    let local = connected
        .split("udp: ")
        .nth(1)
        .and_then(|rest| rest.split(' ').next());
    for _ in 0..5 {
        assert!(client.stays(Duration::from_millis(1200)), "{option}");
        peer.send_to(b"word ", local.expect("an address"))
            .expect("a client");
    }
    let exit = client.wait();
    exit.success().printed("word word word word word ");
    exit.at_least(Duration::from_secs(11));
}

#[test]
fn nothing_to_do_for_too_long_is_an_error_while_stdin_is_open() {
    for option in ["--timeout", "--idle-timeout"] {
        let peer = peer();
        in_some_try(|| {
            let client = connect(&peer).args([option, "2s"]);
            let mut client = client.stdin(Input::Open).start();
            let mut pipe = client.stdin.take().expect("a pipe");
            // It may have ended already, when we are late.
            let _ = std::io::Write::write_all(&mut pipe, b"hi");
            peer.set_read_timeout(Some(Duration::from_secs(5)))
                .expect("a timeout");
            if let Ok((_, from)) = again(|| peer.recv_from(&mut [0; 9])) {
                peer.send_to(b"answer", from).expect("a client");
            }
            let exit = client.wait();
            drop(pipe);
            let error = exit.at_least(Duration::from_secs(2)).failure(1);
            assert!(error.contains("nothing moved for 2s"), "{error}");
            exit.stdout == b"answer"
        });
    }
    let peer = peer();
    let client = connect(&peer).args(["--quit-after", "50ms"]);
    let client = client.stdin(Input::Open).start();
    assert!(client.stays(Duration::from_millis(300)), "stdin is open");
    client.wait().success();
}

#[test]
fn what_waits_for_its_turn_is_not_idle() {
    let peer = peer();
    let client = connect(&peer).args(["--delay", "1500ms", "-w", "1s", "--send-only"]);
    client.stdin("one\ntwo\n").run().success();
    for line in ["one\n", "two\n"] {
        assert_eq!(receive(&peer).0, line.as_bytes());
    }
}

#[test]
fn sending_only_leaves_at_the_end() {
    let peer = peer();
    // Whoever waited for an answer would do so for longer than we do.
    let client = connect(&peer).args(["--send-only", "--quit-after", "1h"]);
    client.stdin("word").run().success();
    assert_eq!(receive(&peer).0, b"word");
}

#[test]
fn an_empty_datagram_is_data() {
    let peer = peer();
    let client = connect(&peer).stdin(Input::Open).start();
    let mut client = client;
    std::io::Write::write_all(client.stdin.as_mut().expect("a pipe"), b"hello").expect("a reader");
    let (_, from) = receive(&peer);
    peer.send_to(b"", from).expect("a client");
    peer.send_to(b"after", from).expect("a client");
    client.prints("after");
    client.wait().success().printed("after");
}

#[test]
fn a_closed_port_is_an_error() {
    let (peer, _) = closed_udp_port();
    in_some_try(|| {
        let client = connect(&peer).args(["--quit-after", "1h"]);
        let exit = client.stdin("question").run();
        let error = exit.failure(1);
        assert!(error.contains("refused"), "{error}");
        // The end tells it, and nobody else, unless it was heard before the end of the input was found.
        exit.stderr.matches("refused").count() == 1
    });
}

/// The refusal is there before we leave.
#[test]
fn a_closed_port_is_an_error_of_who_only_sends_too() {
    let ((_peer, target), directory) = (closed_udp_port(), scratch());
    let target = target.to_string();
    let path = directory.path().join("stdin");
    // One datagram, one bundle of them, and more than one.
    for length in [2, 14_000, 150_000] {
        std::fs::write(&path, vec![b'x'; length]).expect("a file");
        for is_file in [true, false] {
            // What is heard before the end of the input is found is told at once, too.
            in_some_try(|| {
                let stdin = if is_file {
                    Input::from(path.as_path())
                } else {
                    Input::Filled(vec![b'x'; length])
                };
                let client = nettool(["connect", "-u", "--send-only", &target]);
                let exit = client.stdin(stdin).run();
                let error = exit.failure(1);
                assert!(error.contains("refused"), "{length}: {error}");
                exit.stderr.matches("refused").count() == 1
            });
        }
    }
}

#[test]
fn a_closed_port_is_reported_and_an_error_at_the_end() {
    let (peer, _) = closed_udp_port();
    let client = connect(&peer).args(["--quit-after", "1h"]);
    let mut client = client.stdin(Input::Open).start();
    std::io::Write::write_all(client.stdin.as_mut().expect("a pipe"), b"question")
        .expect("a reader");
    client.says("refused");
    assert!(client.stays(Duration::from_millis(300)));
    client.wait().status(1);
}

/// Whoever was stopped, as by Ctrl-Z, has waited for no answer in that time.
#[test]
fn a_stopped_program_waits_for_its_answer() {
    let peer = peer();
    // What has come meanwhile is seen, and what comes then is waited for.
    for late in [0, 300] {
        unless_late(|| {
            // It asks later than that.
            let asked = Instant::now();
            let client = connect(&peer).stdin("question").start();
            let (_, from) = receive(&peer);
            let send = || peer.send_to(b"answer", from).expect("a client");
            let (mut stopped, mut woken) = (asked, asked);
            client.asleep(|| {
                stopped = Instant::now();
                client.stays(Duration::from_millis(1500));
                if late == 0 {
                    send();
                }
                woken = Instant::now();
            });
            if late > 0 {
                client.stays(Duration::from_millis(late));
                send();
            }
            let limit = Duration::from_millis(900);
            if stopped - asked > limit || woken.elapsed() > limit {
                return false;
            }
            client.wait().success().printed("answer");
            true
        });
    }
}
