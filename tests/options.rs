//! Options of `connect` and `listen`: what the sockets are told, as the system and the peer see it.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, Signal, pidfd_getfd, pidfd_open};
use serde_json::Value;
use socket2::{Domain, Socket};

use crate::support::{
    Exit, Input, Namespace, Pattern, Peer, Program, Running, Step, need, nettool, refused, scratch,
    until,
};

/// The connected sockets of a running program.
fn sockets(pid: u32, domain: Domain) -> Vec<Socket> {
    let pid = i32::try_from(pid).unwrap();
    let handle = pidfd_open(Pid::from_raw(pid).unwrap(), PidfdFlags::empty()).unwrap();
    let numbers = fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let numbers = numbers.filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    let copies =
        numbers.filter_map(|number| pidfd_getfd(&handle, number, PidfdGetfdFlags::empty()).ok());
    let sockets = copies.map(Socket::from);
    sockets
        .filter(|socket| socket.domain().is_ok_and(|found| found == domain))
        .filter(|socket| socket.peer_addr().is_ok())
        .collect()
}

/// The one connection of a running program.
#[track_caller]
fn connection(program: &Running, domain: Domain) -> Socket {
    program.says("connected over");
    sockets(program.pid(), domain).remove(0)
}

/// A peer on loopback that holds a connection until it is let go.
fn holder(place: &str) -> Peer {
    Peer::serve_at(place, vec![Step::Await])
}

/// `nettool connect -v` to a peer, held open.
fn call(peer: &Peer, options: &[&str]) -> Running {
    let target = peer.target();
    nettool(["connect", "-v", &target])
        .args(options)
        .stdin(Input::Open)
        .start()
}

/// `nettool listen -v` with a client, both held open.
fn serve(options: &[&str]) -> (Running, Peer) {
    let server = nettool(["listen", "-v", "127.0.0.1", "0"]).args(options);
    let server = server.stdin(Input::Open).start();
    let steps = vec![Step::Write(b"hello".to_vec()), Step::Await];
    let client = Peer::connect(server.listening(), steps);
    server.prints("hello");
    (server, client)
}

/// A Python program inside.
fn python(space: &Namespace, script: &str) -> Program {
    let python = Program::new("python3").args(["-c", script]);
    space.inside(python.env("PYTHONUNBUFFERED", "1"))
}

#[test]
fn a_connection_leaves_from_where_it_is_told() {
    for (place, source, domain) in [
        ("127.0.0.1:0", "127.0.0.5", Domain::IPV4),
        ("[::1]:0", "::1", Domain::IPV6),
    ] {
        let peer = holder(place);
        let client = call(&peer, &["-s", source]);
        let local = connection(&client, domain).local_addr().unwrap();
        assert_eq!(local.as_socket().unwrap().ip().to_string(), source);
        peer.go();
    }
}

#[test]
fn a_source_port_is_used_again_at_once() {
    let Some(space) = Namespace::new() else {
        return;
    };
    let talk = || {
        let server = space.inside(nettool(["listen", "127.0.0.1", "7"])).start();
        server.listening();
        let words = [
            "connect",
            "-v",
            "-p",
            "700",
            "127.0.0.1:7",
            "--source=127.0.0.3",
        ];
        let client = space.inside(nettool(words)).stdin("x").run();
        client.success().says("127.0.0.3:700 to 127.0.0.1:7");
        server.wait().success();
    };
    // What ends first waits a minute, and holds its port.
    talk();
    talk();
}

#[test]
fn a_source_that_is_not_ours_is_an_error_that_names_it() {
    let exit = nettool(["connect", "127.0.0.1:9", "-s", "192.0.2.1"]).run();
    let line = exit.failure(1);
    assert!(line.contains("bind 192.0.2.1: "), "{line}");
    for (words, names) in [
        ("connect ::1 9 -s 127.0.0.1", ["::1", "--source 127.0.0.1"]),
        ("connect -s ::1 127.0.0.1 9", ["127.0.0.1", "--source ::1"]),
        (
            "connect -us 127.0.0.1 [::1]:9",
            ["::1", "--source 127.0.0.1"],
        ),
    ] {
        refused(&words.split(' ').collect::<Vec<_>>(), &names);
    }
    refused(
        &["connect", "h", "9", "-6", "-s", "127.0.0.1"],
        &["--source", "-6"],
    );
    refused(&["connect", "h", "9", "-s", "here"], &["here", "; write "]);
}

#[test]
fn what_a_connection_is_told_is_set() {
    let v4 = holder("127.0.0.1:0");
    let options = ["--ttl=7", "--dscp=af41", "--keepalive=9s"];
    let client = call(&v4, &options);
    let socket = connection(&client, Domain::IPV4);
    assert_eq!(
        (socket.ttl_v4().unwrap(), socket.tos_v4().unwrap()),
        (7, 34 << 2)
    );
    let times = (socket.tcp_keepalive_time(), socket.tcp_keepalive_interval());
    let nine = Duration::from_secs(9);
    assert_eq!((times.0.unwrap(), times.1.unwrap()), (nine, nine));
    assert!(socket.keepalive().unwrap());
    v4.go();

    let v6 = holder("[::1]:0");
    let client = call(&v6, &options);
    let socket = connection(&client, Domain::IPV6);
    let both = (socket.unicast_hops_v6(), socket.tclass_v6());
    assert_eq!((both.0.unwrap(), both.1.unwrap()), (7, 34 << 2));
    v6.go();
}

#[test]
fn keepalive_is_on_unless_it_is_forever_away() {
    for (options, on) in [(&[][..], true), (&["--keepalive=forever"], false)] {
        let peer = holder("127.0.0.1:0");
        let client = call(&peer, options);
        let socket = connection(&client, Domain::IPV4);
        assert_eq!(socket.keepalive().unwrap(), on);
        peer.go();
        let (server, client) = serve(options);
        let socket = connection(&server, Domain::IPV4);
        assert_eq!(socket.keepalive().unwrap(), on);
        client.go();
    }
}

#[test]
fn a_client_gets_what_its_listener_was_told() {
    let options = [
        "--ttl=9",
        "--dscp=cs5",
        "--keepalive=8s",
        "--recv-buffer=60000",
    ];
    let (server, client) = serve(&options);
    let socket = connection(&server, Domain::IPV4);
    assert_eq!(
        (socket.ttl_v4().unwrap(), socket.tos_v4().unwrap()),
        (9, 40 << 2)
    );
    assert_eq!(
        socket.tcp_keepalive_interval().unwrap(),
        Duration::from_secs(8)
    );
    assert_eq!(socket.recv_buffer_size().unwrap(), 120_000);
    client.go();
}

#[test]
fn buffers_are_sized_when_asked_and_only_then() {
    let (told, left) = (holder("127.0.0.1:0"), holder("127.0.0.1:0"));
    let client = call(&told, &["--send-buffer=30000", "--recv-buffer=20000"]);
    client.says("send buffer: 60000 B (58.6 KiB) granted, 30000 B (29.3 KiB) asked for");
    client.says("receive buffer: 40000 B");
    let socket = connection(&client, Domain::IPV4);
    assert_eq!(socket.send_buffer_size().unwrap(), 60_000);
    assert_eq!(socket.recv_buffer_size().unwrap(), 40_000);
    let other = call(&left, &[]);
    let socket = connection(&other, Domain::IPV4);
    assert_ne!(socket.recv_buffer_size().unwrap(), 40_000);
    told.go();
    left.go();
    assert!(!other.wait().stderr.contains("buffer"));
}

#[test]
fn a_unix_socket_has_a_send_buffer() {
    let place = scratch();
    let path = place.path().join("s");
    let words = ["-v", "--send-buffer=30000", "-U"];
    let server = nettool(["listen"])
        .args(words)
        .arg(&path)
        .stdin(Input::Open)
        .start();
    server.says("listening on");
    let client = nettool(["connect"])
        .args(words)
        .arg(&path)
        .stdin(Input::Open)
        .start();
    for end in [&server, &client] {
        end.says("connected over");
        end.says("send buffer: 60000 B");
        let sizes = sockets(end.pid(), Domain::UNIX);
        let sizes = sizes
            .iter()
            .map(|socket| socket.send_buffer_size().unwrap());
        assert_eq!(sizes.filter(|size| *size == 60_000).count(), 1);
    }
}

/// Prints TTL and class of every datagram that comes to port 7.
const LOOK: &str = "
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IP, 12, 1)  # IP_RECVTTL, which has no name here
s.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
s.bind(('127.0.0.1', 7))
print('ready')
data, extra, _, peer = s.recvmsg(100, 100)
print(data.decode(), sorted((kind, value[0]) for _, kind, value in extra), peer)
s.sendto(b'back', peer)
";

#[test]
fn the_peer_sees_it_on_the_datagram() {
    let Some(space) = need(&["python3"]).then(Namespace::new).flatten() else {
        return;
    };
    let peer = python(&space, LOOK).start();
    peer.prints("ready");
    let words = [
        "connect",
        "-u",
        "127.0.0.1:7",
        "--ttl=3",
        "--dscp=ef",
        "-p",
        "70",
    ];
    let options = ["-v", "-s", "127.0.0.2", "--recv-buffer=50000"];
    // As long as its input is open it stays for an answer.
    let client = space.inside(nettool(words).args(options));
    let mut client = client.stdin(Input::Open).start();
    let stdin = client.stdin.as_mut().unwrap();
    stdin.write_all(b"ask").unwrap();
    client.prints("back");
    let exit = client.wait();
    exit.printed("back").says("receive buffer: 100000 B");
    // IP_TOS is 1, IP_TTL 2 (linux/in.h).
    peer.prints("ask [(1, 184), (2, 3)] ('127.0.0.2', 70)");
}

/// Prints TTL and class of every packet from port 7 on, until standard input ends.
const SNIFF: &str = "
import select, socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
s.bind(('lo', 0))
print('ready')
while s in select.select([s, sys.stdin], [], [])[0]:
    p, where = s.recvfrom(100)
    h = (p[0] & 15) * 4
    port = int.from_bytes(p[h:h + 2], 'big')
    if p[9] == 6 and where[2] != 4: print('from', port, 'flags', p[h + 13], 'ttl', p[8], 'tos', p[1])
";

#[test]
fn every_packet_has_it_on_the_wire() {
    let Some(space) = need(&["python3"]).then(Namespace::new).flatten() else {
        return;
    };
    let mut sniffer = python(&space, SNIFF).stdin(Input::Open).start();
    sniffer.prints("ready");
    let server = nettool(["listen", "127.0.0.1", "7", "--ttl=11", "--dscp=cs1"]);
    let server = space.inside(server).stdin("answer").start();
    server.listening();
    let client = nettool(["connect", "127.0.0.1:7", "-p70", "--ttl=12", "--dscp=cs2"]);
    space.inside(client).stdin("ask").run().printed("answer");
    server.wait().success();
    // SYN, SYN and ACK, data.
    sniffer.prints("from 70 flags 2 ttl 12 tos 64");
    sniffer.prints("from 7 flags 18 ttl 11 tos 32");
    sniffer.prints("from 7 flags 24 ttl 11 tos 32");
    drop(sniffer.stdin.take());
    let seen = String::from_utf8(sniffer.wait().stdout).unwrap();
    let strange = |line: &&str| line.starts_with("from") && line.contains("ttl 64");
    assert_eq!(seen.lines().find(strange), None);
}

/// Connects inside, from this interface.
fn over(space: &Namespace, interface: &str, words: &[&str]) -> Exit {
    let program = nettool(["connect", "--interface", interface]).args(words);
    space.inside(program).stdin("x").run()
}

#[test]
fn an_interface_is_the_only_way() {
    let Some((near, far)) = Namespace::pair() else {
        return;
    };
    let server = far.inside(nettool(["listen", "10.77.0.2", "7"])).start();
    server.listening();
    let exit = over(&near, "lo", &["10.77.0.2:7", "--connect-timeout=1s"]);
    exit.failure(1);
    over(&near, "eth0", &["10.77.0.2:7"]).success();
    server.wait().success().printed("x");

    let server = near
        .inside(nettool(["listen", "7", "--interface=eth0"]))
        .start();
    server.announced(2);
    over(&near, "lo", &["127.0.0.1:7"]).failure(1);
    over(&far, "eth0", &["10.77.0.1:7"]).success();
    server.wait().success().printed("x");

    for words in [&["10.77.0.2:7"][..], &["-u", "10.77.0.2:7"]] {
        let exit = over(&near, "eth9", words);
        let line = exit.failure(1);
        let cause = "set the interface for 10.77.0.2:7: no interface is called \"eth9\"; \
            this machine has lo, eth0";
        assert!(line.ends_with(cause), "{line}");
    }
    for name in ["", "eth0eth0eth0eth0eth0"] {
        over(&near, name, &["10.77.0.2:7"]).failure(1);
    }
    let exit = near
        .inside(nettool(["listen", "7", "--interface", "eth9"]))
        .run();
    assert!(exit.failure(1).contains("this machine has lo, eth0"));
}

/// Nobody has to be asked to know that an IPv6 address is no IPv4 one.
#[test]
fn an_address_of_the_other_family_is_refused() {
    let (v4, v6) = ("127.0.0.1", "::1");
    for words in [
        &["listen", "-4", v6, "0"][..],
        &["listen", "-4", "[::1]:0"],
        &["listen", "-6", v4, "0"],
        &["listen", "-u", "-6", v4, "0"],
        &["listen", "-k", "--echo", "-4", v6, "0"],
        &["connect", "-4", v6, "80"],
        &["connect", "-6", v4, "80"],
        &["connect", "-6", "127.0.0.1:80"],
        &["connect", "-6", "::ffff:127.0.0.1", "80"],
        &["probe", "-4", v6, "80"],
        &["probe", "-6", v4, "80"],
        &["ifaces", "-4", "--for", v6],
        &["buffers", "fill", "-6", v4, "80"],
    ] {
        let (option, other) = if words.contains(&"-4") {
            ("-4", v6)
        } else {
            ("-6", v4)
        };
        refused(words, &["cannot be used with", option, other]);
    }
    let exit = nettool(["listen", "-4", "::ffff:127.0.0.1", "0"])
        .args(["--accept-timeout", "10ms"])
        .run();
    exit.status(1).says("listening on tcp 127.0.0.1:");
}

#[test]
fn what_makes_no_sense_is_refused() {
    for (option, value) in [
        ("--ttl", "3"),
        ("--dscp", "ef"),
        ("--keepalive", "3s"),
        ("--interface", "lo"),
        ("--recv-buffer", "64K"),
    ] {
        for command in ["connect", "listen"] {
            refused(
                &[command, "-U", "/nowhere/s", option, value],
                &[option, "--unix"],
            );
        }
    }
    for option in ["--source=::1", "--source-port=9"] {
        let name = option.split('=').next().unwrap();
        refused(&["connect", "-U", "/nowhere/s", option], &[name, "--unix"]);
    }
    for command in ["connect", "listen"] {
        let words = [command, "-u", "127.0.0.1", "9", "--keepalive", "3s"];
        refused(&words, &["--keepalive", "--udp"]);
    }
    for bad in [
        "--ttl=0",
        "--ttl=256",
        "--ttl=x",
        "--dscp=64",
        "--dscp=af44",
        "--keepalive=0",
        "--keepalive=500ms",
        "--keepalive=32768",
        "--send-buffer=0",
        "--recv-buffer=2G",
    ] {
        let value = bad.split('=').next_back().unwrap();
        refused(&["connect", "127.0.0.1", "9", bad], &[value, "; write "]);
    }
}

#[test]
fn a_backlog_is_what_was_asked_for() {
    let Some(space) = Namespace::new() else {
        return;
    };
    let place = scratch();
    let path = place.path().join("s");
    let path = path.to_str().unwrap();
    for (words, filter) in [
        (["--port", "7"], "-ltnH sport = :7".to_owned()),
        (["--unix", path], format!("-lxH src {path}")),
    ] {
        let server = nettool(["listen", "--backlog=5"]).args(words);
        let server = space.inside(server).start();
        server.says("listening on");
        let listed = space.run(&format!("ss {filter}"));
        let listed = String::from_utf8(listed.stdout).unwrap();
        for line in listed.lines() {
            let limit = line.split_whitespace().find(|word| *word == "5");
            assert!(limit.is_some(), "{line}");
        }
        assert!(!listed.is_empty());
    }
    refused(
        &["listen", "-u", "9", "--backlog=5"],
        &["--backlog", "--udp"],
    );
    refused(&["listen", "9", "--backlog=0"], &["0", "; write "]);
}

#[test]
fn a_port_is_shared_when_both_say_so() {
    let Some(space) = Namespace::new() else {
        return;
    };
    for kind in [&[][..], &["-u"]] {
        let words = [&["listen", "127.0.0.1", "7", "--reuse-port"], kind].concat();
        let one = space.inside(nettool(&words)).start();
        one.listening();
        let other = space.inside(nettool(&words)).start();
        other.listening();
        let alone = [&["listen", "127.0.0.1", "7"], kind].concat();
        let exit = space.inside(nettool(alone)).run();
        assert!(exit.failure(1).contains("bind 127.0.0.1:7: "));
    }
    refused(
        &["listen", "-U", "/nowhere/s", "--reuse-port"],
        &["--reuse-port", "--unix"],
    );
}

#[test]
fn a_port_file_is_there_once_a_client_can_connect() {
    let place = scratch();
    let file = place.path().join("port");
    fs::write(&file, "an older one that is longer").unwrap();
    for kind in [&[][..], &["-u"]] {
        let words = [
            &["listen", "0", "--port-file"],
            &[file.to_str().unwrap()][..],
            kind,
        ]
        .concat();
        let server = nettool(words).start();
        let port = server.listening().port();
        assert_eq!(fs::read_to_string(&file).unwrap(), format!("{port}\n"));
        server.kill();
        assert!(file.exists());
        let all = fs::read_dir(place.path()).unwrap();
        assert_eq!(all.count(), 1);
    }
}

#[test]
fn a_port_file_never_appears_half_written() {
    let place = scratch();
    let file = place.path().join("port");
    let server = nettool(["listen", "127.0.0.1", "0", "--port-file"])
        .arg(&file)
        .start();
    until("the file is there", || file.exists());
    let port = fs::read_to_string(&file).unwrap();
    let target = format!("127.0.0.1:{}", port.strip_suffix('\n').unwrap());
    nettool(["connect", &target]).stdin("x").run().success();
    server.wait().success().printed("x");
}

#[test]
fn a_port_file_replaces_nothing_but_a_file() {
    let place = scratch();
    let symlink = place.path().join("symlink");
    std::os::unix::fs::symlink("/dev/null", &symlink).unwrap();
    for path in [place.path(), &symlink, &place.path().join("none/port")] {
        let exit = nettool(["listen", "127.0.0.1", "0", "--port-file"])
            .arg(path)
            .run();
        let line = exit.failure(1);
        assert!(
            line.contains(&format!("open {}: ", path.display())),
            "{line}"
        );
        assert!(!exit.stderr.contains("listening on"));
    }
    assert!(symlink.is_symlink());
}

#[test]
fn who_listens_late_is_reached() {
    let Some(space) = Namespace::new() else {
        return;
    };
    let words = [
        "connect",
        "-v",
        "127.0.0.1:7",
        "--retry=20",
        "--retry-delay=50ms",
    ];
    let client = space.inside(nettool(words)).stdin("x").start();
    let refusal = "connect to 127.0.0.1:7: connection refused; again in ";
    client.says(&format!("{refusal}50ms, 19 more after that"));
    client.says(&format!("{refusal}100ms, 18 more after that"));
    let server = space.inside(nettool(["listen", "127.0.0.1", "7"])).start();
    server.wait().success().printed("x");
    client.wait().success();
}

#[test]
fn so_many_retries_and_no_more() {
    let Some(space) = Namespace::new() else {
        return;
    };
    for (retries, count) in [("0", 0), ("1", 1), ("3", 3)] {
        let words = [
            "connect",
            "127.0.0.1",
            "7",
            "-v",
            "--retry-delay=10ms",
            "--retry",
        ];
        let exit = space.inside(nettool(words).arg(retries)).run();
        let line = exit.failure(1);
        assert!(
            line.ends_with("connect to 127.0.0.1:7: connection refused"),
            "{line}"
        );
        assert_eq!(exit.stderr.matches("; again in ").count(), count);
    }
    refused(&["connect", "h", "9", "--retry-delay=1s"], &["--retry <N>"]);
    refused(&["connect", "h", "9", "--retry=-1"], &["-1"]);
    refused(
        &["connect", "h", "9", "--retry=1", "--retry-delay=forever"],
        &["; write "],
    );
}

#[test]
fn retries_end_with_the_time_for_all() {
    let Some(space) = Namespace::new() else {
        return;
    };
    let words = [
        "connect",
        "127.0.0.1:7",
        "--retry=1000",
        "--retry-delay=20ms",
        "--max-time=1s",
    ];
    let exit = space.inside(nettool(words)).run();
    exit.failure(1);
    // All the retries would take hours.
    exit.at_least(Duration::from_millis(200));
}

#[test]
fn a_reset_before_a_byte_is_tried_again_and_no_other() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = listener.local_addr().unwrap().to_string();
    let reset = |stream: &std::net::TcpStream| rustix::net::connect_unspec(stream).unwrap();
    let words = ["connect", "-v", &target, "--retry=5", "--retry-delay=10ms"];
    let mut client = nettool(words).stdin(Input::Open).start();
    for _ in 0..2 {
        reset(&listener.accept().unwrap().0);
    }
    let (stream, _) = listener.accept().unwrap();
    let mut stdin = client.stdin.take().unwrap();
    stdin.write_all(b"x").unwrap();
    (&stream).read_exact(&mut [0]).unwrap();
    reset(&stream);
    let exit = client.wait();
    exit.failure(1);
    assert_eq!(exit.stderr.matches("; again in ").count(), 2);
}

#[test]
fn so_many_bytes_each_way_and_no_more() {
    let all = Pattern::new(1, 300_000).to_vec();
    for options in [&["--max-bytes=100000"][..], &["--max-bytes=100000", "-C"]] {
        let peer = Peer::serve(vec![Step::Read(100_000), Step::Write(all.clone())]);
        let client = nettool(["connect", "--json", &peer.target()]).args(options);
        let exit = client.stdin(Pattern::new(1, 300_000)).run();
        exit.success().printed(&all[..100_000]);
        exit.says("\"bytes_received\":100000,");
        exit.says("\"complete\":true,\"end\":\"limit\"");
    }
    let peer = Peer::serve(vec![Step::ReadToEnd, Step::Write(all[..99_999].to_vec())]);
    let client = nettool(["connect", "--json", &peer.target(), "--max-bytes=100000"]);
    let exit = client.stdin(Pattern::new(1, 300_000)).run();
    exit.success().printed(&all[..99_999]);
    exit.says("\"bytes_sent\":100000,").says("\"end\":\"both\"");
    assert_eq!(peer.seen().head[..], all[..64 * 1024]);
}

#[test]
fn a_listener_leaves_when_it_has_enough() {
    let server = nettool(["listen", "127.0.0.1", "0", "--max-bytes=5", "--json"]);
    let server = server.stdin(Input::Open).start();
    let line: Value = serde_json::from_str(&server.line_with("listening")).unwrap();
    let addr = format!("127.0.0.1:{}", line["port"]).parse().unwrap();
    let steps = vec![Step::Write(b"hello world".to_vec()), Step::ReadToEnd];
    let client = Peer::connect(addr, steps);
    server
        .wait()
        .success()
        .printed("hello")
        .says("\"end\":\"limit\"");
    assert_eq!(client.seen().received.count, 0);
}

#[test]
fn datagrams_are_counted_too() {
    let server = nettool(["listen", "-u", "127.0.0.1", "0", "--max-bytes=7"]).start();
    let target = server.listening().to_string();
    let client = nettool([
        "connect",
        "-u",
        "--send-only",
        &target,
        "--max-bytes=5",
        "-v",
    ]);
    client.stdin("hello world").run().success().says("sent 5 B");
    let client = nettool(["connect", "-u", "--send-only", &target]);
    client.stdin("again").run().success();
    let exit = server.wait();
    exit.printed("helloag").failure(1);
    exit.says("its last 3 bytes were cut off");
    refused(&["connect", "h", "9", "--max-bytes=0"], &["0", "; write "]);
}

#[test]
fn line_ends_are_turned_across_reads() {
    for path in ["auto", "portable", "looped"] {
        let peer = Peer::serve(vec![Step::ReadToEnd]);
        let client = nettool(["connect", &peer.target(), "-C"]).env("NETTOOL_PATH", path);
        let mut client = client.stdin(Input::Open).arg("--send-only").start();
        let mut stdin = client.stdin.take().unwrap();
        for piece in ["a\nb\r", "\nc\r\n", "\n", "d\r", "e\n"] {
            stdin.write_all(piece.as_bytes()).unwrap();
            // Pieces that are read together would hide what is tested.
            until("it is read", || {
                rustix::io::ioctl_fionread(&stdin).unwrap() == 0
            });
        }
        drop(stdin);
        client.wait().success();
        assert_eq!(peer.seen().head, b"a\r\nb\r\nc\r\n\r\nd\re\r\n");
    }
    for command in ["connect", "listen"] {
        refused(
            &[command, "-u", "127.0.0.1", "9", "--crlf"],
            &["--crlf", "--udp"],
        );
    }
}

#[test]
fn files_stand_in_for_stdin_and_stdout() {
    let place = scratch();
    let (from, to) = (place.path().join("from"), place.path().join("to"));
    fs::write(&from, Pattern::new(1, 300_000).to_vec()).unwrap();
    for path in ["auto", "portable", "looped"] {
        let _ = fs::remove_file(&to);
        let peer = Peer::serve(vec![Step::Exchange(Pattern::new(2, 300_000))]);
        let client = nettool(["connect", &peer.target(), "--input"])
            .arg(&from)
            .arg("-o")
            .arg(&to);
        let client = client.env("NETTOOL_PATH", path).stdin("not this");
        client.redirected(">&-").run().success();
        let expected = Pattern::new(2, 300_000).to_vec();
        assert!(fs::read(&to).unwrap() == expected, "{path}");
        assert_eq!(peer.seen().received, Pattern::new(1, 300_000).fingerprint());
    }
}

#[test]
fn an_output_that_exists_is_kept_unless_said_otherwise() {
    let place = scratch();
    let file = place.path().join("file");
    let symlink = place.path().join("symlink");
    std::os::unix::fs::symlink(&file, &symlink).unwrap();
    let get = |options: &[&str], path: &Path, known: &str| {
        fs::write(&file, known).unwrap();
        let peer = TcpListener::bind("127.0.0.1:0").unwrap();
        let target = peer.local_addr().unwrap().to_string();
        let client = nettool(["connect", &target])
            .args(options)
            .arg("--output")
            .arg(path);
        let client = client.start();
        peer.set_nonblocking(true).unwrap();
        let mut stream = None;
        until("it comes or ends", || {
            stream = peer.accept().ok().map(|(stream, _)| stream);
            stream.is_some() || !client.stays(Duration::ZERO)
        });
        let came = stream.is_some();
        if let Some(mut stream) = stream {
            stream.write_all(b"new").unwrap();
            drop(stream);
        }
        (came, client.wait(), fs::read_to_string(&file).unwrap())
    };
    for (option, expected) in [("--append", "older new"), ("--force", "new")] {
        let (_, exit, text) = get(&[option], &file, "older ");
        exit.success();
        assert_eq!(text, expected);
        let (came, exit, text) = get(&[option], &symlink, "older");
        exit.says("it is a symbolic link").failure(1);
        assert_eq!((came, text.as_str()), (false, "older"));
    }
    for path in [&file, &symlink] {
        let (came, exit, text) = get(&[], path, "older");
        let line = exit
            .says("--append adds to it, --force replaces it")
            .failure(1);
        assert!(
            line.contains(&format!("open {}: file exists", path.display())),
            "{line}"
        );
        assert_eq!((came, text.as_str()), (false, "older"));
    }
}

/// A path may stand for what the shell has opened: that is written to as it is.
#[test]
fn an_output_may_be_a_descriptor_of_ours() {
    let place = scratch();
    let file = place.path().join("file");
    let get = |options: &[&str], redirection: &str| {
        let peer = Peer::serve(vec![Step::Write(b"hello".to_vec())]);
        nettool(["connect", &peer.target(), "-o"])
            .args(options)
            .redirected(redirection)
            .run()
    };
    for path in ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
        get(&[path], "").success().printed("hello");
        for options in [&[path][..], &[path, "--append"], &[path, "--force"]] {
            fs::write(&file, "older ").unwrap();
            get(options, &format!(">> {}", file.display())).success();
            assert_eq!(fs::read_to_string(&file).unwrap(), "older hello", "{path}");
        }
    }
    let redirection = format!("3> {}", file.display());
    get(&["/dev/fd/3"], &redirection).success().printed("");
    assert_eq!(fs::read_to_string(&file).unwrap(), "hello");
    for (path, redirection) in [
        ("/dev/stdout", ">&-"),
        ("/dev/fd/99", ""),
        ("-", ">&-"),
        ("/dev/fd/0", "<&-"),
    ] {
        let exit = get(&[path], redirection);
        let error = exit.failure(1);
        let wanted = format!("open {path}: bad file descriptor");
        assert!(error.contains(&wanted), "{error}");
    }
    // Nobody hears why, but everybody sees that.
    get(&["/dev/stderr"], "2>&-").status(1);
}

/// A new FIFO in this directory: nobody else has ever had it open, not even a program that another
/// test was about to start.
fn fifo(place: &Path) -> PathBuf {
    let numbers = (0..).map(|number| place.join(format!("fifo{number}")));
    let mut free = numbers.filter(|path| !path.exists());
    let path = free.next().expect("a free name");
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mkfifoat(rustix::fs::CWD, &path, mode).unwrap();
    path
}

/// A path may stand for what the shell has opened: that is read from where it stands. What is closed
/// is no empty file.
#[test]
fn an_input_may_be_a_descriptor_of_ours() {
    let place = scratch();
    let file = place.path().join("file");
    fs::write(&file, "older\nhello").unwrap();
    let send = |path: &str, script: &str| {
        let peer = Peer::serve(vec![Step::ReadToEnd]);
        let client = nettool(["connect", &peer.target(), "--input", path]);
        let exit = client.by_way_of(["sh", "-c", script, "sh"]).run();
        (exit, peer)
    };
    for (path, number) in [("/dev/stdin", 0), ("/dev/fd/0", 0), ("/dev/fd/3", 3)] {
        let file = file.display();
        let script = format!("exec {number}< {file}; read line <&{number}; exec \"$@\"");
        let (exit, peer) = send(path, &script);
        exit.success();
        assert_eq!(peer.seen().head, b"hello", "{path}");
        let script = format!("exec \"$@\" {number}<&-");
        let wanted = format!("open {path}: bad file descriptor");
        send(path, &script).0.says(&wanted).failure(1);
    }
    send("/dev/fd/2", "exec \"$@\" 2>&-").0.status(1);
}

/// A FIFO is opened when both of its ends are, as the shell does it.
#[test]
fn an_output_may_be_a_fifo() {
    let place = scratch();
    let reader = |path: &Path| {
        let mut options = fs::OpenOptions::new();
        let flag = rustix::fs::OFlags::NONBLOCK.bits();
        let options = options.read(true).custom_flags(flag.cast_signed());
        options.open(path).unwrap()
    };
    for options in [&[][..], &["--append"], &["--force"]] {
        for is_there in [true, false] {
            let path = fifo(place.path());
            let peer = Peer::serve(vec![Step::Write(b"hello".to_vec())]);
            let client = nettool(["connect", &peer.target(), "-o"])
                .arg(&path)
                .args(options);
            let (client, mut reader) = if is_there {
                let reader = reader(&path);
                (client.start(), reader)
            } else {
                let client = client.start();
                assert!(client.stays(Duration::from_millis(100)));
                (client, reader(&path))
            };
            client.wait().success().printed("");
            let mut came = String::new();
            reader.read_to_string(&mut came).unwrap();
            assert_eq!(came, "hello");
        }
    }
    let waits = nettool(["listen", "127.0.0.1", "0", "-o"])
        .arg(fifo(place.path()))
        .start();
    assert!(waits.stays(Duration::from_millis(100)));
    waits.signal(Signal::INT);
    let end = waits.wait();
    end.died_of(libc::SIGINT);
    assert_eq!(end.stderr, "");
}

#[test]
fn a_file_that_fails_is_named() {
    let exit = nettool(["connect", "127.0.0.1:9", "--input", "/nowhere/f"]).run();
    assert!(exit.failure(1).contains("open /nowhere/f: no such file"));
    let exit = nettool(["listen", "127.0.0.1", "0", "--input", "/"]).run();
    assert!(exit.failure(1).contains("open /: is a directory"));
    assert!(!exit.stderr.contains("listening on"));
    let peer = Peer::serve(vec![Step::Write(b"hello".to_vec()), Step::AwaitReset]);
    let exit = nettool(["connect", &peer.target(), "-o", "/dev/full", "--force"]).run();
    assert!(
        exit.failure(1)
            .contains("write to /dev/full: no space left")
    );
    let peer = Peer::serve(vec![Step::Write(b"hello".to_vec())]);
    let exit = nettool(["connect", &peer.target(), "-o", "/dev/null"]).run();
    exit.success();
    let exit = nettool(["connect", &peer.target(), "-o", "/tmp"]).run();
    assert!(exit.failure(1).contains("open /tmp: is a directory"));
    assert!(!exit.stderr.contains("--force"), "{}", exit.stderr);
    for option in [
        "--save",
        "--reply-file",
        "--allow-file",
        "--port-file",
        "-o",
        "--input",
    ] {
        let words = ["listen", "-k", "127.0.0.1", "0", option, "/nowhere/f"];
        let words = words
            .iter()
            .filter(|word| **word != "-k" || !matches!(option, "-o" | "--input" | "--port-file"));
        let exit = nettool(words).run();
        assert!(
            exit.failure(1).contains("open /nowhere/f: "),
            "{option}: {}",
            exit.stderr
        );
    }
    for option in ["--append", "--force"] {
        refused(&["connect", "h", "9", option], &["--output"]);
    }
    refused(
        &["connect", "h", "9", "--recv-only", "--input=f"],
        &["--recv-only", "--input"],
    );
    refused(
        &["listen", "9", "--send-only", "-of"],
        &["--send-only", "--output"],
    );
}

#[test]
fn an_option_without_the_one_that_it_needs_is_refused_whatever_else_is_said() {
    for (option, needed, others) in [
        ("--seqpacket", "--unix", &["-4"][..]),
        ("--seqpacket", "--unix", &["--ttl=3", "--interface=lo"]),
        ("--broadcast", "--udp", &["--keepalive=5s"]),
        ("--multicast-join=224.0.0.251", "--udp", &["-C"]),
        ("--append", "--output", &["--send-only"]),
        ("--force", "--output", &[]),
    ] {
        for command in ["connect", "listen"] {
            let words = [command, "127.0.0.1", "9", option].into_iter();
            let words: Vec<_> = words.chain(others.iter().copied()).collect();
            let name = option.split('=').next().unwrap();
            refused(&words, &[name, needed]);
        }
    }
    refused(
        &["connect", "h", "9", "--retry-delay=1s"],
        &["--retry-delay", "--retry <N>"],
    );
    refused(
        &["listen", "9", "--mode=666", "--ttl=3"],
        &["--mode", "--unix"],
    );
    refused(
        &["listen", "9", "--to=all", "--backlog=3"],
        &["--to", "--udp"],
    );
    refused(
        &["listen", "9", "--tag", "--limit-rate=9"],
        &["--tag", "--keep-open"],
    );
    refused(
        &["ifaces", "--every=1s", "--stats"],
        &["--every", "--watch"],
    );
    refused(&["ifaces", "--every=1s"], &["--every", "--watch"]);
}

#[test]
fn what_cuts_stdin_is_refused_where_stdin_is_not_sent() {
    for given in ["--echo", "--discard", "--reply=x", "--reply-file=f"] {
        let name = given.split('=').next().unwrap();
        for option in ["--lines", "--datagram-size=9", "--to=all"] {
            refused(
                &["listen", "-u", "127.0.0.1", "0", given, option],
                &[name, option.split('=').next().unwrap()],
            );
        }
    }
    let words = ["listen", "-U", "s", "--seqpacket", "--save=d", "--lines"];
    refused(&words, &["--save", "--lines"]);
}

/// What a file holds is lost only to what comes, and what nobody wrote into does not stay.
#[test]
fn files_are_as_they_were_where_nobody_is_reached() {
    let directory = scratch();
    let (old, new) = (directory.path().join("old"), directory.path().join("new"));
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = taken.local_addr().expect("a bound address").to_string();
    for words in [
        &["listen", &addr][..],
        &["listen", "-k", &addr],
        &["connect", "-U", "/nobody/here"],
    ] {
        fs::write(&old, "precious").expect("a file");
        let replacing = nettool(words).arg("-o").arg(&old).arg("--force");
        replacing.run().failure(1);
        for option in ["-o", "--hexdump"] {
            if words.contains(&"-k") && option == "--hexdump" {
                continue;
            }
            nettool(words).arg(option).arg(&new).run().failure(1);
            assert!(!new.exists(), "{words:?} {option}");
        }
        if !words.contains(&"-k") {
            let dumping = nettool(words).arg("--hexdump").arg(&old);
            dumping.run().failure(1);
        }
        let kept = fs::read_to_string(&old).expect("the file");
        assert_eq!(kept, "precious", "{words:?}");
    }
}

/// Then it is as short as what came.
#[test]
fn a_file_is_replaced_when_somebody_is_there() {
    let directory = scratch();
    let path = directory.path().join("file");
    for options in [&["listen"][..], &["listen", "-k"], &["connect"]] {
        fs::write(&path, "precious and long").expect("a file");
        let steps = vec![
            Step::Write(b"word".to_vec()),
            Step::Shutdown,
            Step::ReadToEnd,
        ];
        let program = nettool(options).arg("-o").arg(&path).arg("--force");
        if options == ["connect"] {
            let peer = Peer::serve(steps);
            program.arg(peer.target()).run().success();
            peer.seen();
        } else {
            let server = program.args(["127.0.0.1", "0"]).start();
            Peer::connect(server.listening(), steps).seen();
            if options.contains(&"-k") {
                // With nothing on stdin our end says nothing of what was taken.
                until("it is written", || {
                    fs::read_to_string(&path).is_ok_and(|text| text == "word")
                });
                server.signal(Signal::TERM);
            }
            server.wait();
        }
        let came = fs::read_to_string(&path).expect("the file");
        assert_eq!(came, "word", "{options:?}");
    }
}

/// What is to be sent is not emptied before that, whatever it is called, and a dump spares what is
/// written.
#[test]
fn a_file_with_another_use_is_not_emptied() {
    let directory = scratch();
    let (path, link) = (directory.path().join("f"), directory.path().join("link"));
    fs::write(&path, "precious").expect("a file");
    fs::hard_link(&path, &link).expect("a second name");
    let connect = || nettool(["connect", "127.0.0.1:9"]);
    let (sent, written) = ("it is what is to be sent", "what comes is written there");
    for (program, last, problem) in [
        (connect().arg("--input").arg(&path), "-o", sent),
        (connect().stdin(path.as_path()), "-o", sent),
        (connect().arg("--input").arg(&path), "-x", sent),
        (
            connect().arg("--append").arg("-o").arg(&path),
            "-x",
            written,
        ),
    ] {
        let program = program.arg(last).arg(&link);
        let program = if last == "-o" {
            program.arg("--force")
        } else {
            program
        };
        assert!(program.run().failure(1).contains(problem), "{problem}");
        assert_eq!(fs::read_to_string(&path).expect("the file"), "precious");
    }
    // What is never read is not lost by that.
    let peer = Peer::serve(vec![Step::Write(b"new".to_vec())]);
    let words = ["connect", &peer.target(), "--recv-only", "--force", "-o"];
    let program = nettool(words).arg(&link).stdin(path.as_path());
    program.run().success();
    assert_eq!(fs::read_to_string(&path).expect("the file"), "new");
}
