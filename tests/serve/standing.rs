//! SIGUSR1: what a server is doing.

use std::net::UdpSocket;

use super::*;
use crate::support::{Input, records_of, until};

/// Asks the server until the last line of this kind has what is wanted.
fn standing(server: &Running, kind: &str, wanted: &str) {
    until("it tells", || {
        server.signal(Signal::USR1);
        let said = server.said();
        let line = said.lines().rfind(|line| line.contains(kind));
        line.is_some_and(|line| line.contains(wanted))
    });
}

#[test]
fn a_server_tells_who_is_there_and_what_was_moved() {
    let server = server(&["--echo"]).start();
    let addr = server.listening();
    standing(
        &server,
        "there now",
        "0 clients there now, served 0 clients: received 0 B, sent 0 B",
    );
    let (one, other) = (client(addr), client(addr));
    assert_eq!(ask(&one, b"hello", 5), b"hello");
    assert_eq!(ask(&other, b"hi", 2), b"hi");
    // An answer to an earlier question may come in between.
    let moved = "served 2 clients: received 7 B, sent 7 B";
    standing(
        &server,
        "there now",
        &format!("2 clients there now, {moved}"),
    );
    drop(one);
    standing(
        &server,
        "there now",
        &format!("1 client there now, {moved}"),
    );
    assert_eq!(ask(&other, b"still", 5), b"still");
    stopped(server);
}

#[test]
fn a_script_is_told_in_a_record() {
    let server = server(&["--discard", "--json", "--max-clients", "1"]).start();
    let addr = address(&server);
    let one = client(addr);
    (&one).write_all(b"hello").unwrap();
    standing(&server, "progress", "\"bytes_received\":5");
    let _refused = client(addr);
    standing(&server, "progress", "\"refused\":1");
    let stderr = stopped(server);
    let record = records_of(&stderr, "progress").pop().unwrap();
    assert_eq!(record["client"], Value::Null);
    assert_eq!(
        (&record["clients_now"], &record["clients"]),
        (&1.into(), &1.into())
    );
    assert_eq!(
        (&record["bytes_sent"], &record["failed"]),
        (&0.into(), &0.into())
    );
    assert!(record["elapsed_us"].as_u64().unwrap() > 0);
}

/// Even one who shares stdin with others, and one who only sends datagrams.
#[test]
fn every_kind_of_server_tells() {
    let shared = server(&[]).stdin(Input::Open).start();
    (&client(shared.listening())).write_all(b"abc").unwrap();
    standing(&shared, "there now", "received 3 B");
    stopped(shared);
    let datagrams = nettool(["listen", "-u", "127.0.0.1", "0", "--echo"]).start();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.send_to(b"abcd", datagrams.listening()).unwrap();
    let wanted = "1 client there now, served 1 client: received 4 B, sent 4 B";
    standing(&datagrams, "there now", wanted);
    stopped(datagrams);
}

/// A server for a single client has its progress to tell.
#[test]
fn a_single_client_has_progress() {
    let server = nettool(["listen", "127.0.0.1", "0", "--echo"]).start();
    let addr = server.listening();
    standing(&server, "no client yet", "listening, no client yet");
    let one = client(addr);
    assert_eq!(ask(&one, b"hello", 5), b"hello");
    standing(&server, "5 B", "received 5 B");
    drop(one);
    server.wait().success();
}
