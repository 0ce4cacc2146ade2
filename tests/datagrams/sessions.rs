//! Who hears a listener, and from where.

use std::net::UdpSocket;

use super::{peer, receive, type_into};
use crate::support::{Input, Namespace, nettool};

/// Sends to a server, and waits until it has printed it.
fn say(from: &UdpSocket, text: &str, server: &crate::support::Running) {
    from.send_to(text.as_bytes(), server.listening())
        .expect("a server");
    server.prints(text);
}

#[test]
fn stdin_goes_to_the_first_the_last_or_all() {
    for (to, hearers) in [
        ("first", [true, false]),
        ("last", [false, true]),
        ("all", [true, true]),
    ] {
        let mut server = nettool(["listen", "-u", "127.0.0.1", "0", "--to", to])
            .stdin(Input::Open)
            .start();
        let peers = [peer("127.0.0.1"), peer("127.0.0.1")];
        for (peer, text) in peers.iter().zip(["<one>", "<two>"]) {
            say(peer, text, &server);
        }
        type_into(&mut server, "answer");
        for (peer, hears) in peers.iter().zip(hearers) {
            if hears {
                assert_eq!(receive(peer), b"answer", "{to}");
            }
            peer.set_nonblocking(true).expect("a socket");
            assert!(peer.recv(&mut [0; 9]).is_err(), "{to}");
        }
        server.kill();
    }
}

#[test]
fn the_last_is_whoever_was_heard_last() {
    let mut server = nettool(["listen", "-u", "127.0.0.1", "0", "-v"])
        .stdin(Input::Open)
        .start();
    let peers = [peer("127.0.0.1"), peer("127.0.0.1")];
    for round in 0..3 {
        for (number, peer) in peers.iter().enumerate() {
            let text = format!("<{round} {number}>");
            say(peer, &text, &server);
            type_into(&mut server, &text);
            assert_eq!(receive(peer), text.as_bytes());
        }
    }
    for peer in &peers {
        server.says(&format!("to {}", peer.local_addr().expect("an address")));
    }
    server.kill();
}

#[test]
fn answers_leave_from_the_address_that_was_spoken_to() {
    let mut server = nettool(["listen", "-u", "-4", "0"])
        .stdin(Input::Open)
        .start();
    let port = server.listening().port();
    for address in ["127.0.0.1", "127.0.0.2", "127.9.9.9"] {
        let client = peer("127.0.0.1");
        // A connected socket takes nothing from anywhere else.
        client.connect((address, port)).expect("a route");
        client.send(address.as_bytes()).expect("a server");
        server.prints(address);
        type_into(&mut server, "answer");
        assert_eq!(receive(&client), b"answer", "{address}");
    }
    server.kill();
}

#[test]
fn answers_over_ipv6_leave_from_there_too() {
    let Some(space) = Namespace::new() else {
        return;
    };
    for address in ["fd00::2", "fd00::3"] {
        space.run(&format!("ip -6 address add {address}/128 dev lo nodad"));
    }
    let server = nettool(["listen", "-u", "-6", "7005"]).stdin(Input::Open);
    let mut server = space.inside(server).start();
    server.announced(1);
    for address in ["::1", "fd00::2", "fd00::3"] {
        let client = nettool(["connect", "-u", "-s", "::1", address, "7005"]);
        let mut client = space.inside(client.stdin(Input::Open)).start();
        type_into(&mut client, address);
        server.prints(address);
        type_into(&mut server, "answer");
        client.prints("answer");
        client.kill();
    }
    server.kill();
}

#[test]
fn the_end_of_stdin_ends_no_listener() {
    let server = nettool(["listen", "-u", "127.0.0.1", "0", "--max-bytes=15"])
        .stdin("greeting")
        .start();
    let client = peer("127.0.0.1");
    say(&client, "<first>", &server);
    assert_eq!(receive(&client), b"greeting");
    say(&client, "<second>", &server);
    server.wait().success().printed("<first><second>");
}
