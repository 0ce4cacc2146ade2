//! Datagrams that came and reached nobody, or not whole: they are counted, each once, and no client
//! of whom one was lost counts as complete.

use std::net::{TcpListener, UdpSocket};

use socket2::{Domain, SockAddr, Socket, Type};

use super::*;
use crate::support::{again, closed_port, records_of, scratch, until};

/// A server of datagrams that talks in records and leaves soon after the last one.
fn listen(options: &[&str]) -> Program {
    nettool(["listen", "-u", "--json", "127.0.0.1", "0"]).args(options)
}

/// A socket that talks with the server.
fn correspondent(addr: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(addr).unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    socket
}

/// What a server told of its only client and of all, once it has ended with status 1.
fn failed(server: Running) -> (Value, Value) {
    let end = server.wait();
    end.status(1);
    let last = |kind| records_of(&end.stderr, kind).pop().expect("a record");
    (last("transfer"), last("served"))
}

#[test]
fn what_no_session_takes_is_counted_once() {
    let (_closed, nobody) = closed_port();
    // Whoever has only one correspondent refuses what others send.
    let deaf = correspondent(nobody);
    let udp_nobody = format!("udp://{}", deaf.local_addr().unwrap());
    let nobody = nobody.to_string();
    let services = [
        ["-e", "/nonexistent"],
        ["--forward", &nobody],
        ["--forward", "unix:/nonexistent"],
        ["--forward", &udp_nobody],
    ];
    for service in services {
        for count in [1, 5] {
            let server = listen(&service).args(["--quit-after", "1s"]).start();
            let client = correspondent(address(&server));
            server.asleep(|| {
                for _ in 0..count {
                    client.send(b"hello").unwrap();
                }
            });
            let (transfer, totals) = failed(server);
            assert_eq!(transfer["datagrams_lost"], count, "{service:?}");
            assert_eq!(totals["datagrams_lost"], count, "{service:?}");
            assert_eq!(transfer["complete"], false, "{service:?}");
            // It is clients that are counted, and not their sessions.
            assert_eq!(totals["failed"], 1, "{service:?}");
        }
    }
}

#[test]
fn a_client_for_whom_there_was_no_room_is_not_complete() {
    let stalled = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("tcp://{}", stalled.local_addr().unwrap());
    // At a path the system drops nothing.
    let directory = scratch();
    let [path, own] = ["s", "c"].map(|name| directory.path().join(name));
    let server = nettool(["listen", "-u", "--json", "--quit-after", "5s", "-U"]);
    let server = server.arg(&path).args(["--forward", &endpoint]).start();
    server.says("listening");
    let client = unix_socket(&own, &path);
    client.send(b"x").unwrap();
    let (mut there, _) = stalled.accept().unwrap();
    for _ in 0..400 {
        client.send(&vec![0; 60_000]).unwrap();
    }
    // What was taken arrives when the server has nothing more to say.
    std::io::copy(&mut there, &mut std::io::sink()).unwrap();
    drop(there);
    let (transfer, _) = failed(server);
    assert!(transfer["datagrams_lost"].as_u64().unwrap() > 0);
    assert_eq!(transfer["complete"], false);
}

/// A socket of datagrams, and its way to a path.
fn unix_socket(own: &std::path::Path, path: &std::path::Path) -> Socket {
    let socket = Socket::new(Domain::UNIX, Type::DGRAM, None).unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    socket.set_send_buffer_size(1_000_000).unwrap();
    socket.bind(&SockAddr::unix(own).unwrap()).unwrap();
    socket.connect(&SockAddr::unix(path).unwrap()).unwrap();
    socket
}

/// The longest datagram that is taken reaches a session where nothing waits before it.
#[test]
fn a_long_datagram_reaches_a_session() {
    let directory = scratch();
    let [path, own, copy] = ["s", "c", "copy"].map(|name| directory.path().join(name));
    let there = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("tcp://{}", there.local_addr().unwrap());
    let command = format!("cat > {}", copy.display());
    let message = Pattern::new(1, 400_000).to_vec();
    for service in [["-c", &command], ["--forward", &endpoint]] {
        let server = nettool(["listen", "-u", "--json", "--quit-after", "1s", "-U"]);
        let server = server.arg(&path).args(service).start();
        server.says("listening");
        let client = unix_socket(&own, &path);
        assert_eq!(client.send(&message).unwrap(), message.len());
        if service[0] == "-c" {
            until("it is copied", || {
                std::fs::metadata(&copy).is_ok_and(|copy| copy.len() == 400_000)
            });
        } else {
            let mut came = Vec::new();
            let (mut there, _) = there.accept().unwrap();
            there.read_to_end(&mut came).unwrap();
            assert!(came == message, "{} came", came.len());
        }
        let end = server.wait();
        end.success();
        assert_eq!(records_of(&end.stderr, "transfer")[0]["complete"], true);
        std::fs::remove_file(&own).unwrap();
    }
}

/// What cannot be one datagram of UDP is lost, and counted once.
#[test]
fn a_datagram_too_long_for_its_upstream_is_counted_once() {
    let directory = scratch();
    let [path, own] = ["s", "c"].map(|name| directory.path().join(name));
    let there = UdpSocket::bind("127.0.0.1:0").unwrap();
    there.set_read_timeout(Some(LIMIT)).unwrap();
    let endpoint = format!("udp://{}", there.local_addr().unwrap());
    let server = nettool(["listen", "-u", "--json", "--quit-after", "1s", "-U"]);
    let server = server.arg(&path).args(["--forward", &endpoint]).start();
    server.says("listening");
    let client = unix_socket(&own, &path);
    server.asleep(|| {
        client.send(b"short").unwrap();
        client.send(&vec![7; 100_000]).unwrap();
    });
    assert_eq!(again(|| there.recv(&mut [0; 9])).unwrap(), 5);
    let (transfer, totals) = failed(server);
    assert_eq!(transfer["datagrams_lost"], 1);
    assert_eq!(totals["datagrams_lost"], 1);
}

/// `--max-bytes` is a limit within a datagram, too: no more is taken or sent. What came and was cut is
/// an error.
#[test]
fn a_datagram_beyond_the_limit_is_cut_and_an_error() {
    let services = [&["--echo"][..], &["--discard"], &["-e", "cat"]];
    for service in services {
        for sizes in [&[1000][..], &[8, 8]] {
            let server = listen(service).args(["--max-bytes", "10"]).start();
            let client = correspondent(address(&server));
            let mut came = 0;
            for size in sizes {
                client.send(&vec![7; *size]).unwrap();
            }
            while service[0] != "--discard" && came < 10 {
                came += again(|| client.recv(&mut [0; 2000])).unwrap();
            }
            let (transfer, totals) = failed(server);
            let sent = if service[0] == "--discard" { 0 } else { 10 };
            for record in [&transfer, &totals] {
                assert_eq!(record["bytes_received"], 10, "{service:?}");
                assert_eq!(record["bytes_sent"], sent, "{service:?}");
            }
            let end = (&transfer["end"], &transfer["complete"]);
            assert_eq!(end, (&"limit".into(), &false.into()), "{service:?}");
            assert_eq!(totals["datagrams_cut"], 1, "{service:?}");
        }
    }
}

/// The last datagram was given to a stream whose other side had ended, and did not read it.
#[test]
fn what_an_upstream_leaves_unread_is_counted() {
    let there = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("tcp://{}", there.local_addr().unwrap());
    let server = listen(&["--forward", &endpoint]).start();
    let client = correspondent(address(&server));
    client.send(b"hello").unwrap();
    let (upstream, _) = there.accept().unwrap();
    upstream.set_read_timeout(Some(LIMIT)).unwrap();
    assert_eq!(upstream.peek(&mut [0; 9]).unwrap(), 5);
    // Its end and its reset come together.
    server.signal(Signal::STOP);
    upstream.shutdown(Shutdown::Write).unwrap();
    drop(upstream);
    server.signal(Signal::CONT);
    server.says("\"error\"");
    let stderr = stopped(server);
    for kind in ["transfer", "served"] {
        assert_eq!(
            records_of(&stderr, kind)[0]["datagrams_lost"],
            1,
            "{stderr}"
        );
    }
}

/// What an upstream that reads nothing has not taken when the time for it is over is lost.
#[test]
fn what_an_upstream_does_not_take_is_counted() {
    let stalled = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    stalled.set_recv_buffer_size(4096).unwrap();
    stalled
        .bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())
        .unwrap();
    stalled.listen(1).unwrap();
    let stalled = TcpListener::from(stalled);
    let endpoint = format!("tcp://{}", stalled.local_addr().unwrap());
    let server = listen(&["--forward", &endpoint, "--quit-after", "200ms"]).start();
    let client = correspondent(address(&server));
    // More than its queue takes, and less than ours.
    client.send(&vec![7; 60_000]).unwrap();
    let upstream = stalled.accept().unwrap();
    let (transfer, totals) = failed(server);
    drop(upstream);
    assert_eq!(transfer["datagrams_lost"], 1);
    assert_eq!(totals["datagrams_lost"], 1);
}

/// Without records the reason is told, too.
#[test]
fn a_datagram_that_is_cut_is_told_of() {
    let server = nettool(["listen", "-u", "127.0.0.1", "0", "--discard"]);
    let server = server.args(["--max-bytes", "10"]).start();
    let client = correspondent(server.listening());
    client.send(&[7; 1000]).unwrap();
    let end = server.wait();
    end.status(1);
    end.says("a datagram of 1000 bytes does not fit in what was still wanted");
}

/// A client whose answers the system does not take is not complete.
#[test]
fn an_answer_that_is_not_sent_is_counted() {
    let directory = scratch();
    let [path, own] = ["s", "c"].map(|name| directory.path().join(name));
    let server = nettool(["listen", "-u", "--json", "--echo", "--quit-after", "5s"]);
    let server = server.arg("-U").arg(&path).start();
    server.says("listening");
    let client = unix_socket(&own, &path);
    // Nobody reads them, and the system keeps a few (net.unix.max_dgram_qlen).
    for _ in 0..2000 {
        client.send(b"hello").unwrap();
    }
    let (transfer, totals) = failed(server);
    assert_eq!(transfer["bytes_received"], 10_000);
    assert!(totals["datagrams_unsent"].as_u64().unwrap() > 0);
    assert_eq!(transfer["complete"], false);
    assert_eq!(totals["failed"], 1);
}

#[test]
fn no_more_is_answered_than_may_be() {
    let options = ["--reply", "12345678", "--max-bytes", "10"];
    let server = listen(&options).start();
    let client = correspondent(address(&server));
    for length in [8, 2] {
        client.send(b"?").unwrap();
        assert_eq!(again(|| client.recv(&mut [0; 100])).unwrap(), length);
    }
    let end = server.wait();
    end.success();
    let transfer = &records_of(&end.stderr, "transfer")[0];
    assert_eq!(transfer["bytes_sent"], 10);
    assert_eq!(transfer["end"], "limit");
}
