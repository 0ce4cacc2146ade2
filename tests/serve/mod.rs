//! `nettool listen` with a behaviour: what each client gets, and how it ends.

mod crowds;
mod cut_off;
mod datagram_sessions;
mod datagrams;
mod exec;
mod file_limits;
mod forward;
mod gatherings;
mod limits;
mod lists;
mod lost_datagrams;
mod messages;
mod saved;
mod shared;
mod standing;
mod undelivered;
mod unread;

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{
    End, LIMIT, Pattern, Peer, Program, Running, Step, again, nettool, records_of,
};

/// `nettool listen` for many clients on a free port of 127.0.0.1.
fn server(options: &[&str]) -> Program {
    nettool(["listen", "-k", "127.0.0.1", "0"]).args(options)
}

/// Where a server that talks in records listens.
fn address(server: &Running) -> SocketAddr {
    let line = records_of(server.line_with("listening"), "listening");
    let port = line[0]["port"].as_u64().expect("a port");
    SocketAddr::from(([127, 0, 0, 1], u16::try_from(port).expect("a port")))
}

/// A client that asks step by step.
fn client(addr: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(addr).expect("a server");
    stream.set_read_timeout(Some(LIMIT)).expect("a timeout");
    stream
}

/// Sends something and takes an answer of this length.
fn ask(mut client: &TcpStream, question: &[u8], length: usize) -> Vec<u8> {
    client.write_all(question).expect("a server that reads");
    let mut answer = vec![0; length];
    client
        .read_exact(&mut answer)
        .expect("a server that answers");
    answer
}

/// What the server says until it is told to stop.
fn stopped(server: Running) -> String {
    server.signal(Signal::TERM);
    let end = server.wait();
    end.died_of(libc::SIGTERM);
    end.stderr
}

#[test]
fn an_echo_client_that_half_closes_gets_everything_back() {
    for options in [&["--echo", "-k"][..], &["--echo"]] {
        let server = nettool(["listen", "127.0.0.1", "0"]).args(options).start();
        let pattern = Pattern::new(1, 5_000_000);
        let client = Peer::connect(server.listening(), vec![Step::Exchange(pattern)]);
        let seen = client.seen();
        assert_eq!(seen.received, Pattern::new(1, 5_000_000).fingerprint());
        assert_eq!(seen.end, End::Eof);
        if options.len() == 1 {
            server.wait().success();
        } else {
            stopped(server);
        }
    }
}

/// What went wrong with a single client is the status, and said once.
#[test]
fn a_single_client_that_breaks_off_is_an_error() {
    for (options, count) in [(&[][..], 1), (&["-v"], 1), (&["--json"], 1)] {
        let server = nettool(["listen", "127.0.0.1", "0", "--echo"])
            .args(options)
            .start();
        let addr = match options {
            ["--json"] => address(&server),
            _ => server.listening(),
        };
        let steps = vec![
            Step::Write(b"hello".to_vec()),
            Step::Pending(5),
            Step::Reset,
        ];
        Peer::connect(addr, steps).seen();
        let end = server.wait();
        end.status(1);
        let told = end.stderr.matches("session with 127.0.0.1").count();
        let record = end.stderr.matches("\"type\":\"error\"").count();
        assert_eq!(told + record, count, "{}", end.stderr);
    }
}

#[test]
fn clients_are_served_beside_each_other() {
    let server = server(&["--reply", "da"]).start();
    let addr = server.listening();
    let clients: Vec<_> = (0..20).map(|_| client(addr)).collect();
    for client in clients.iter().rev().chain(&clients) {
        assert_eq!(ask(client, b"?", 2), b"da");
    }
    let mut last = client(addr);
    last.shutdown(Shutdown::Write).unwrap();
    assert_eq!(again(|| last.read(&mut [0; 1])).unwrap(), 0);
    stopped(server);
}

#[test]
fn what_is_discarded_is_counted() {
    let server = server(&["--discard", "--json"]).start();
    let addr = address(&server);
    Peer::connect(addr, vec![Step::Exchange(Pattern::new(1, 300_000))]).seen();
    server.says("\"transfer\"");
    let stderr = stopped(server);
    let transfer = &records_of(&stderr, "transfer")[0];
    assert_eq!(transfer["bytes_received"], 300_000);
    assert_eq!(
        (&transfer["end"], &transfer["complete"]),
        (&"both".into(), &true.into())
    );
    let totals = &records_of(&stderr, "served")[0];
    assert_eq!(
        (&totals["clients"], &totals["failed"]),
        (&1.into(), &0.into())
    );
    assert_eq!(totals["bytes_received"], 300_000);
}
