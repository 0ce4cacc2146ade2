//! Datagrams to all others, over UDP and Unix sockets, and servers at a path.

use std::net::UdpSocket;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::Duration;

use super::*;
use crate::support::{Namespace, again, need, records_of, scratch, until};

/// A broker for datagrams on a free port of 127.0.0.1.
fn broker(options: &[&str]) -> Program {
    nettool(["listen", "-u", "--broker", "127.0.0.1", "0"]).args(options)
}

/// A socket that talks with the server.
fn correspondent(addr: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(addr).unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    socket
}

/// The next datagram.
fn heard(socket: &UdpSocket) -> Vec<u8> {
    let mut buffer = vec![0; 70_000];
    let length = again(|| socket.recv(&mut buffer)).expect("a datagram");
    buffer.truncate(length);
    buffer
}

/// Whether nothing is there to be heard.
fn is_silent(socket: &UdpSocket) -> bool {
    socket.set_nonblocking(true).unwrap();
    let silent = socket.recv(&mut [0; 16]).is_err();
    socket.set_nonblocking(false).unwrap();
    silent
}

#[test]
fn a_datagram_goes_to_all_others() {
    let server = broker(&["-v"]).start();
    let addr = server.listening();
    let clients: Vec<_> = (0..5).map(|_| correspondent(addr)).collect();
    // Each is heard by those who were heard before.
    for (index, client) in clients.iter().enumerate() {
        client.send(&[b'0' + u8::try_from(index).unwrap()]).unwrap();
        for earlier in &clients[..index] {
            assert_eq!(heard(earlier), [b'0' + u8::try_from(index).unwrap()]);
        }
    }
    let long = vec![7; 60_000];
    clients[4].send(&long).unwrap();
    for other in &clients[..4] {
        assert_eq!(heard(other), long);
    }
    // An empty one is one, too.
    clients[0].send(b"").unwrap();
    for other in &clients[1..] {
        assert_eq!(heard(other), b"");
    }
    assert!(clients.iter().all(is_silent), "somebody heard too much");
    let stderr = stopped(server);
    assert!(stderr.contains("served 5 clients"), "{stderr}");
}

/// IPv4 and IPv6 are two sockets, and one company.
#[test]
fn families_hear_each_other() {
    let server = nettool(["listen", "-u", "--broker", "0"]).start();
    let port = server.listening().port();
    let Ok(six) = UdpSocket::bind("[::1]:0") else {
        return crate::support::skip("no IPv6");
    };
    six.set_read_timeout(Some(LIMIT)).unwrap();
    let four = correspondent(([127, 0, 0, 1], port).into());
    four.send(b"four").unwrap();
    six.connect(("::1", port)).unwrap();
    // The two sockets are read in no order.
    until("both are there", || {
        six.send(b"six").unwrap();
        four.set_read_timeout(Some(Duration::from_millis(50)))
            .unwrap();
        again(|| four.recv(&mut [0; 16])).is_ok()
    });
    four.send(b"again").unwrap();
    until("it hears", || heard(&six) == b"again");
    stopped(server);
}

/// Who hears what others say could be somebody who never asked for it.
#[test]
fn a_stranger_hears_nothing_unless_it_is_allowed() {
    if !need(&["python3"]) {
        return;
    }
    let Some(space) = Namespace::with_a_stranger() else {
        return;
    };
    let script = "import socket, sys
port = int(sys.argv[1])
def at(host):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((host, 0))
    s.settimeout(10)
    s.connect((host, port))
    return s
stranger, friend, other = at('192.0.2.1'), at('127.0.0.1'), at('127.0.0.1')
stranger.send(b'me')
friend.send(b'1')
other.send(b'2')
assert friend.recv(9) == b'2'
stranger.settimeout(0.2 if sys.argv[2] == 'no' else 10)
try:
    print(stranger.recv(9).decode())
except TimeoutError:
    print('nothing')";
    for (options, expected) in [(&[][..], "nothing"), (&["--allow", "0.0.0.0/0"], "1")] {
        let server = nettool(["listen", "-u", "0", "--broker"]).args(options);
        let server = space.inside(server).start();
        let port = server.listening().port().to_string();
        let patience = if options.is_empty() { "no" } else { "yes" };
        let client = Program::new("python3").args(["-c", script, &port, patience]);
        space
            .inside(client)
            .run()
            .success()
            .printed(format!("{expected}\n"));
        let stderr = stopped(server);
        let warned = stderr.matches("goes only to this machine").count();
        assert_eq!(warned, usize::from(options.is_empty()), "{stderr}");
    }
}

/// `--max-clients` turns away, and who was turned away may come when there is room;
/// `--idle-timeout` makes it.
#[test]
fn the_idle_make_room() {
    let options = ["--max-clients", "2", "--idle-timeout", "500ms", "-v"];
    let server = nettool(["listen", "-u", "--echo", "127.0.0.1", "0"]).args(options);
    let server = server.start();
    let addr = server.listening();
    let (one, other, late) = (
        correspondent(addr),
        correspondent(addr),
        correspondent(addr),
    );
    server.asleep(|| {
        for (client, text) in [(&one, b"x"), (&other, b"x"), (&late, b"y")] {
            client.send(text).unwrap();
        }
    });
    for client in [&one, &other] {
        assert_eq!(heard(client), b"x");
    }
    server.says("refused: there are as many clients as there may be");
    late.set_read_timeout(Some(Duration::from_millis(20)))
        .unwrap();
    until("there is room", || {
        late.send(b"y").unwrap();
        again(|| late.recv(&mut [0; 16])).is_ok()
    });
    let stderr = stopped(server);
    assert!(stderr.contains("served 3 clients, refused 1"), "{stderr}");
}

/// A Unix datagram socket with a name, and where to send to.
fn named(directory: &Path, name: &str) -> UnixDatagram {
    let socket = UnixDatagram::bind(directory.join(name)).unwrap();
    socket.connect(directory.join("server")).unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    socket
}

#[test]
fn a_path_serves_datagrams() {
    for (behaviour, answer) in [
        (&["--echo"][..], Some("hello")),
        (&["--reply", "much longer"], Some("much longer")),
        (&["--discard"], None),
    ] {
        let scratch = scratch();
        let path = scratch.path().join("server");
        let server = nettool(["listen", "-u", "-v", "-U"]).arg(&path);
        let server = server.args(behaviour).start();
        server.announced(1);
        let client = named(scratch.path(), "client");
        client.send(b"hello").unwrap();
        if let Some(answer) = answer {
            let mut buffer = [0; 100];
            let length = again(|| client.recv(&mut buffer)).unwrap();
            assert_eq!(&buffer[..length], answer.as_bytes());
        }
        server.says("5 B came: hello");
        // Who has no name cannot be answered, and is heard.
        let unnamed = UnixDatagram::unbound().unwrap();
        for _ in 0..2 {
            unnamed.send_to(b"anybody", &path).unwrap();
        }
        server.says("client 2: 7 B came: anybody");
        let stderr = stopped(server);
        let warned = stderr.matches("has no name of its own").count();
        assert_eq!(warned, usize::from(answer.is_some()), "{stderr}");
        assert!(stderr.contains("served 2 clients"), "{stderr}");
        assert!(!path.exists());
    }
}

/// One that does not read loses what does not fit, which is counted; the others do not wait.
#[test]
fn a_full_queue_holds_nobody_up() {
    let scratch = scratch();
    let path = scratch.path().join("server");
    let server = nettool(["listen", "-u", "--broker", "--json", "-U"]).arg(&path);
    let server = server.start();
    server.line_with("listening");
    let stalled = UnixDatagram::bind(scratch.path().join("stalled")).unwrap();
    let (speaker, hearer) = (
        named(scratch.path(), "speaker"),
        named(scratch.path(), "hearer"),
    );
    stalled.send_to(b"here", &path).unwrap();
    hearer.send(b"here").unwrap();
    for number in 0..1000_u32 {
        speaker.send(&number.to_be_bytes()).unwrap();
        let mut came = [0; 16];
        let length = again(|| hearer.recv(&mut came)).unwrap();
        assert_eq!(&came[..length], number.to_be_bytes());
    }
    // One that is gone is forgotten.
    drop(hearer);
    std::fs::remove_file(scratch.path().join("hearer")).unwrap();
    speaker.send(b"last").unwrap();
    server.says("\"end\":\"peer\"");
    let stderr = stopped(server);
    let totals = &records_of(&stderr, "served")[0];
    assert!(
        totals["datagrams_unsent"].as_u64().unwrap() > 900,
        "{stderr}"
    );
    let warnings = records_of(&stderr, "warning");
    assert_eq!(warnings.len(), 1, "{stderr}");
    assert!(
        warnings[0]["message"]
            .as_str()
            .unwrap()
            .contains("queue is full")
    );
}

#[test]
fn what_makes_no_sense_for_datagrams_is_refused() {
    let listen = |options: &[&str]| {
        let told = nettool(["listen", "-u", "0"]).args(options).run();
        told.failure(2).to_owned()
    };
    listen(&["--chat"]);
    listen(&["--broker", "--slow", "wait"]);
    listen(&["--max-clients", "3"]);
    listen(&["--idle-timeout", "3s"]);
    listen(&["--echo", "-w", "3s"]);
}
