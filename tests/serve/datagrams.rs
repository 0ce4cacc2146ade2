//! Many who send datagrams: what they get, and what nobody can make of it.

use super::*;
use crate::support::{Namespace, again, all_rest, need, records_of};
use std::net::UdpSocket;

/// A datagram server on a free port of 127.0.0.1.
fn listen(options: &[&str]) -> Program {
    nettool(["listen", "-u", "127.0.0.1", "0"]).args(options)
}

/// A socket that talks with the server.
fn correspondent(addr: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(addr).unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    socket
}

/// Sends a datagram and takes the answer.
fn answer(socket: &UdpSocket, datagram: &[u8]) -> Vec<u8> {
    socket.send(datagram).unwrap();
    let mut buffer = vec![0; 70_000];
    let length = again(|| socket.recv(&mut buffer)).unwrap();
    buffer.truncate(length);
    buffer
}

#[test]
fn each_datagram_goes_back_to_its_sender() {
    let server = listen(&["--echo", "-v"]).start();
    let addr = server.listening();
    let clients: Vec<_> = (0..20).map(|_| correspondent(addr)).collect();
    for round in 0..3_u8 {
        for (index, client) in clients.iter().enumerate() {
            let datagram = vec![round; index * 3000];
            assert_eq!(answer(client, &datagram), datagram);
        }
    }
    let stderr = stopped(server);
    assert!(stderr.contains("served 20 clients: received"), "{stderr}");
}

#[test]
fn a_reply_goes_once_for_each_datagram() {
    let server = listen(&["--reply", "much longer", "-v"]).start();
    let client = correspondent(server.listening());
    for _ in 0..3 {
        assert_eq!(answer(&client, b"?"), b"much longer");
    }
    let stderr = stopped(server);
    assert!(stderr.contains("received 3 B, sent 33 B"), "{stderr}");
}

#[test]
fn what_is_discarded_is_not_answered() {
    let server = nettool([
        "listen",
        "-u",
        "0",
        "--discard",
        "--max-bytes",
        "10",
        "--json",
    ])
    .start();
    let port = address(&server).port();
    let client = correspondent(([127, 0, 0, 1], port).into());
    client.send(b"0123456789").unwrap();
    let end = server.wait();
    end.success();
    let totals = &records_of(&end.stderr, "served")[0];
    assert_eq!(
        (&totals["clients"], &totals["bytes_received"]),
        (&1.into(), &10.into())
    );
    assert_eq!(
        (&totals["bytes_sent"], &totals["datagrams_lost"]),
        (&0.into(), &0.into())
    );
    let transfer = &records_of(&end.stderr, "transfer")[0];
    assert_eq!(
        (&transfer["end"], &transfer["complete"]),
        (&"limit".into(), &true.into())
    );
}

/// E8: what the system had no room for is counted, and is the status.
#[test]
fn what_the_system_drops_is_counted() {
    let server = listen(&["--discard", "--quit-after", "300ms", "--json"]).start();
    let client = correspondent(address(&server));
    server.signal(Signal::STOP);
    for _ in 0..2000 {
        client.send(&[0; 1400]).unwrap();
    }
    server.signal(Signal::CONT);
    let end = server.wait();
    end.status(1);
    let totals = &records_of(&end.stderr, "served")[0];
    let lost = totals["datagrams_lost"].as_u64().unwrap();
    let received = totals["bytes_received"].as_u64().unwrap() / 1400;
    assert!(lost > 0);
    assert_eq!(lost + received, 2000);
}

#[test]
fn a_denied_sender_is_told_of_once_and_never_answered() {
    let server = listen(&["--echo", "--deny", "127.0.0.1", "--json"]).start();
    let client = correspondent(address(&server));
    for _ in 0..5 {
        client.send(b"hello").unwrap();
    }
    server.says("\"denied\"");
    let stderr = stopped(server);
    assert_eq!(records_of(&stderr, "refused").len(), 1);
    assert_eq!(records_of(&stderr, "served")[0]["bytes_sent"], 0);
    client.set_nonblocking(true).unwrap();
    assert!(client.recv(&mut [0; 16]).is_err());
}

/// E8: from however many ports they come, the table is bounded.
#[test]
fn a_flood_from_many_ports_is_bounded() {
    let server = listen(&["--echo", "--json"]).start();
    let addr = address(&server);
    for _ in 0..3000 {
        assert_eq!(answer(&correspondent(addr), b"x"), b"x");
    }
    // As many as do not fit are gone already.
    server.says("\"limit\"");
    let stderr = stopped(server);
    let ends = |end: &str| {
        let transfers = records_of(&stderr, "transfer");
        transfers
            .iter()
            .filter(|transfer| transfer["end"] == end)
            .count()
    };
    // Some ports were used twice, by one after the other.
    let clients = records_of(&stderr, "served")[0]["clients"]
        .as_u64()
        .unwrap();
    let clients = usize::try_from(clients).unwrap();
    assert_eq!((ends("limit"), ends("signal")), (clients - 1024, 1024));
}

/// A longer reply goes to nobody who could be forged, unless somebody vouches for the address.
#[test]
fn a_long_reply_goes_only_where_it_is_allowed() {
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
port = int(sys.argv[1])
s.sendto(b'short', ('192.0.2.1', port))
s.sendto(b'x' * 100, ('192.0.2.1', port))
print(s.recv(1000).decode())";
    for (options, expected) in [
        (&[][..], "this is the answer to 100"),
        (&["--allow", "192.0.2.0/24"], "this is the answer to 100"),
    ] {
        let server = nettool([
            "listen",
            "-u",
            "0",
            "-v",
            "--reply",
            "this is the answer to 100",
        ]);
        let server = space.inside(server.args(options)).start();
        let port = server.listening().port().to_string();
        let client = space.inside(Program::new("python3").args(["-c", script, &port]));
        client.run().success().printed(format!("{expected}\n"));
        server.says(": 100 B came");
        let stderr = stopped(server);
        // Without --allow the first of the two has no answer.
        let sent = if options.is_empty() {
            "sent 25 B"
        } else {
            "sent 50 B"
        };
        assert!(stderr.contains(sent), "{stderr}");
        let warned = stderr.matches("goes only to this machine").count();
        assert_eq!(warned, usize::from(options.is_empty()), "{stderr}");
    }
}

/// E9: two servers that answer each other fall silent, and none answers itself.
#[test]
fn two_servers_do_not_talk_for_ever() {
    for behaviour in [&["--echo"][..], &["--reply", "x"]] {
        let one = listen(behaviour).arg("-v").start();
        let other = listen(behaviour).arg("-v").start();
        let (a, b) = (one.listening(), other.listening());
        if !forge(a, b, b"x") || !forge(a, a, b"x") {
            return;
        }
        // They are silent when both wait and none has done anything meanwhile.
        all_rest(&[&one, &other]);
        let (one, other) = (stopped(one), stopped(other));
        let count = one.matches(": 1 B came").count() + other.matches(": 1 B came").count();
        assert!((100..2000).contains(&count), "{count} datagrams");
    }
}

/// Sends a datagram to `to` in the name of `from`, if we may.
fn forge(to: SocketAddr, from: SocketAddr, payload: &[u8]) -> bool {
    let protocol = Some(socket2::Protocol::from(libc::IPPROTO_RAW));
    let Ok(raw) = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::RAW, protocol) else {
        crate::support::skip("no raw socket");
        return false;
    };
    let length = u16::try_from(28 + payload.len()).unwrap();
    let mut packet = vec![0x45, 0];
    packet.extend(length.to_be_bytes());
    packet.extend([0, 0, 0, 0, 64, 17, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1]);
    packet.extend(from.port().to_be_bytes());
    packet.extend(to.port().to_be_bytes());
    packet.extend((length - 20).to_be_bytes());
    // No checksum: IPv4 need not have one (RFC 768).
    packet.extend([0, 0]);
    packet.extend(payload);
    raw.send_to(&packet, &to.into()).is_ok()
}

#[test]
fn options_of_a_stream_are_refused() {
    for options in [&["--save", "/tmp"][..], &["--until", "peer"]] {
        listen(&["--echo"]).args(options).run().failure(2);
    }
    listen(&["--allow", "127.0.0.1"]).run().failure(2);
    nettool(["listen", "0", "--echo", "--quit-after", "1s"])
        .run()
        .failure(2);
}
