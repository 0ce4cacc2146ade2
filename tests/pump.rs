//! Bytes by hash over every path, of every size around the edges of a buffer, whoever is slow.

mod whatever;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use crate::support::{Input, LIMIT, Output, Pattern, Peer, Step, nettool, scratch};

/// What carries the bytes: the best calls, those that every system has, the event loop.
const PATHS: [&str; 3] = ["auto", "portable", "looped"];

/// One less, so many, one more: reads and pipes, the largest read, the widest pipe.
fn sizes() -> impl Iterator<Item = u64> {
    let edges = [
        4096,
        16 * 1024,
        64 * 1024,
        256 * 1024,
        512 * 1024,
        1024 * 1024,
    ];
    let around = edges
        .into_iter()
        .flat_map(|edge| [edge - 1, edge, edge + 1]);
    [0, 1].into_iter().chain(around)
}

/// Both directions at once, each of its own bytes, between pipes.
#[test]
fn every_size_arrives_over_every_path() {
    for path in PATHS {
        for size in sizes() {
            let (up, down) = (Pattern::new(size, size), Pattern::new(size + 1, size));
            let peer = Peer::serve(vec![Step::Exchange(down.clone())]);
            let client = nettool(["connect", &peer.target(), "--until=both"]);
            let client = client
                .env("NETTOOL_PATH", path)
                .stdin(Input::from(up.clone()));
            client.run().success().received(down.fingerprint());
            assert_eq!(
                peer.seen().received,
                up.fingerprint(),
                "{size} bytes, {path}"
            );
        }
    }
}

/// From a file into a file: other calls than those of pipes.
#[test]
fn every_size_of_a_file_arrives_over_every_path() {
    let place = scratch();
    let (from, to) = (place.path().join("from"), place.path().join("to"));
    for path in PATHS {
        for size in sizes() {
            let (up, down) = (Pattern::new(size, size), Pattern::new(size + 1, size));
            std::fs::write(&from, up.to_vec()).unwrap();
            let socket = place.path().join("socket");
            let _ = std::fs::remove_file(&socket);
            let peer = Peer::serve_unix(&socket, vec![Step::Exchange(down.clone())]);
            let client = nettool(["connect", "--force", "--until=both", "-U"]).arg(&socket);
            let client = client.arg("--input").arg(&from).arg("-o").arg(&to);
            client.env("NETTOOL_PATH", path).run().success();
            assert!(
                std::fs::read(&to).unwrap() == down.to_vec(),
                "{size} bytes, {path}"
            );
            assert_eq!(
                peer.seen().received,
                up.fingerprint(),
                "{size} bytes, {path}"
            );
        }
    }
}

/// Reads that bring little, a reader that stops, writes that are cut short by a full socket.
#[test]
fn nothing_is_lost_when_the_peer_is_slow() {
    for path in PATHS {
        let up = Pattern::new(7, 8 << 20);
        let mut steps = Vec::new();
        for size in [1, 65_535, 3, 65_537, 524_287, 1 << 20] {
            steps.extend([Step::Read(size), Step::Pause(Duration::from_millis(30))]);
        }
        steps.push(Step::Exchange(Pattern::new(8, 1000)));
        let peer = Peer::serve(steps);
        let client = nettool(["connect", &peer.target(), "--until=both"]);
        let client = client
            .env("NETTOOL_PATH", path)
            .stdin(Input::from(up.clone()));
        client
            .run()
            .success()
            .received(Pattern::new(8, 1000).fingerprint());
        assert_eq!(peer.seen().received, up.fingerprint(), "{path}");
    }
}

/// stdout's reader takes what it likes when it likes; a full pipe holds up, and nothing is lost.
#[test]
fn nothing_is_lost_when_the_reader_is_slow() {
    for path in PATHS {
        let down = Pattern::new(9, 4 << 20);
        let peer = Peer::serve(vec![Step::Exchange(down.clone())]);
        let client = nettool(["connect", &peer.target()]).env("NETTOOL_PATH", path);
        let mut client = client.stdout(Output::Open).start();
        let mut came = Vec::new();
        for size in [1, 4095, 65_537, 1, 524_289, 1_048_577] {
            came.extend(client.read(size));
        }
        came.extend(client.read((4 << 20) - came.len()));
        assert!(came == down.to_vec(), "{path}");
        client.wait().success();
    }
}

/// Short messages go both ways, and then the reader of stdout stops: what is sent still goes.
#[test]
fn a_reader_that_stops_holds_up_no_sending() {
    const ROUNDS: usize = 200;
    let message = Pattern::new(10, 8000).to_vec();
    for path in PATHS {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = server.local_addr().unwrap().to_string();
        let client = nettool(["connect", &addr]).env("NETTOOL_PATH", path);
        let mut client = client.stdin(Input::Open).stdout(Output::Open).start();
        let (mut peer, _) = server.accept().unwrap();
        peer.set_read_timeout(Some(LIMIT)).unwrap();
        peer.set_write_timeout(Some(LIMIT)).unwrap();
        let mut stdin = client.stdin.take().unwrap();
        for round in 0..ROUNDS {
            peer.write_all(&message).unwrap();
            stdin.write_all(b"x").unwrap();
            let answer = peer.read_exact(&mut [0]);
            assert!(answer.is_ok(), "{path}, round {round}: {answer:?}");
        }
        drop((peer, stdin));
        let came = client.read(ROUNDS * message.len());
        assert!(came == message.repeat(ROUNDS), "{path}");
        client.wait().success();
    }
}

/// A message that comes when much has just moved is not kept for a larger one: neither by what
/// sends nor by what receives. Both wait for more when much is moving.
#[test]
fn a_message_after_much_is_not_held_back() {
    const MUCH: usize = 64 << 20;
    for stdout_is_pipe in [true, false] {
        let place = scratch();
        let to = place.path().join("to");
        let server = nettool(["listen", "127.0.0.1", "0"]);
        let server = if stdout_is_pipe {
            server
        } else {
            server.arg("-o").arg(&to)
        };
        let server = server.start();
        let addr = server.listening().to_string();
        let mut client = nettool(["connect", &addr]).stdin(Input::Open).start();
        let mut stdin = client.stdin.take().unwrap();
        std::io::copy(&mut Pattern::new(3, MUCH as u64), &mut stdin).unwrap();
        for message in 0..3 {
            stdin.write_all(b"x").unwrap();
            // Without an end that would push it out.
            crate::support::until("the message is there", || {
                let length = std::fs::metadata(&to).map_or(0, |file| file.len());
                let length = usize::try_from(length).unwrap().max(server.printed());
                length == MUCH + message + 1
            });
        }
        drop(stdin);
        client.wait().success();
        server.wait().success();
    }
}
