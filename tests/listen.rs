//! `nettool listen`: who is the client, where it listens, what it leaves behind.

use std::collections::BTreeSet;
use std::fs;
use std::io::{ErrorKind, Seek, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

use rustix::net::SendFlags;
use rustix::process::Signal;
use serde_json::Value;

use crate::support::{
    End, Input, LIMIT, Namespace, Output, Pattern, Peer, Program, Running, Step, again,
    closed_udp_port, in_some_try, let_go, need, nettool, own_address, records, scratch, until,
};

/// Everything that can carry the bytes.
const PATHS: [&str; 3] = ["auto", "portable", "looped"];

/// `nettool listen` on a free port of 127.0.0.1.
fn listen(options: &[&str]) -> Program {
    nettool(["listen", "127.0.0.1", "0"]).args(options)
}

/// Connects, and resets before a byte.
fn probe(addr: SocketAddr) {
    let probe = Peer::connect(addr, vec![Step::Reset]);
    assert_eq!(probe.seen().received.count, 0);
}

/// A client that sends one stream and receives another, whole both ways.
#[track_caller]
fn serves_whole(server: Running) {
    let client = Peer::connect(
        server.listening(),
        vec![Step::Exchange(Pattern::new(2, 300_000))],
    );
    server
        .wait()
        .success()
        .received(Pattern::new(2, 300_000).fingerprint());
    let client = client.seen();
    assert_eq!(
        (client.received, client.end),
        (Pattern::new(1, 300_000).fingerprint(), End::Eof)
    );
}

#[test]
fn a_port_probe_is_no_client() {
    for count in [1, 20] {
        let server = listen(&["-v"]).stdin(Pattern::new(1, 300_000)).start();
        for _ in 0..count {
            probe(server.listening());
        }
        server.says("not the client");
        serves_whole(server);
    }
}

#[test]
fn a_probe_that_is_late_is_no_client() {
    for path in PATHS {
        // Who learns of the reset first is chance.
        for _ in 0..10 {
            let server = listen(&["-v"]).env("NETTOOL_PATH", path);
            let mut server = server.stdin(Input::Open).start();
            let probe = Peer::connect(server.listening(), vec![Step::Await, Step::Reset]);
            server.says("connected over tcp");
            probe.go();
            probe.seen();
            server.says("not the client");
            let mut stdin = server.stdin.take().unwrap();
            let steps = vec![
                Step::Write(b"ask".to_vec()),
                Step::Shutdown,
                Step::ReadToEnd,
            ];
            let client = Peer::connect(server.listening(), steps);
            stdin.write_all(b"answer").unwrap();
            drop(stdin);
            server.wait().success().printed("ask");
            assert_eq!(client.seen().head, b"answer");
        }
    }
}

#[test]
fn whoever_waits_behind_a_probe_is_served() {
    let server = listen(&[]).stdin(Pattern::new(1, 300_000)).start();
    let addr = server.listening();
    server.signal(Signal::STOP);
    probe(addr);
    let client = Peer::connect(addr, vec![Step::Exchange(Pattern::new(2, 300_000))]);
    server.signal(Signal::CONT);
    server
        .wait()
        .success()
        .received(Pattern::new(2, 300_000).fingerprint());
    assert_eq!(
        client.seen().received,
        Pattern::new(1, 300_000).fingerprint()
    );
}

#[test]
fn a_second_client_is_refused() {
    // The port is free then, and stays so.
    let here = own_address().to_string();
    let server = nettool(["listen", "-v", &here, "0"]);
    let server = server.stdin(Input::Open).start();
    let addr = server.listening();
    let client = Peer::connect(addr, vec![Step::Await]);
    server.says("connected over tcp");
    let refused = TcpStream::connect_timeout(&addr, LIMIT).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    client.go();
    server.wait().success();
}

#[test]
fn stdin_is_not_read_before_there_is_a_client() {
    let directory = scratch();
    let path = directory.path().join("in");
    fs::write(&path, "all of it").unwrap();
    let mut file = fs::File::open(&path).unwrap();
    let server = listen(&[])
        .stdin(Input::Fd(file.try_clone().unwrap().into()))
        .start();
    let addr = server.listening();
    probe(addr);
    assert!(server.stays(Duration::from_millis(100)));
    assert_eq!(file.stream_position().unwrap(), 0);
    let client = Peer::connect(addr, vec![Step::ReadToEnd]);
    assert_eq!(client.seen().head, b"all of it");
    server.wait().success();
}

#[test]
fn a_free_port_is_the_same_in_both_families() {
    let server = || nettool(["listen", "0"]).start();
    let ports = |server: &Running| {
        let announced = server.announced(2);
        let port = announced[0]
            .strip_prefix("tcp 0.0.0.0:")
            .expect("IPv4 first")
            .to_owned();
        assert_eq!(announced[1], format!("tcp [::]:{port}"));
        port
    };
    for host in ["127.0.0.1", "::1"] {
        let server = server();
        let port = ports(&server);
        nettool(["connect", host, &port]).stdin("x").run().success();
        server.wait().success().printed("x");
    }
}

/// In IPv4 that port may be somebody else's, but not on a host of its own.
#[test]
fn a_listener_of_one_family_is_not_there_in_the_other() {
    let Some(space) = Namespace::new() else {
        return;
    };
    let run = |words: [&str; 3]| space.inside(nettool(words));
    let server = run(["listen", "-6", "0"]).start();
    assert!(server.announced(1)[0].starts_with("tcp [::]:"));
    let port = server.listening().port().to_string();
    run(["connect", "127.0.0.1", &port]).run().failure(1);
    run(["connect", "::1", &port]).run().success();
    server.wait().success();
}

#[test]
fn a_name_listens_on_all_its_addresses() {
    let Some(mut space) = Namespace::new() else {
        return;
    };
    space.replace(
        "/etc/hosts",
        "127.0.0.1 localhost both\n::1 localhost both\n",
    );
    for name in ["localhost", "both"] {
        let server = space.inside(nettool(["listen", name, "7"])).start();
        let announced: BTreeSet<String> = server.announced(2).into_iter().collect();
        assert!(announced.into_iter().eq(["tcp 127.0.0.1:7", "tcp [::1]:7"]));
        space
            .inside(nettool(["connect", "::1", "7"]).stdin("x"))
            .run()
            .success();
        server.wait().success().printed("x");
    }
}

#[test]
fn a_machine_without_ipv6_listens_all_the_same() {
    let Some(space) = Namespace::new() else {
        return;
    };
    space.run("ip link set lo down");
    let off = "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6; ip link set lo up";
    space
        .inside(Program::new("sh").args(["-c", off]))
        .run()
        .status(0);
    let server = space.inside(nettool(["listen", "7"])).start();
    let first = server.announced(1).remove(0);
    assert_eq!(first, "tcp 0.0.0.0:7");
    space
        .inside(nettool(["connect", "127.0.0.1", "7"]).stdin("x"))
        .run()
        .success();
    server.wait().success().printed("x");
}

/// `nettool listen -U path`, listening.
fn listen_unix(path: &Path) -> Running {
    let server = nettool(["listen", "-U"])
        .arg(path)
        .stdin(Input::Open)
        .start();
    assert_eq!(server.announced(1), [format!("unix {}", path.display())]);
    server
}

#[test]
fn a_unix_socket_is_ours_alone_and_removed() {
    let directory = scratch();
    let path = directory.path().join("s");
    let open = ["sh", "-c", "umask 0; exec \"$@\"", "sh"];
    let server = nettool(["listen", "-U"]).arg(&path).by_way_of(open).start();
    server.announced(1);
    let found = fs::symlink_metadata(&path).unwrap();
    assert!(found.file_type().is_socket());
    assert_eq!(found.permissions().mode() & 0o777, 0o600);
    nettool(["connect", "-U"])
        .arg(&path)
        .stdin("x")
        .run()
        .success();
    server.wait().success().printed("x");
    assert!(!path.exists());
}

#[test]
fn a_unix_socket_is_open_to_whom_its_mode_says() {
    let directory = scratch();
    let path = directory.path().join("s");
    let shut = ["sh", "-c", "umask 077; exec \"$@\"", "sh"];
    let server = nettool(["listen", "--mode", "660", "-U"]).arg(&path);
    let server = server.by_way_of(shut).start();
    server.announced(1);
    let found = fs::symlink_metadata(&path).unwrap();
    assert_eq!(found.permissions().mode() & 0o777, 0o660);
}

#[test]
fn an_abandoned_socket_is_taken_over() {
    let directory = scratch();
    let path = directory.path().join("s");
    let_go(UnixListener::bind(&path).unwrap());
    let server = listen_unix(&path);
    drop(UnixStream::connect(&path).unwrap());
    server.wait().success();
    assert!(!path.exists());
}

#[test]
fn what_is_not_abandoned_is_left_alone() {
    let directory = scratch();
    let live = directory.path().join("live");
    let theirs = UnixListener::bind(&live).unwrap();
    let exit = nettool(["listen", "-U"]).arg(&live).run();
    let expected = format!("bind {}: address already in use", live.display());
    assert!(exit.failure(1).ends_with(&expected), "{}", exit.stderr);
    assert!(UnixStream::connect(&live).is_ok());
    drop(theirs);
    let file = directory.path().join("file");
    fs::write(&file, "precious").unwrap();
    nettool(["listen", "-U"]).arg(&file).run().failure(1);
    assert_eq!(fs::read(&file).unwrap(), b"precious");
    let link = directory.path().join("link");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    nettool(["listen", "-U"]).arg(&link).run().failure(1);
    assert!(link.is_symlink());
    assert_eq!(fs::read(&file).unwrap(), b"precious");
}

#[test]
fn who_wants_the_same_path_is_no_client() {
    for option in [None, Some("--seqpacket"), Some("-u")] {
        let directory = scratch();
        let path = directory.path().join("s");
        let listen = || nettool(["listen", "-v", "-U"]).arg(&path).args(option);
        let server = listen().start();
        server.announced(1);
        let rival = listen().run();
        let line = rival.failure(1);
        assert!(line.ends_with("address already in use"), "{line}");
        assert!(path.exists());
        server.signal(Signal::TERM);
        let exit = server.wait();
        exit.died_of(15);
        assert!(!exit.stderr.contains("connected"), "{}", exit.stderr);
    }
}

#[test]
fn a_path_without_a_slash_is_a_path() {
    let directory = scratch();
    fs::write(directory.path().join("taken"), "").unwrap();
    let inside = directory.path().to_str().unwrap();
    let listen = |name: &str| nettool(["listen", "-U", name]).by_way_of(["env", "-C", inside]);
    listen("taken").run().says("take another path").failure(1);
    let connect = |name: &str| nettool(["connect", "-U", name]).by_way_of(["env", "-C", inside]);
    connect("taken")
        .run()
        .says("nobody listens on that path")
        .failure(1);
    nettool(["listen", "192.0.2.1", "0"])
        .run()
        .says("none of this machine's")
        .failure(1);
}

#[test]
fn what_somebody_else_put_there_is_not_removed() {
    let directory = scratch();
    let path = directory.path().join("s");
    for signal in [None, Some(Signal::TERM)] {
        let server = listen_unix(&path);
        let client = signal
            .is_none()
            .then(|| UnixStream::connect(&path).unwrap());
        fs::remove_file(&path).unwrap_or(());
        fs::write(&path, "theirs").unwrap();
        drop(client);
        if let Some(signal) = signal {
            server.signal(signal);
        }
        server.wait();
        assert_eq!(fs::read(&path).unwrap(), b"theirs");
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn who_waits_too_long_gives_up() {
    let limit = Duration::from_millis(300);
    for option in ["--accept-timeout=300ms", "-w300ms"] {
        let server = listen(&[option]).stdin(Input::Open).start();
        let addr = server.listening();
        // It finds the probe reset already; when we are late it does not find it.
        server.asleep(|| {
            let probe = TcpStream::connect(addr);
            probe.map(|probe| rustix::net::connect_unspec(&probe)).ok()
        });
        let exit = server.wait();
        let expected = format!("accept on {addr}: timed out after 300ms");
        assert!(exit.failure(1).ends_with(&expected), "{}", exit.stderr);
        exit.at_least(limit);
    }
    let directory = scratch();
    let path = directory.path().join("s");
    let exit = nettool(["listen", "--accept-timeout=10ms", "-U"])
        .arg(&path)
        .run();
    assert!(
        exit.failure(1)
            .contains(&format!("accept on {}", path.display()))
    );
    assert!(!path.exists());
}

#[test]
fn both_ends_keep_the_same_records() {
    let server = listen(&["--json"]).stdin("answer").start();
    let port = |record: &Value| record["port"].as_u64().unwrap().to_string();
    let target = announced_record(&server);
    let client = nettool(["--json", "connect", &target]).stdin("ask").run();
    client.status(0).printed("answer");
    let server = server.wait();
    server.status(0).printed("ask");
    let (server, client) = (records(&server.stderr), records(&client.stderr));
    let types = |records: &[Value]| {
        records
            .iter()
            .map(|record| record["type"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(types(&server), ["listening", "connected", "transfer"]);
    assert_eq!(types(&client), ["connected", "transfer"]);
    assert!(target.ends_with(&port(&server[0])));
    assert!(server.iter().chain(&client).all(|record| record["v"] == 1));
    for kind in [0, 1] {
        let (server, client) = (&server[kind + 1], &client[kind]);
        for field in ["addr", "port"] {
            assert_eq!(
                server[format!("local_{field}")],
                client[format!("peer_{field}")]
            );
            assert_eq!(
                server[format!("peer_{field}")],
                client[format!("local_{field}")]
            );
        }
        assert_eq!(
            (&server["client"], &server["proto"], &server["path"]),
            (&1.into(), &"tcp".into(), &Value::Null)
        );
    }
    is_whole(&server[2], 6, 3);
    is_whole(&client[1], 3, 6);
}

/// The address in a `listening` record.
fn announced_record(server: &Running) -> String {
    let record = server.line_with("\"listening\"");
    let record: Value = serde_json::from_str(&record).unwrap();
    format!("{}:{}", record["addr"].as_str().unwrap(), record["port"])
}

/// A `transfer` record of a conversation that both sides ended.
#[track_caller]
fn is_whole(record: &Value, sent: u64, received: u64) {
    assert_eq!(record["bytes_sent"], sent);
    assert_eq!(record["bytes_acked"], sent);
    assert_eq!(record["bytes_received"], received);
    assert!(record["elapsed_us"].is_u64());
    assert_eq!(
        (&record["complete"], &record["end"]),
        (&true.into(), &"both".into()),
        "{record}"
    );
    assert!(record["datagrams_lost"].is_null());
}

#[test]
fn a_unix_conversation_has_a_path_in_its_records() {
    let directory = scratch();
    let path = directory.path().join("s");
    let server = nettool(["listen", "--json", "-U"]).arg(&path).start();
    server.says("\"listening\"");
    let client = nettool(["connect", "--json", "-U"])
        .arg(&path)
        .stdin("x")
        .run();
    let server = server.wait();
    for record in records(&server.stderr)
        .iter()
        .chain(&records(&client.stderr))
    {
        assert_eq!(record["path"], path.to_str().unwrap(), "{record}");
        assert_eq!(record["proto"], "unix");
        assert!(record["local_addr"].is_null() && record["peer_port"].is_null());
    }
}

#[test]
fn a_broken_conversation_has_a_record_too() {
    let server = listen(&["--json"]).stdin(Input::Open).start();
    let target = announced_record(&server).parse().unwrap();
    let client = Peer::connect(
        target,
        vec![Step::Write(b"x".to_vec()), Step::Await, Step::Reset],
    );
    server.prints("x");
    client.go();
    let exit = server.wait();
    exit.status(1);
    let records = records(&exit.stderr);
    let types: Vec<_> = records
        .iter()
        .map(|record| record["type"].clone())
        .collect();
    assert_eq!(types, ["listening", "connected", "error", "transfer"]);
    assert_eq!(records[2]["errname"], "ECONNRESET");
    assert_eq!(
        (&records[3]["complete"], &records[3]["end"]),
        (&false.into(), &"reset".into())
    );
}

/// A socket of our own on 127.0.0.1, which waits no longer than [`LIMIT`].
fn datagrams() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    socket
}

/// `nettool listen -u` on a free port of 127.0.0.1.
fn listen_udp(options: &[&str]) -> Program {
    nettool(["listen", "-u", "127.0.0.1", "0"]).args(options)
}

#[test]
fn datagrams_of_every_length_are_heard() {
    let lengths = [0, 1, 1400, 0, 65_507, 9000];
    let most = format!("--max-bytes={}", lengths.iter().sum::<u64>());
    let server = listen_udp(&[&most]).start();
    let addr = server.listening();
    let socket = datagrams();
    let mut all = Vec::new();
    for (seed, length) in (1..).zip(lengths) {
        let datagram = Pattern::new(seed, length).to_vec();
        assert_eq!(socket.send_to(&datagram, addr).unwrap(), datagram.len());
        all.extend(datagram);
        server.prints_bytes(all.len());
    }
    server.wait().success().printed(all);
}

#[test]
fn the_answer_goes_to_whoever_was_heard_last() {
    let mut server = listen_udp(&[]).stdin(Input::Open).start();
    let addr = server.listening();
    let mut stdin = server.stdin.take().unwrap();
    for (turn, socket) in [datagrams(), datagrams(), datagrams()].iter().enumerate() {
        socket.send_to(b"ask", addr).unwrap();
        server.prints_bytes(3 * (turn + 1));
        let answer = format!("answer {turn}");
        stdin.write_all(answer.as_bytes()).unwrap();
        let mut buffer = [0; 100];
        let (length, from) = again(|| socket.recv_from(&mut buffer)).unwrap();
        assert_eq!((&buffer[..length], from), (answer.as_bytes(), addr));
    }
    drop(stdin);
    assert!(
        server.stays(Duration::from_millis(100)),
        "the end of stdin ends nothing"
    );
    server.signal(Signal::TERM);
    server.wait().died_of(15).printed("askaskask");
}

#[test]
fn stdin_is_cut_into_datagrams() {
    let socket = datagrams();
    let target = socket.local_addr().unwrap().to_string();
    let directory = scratch();
    let path = directory.path().join("in");
    let input = Pattern::new(1, 5000).to_vec();
    fs::write(&path, &input).unwrap();
    let client = nettool(["connect", "-u", "--send-only", &target]).stdin(path.as_path());
    client.run().success();
    let mut received = Vec::new();
    for length in [1400, 1400, 1400, 800] {
        let mut buffer = [0; 2000];
        let (count, _) = again(|| socket.recv_from(&mut buffer)).unwrap();
        assert_eq!(count, length);
        received.extend_from_slice(&buffer[..count]);
    }
    assert_eq!(received, input);
}

#[test]
fn a_datagram_listener_ends_when_it_is_told() {
    let server = listen_udp(&["--max-time=300ms"]).start();
    server.wait().success().at_least(Duration::from_millis(300));
    let server = listen_udp(&["--quit-after=200ms"]).start();
    let addr = server.listening();
    assert!(
        server.stays(Duration::from_millis(400)),
        "before the first datagram nothing ends"
    );
    datagrams().send_to(b"x", addr).unwrap();
    server.wait().success().printed("x");
}

#[test]
fn a_datagram_listener_has_both_families_too() {
    let server = nettool(["listen", "-u", "0"]).start();
    let announced = server.announced(2);
    let port = announced[0]
        .strip_prefix("udp 0.0.0.0:")
        .unwrap()
        .to_owned();
    assert_eq!(announced[1], format!("udp [::]:{port}"));
    for (host, heard) in [("127.0.0.1", "127.0.0.1"), ("::1", "127.0.0.1::1")] {
        let client = nettool(["connect", "-u", host, &port, "--send-only"]).stdin(host);
        client.run().success();
        server.prints(heard);
    }
    server.signal(Signal::INT);
    server.wait().died_of(2);
}

#[test]
fn answers_are_waited_for_a_second_or_as_told() {
    let socket = datagrams();
    let target = socket.local_addr().unwrap().to_string();
    let client = |options: &[&str]| {
        let client = nettool(["connect", "-u", &target])
            .args(options)
            .stdin("x")
            .run();
        client.success();
        client
    };
    client(&[]).at_least(Duration::from_secs(1));
    client(&["-w2s"]).at_least(Duration::from_secs(2));
    client(&["--quit-after=1500ms"]).at_least(Duration::from_millis(1500));
    in_some_try(|| client(&["-w10ms"]).awake() < Duration::from_secs(1));
    // Whoever waited for an answer would do so for longer than we do.
    client(&["--send-only", "--quit-after=1h"]);
}

#[test]
fn nobody_behind_a_udp_port_is_an_error() {
    let (_socket, target) = closed_udp_port();
    let target = target.to_string();
    let exit = nettool(["connect", "-u", &target]).stdin("x").run();
    assert!(
        exit.failure(1)
            .contains(&format!("{target}: connection refused")),
        "{}",
        exit.stderr
    );
}

#[test]
fn a_datagram_that_cannot_be_sent_holds_nothing_up() {
    if !need(&["nft"]) {
        return;
    }
    let Some(space) = Namespace::new() else {
        return;
    };
    // The system refuses to send at all: no ICMP message is needed for that.
    space.rules(
        "table inet t { chain c { type filter hook output priority 0; udp sport 7 drop; }; }",
    );
    let mut server = space
        .inside(nettool(["listen", "-u", "127.0.0.1", "7"]).stdin(Input::Open))
        .start();
    server.listening();
    let client = nettool(["connect", "-u", "127.0.0.1", "7", "--send-only"]);
    space.inside(client.stdin("ask")).run().success();
    server.prints("ask");
    server.stdin.as_mut().unwrap().write_all(b"answer").unwrap();
    server.says("warning: a datagram did not arrive: ");
    let client = nettool(["connect", "-u", "127.0.0.1", "7", "--send-only"]);
    space.inside(client.stdin("again")).run().success();
    server.prints("again");
    server.signal(Signal::TERM);
    server.wait().died_of(15).printed("askagain");
}

#[test]
fn a_route_that_vanishes_is_an_error() {
    let Some((near, _far)) = Namespace::pair() else {
        return;
    };
    let client = near.inside(nettool(["connect", "-u", "-v", "10.77.0.2", "7"]).stdin(Input::Open));
    let mut client = client.start();
    let mut stdin = client.stdin.take().unwrap();
    // Without a route it would fail to get a socket, too.
    client.says("connected over udp");
    near.run("ip link set eth0 down");
    stdin.write_all(b"lost").unwrap();
    client.says("network is unreachable");
    drop(stdin);
    client.wait().failure(1);
}

/// Fills the pipe of a datagram listener whose reader stalls: what comes at once is more than it holds.
fn stall(server: &Running) {
    let socket = datagrams();
    let (addr, datagram) = (server.listening(), vec![7; 60_000]);
    server.asleep(|| {
        for _ in 0..40 {
            socket.send_to(&datagram, addr).unwrap();
        }
    });
    let pipe = server.stdout.as_ref().expect("a kept pipe");
    until("the first has come", || {
        rustix::io::ioctl_fionread(pipe).expect("a pipe") > 0
    });
}

#[test]
fn a_stalled_reader_holds_no_end_of_datagrams_up() {
    let server = listen_udp(&["--quit-after=100ms"]);
    let server = server.stdout(Output::Open).start();
    stall(&server);
    assert!(server.stays(Duration::from_millis(300)));
    server.signal(Signal::TERM);
    server.wait().died_of(15);
    in_some_try(|| {
        // It may be over before anything has come.
        let server = listen_udp(&["--max-time=1s"]);
        let server = server.stdout(Output::Open).start();
        let addr = server.listening();
        let (socket, datagram) = (datagrams(), vec![7; 60_000]);
        for _ in 0..40 {
            let _ = socket.send_to(&datagram, addr);
        }
        let exit = server.wait();
        if exit.code == Some(0) {
            return false;
        }
        let expected = "write to stdout: timed out after 1s";
        assert!(exit.failure(1).contains(expected), "{}", exit.stderr);
        true
    });
}

#[test]
fn an_endless_patience_has_no_end() {
    let socket = datagrams();
    let target = socket.local_addr().unwrap().to_string();
    for option in ["-wforever", "--quit-after=forever"] {
        let client = nettool(["connect", "-u", &target, option]).start();
        assert!(client.stays(Duration::from_millis(1300)));
        client.signal(Signal::INT);
        client.wait().died_of(2);
    }
}

#[test]
fn urgent_data_is_data() {
    for path in PATHS {
        let server = listen(&[]).env("NETTOOL_PATH", path).start();
        let mut client = TcpStream::connect(server.listening()).unwrap();
        client.write_all(b"before").unwrap();
        server.prints("before");
        rustix::net::send(&client, b"!", SendFlags::OOB).unwrap();
        client.write_all(b"after").unwrap();
        server.prints("before!after");
        drop(client);
        server.wait().success().printed("before!after");
    }
}
