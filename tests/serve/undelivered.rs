//! What the records say a client's kernel has taken: all that lies there unread, to the byte.

use std::fs;

use super::*;
use crate::support::{can_inject, inject, need, scratch, until};

/// Less than the queues of both sides hold, and more than the client's own.
const MUCH: usize = 600_000;

/// The states of a connection in `/proc/net/tcp`: open, and those with our end queued behind the
/// data, whether the peer has ended or not (`include/net/tcp_states.h`).
const OPEN: [&str; 1] = ["01"];
const ENDED: [&str; 3] = ["04", "09", "0B"];

/// How many bytes wait in the send queue from this port to that one, if the connection is in one of
/// these states.
fn queued(ports: (u16, u16), states: &[&str]) -> Option<u64> {
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    let (local, peer) = (format!(":{:04X}", ports.0), format!(":{:04X}", ports.1));
    let rows = table.lines().map(|row| row.split_whitespace());
    let mut rows = rows.map(Iterator::collect::<Vec<_>>);
    let queues = rows.find(|row| {
        row[1].ends_with(&local) && row[2].ends_with(&peer) && states.contains(&row[3])
    })?[4];
    u64::from_str_radix(queues.split(':').next()?, 16).ok()
}

/// Reads nothing until all that has come is acknowledged and no more gets through; how much came.
fn comes_to(stream: &TcpStream, states: &[&str]) -> u64 {
    let (peer, local) = (stream.peer_addr().unwrap(), stream.local_addr().unwrap());
    let fin = u64::from(states != OPEN);
    let mut came = 0;
    until("no more gets through", || {
        let queued = queued((peer.port(), local.port()), states).unwrap_or(0);
        came = rustix::io::ioctl_fionread(stream).unwrap();
        queued + came == MUCH as u64 + fin
    });
    came
}

/// Sees that the record of a transfer of all counts what came.
#[track_caller]
fn is_counted(transfer: &Value, came: u64, end: &str) {
    assert!(0 < came && came < MUCH as u64, "{came}");
    assert_eq!(transfer["bytes_sent"], MUCH, "{transfer}");
    assert_eq!(transfer["bytes_acked"], came, "{transfer}");
    assert_eq!(transfer["end"], end, "{transfer}");
}

/// The end of our sending waits behind the data, and is none.
#[test]
fn an_end_that_waits_behind_the_data_is_not_counted() {
    let directory = scratch();
    let file = directory.path().join("file");
    fs::write(&file, vec![b'x'; MUCH]).unwrap();
    let file = file.to_str().unwrap();
    let command = format!("cat {file}");
    let most = MUCH.to_string();
    let (echo, question) = (vec![b'e'; MUCH], b"?".to_vec());
    for (options, says) in [
        (&["--echo"][..], &echo),
        (&["--echo", "-k"], &echo),
        (&["--echo", "-k", "--max-bytes", &most], &echo),
        (&["--reply-file", file, "-k"], &question),
        (&["-c", &command], &question),
        (&["-c", &command, "-k"], &question),
        (&["-c", &command, "--max-bytes", &most], &question),
        (&["-k", "--input", file], &question),
    ] {
        let server = nettool(["listen", "--json", "127.0.0.1", "0"])
            .args(options)
            .start();
        let mut stream = client(address(&server));
        stream.set_write_timeout(Some(LIMIT)).unwrap();
        stream.write_all(says).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let came = comes_to(&stream, &ENDED);
        // Unread bytes turn the close into a reset.
        drop(stream);
        let told = server.line_with("\"transfer\"");
        is_counted(&records_of(told, "transfer")[0], came, "reset");
    }
}

/// Nor is the one that a command has sent itself.
#[test]
fn an_end_that_a_command_sends_is_not_counted() {
    if !need(&["perl"]) {
        return;
    }
    let script = format!("syswrite STDOUT,\"x\"x{MUCH}; shutdown STDOUT,1; sysread STDIN,$_,9");
    let command = format!("perl -e '{script}'");
    let server = nettool(["listen", "--json", "127.0.0.1", "0", "--idle-timeout", "8s"])
        .args(["-e", &command])
        .start();
    let stream = client(address(&server));
    let came = comes_to(&stream, &ENDED);
    let told = server.line_with("\"transfer\"");
    is_counted(&records_of(told, "transfer")[0], came, "timeout");
}

/// An end that could not be sent takes nothing from the count.
#[test]
fn an_end_that_could_not_be_sent_is_not_taken_off() {
    if !can_inject() {
        return;
    }
    let directory = scratch();
    let (file, log) = (directory.path().join("file"), directory.path().join("log"));
    fs::write(&file, vec![b'x'; MUCH]).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let target = listener.local_addr().unwrap().to_string();
    let program = nettool(["connect", "--json", &target]).stdin(file.as_path());
    let running = inject(program, &["shutdown:error=ENOTCONN"], &[], &log).start();
    let (stream, _) = listener.accept().unwrap();
    until("it has tried to shut down", || {
        fs::read_to_string(&log).is_ok_and(|log| log.contains("INJECTED"))
    });
    let came = comes_to(&stream, &OPEN);
    drop(stream);
    let end = running.wait();
    end.status(1);
    is_counted(&records_of(&end.stderr, "transfer")[0], came, "reset");
}
