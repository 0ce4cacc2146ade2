//! `listen -u` with `--forward`, `-e` and `-c`: a session for each who sends datagrams.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::unix::net::UnixListener;

use rustix::process::{Pid, test_kill_process};

use super::*;
use crate::support::{Namespace, again, need, own_address, records_of, scratch, until};
use socket2::{Domain, Socket, Type};

/// A datagram server on a free port of 127.0.0.1.
fn listen(options: &[&str]) -> Program {
    nettool(["listen", "-u", "127.0.0.1", "0"]).args(options)
}

/// A socket of ours that waits for an answer, but not for ever.
fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    socket
}

/// A socket that talks with the server.
fn correspondent(addr: SocketAddr) -> UdpSocket {
    let socket = socket();
    socket.connect(addr).unwrap();
    socket
}

/// A datagram that comes, and who sent it.
fn receive(socket: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut buffer = vec![0; 70_000];
    let (length, from) = again(|| socket.recv_from(&mut buffer)).unwrap();
    buffer.truncate(length);
    (buffer, from)
}

/// A socket on a port that others of ours may have, too.
fn sharing(addr: SocketAddr) -> UdpSocket {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None).unwrap();
    socket.set_reuse_address(true).unwrap();
    socket.bind(&addr.into()).unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    socket.into()
}

/// Sends a datagram and takes the answer.
fn answer(socket: &UdpSocket, datagram: &[u8]) -> Vec<u8> {
    socket.send(datagram).unwrap();
    receive(socket).0
}

/// A forwarder to a UDP port of ours.
fn forwarder(to: &UdpSocket, options: &[&str]) -> Running {
    let endpoint = format!("udp://{}", to.local_addr().unwrap());
    listen(&["--forward", &endpoint]).args(options).start()
}

/// Whether a process is there.
fn lives(pid: i32) -> bool {
    test_kill_process(Pid::from_raw(pid).unwrap()).is_ok()
}

/// The process id that a command answers with.
fn pid(text: &[u8]) -> i32 {
    String::from_utf8_lossy(text).trim().parse().unwrap()
}

#[test]
fn each_has_an_answer_of_its_own_from_a_python_server() {
    if !need(&["python3"]) {
        return;
    }
    let script = "import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('127.0.0.1', 0))
print('listening on udp 127.0.0.1:%d' % s.getsockname()[1], file=sys.stderr, flush=True)
while True:
    question, who = s.recvfrom(65535)
    s.sendto(question[:2] + b' is of ' + str(who[1]).encode(), who)";
    let there = Program::new("python3").args(["-c", script]).start();
    let endpoint = format!("udp://{}", there.listening());
    let server = listen(&["--forward", &endpoint, "--json"]).start();
    let addr = address(&server);
    let clients: Vec<_> = (0..20).map(|_| correspondent(addr)).collect();
    let mut seen = BTreeSet::new();
    for round in 0..5 {
        for (index, client) in (0_u8..).zip(&clients) {
            client.send(&[index, round, 1, 2, 3]).unwrap();
        }
        for (index, client) in (0_u8..).zip(&clients) {
            let (text, _) = receive(client);
            assert_eq!(text[..2], [index, round]);
            seen.insert(text[2..].to_vec());
        }
    }
    // Each is somebody else upstream, and stays so.
    assert_eq!(seen.len(), 20);
    let stderr = stopped(server);
    let transfers = records_of(&stderr, "transfer");
    assert_eq!(transfers.len(), 20);
    for transfer in transfers {
        assert_eq!(transfer["bytes_received"], 25);
        assert_eq!(transfer["datagrams_lost"], 0);
        assert!(transfer["bytes_sent"].as_u64().unwrap() > 25);
    }
}

#[test]
fn boundaries_are_kept_both_ways() {
    let there = socket();
    let server = forwarder(&there, &["--json"]);
    let here = correspondent(address(&server));
    for length in [0, 1, 1400, 65_507] {
        let datagram = vec![7; length];
        here.send(&datagram).unwrap();
        let (came, from) = receive(&there);
        assert!(came == datagram, "{length} arrived as {}", came.len());
        let back = vec![9; 65_507 - length];
        there.send_to(&back, from).unwrap();
        let (came, _) = receive(&here);
        assert!(came == back, "{} came back as {}", back.len(), came.len());
    }
    let stderr = stopped(server);
    let totals = &records_of(&stderr, "served")[0];
    assert_eq!(totals["bytes_received"], 66_908);
    assert_eq!(totals["datagrams_lost"], 0);
}

#[test]
fn a_burst_is_forwarded_in_its_order() {
    let there = socket();
    let server = forwarder(&there, &[]);
    let here = correspondent(server.listening());
    for number in 0..60_u16 {
        here.send(&[&number.to_be_bytes()[..], &[0; 998]].concat())
            .unwrap();
    }
    for number in 0..60_u16 {
        assert_eq!(receive(&there).0[..2], number.to_be_bytes());
    }
    stopped(server);
}

/// A refused datagram is lost, said with -v and the status; what follows has another session.
#[test]
fn an_upstream_that_refuses_ends_the_session_alone() {
    // It is for one correspondent alone, and refuses everybody else until another one is there.
    let deaf = sharing(SocketAddr::from(([127, 0, 0, 1], 0)));
    let target = deaf.local_addr().unwrap();
    deaf.connect("127.0.0.2:9").unwrap();
    let server = forwarder(&deaf, &["-v", "--quit-after", "5s"]);
    let here = correspondent(server.listening());
    here.send(b"nobody").unwrap();
    server.says("refused");
    let there = sharing(target);
    here.send(b"somebody").unwrap();
    let (came, from) = receive(&there);
    assert_eq!(came, b"somebody");
    there.send_to(b"yes", from).unwrap();
    assert_eq!(receive(&here).0, b"yes");
    let end = server.wait();
    end.status(1);
    assert!(end.stderr.contains("1 datagram"), "{}", end.stderr);
}

#[test]
fn a_stream_gets_the_bytes_and_answers_in_datagrams() {
    let directory = scratch();
    let path = directory.path().join("there");
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let unix = UnixListener::bind(&path).unwrap();
    let endpoints = [
        format!("tcp://{}", tcp.local_addr().unwrap()),
        format!("unix:{}", path.display()),
    ];
    for (index, endpoint) in endpoints.iter().enumerate() {
        let server = listen(&["--forward", endpoint]).start();
        let here = correspondent(server.listening());
        here.send(b"one ").unwrap();
        here.send(b"").unwrap();
        here.send(b"two").unwrap();
        let (mut reader, mut writer): (Box<dyn Read>, Box<dyn Write>) = if index == 0 {
            let there = tcp.accept().unwrap().0;
            (Box::new(there.try_clone().unwrap()), Box::new(there))
        } else {
            let there = unix.accept().unwrap().0;
            (Box::new(there.try_clone().unwrap()), Box::new(there))
        };
        let mut came = [0; 7];
        reader.read_exact(&mut came).unwrap();
        assert_eq!(&came, b"one two");
        writer.write_all(&[5; 3000]).unwrap();
        let mut length = 0;
        while length < 3000 {
            let (piece, _) = receive(&here);
            assert!(piece.len() <= 1400);
            length += piece.len();
        }
        // The end of the stream is the session's, and the next datagram begins another one.
        drop((reader, writer));
        until("another session", || {
            here.send(b"again").unwrap();
            tcp.set_nonblocking(true).unwrap();
            unix.set_nonblocking(true).unwrap();
            if index == 0 {
                tcp.accept().is_ok()
            } else {
                unix.accept().is_ok()
            }
        });
        tcp.set_nonblocking(false).unwrap();
        unix.set_nonblocking(false).unwrap();
        stopped(server);
    }
}

/// What a stalled upstream has no room for is lost for its client alone, and counted.
#[test]
fn a_stalled_upstream_holds_up_nobody() {
    let stalled = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("tcp://{}", stalled.local_addr().unwrap());
    let server = listen(&["--forward", &endpoint, "--json"]).start();
    let addr = address(&server);
    let (here, other) = (correspondent(addr), correspondent(addr));
    here.send(b"x").unwrap();
    let _silent = stalled.accept().unwrap();
    for _ in 0..400 {
        here.send(&vec![0; 60_000]).unwrap();
    }
    assert!(other.send(b"hello").is_ok());
    let (mut there, _) = stalled.accept().unwrap();
    let mut came = [0; 5];
    there.read_exact(&mut came).unwrap();
    assert_eq!(&came, b"hello");
    let stderr = stopped(server);
    let lost = records_of(&stderr, "served")[0]["datagrams_lost"].as_u64();
    assert!(lost.unwrap() > 0, "{stderr}");
}

#[test]
fn a_silent_client_s_upstream_is_let_go() {
    let there = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("tcp://{}", there.local_addr().unwrap());
    let server = listen(&["--forward", &endpoint, "--idle-timeout", "200ms", "--json"]).start();
    let here = correspondent(address(&server));
    here.send(b"x").unwrap();
    let (mut upstream, _) = there.accept().unwrap();
    let mut came = Vec::new();
    upstream.read_to_end(&mut came).unwrap();
    assert_eq!(came, b"x");
    // What it answers to the end still arrives.
    upstream.write_all(b"bye").unwrap();
    drop(upstream);
    assert_eq!(receive(&here).0, b"bye");
    server.says("\"transfer\"");
    let stderr = stopped(server);
    let transfer = &records_of(&stderr, "transfer")[0];
    assert_eq!(
        (&transfer["end"], &transfer["bytes_sent"]),
        (&"timeout".into(), &3.into())
    );
}

#[test]
fn a_forwarder_to_itself_falls_silent() {
    // Any port is free there.
    let place = format!("{}:7777", own_address());
    let server = nettool(["listen", "-u", &place, "--json"])
        .args(["--forward", &format!("udp://{place}")])
        .start();
    server.says("\"listening\"");
    let here = correspondent(place.parse().unwrap());
    here.send(b"round").unwrap();
    server.says("leads back");
    let stderr = stopped(server);
    assert_eq!(records_of(&stderr, "served")[0]["clients"], 1, "{stderr}");
}

#[test]
fn cat_gives_each_datagram_back() {
    for options in [&["-e", "cat"][..], &["-c", "cat"]] {
        let server = listen(options).start();
        let addr = server.listening();
        let (one, other) = (correspondent(addr), correspondent(addr));
        for length in [1, 1400, 65_507] {
            let (a, b) = (vec![1; length], vec![2; length]);
            assert!(answer(&one, &a) == a);
            assert!(answer(&other, &b) == b);
        }
        stopped(server);
    }
}

#[test]
fn a_command_knows_whom_it_serves() {
    let server = listen(&["-c", "read x; env | grep ^NETTOOL_ | sort | tr '\\n' ' '"]).start();
    let addr = server.listening();
    let here = correspondent(addr);
    let said = String::from_utf8(answer(&here, b"who\n")).unwrap();
    let (local, remote) = (addr.port(), here.local_addr().unwrap().port());
    let expected = format!(
        "NETTOOL_LOCAL_ADDR=127.0.0.1 NETTOOL_LOCAL_PORT={local} NETTOOL_PROTO=udp \
         NETTOOL_REMOTE_ADDR=127.0.0.1 NETTOOL_REMOTE_PORT={remote} "
    );
    assert_eq!(said, expected);
    stopped(server);
}

/// The end of a command is told, leaves no zombie, and the next datagram starts another one.
#[test]
fn each_end_is_told_and_the_next_datagram_starts_anew() {
    let server = listen(&["-c", "read x; echo $$; exit 3", "--json"]).start();
    let here = correspondent(address(&server));
    let mut pids = BTreeSet::new();
    for _ in 0..5 {
        let pid = pid(&answer(&here, b"go\n"));
        until("it is waited for", || !lives(pid));
        pids.insert(pid);
    }
    assert_eq!(pids.len(), 5);
    let stderr = stopped(server);
    let children = records_of(&stderr, "child");
    assert_eq!(children.len(), 5);
    for child in children {
        assert_eq!((&child["client"], &child["status"]), (&1.into(), &3.into()));
    }
    assert_eq!(records_of(&stderr, "connected").len(), 1);
}

/// The end of the datagrams is the end of file, after which a command may say its last.
#[test]
fn a_silent_client_s_command_has_its_end_of_file() {
    let options = ["-e", "sort", "--idle-timeout", "300ms", "--json"];
    let server = listen(&options).start();
    let here = correspondent(address(&server));
    server.asleep(|| {
        for line in ["b\n", "c\n", "a\n"] {
            here.send(line.as_bytes()).unwrap();
        }
    });
    assert_eq!(receive(&here).0, b"a\nb\nc\n");
    server.says("\"transfer\"");
    let stderr = stopped(server);
    assert_eq!(records_of(&stderr, "transfer")[0]["bytes_sent"], 6);
    assert_eq!(records_of(&stderr, "child")[0]["status"], 0);
}

/// One that heeds neither its end of file nor SIGTERM is killed, and its children with it.
#[test]
fn a_stubborn_command_does_not_outlive_its_client_or_the_server() {
    let stubborn = "trap '' TERM; echo $$; sleep 1000 & while :; do wait; done";
    // Long enough for the command to begin.
    for options in [&["--idle-timeout", "5s"][..], &[]] {
        let server = listen(&["-c", stubborn, "-v"]).args(options).start();
        let here = correspondent(server.listening());
        let pid = pid(&answer(&here, b"x"));
        assert!(lives(pid));
        if options.is_empty() {
            stopped(server);
        } else {
            server.says("was ended by signal 9");
            stopped(server);
        }
        until("it is gone", || !lives(pid));
    }
}

#[test]
fn a_command_that_is_none_is_told_once() {
    let server = listen(&["-e", "/no/such/program", "--quit-after", "300ms"]).start();
    let here = correspondent(server.listening());
    server.asleep(|| {
        for _ in 0..3 {
            here.send(b"x").unwrap();
        }
    });
    let end = server.wait();
    assert_eq!(
        end.stderr.matches("/no/such/program").count(),
        1,
        "{}",
        end.stderr
    );
    end.status(1);
}

#[test]
fn without_a_host_this_machine_alone_is_served() {
    for options in [["-e", "cat"], ["--forward", "udp://127.0.0.1:9"]] {
        let server = nettool(["listen", "-u", "0", "-4", "-v"])
            .args(options)
            .start();
        assert_eq!(server.listening().ip().to_string(), "127.0.0.1");
        let stderr = stopped(server);
        assert!(stderr.contains("only this machine"), "{stderr}");
    }
}

/// A command says no more to an address that may be forged than it was sent; an upstream does.
#[test]
fn a_long_answer_of_a_command_goes_only_where_it_is_allowed() {
    if !need(&["python3"]) {
        return;
    }
    let Some(space) = Namespace::with_a_stranger() else {
        return;
    };
    let script = "import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('192.0.2.1', 0))
s.settimeout(10)
other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
other.bind(('192.0.2.1', 0))
server = ('192.0.2.1', int(sys.argv[1]))
if sys.argv[2] == 'some':
    other.sendto(b'four\\n', server)
for text in b'four\\n' * (sys.argv[2] == 'all'), b'x' * 30 + b'\\n', b'y' * 30 + b'\\n':
    if text:
        s.sendto(text, server)
        print(len(s.recv(1000)))";
    let twice = "while read x; do printf %s%s $x $x; done";
    let long = "while read x; do case $x in four) printf %200s x;; *) printf 12345;; esac; done";
    let upstream = space
        .inside(nettool([
            "listen",
            "-u",
            "127.0.0.1",
            "0",
            "--reply",
            "1234567890",
        ]))
        .start();
    let endpoint = format!("udp://{}", upstream.listening());
    for (options, printed, withheld) in [
        (&["-c", long][..], "5\n5\n", 1),
        (&["-c", twice, "--allow", "192.0.2.0/24"], "8\n60\n60\n", 0),
        (&["--forward", &endpoint], "10\n10\n10\n", 0),
    ] {
        let server = space.inside(nettool(["listen", "-u", "192.0.2.1", "0"]).args(options));
        let server = server.start();
        let port = server.listening().port().to_string();
        let all = if withheld == 0 { "all" } else { "some" };
        let client = Program::new("python3").args(["-c", script, &port, all]);
        space.inside(client).run().success().printed(printed);
        if withheld > 0 {
            server.says("goes only to this machine");
        }
        let stderr = stopped(server);
        let warned = stderr.matches("goes only to this machine").count();
        assert_eq!(warned, withheld, "{stderr}");
    }
    stopped(upstream);
}

#[test]
fn what_makes_no_sense_is_refused() {
    for options in [
        &["-e", "cat", "--echo"][..],
        &["-e", "cat", "--forward", "udp://127.0.0.1:9"],
        &["--forward", "udp://127.0.0.1:9", "--progress", "bar"],
        &["-e", "cat", "--hexdump", "dump"],
        &["-e", "cat", "--accept-timeout", "1s"],
        &["-e", ""],
        &["--forward", "nowhere"],
    ] {
        listen(options).run().failure(2);
    }
}
