//! Rows E1, E2, E6 and E7 of what a server must bear, in numbers that fit a test: tests/bench/clients
//! has the large ones.

use std::fs;
use std::time::Duration;

use super::*;
use crate::support::{Fingerprint, Input, until};

/// Bytes that a process has in memory.
fn memory(server: &Running) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let figure = line.and_then(|line| line.split_whitespace().nth(1));
    figure
        .and_then(|figure| figure.parse::<u64>().ok())
        .expect("a figure")
        * 1024
}

/// How many descriptors a process has.
fn descriptors(server: &Running) -> usize {
    let directory = format!("/proc/{}/fd", server.pid());
    fs::read_dir(directory).unwrap().count()
}

/// E1: many at once, each gets its own bytes, and each costs little.
#[test]
fn many_echo_clients_at_once() {
    const COUNT: u64 = 500;
    let server = server(&["--echo"]).start();
    let addr = server.listening();
    let before = memory(&server);
    let clients: Vec<_> = (0..COUNT).map(|_| client(addr)).collect();
    let question = |seed| Pattern::new(seed, 1024).to_vec();
    for _ in 0..3 {
        for (seed, mut client) in (0..).zip(&clients) {
            client.write_all(&question(seed)).unwrap();
        }
        for (seed, client) in (0..).zip(&clients) {
            assert_eq!(ask(client, b"", 1024), question(seed));
        }
    }
    let more = memory(&server).saturating_sub(before);
    assert!(more < COUNT * 10 * 1024 + (16 << 20), "{more} B more");
    drop(clients);
    until("all are gone", || descriptors(&server) < 32);
    assert!(!stopped(server).contains("error"));
}

/// E2: who is refused leaves nothing behind.
#[test]
fn refusing_leaves_nothing() {
    let server = server(&["--echo", "--deny", "127.0.0.1"]).start();
    let addr = server.listening();
    drop(client(addr));
    let (files, before) = (descriptors(&server), memory(&server));
    for _ in 0..2000 {
        // Who is refused may learn of it this early.
        drop(TcpStream::connect(addr));
    }
    until("everybody is gone", || descriptors(&server) <= files);
    let more = memory(&server).saturating_sub(before);
    assert!(more < 2 << 20, "{more} B more");
    stopped(server);
}

/// E6: one stalled reader with hardly any room among a hundred who read: it is dropped with a
/// message, the others hear every byte, and what is kept for it is bounded.
#[test]
fn a_stalled_reader_among_a_hundred_is_dropped() {
    const LENGTH: u64 = 3_000_000;
    let server = server(&[]).stdin(Input::Open).start();
    let addr = server.listening();
    let stalled = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    stalled.set_recv_buffer_size(1024).unwrap();
    stalled.connect(&addr.into()).unwrap();
    let stalled = TcpStream::from(stalled);
    let mut hearers: Vec<_> = (0..100).map(|_| client(addr)).collect();
    for mut client in hearers.iter().chain([&stalled]) {
        client.write_all(b"x").unwrap();
    }
    // Now all are there.
    server.prints_bytes(101);
    let wanted = Pattern::new(6, LENGTH).fingerprint();
    std::thread::scope(|scope| {
        for hearer in &mut hearers {
            let wanted = &wanted;
            scope.spawn(move || {
                let mut heard = vec![0; usize::try_from(LENGTH).unwrap()];
                hearer.read_exact(&mut heard).unwrap();
                assert_eq!(Fingerprint::of(&heard), *wanted);
            });
        }
        let mut stdin = server.stdin.as_ref().expect("an open pipe");
        std::io::copy(&mut Pattern::new(6, LENGTH), &mut stdin).unwrap();
    });
    let line = server.line_with("reads too slowly");
    let name = stalled.local_addr().unwrap().to_string();
    assert!(line.contains(&name), "{line}");
    let held = memory(&server);
    assert!(held < 100 << 20, "{held} B");
    let stderr = stopped(server);
    assert_eq!(stderr.matches("too slowly").count(), 1, "{stderr}");
}

/// E7: a flood of connections that are reset at once.
#[test]
fn a_flood_of_resets_leaves_nothing() {
    for behaviour in [
        &["--echo"][..],
        &["--reply", "da"],
        &["--discard"],
        &["--broker"],
        &["--chat"],
        &[],
    ] {
        let server = server(behaviour).start();
        let addr = server.listening();
        drop(client(addr));
        until("the first is gone", || descriptors(&server) <= 20);
        for _ in 0..300 {
            let reset = socket2::Socket::from(client(addr));
            reset.set_linger(Some(Duration::ZERO)).unwrap();
        }
        until("everybody is gone", || descriptors(&server) <= 20);
        assert!(!server.said().contains("error"), "{}", server.said());
        stopped(server);
    }
}
