//! Many clients (part E).

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};

use crate::support::{nettool, skip, until};

/// As many as the row says.
const MANY: u64 = 10_000;

/// Descriptors that other tests of this process need meanwhile.
const SPARE: u64 = 2_000;

/// What a process has in memory, in bytes.
fn memory(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.unwrap().parse::<u64>().unwrap() * 1024
}

/// E1: ten thousand at once, each gets its own bytes back, and they cost little and leave nothing.
#[test]
fn ten_thousand_clients_are_served_at_once() {
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(u64::MAX);
    if most < MANY + SPARE {
        return skip("fewer open files are allowed than clients are wanted");
    }
    let raised = Rlimit {
        current: Some(most.min(1 << 20)),
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).unwrap();
    let server = nettool(["listen", "-k", "--echo", "127.0.0.1", "0"]);
    let server = server.limit(Duration::from_secs(120)).start();
    let addr = server.listening();
    let descriptors = || {
        fs::read_dir(format!("/proc/{}/fd", server.pid()))
            .unwrap()
            .count()
    };
    let (before, memory_before) = (descriptors(), memory(server.pid()));
    let word = |number: usize| [number.to_le_bytes(); 128].concat();
    let mut clients: Vec<_> = (0..MANY)
        .map(|_| TcpStream::connect(addr).unwrap())
        .collect();
    for (number, client) in clients.iter_mut().enumerate() {
        client
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        client.write_all(&word(number)).unwrap();
    }
    for (number, client) in clients.iter_mut().enumerate() {
        let mut answer = vec![0; 1024];
        client.read_exact(&mut answer).unwrap();
        assert_eq!(answer, word(number));
    }
    let grown = memory(server.pid()).saturating_sub(memory_before);
    assert!(grown < MANY * 10 * 1024 + (16 << 20), "{grown} bytes");
    drop(clients);
    until("they are all gone", || descriptors() <= before);
    server.signal(Signal::TERM);
    let exit = server.wait();
    exit.died_of(libc::SIGTERM).silent_but_for("listening on");
}
