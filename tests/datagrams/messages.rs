//! A connection that carries messages.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use socket2::{Domain, SockAddr, Socket, Type};

use super::type_into;
use crate::support::{Input, LIMIT, again, nettool, scratch};

/// A socket that carries messages.
fn socket() -> Socket {
    let socket = Socket::new(Domain::UNIX, Type::SEQPACKET, None).expect("a socket");
    socket.set_read_timeout(Some(LIMIT)).expect("a timeout");
    socket
}

/// Somebody who listens.
fn listener(path: &Path) -> Socket {
    let socket = socket();
    socket.bind(&SockAddr::unix(path).unwrap()).expect("a path");
    socket.listen(1).expect("a listener");
    socket
}

/// The next message.
fn receive(socket: &Socket) -> Vec<u8> {
    let mut buffer = vec![0; 65_536];
    let length = again(|| std::io::Read::read(&mut &*socket, &mut buffer)).expect("a message");
    buffer.truncate(length);
    buffer
}

#[test]
fn connect_keeps_boundaries_and_half_closes() {
    let directory = scratch();
    let path = directory.path().join("s");
    let listener = listener(&path);
    let client = nettool(["connect", "--seqpacket", "--lines", "-U"])
        .arg(&path)
        .stdin("one\ntwo\nthree")
        .start();
    let (peer, _) = listener.accept().expect("a client");
    for expected in ["one\n", "two\n", "three", ""] {
        assert_eq!(receive(&peer), expected.as_bytes());
    }
    for answer in ["long answer", "short"] {
        (&peer).write_all(answer.as_bytes()).expect("a client");
    }
    drop(peer);
    client.wait().success().printed("long answershort").silent();
}

#[test]
fn listen_serves_one_client_and_removes_the_path() {
    let directory = scratch();
    let path = directory.path().join("s");
    let mut server = nettool(["listen", "--seqpacket", "-U"])
        .arg(&path)
        .stdin(Input::Open)
        .start();
    assert_eq!(
        server.announced(1),
        [format!("unix-seqpacket {}", path.display())]
    );
    let mode = std::fs::metadata(&path).expect("a path").permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
    let client = socket();
    client
        .connect(&SockAddr::unix(&path).unwrap())
        .expect("a server");
    for round in 0..50 {
        let text = format!("<{round}>");
        (&client).write_all(text.as_bytes()).expect("a server");
        server.prints(&text);
        type_into(&mut server, &text);
        assert_eq!(receive(&client), text.as_bytes());
    }
    drop(server.stdin.take());
    assert_eq!(receive(&client), b"");
    drop(client);
    server.wait().success();
    assert!(!path.exists());
}

#[test]
fn an_empty_message_is_the_end() {
    let directory = scratch();
    let path = directory.path().join("s");
    let listener = listener(&path);
    let client = nettool(["connect", "--seqpacket", "-U"]).arg(&path).start();
    let (peer, _) = listener.accept().expect("a client");
    assert_eq!(receive(&peer), b"");
    (&peer).write_all(b"word").expect("a client");
    peer.send(b"").expect("a client");
    client.wait().success().printed("word");
}

#[test]
fn a_socket_of_another_kind_is_an_error() {
    let directory = scratch();
    let path = directory.path().join("s");
    let _listener = listener(&path);
    for options in [&["-u"][..], &[]] {
        let exit = nettool(["connect", "-U"]).arg(&path).args(options).run();
        let error = exit.failure(1);
        assert!(error.contains("wrong type"), "{error}");
        exit.says("--seqpacket");
    }
    let exit = nettool(["listen", "--seqpacket", "-U"]).arg(&path).run();
    assert!(exit.failure(1).contains("in use"), "{}", exit.stderr);
}
