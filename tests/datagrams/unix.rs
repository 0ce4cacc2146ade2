//! Unix datagrams.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixDatagram;

use rustix::process::Signal;
use socket2::{Domain, SockAddr, Socket, Type};

use super::type_into;
use crate::support::{Input, LIMIT, Pattern, again, let_go, nettool, scratch, skip};

/// A socket on a path, no receive of which waits longer than the limit.
fn bound(path: &std::path::Path) -> UnixDatagram {
    let socket = UnixDatagram::bind(path).expect("a path");
    socket.set_read_timeout(Some(LIMIT)).expect("a timeout");
    socket
}

#[test]
fn a_client_has_a_name_and_is_answered() {
    let directory = scratch();
    let path = directory.path().join("s");
    let server = bound(&path);
    let mut client = nettool(["connect", "-u", "--quit-after=10ms", "-U"])
        .arg(&path)
        .stdin(Input::Open)
        .start();
    let mut buffer = [0; 100];
    for round in 0..50 {
        let text = format!("<{round}>");
        type_into(&mut client, &text);
        let (length, from) = again(|| server.recv_from(&mut buffer)).expect("a datagram");
        assert_eq!(&buffer[..length], text.as_bytes());
        assert!(!from.is_unnamed());
        server
            .send_to_addr(text.as_bytes(), &from)
            .expect("a client");
        client.prints(&text);
    }
    client.wait().success().silent();
}

#[test]
fn a_listener_answers_and_removes_its_path() {
    let directory = scratch();
    let path = directory.path().join("s");
    // Somebody left a socket behind.
    let_go(bound(&path));
    let mut server = nettool(["listen", "-u", "-U"])
        .arg(&path)
        .stdin(Input::Open)
        .start();
    assert_eq!(
        server.announced(1),
        [format!("unix-datagram {}", path.display())]
    );
    let mode = std::fs::metadata(&path).expect("a path").permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
    let client = bound(&directory.path().join("c"));
    let mut buffer = [0; 100];
    for round in 0..50 {
        let text = format!("<{round}>");
        client.send_to(text.as_bytes(), &path).expect("a server");
        server.prints(&text);
        type_into(&mut server, &text);
        let length = again(|| client.recv(&mut buffer)).expect("an answer");
        assert_eq!(&buffer[..length], text.as_bytes());
    }
    // Nothing of this kind is ever dropped, and an empty one is no end.
    client.send_to(b"", &path).expect("a server");
    client.send_to(b"<last>", &path).expect("a server");
    server.prints("<last>");
    server.signal(Signal::TERM);
    server.wait().died_of(libc::SIGTERM);
    assert!(!path.exists());
}

#[test]
fn a_path_in_use_is_left_alone() {
    let directory = scratch();
    let path = directory.path().join("s");
    let _used = bound(&path);
    let exit = nettool(["listen", "-u", "-U"]).arg(&path).run();
    assert!(exit.failure(1).contains("in use"), "{}", exit.stderr);
    assert!(path.exists());
}

#[test]
fn who_has_no_name_cannot_be_answered_and_that_is_said_once() {
    let directory = scratch();
    let path = directory.path().join("s");
    let server = nettool(["listen", "-u", "--quit-after=100ms", "-U"]).arg(&path);
    let server = server.stdin(Input::Open).start();
    server.announced(1);
    let client = UnixDatagram::unbound().expect("a socket");
    server.asleep(|| {
        for text in ["one ", "two"] {
            client.send_to(text.as_bytes(), &path).expect("a server");
        }
    });
    let exit = server.wait();
    exit.success().printed("one two");
    assert_eq!(exit.stderr.matches("cannot be answered").count(), 1);
}

#[test]
fn a_slow_reader_loses_nothing() {
    let directory = scratch();
    let path = directory.path().join("s");
    let server = bound(&path);
    let bytes = Pattern::new(3, 300_000).to_vec();
    let client = nettool(["connect", "-u", "--send-only", "-U"]).arg(&path);
    let client = client.stdin(Pattern::new(3, 300_000)).start();
    let mut received = Vec::new();
    let mut buffer = [0; 2000];
    while received.len() < bytes.len() {
        let length = again(|| server.recv(&mut buffer)).expect("a datagram");
        received.extend_from_slice(&buffer[..length]);
    }
    assert!(received == bytes);
    client.wait().success();
}

/// A pipe holds less of itself.
#[test]
fn a_datagram_may_be_longer_than_a_pipe() {
    let directory = scratch();
    let path = directory.path().join("s");
    let server = bound(&path);
    let words = [
        "connect",
        "-u",
        "--send-only",
        "--datagram-size=150000",
        "-U",
    ];
    let mut client = nettool(words).arg(&path).stdin(Input::Open).start();
    let mut buffer = vec![0; 200_000];
    for text in ["begun", &"x".repeat(150_000), &"y".repeat(149_999)] {
        type_into(&mut client, text);
        let length = again(|| server.recv(&mut buffer)).expect("a datagram");
        assert_eq!(length, text.len());
        assert!(&buffer[..length] == text.as_bytes());
    }
    client.wait().success();
}

#[test]
fn answers_wait_for_a_client_with_a_full_queue() {
    let directory = scratch();
    let path = directory.path().join("s");
    let words = ["listen", "-u", "--lines", "-U"];
    let mut server = nettool(words).arg(&path).stdin(Input::Open).start();
    server.announced(1);
    let client = bound(&directory.path().join("c"));
    client.send_to(b"<hello>", &path).expect("a server");
    server.prints("<hello>");
    // Many more than a queue takes (net.unix.max_dgram_qlen).
    let lines: Vec<String> = (0..3000).map(|number| format!("{number}\n")).collect();
    type_into(&mut server, &lines.concat());
    let mut buffer = [0; 100];
    for line in &lines {
        let length = again(|| client.recv(&mut buffer)).expect("a line");
        assert_eq!(&buffer[..length], line.as_bytes());
    }
    server.kill();
}

#[test]
fn nobody_there_is_an_error() {
    let directory = scratch();
    let path = directory.path().join("s");
    let_go(bound(&path));
    let exit = nettool(["connect", "-u", "-U"]).arg(&path).stdin("x").run();
    assert!(exit.failure(1).contains("refused"), "{}", exit.stderr);
    let path = directory.path().join("gone");
    let server = bound(&path);
    let mut client = nettool(["connect", "-u", "-U"])
        .arg(&path)
        .stdin(Input::Open)
        .start();
    type_into(&mut client, "<one>");
    again(|| server.recv(&mut [0; 9])).expect("a datagram");
    let_go(server);
    type_into(&mut client, "<two>");
    assert!(client.wait().failure(1).contains("refused"));
}

#[test]
fn a_truncated_datagram_is_an_error() {
    let directory = scratch();
    let path = directory.path().join("s");
    let client = Socket::new(Domain::UNIX, Type::DGRAM, None).expect("a socket");
    client.set_send_buffer_size(1 << 20).expect("a size");
    if client.send_buffer_size().expect("a size") < 1 << 20 {
        return skip("net.core.wmem_max allows no datagram that is too long");
    }
    let server = nettool(["listen", "-u", "--recv-only", "--quit-after=100ms", "-U"]).arg(&path);
    let server = server.start();
    server.announced(1);
    let long = vec![b'x'; 600_000];
    client
        .send_to(&long, &SockAddr::unix(&path).unwrap())
        .expect("a server");
    let exit = server.wait();
    exit.status(1).says("600000 bytes was cut to 524288");
}

/// Whoever is gone, or takes no message of that length, is at a path: no port and no network is
/// told of.
#[test]
fn hints_are_of_a_path() {
    let directory = scratch();
    let path = directory.path().join("s");
    let server = bound(&path);
    let long = directory.path().join("long");
    std::fs::write(&long, vec![b'x'; 16 << 20]).expect("a file");
    let words = ["connect", "-u", "--datagram-size=16M", "-U"];
    let exit = nettool(words).arg(&path).stdin(long.as_path()).run();
    assert!(exit.failure(1).contains("message too long"), "{exit:?}");
    exit.says("--send-buffer allows more");
    // The second time a name of the directory that it is run in.
    for name in [path.as_os_str(), "s".as_ref()] {
        let _ = std::fs::remove_file(&path);
        let server = bound(&path);
        let mut client = nettool(["connect", "-u", "-U"])
            .arg(name)
            .by_way_of([
                OsStr::new("env"),
                OsStr::new("-C"),
                directory.path().as_ref(),
            ])
            .stdin(Input::Open)
            .start();
        type_into(&mut client, "one");
        assert_eq!(server.recv(&mut [0; 10]).expect("a datagram"), 3);
        drop(server);
        type_into(&mut client, "two");
        let end = client.wait();
        assert!(end.failure(1).contains("connection refused"), "{end:?}");
        end.says("nobody listens on that path any more");
    }
    drop(server);
}
