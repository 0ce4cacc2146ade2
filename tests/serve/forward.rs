//! `listen --forward`: a connection of its own to somewhere else for each client.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream, UdpSocket};
use std::os::unix::net::UnixListener;
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use super::{address, ask, client, server, stopped};
use crate::support::{
    End, LIMIT, Namespace, Output, Pattern, Peer, Program, Running, Step, again, closed_port,
    in_some_try, let_go, need, nettool, records_of, scratch,
};

/// A forwarder to this endpoint, for many.
fn forwarder(endpoint: &str, options: &[&str]) -> Running {
    server(&["--forward", endpoint]).args(options).start()
}

/// Somebody who sends 50 MB while it receives as many.
fn talker(seed: u64) -> Vec<Step> {
    vec![Step::Exchange(Pattern::new(seed, 50_000_000))]
}

#[test]
fn everything_arrives_both_ways() {
    let there = Peer::serve(talker(1));
    let server = forwarder(&there.target(), &["--json"]);
    let here = Peer::connect(address(&server), talker(2)).seen();
    let there = there.seen();
    assert_eq!(here.received, Pattern::new(1, 50_000_000).fingerprint());
    assert_eq!(there.received, Pattern::new(2, 50_000_000).fingerprint());
    assert_eq!((here.end, there.end), (End::Eof, End::Eof));
    server.says("\"transfer\"");
    let transfer = &records_of(stopped(server), "transfer")[0];
    assert_eq!(transfer["bytes_received"], 50_000_000);
    assert_eq!(transfer["bytes_sent"], 50_000_000);
    assert_eq!(transfer["complete"], true);
}

#[test]
fn streams_go_to_streams_of_either_kind() {
    let directory = scratch();
    let path = |name: &str| directory.path().join(name);
    let there = Peer::serve_unix(&path("there"), talker(1));
    let first = forwarder(&format!("unix:{}", path("there").display()), &[]);
    let second = nettool(["listen", "-k", "-U"])
        .arg(path("here"))
        .args(["--forward", &first.listening().to_string()])
        .start();
    second.says("listening");
    let here = Peer::connect_unix(&path("here"), talker(2)).seen();
    let there = there.seen();
    assert_eq!(here.received, Pattern::new(1, 50_000_000).fingerprint());
    assert_eq!(there.received, Pattern::new(2, 50_000_000).fingerprint());
    stopped(first);
    stopped(second);
}

#[test]
fn an_end_is_carried_and_leaves_the_other_way_open() {
    let there = Peer::serve(vec![
        Step::ReadToEnd,
        Step::Write(b"after".to_vec()),
        Step::Shutdown,
    ]);
    let server = forwarder(&there.target(), &[]);
    let steps = vec![
        Step::Write(b"before".to_vec()),
        Step::Shutdown,
        Step::ReadToEnd,
    ];
    let here = Peer::connect(server.listening(), steps).seen();
    assert_eq!((here.head.as_slice(), here.end), (&b"after"[..], End::Eof));
    assert_eq!(there.seen().head, b"before");

    let there = Peer::serve(vec![
        Step::Write(b"first".to_vec()),
        Step::Shutdown,
        Step::ReadToEnd,
    ]);
    let server = forwarder(&there.target(), &[]);
    let steps = vec![Step::ReadToEnd, Step::Write(b"then".to_vec())];
    let here = Peer::connect(server.listening(), steps).seen();
    assert_eq!((here.head.as_slice(), here.end), (&b"first"[..], End::Eof));
    assert_eq!(there.seen().head, b"then");
    stopped(server);
}

#[test]
fn a_reset_is_carried_either_way() {
    let there = Peer::serve(vec![
        Step::Read(3),
        Step::Write(b"abc".to_vec()),
        Step::Await,
        Step::Reset,
    ]);
    let server = forwarder(&there.target(), &["-v"]);
    let steps = vec![Step::Write(b"xyz".to_vec()), Step::Read(3), Step::ReadToEnd];
    let here = Peer::connect(server.listening(), steps);
    there.go();
    let here = here.seen();
    assert_eq!((here.head.as_slice(), here.end), (&b"abc"[..], End::Reset));
    server.says(&format!("session with {}: connection reset", there.addr()));
    stopped(server);

    let there = Peer::serve(vec![
        Step::Read(3),
        Step::Write(b"abc".to_vec()),
        Step::AwaitReset,
    ]);
    let server = forwarder(&there.target(), &[]);
    let steps = vec![Step::Write(b"xyz".to_vec()), Step::Read(3), Step::Reset];
    Peer::connect(server.listening(), steps).seen();
    assert_eq!(there.seen().end, End::Reset);
    stopped(server);
}

#[test]
fn a_reset_after_an_end_is_carried_too() {
    let there = Peer::serve(vec![
        Step::ReadToEnd,
        Step::Write(b"seen".to_vec()),
        Step::AwaitReset,
    ]);
    let server = forwarder(&there.target(), &[]);
    let steps = vec![Step::Shutdown, Step::Read(4), Step::Reset];
    Peer::connect(server.listening(), steps).seen();
    assert_eq!(there.seen().end, End::Reset);
    stopped(server);
}

/// While the other side takes nothing, nothing is read from the client that would tell.
#[test]
fn a_reset_is_carried_though_the_other_side_takes_nothing() {
    let there = Peer::serve(vec![Step::AwaitReset]);
    let server = forwarder(&there.target(), &[]);
    let here = client(server.listening());
    stuff(&here);
    rustix::net::connect_unspec(&here).unwrap();
    assert_eq!(there.seen().end, End::Reset);
    stopped(server);
}

/// Sends until nothing more is taken, and says how much was.
fn stuff(mut client: &TcpStream) -> usize {
    let patience = Duration::from_millis(500);
    client.set_write_timeout(Some(patience)).unwrap();
    let (piece, mut stuffed) = (vec![0; 65_536], 0);
    while let Ok(length) = client.write(&piece) {
        stuffed += length;
    }
    stuffed
}

#[test]
fn a_side_that_is_not_there_is_a_reset_and_the_server_goes_on() {
    let (socket, there) = closed_port();
    let target = there.to_string();
    let server = forwarder(&target, &["-v", "--json"]);
    let addr = address(&server);
    let here = Peer::connect(addr, vec![Step::ReadToEnd]).seen();
    assert_eq!(here.end, End::Reset);
    server.says("\"transfer\"");
    socket.listen(5).unwrap();
    let here = Peer::connect(addr, vec![Step::ReadToEnd]);
    let (there, _) = socket.accept().unwrap();
    (&there).write_all(b"now").unwrap();
    drop(there);
    assert_eq!(here.seen().head, b"now");
    let stderr = stopped(server);
    let error = &records_of(&stderr, "error")[0];
    assert_eq!(error["action"], "connect");
    assert_eq!(error["target"], target);
    assert_eq!(error["errname"], "ECONNREFUSED");
    let transfer = &records_of(&stderr, "transfer")[0];
    assert_eq!(
        (&transfer["end"], &transfer["complete"]),
        (&"error".into(), &false.into())
    );
}

#[test]
fn the_status_of_an_only_client_is_that_of_its_way() {
    let there = Peer::serve(vec![Step::ReadToEnd]);
    let words = ["listen", "127.0.0.1", "0", "--forward"];
    let server = nettool(words).arg(there.target()).start();
    Peer::connect(server.listening(), vec![Step::Write(b"x".to_vec())]).seen();
    server.wait().success();
    let there = Peer::serve(vec![Step::Reset]);
    let server = nettool(words).arg(there.target()).start();
    let here = Peer::connect(server.listening(), vec![Step::ReadToEnd]).seen();
    assert_eq!(here.end, End::Reset);
    let end = server.wait();
    assert!(end.failure(1).contains(&there.target()), "{}", end.stderr);
}

#[test]
fn a_name_is_tried_on_all_its_addresses() {
    // Of localhost ::1 may come first, and nobody listens there.
    let there = Peer::serve(vec![Step::Write(b"here".to_vec())]);
    let server = forwarder(&format!("localhost:{}", there.addr().port()), &[]);
    let here = Peer::connect(server.listening(), vec![Step::ReadToEnd]).seen();
    assert_eq!((here.head.as_slice(), here.end), (&b"here"[..], End::Eof));
    stopped(server);
}

#[test]
fn a_slow_client_does_not_hold_up_the_others() {
    let echo = server(&["--echo"]).start();
    let server = forwarder(&echo.listening().to_string(), &[]);
    let addr = server.listening();
    let slow = client(addr);
    // Nothing is read back: at some point nothing more is taken.
    let stuffed = stuff(&slow);
    assert!(stuffed < 100_000_000, "{stuffed} bytes are kept somewhere");
    for _ in 0..20 {
        assert_eq!(ask(&client(addr), b"hello", 5), b"hello");
    }
    stopped(server);
    stopped(echo);
}

/// A client whose bytes are taken by the other side is not idle, however slowly that takes them.
#[test]
fn a_slow_other_side_does_not_make_its_client_idle() {
    // All of it takes longer than may be silent, and no pause does, even if it is a long one.
    let read = || [Step::Pause(Duration::from_millis(300)), Step::Read(65_536)];
    in_some_try(|| {
        let mut steps: Vec<Step> = (0..20).flat_map(|_| read()).collect();
        steps.extend([Step::ReadToEnd, Step::Write(b"done".to_vec())]);
        let there = Peer::serve(steps);
        let server = forwarder(&there.target(), &["--idle-timeout", "4s"]);
        let pattern = Pattern::new(1, 3_000_000);
        let steps = vec![Step::Exchange(pattern.clone())];
        let here = Peer::connect(server.listening(), steps).seen();
        let came = there.seen().received;
        stopped(server);
        here.head == b"done" && here.end == End::Eof && came == pattern.fingerprint()
    });
}

#[test]
fn datagrams_are_a_side_too() {
    let there = UdpSocket::bind("127.0.0.1:0").unwrap();
    there.set_read_timeout(Some(LIMIT)).unwrap();
    let endpoint = format!("udp://{}", there.local_addr().unwrap());
    let server = forwarder(&endpoint, &[]);
    let here = client(server.listening());
    (&here).write_all(b"question").unwrap();
    let mut buffer = [0; 100];
    let (length, from) = again(|| there.recv_from(&mut buffer)).unwrap();
    assert_eq!(&buffer[..length], b"question");
    there.send_to(b"answer", from).unwrap();
    here.shutdown(Shutdown::Write).unwrap();
    assert_eq!(std::io::read_to_string(&here).unwrap(), "answer");

    // With one correspondent it refuses all others.
    there.connect("127.0.0.2:9").unwrap();
    let here = client(server.listening());
    (&here).write_all(b"question").unwrap();
    let end = std::io::read_to_string(&here).unwrap_err();
    assert_eq!(end.kind(), ErrorKind::ConnectionReset);
    stopped(server);
}

/// A client that has ended, and takes what comes back more slowly than it comes, gets it all; what
/// the system had no room for is an error.
#[test]
fn a_slow_client_gets_all_that_comes_back_in_datagrams_or_an_error() {
    for (count, status) in [(40_u64, 0), (20_000, 1)] {
        let there = UdpSocket::bind("127.0.0.1:0").unwrap();
        there.set_read_timeout(Some(LIMIT)).unwrap();
        let endpoint = format!("udp://{}", there.local_addr().unwrap());
        let options = ["--forward", &endpoint, "--send-buffer", "4K"];
        let server = nettool(["listen", "127.0.0.1", "0"]).args(options).start();
        let here = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        here.set_recv_buffer_size(2048).unwrap();
        here.connect(&server.listening().into()).unwrap();
        let mut here = TcpStream::from(here);
        here.write_all(b"question").unwrap();
        let (_, from) = again(|| there.recv_from(&mut [0; 100])).unwrap();
        // It finds the end and the answers at once.
        server.asleep(|| {
            here.shutdown(Shutdown::Write).unwrap();
            for _ in 0..count {
                there.send_to(&[b'x'; 1000], from).unwrap();
            }
        });
        // Longer than answers are waited for.
        assert!(server.stays(Duration::from_millis(2500)));
        let mut whole = Vec::new();
        let end = here.read_to_end(&mut whole);
        let exit = server.wait();
        exit.status(status);
        if status == 0 {
            end.unwrap();
            assert_eq!(whole.len() as u64, count * 1000);
        } else {
            exit.says("dropped by the system");
            assert_eq!(end.unwrap_err().kind(), ErrorKind::ConnectionReset);
        }
    }
}

#[test]
fn other_netcats_are_passed_on() {
    if !need(&["nc.openbsd", "ncat", "socat"]) {
        return;
    }
    let echo = server(&["--echo"]).start();
    let server = forwarder(&echo.listening().to_string(), &[]);
    let port = server.listening().port().to_string();
    let input = Pattern::new(3, 5_000_000);
    let clients: [(&str, &[&str]); 3] = [
        ("nc.openbsd", &["-N", "127.0.0.1", "PORT"]),
        ("ncat", &["127.0.0.1", "PORT"]),
        ("socat", &["-t20", "-", "TCP:127.0.0.1:PORT"]),
    ];
    for (program, words) in clients {
        let words = words.iter().map(|word| word.replace("PORT", &port));
        let program = Program::new(program).args(words).stdin(input.clone());
        let end = program.stdout(Output::Hashed).run();
        end.status(0).received(input.fingerprint());
    }
    stopped(server);
    stopped(echo);
}

#[test]
fn a_way_in_is_for_this_machine_unless_asked_otherwise() {
    let place = |options: &[&str]| {
        let server = nettool(["listen", "0", "--forward", "127.0.0.1:9"])
            .args(options)
            .start();
        let ip = server.listening().ip();
        let told = server
            .kill()
            .stderr
            .contains("only this machine can connect");
        (ip.to_string(), told)
    };
    assert_eq!(place(&[]), ("127.0.0.1".to_owned(), true));
    assert_eq!(
        place(&["--allow", "192.0.2.0/24"]),
        ("0.0.0.0".to_owned(), false)
    );
}

#[test]
fn a_path_that_nobody_listens_on_any_more_is_an_error_of_its_own() {
    let directory = scratch();
    let path = directory.path().join("gone");
    let_go(UnixListener::bind(&path).unwrap());
    let server = forwarder(&format!("unix:{}", path.display()), &["-v"]);
    let addr: SocketAddr = server.listening();
    let here = TcpStream::connect(addr).unwrap();
    let end = std::io::read_to_string(&here).unwrap_err();
    assert_eq!(end.kind(), ErrorKind::ConnectionReset);
    server.says(&format!(
        "connect to {}: connection refused",
        path.display()
    ));
    stopped(server);
}

/// It would be a client of its own, and that one another, until no descriptor is left.
#[test]
fn a_forwarder_to_itself_refuses() {
    let Some(space) = Namespace::new() else {
        return;
    };
    for (here, there, by) in [
        ("127.0.0.1", "127.0.0.1", "127.0.0.1"),
        ("127.0.0.1", "localhost", "127.0.0.1"),
        ("0.0.0.0", "0.0.0.0", "127.0.0.1"),
        ("0.0.0.0", "127.0.0.1", "127.0.0.2"),
        ("::1", "[::]", "::1"),
    ] {
        let server = nettool(["listen", "-k", "--json", here, "7"])
            .args(["--forward", &format!("{there}:7")]);
        let server = space.inside(server).start();
        server.says("\"listening\"");
        let client = space.inside(nettool(["connect", "--recv-only", by, "7"]));
        let seen = client.run();
        seen.printed("");
        assert!(seen.failure(1).contains("reset"), "{}", seen.stderr);
        server.says("this server itself is there");
        let stderr = stopped(server);
        let totals = &records_of(&stderr, "served")[0];
        let most = if by == "127.0.0.2" { 2 } else { 1 };
        assert_eq!(totals["clients"], most, "{stderr}");
    }
}

#[test]
fn a_forwarder_to_its_own_path_refuses() {
    let directory = scratch();
    let path = directory.path().join("here");
    let again = directory.path().join(".").join("here");
    let server = nettool(["listen", "-k", "-v", "-U"])
        .arg(&path)
        .args(["--forward", &format!("unix:{}", again.display())])
        .start();
    server.says("listening");
    let seen = Peer::connect_unix(&path, vec![Step::ReadToEnd]).seen();
    assert_eq!(seen.received.count, 0);
    server.says("this server itself is there");
    let stderr = stopped(server);
    assert!(stderr.contains("served 1 client"), "{stderr}");
}
