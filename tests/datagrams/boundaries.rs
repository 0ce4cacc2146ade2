//! Where one datagram ends and the next one begins.

use super::{peer, receive, type_into};
use crate::support::{
    Fingerprint, Input, Namespace, Output, Pattern, again, nettool, refused, scratch,
};

/// The loopback address of each family.
const LOOPBACK: [&str; 2] = ["127.0.0.1", "::1"];

#[test]
fn a_file_is_cut_into_datagrams() {
    let directory = scratch();
    let path = directory.path().join("file");
    let sizes: [(&[&str], usize); 4] = [
        (&[], 1400),
        (&["--datagram-size=1"], 1),
        (&["--datagram-size=1472"], 1472),
        (&["--datagram-size=65507"], 65_507),
    ];
    for address in LOOPBACK {
        for (options, size) in sizes {
            // One that is full, one that is not, and more than what one bundle holds.
            let length = size * 2 + size / 2;
            let bytes = Pattern::new(7, length as u64).to_vec();
            std::fs::write(&path, &bytes).expect("a file");
            let peer = peer(address);
            let target = peer.local_addr().expect("an address").to_string();
            let client = nettool(["connect", "-u", "--send-only", &target]).args(options);
            let client = client.stdin(path.as_path()).start();
            for expected in bytes.chunks(size) {
                assert_eq!(receive(&peer), expected, "{address} {options:?}");
            }
            client.wait().success().silent();
        }
    }
}

#[test]
fn what_one_read_gave_is_sent_at_once() {
    let peer = peer("127.0.0.1");
    let target = peer.local_addr().expect("an address").to_string();
    let mut client = nettool(["connect", "-u", "--quit-after=10ms", &target])
        .stdin(Input::Open)
        .start();
    for text in ["one", "two\nand more\n", "three"] {
        type_into(&mut client, text);
        assert_eq!(receive(&peer), text.as_bytes());
    }
    client.wait().success();
}

#[test]
fn one_line_is_one_datagram() {
    let peer = peer("127.0.0.1");
    let target = peer.local_addr().expect("an address").to_string();
    let mut client = nettool(["connect", "-u", "--lines", "--send-only", &target])
        .stdin(Input::Open)
        .start();
    type_into(&mut client, "a\n\nlonger\nbegun");
    let long = "x".repeat(5000);
    type_into(&mut client, &format!(" and done\n{long}\nunended"));
    drop(client.stdin.take());
    let long = format!("{long}\n");
    for line in [
        "a\n",
        "\n",
        "longer\n",
        "begun and done\n",
        &long,
        "unended",
    ] {
        assert_eq!(receive(&peer), line.as_bytes());
    }
    client.wait().success().silent();
}

#[test]
fn received_datagrams_are_whole_whatever_their_length() {
    let sizes = [0, 1, 1472, 65_507, 0, 3];
    for address in LOOPBACK {
        let total: usize = sizes.iter().sum();
        let server = nettool(["listen", "-u", address, "0", "--recv-only", "--json"])
            .arg(format!("--max-bytes={total}"))
            .start();
        let record = server.line_with("\"listening\"");
        let port = record.split("\"port\":").nth(1).expect("a port");
        let port: u16 = port.split(',').next().unwrap().parse().expect("a number");
        let client = peer(address);
        client.connect((address, port)).expect("a route");
        let bytes = Pattern::new(8, total as u64).to_vec();
        let mut rest = bytes.as_slice();
        let mut sent = 0;
        for size in sizes {
            let (datagram, after) = rest.split_at(size);
            client.send(datagram).expect("room");
            rest = after;
            // One in flight: nothing may be dropped.
            sent += size;
            server.prints_bytes(sent);
        }
        let exit = server.wait();
        exit.success().printed(&bytes).says("\"datagrams_lost\":0");
    }
}

/// As many bytes as were wanted, but no whole datagram: that is no good end of either command.
#[test]
fn a_datagram_that_a_limit_cuts_is_an_error() {
    let cut = "a datagram of 7 bytes does not fit in what was still wanted: its last 4 bytes were cut off";
    let server = nettool(["listen", "-u", "127.0.0.1", "0", "--max-bytes=13"]).start();
    let client = peer("127.0.0.1");
    client.connect(server.listening()).expect("a route");
    for text in ["0123456789", "abcdefg"] {
        client.send(text.as_bytes()).expect("a server");
    }
    let exit = server.wait();
    let error = exit.printed("0123456789abc").failure(1);
    assert!(error.contains(cut), "{error}");
    let peer = peer("127.0.0.1");
    let target = peer.local_addr().expect("an address").to_string();
    let client = nettool(["connect", "-u", "--max-bytes=3", "--json", &target]);
    let mut client = client.stdin(Input::Open).start();
    type_into(&mut client, "ask");
    let (_, from) = again(|| peer.recv_from(&mut [0; 9])).expect("a datagram");
    peer.send_to(b"abcdefg", from).expect("a client");
    // As long as its input is open it stays for an answer.
    client.prints("abc");
    let exit = client.wait();
    exit.status(1).printed("abc").says(cut);
    exit.says("\"end\":\"limit\"").says("\"complete\":false");
}

/// What ends with a datagram is whole, whatever comes after it.
#[test]
fn a_limit_between_datagrams_is_no_error() {
    let server = nettool(["listen", "-u", "127.0.0.1", "0", "--max-bytes=10"]).start();
    let client = peer("127.0.0.1");
    client.connect(server.listening()).expect("a route");
    for text in ["0123456789", "abcdefg", ""] {
        // It may have gone already.
        let _ = client.send(text.as_bytes());
    }
    server.wait().success().printed("0123456789");
}

#[test]
fn a_datagram_that_is_too_long_says_so() {
    let peer = peer("127.0.0.1");
    let target = peer.local_addr().expect("an address").to_string();
    let long = "x".repeat(70_000);
    let exit = nettool(["connect", "-u", "--lines", "--send-only", &target])
        .stdin(long.as_str())
        .run();
    let error = exit.failure(1);
    assert!(error.contains("message too long"), "{error}");
    exit.says("--datagram-size");
}

#[test]
fn fragments_are_possible_and_bundles_are_not_needed() {
    let Some((near, far)) = Namespace::pair() else {
        return;
    };
    let pattern = Pattern::new(9, 60_000);
    let server = nettool(["listen", "-u", "10.77.0.2", "7", "--max-bytes=60000"]);
    let server = far.inside(server.stdout(Output::Hashed)).start();
    server.announced(1);
    let directory = scratch();
    let path = directory.path().join("file");
    std::fs::write(&path, pattern.to_vec()).expect("a file");
    // Each is longer than what the link carries: the system refuses to cut bundles of such.
    let words = ["connect", "-u", "--send-only", "--datagram-size=3000"];
    let client = nettool(words).args(["10.77.0.2", "7"]);
    let client = near.inside(client.stdin(path.as_path())).start();
    client.wait().success().silent();
    server.wait().success().received(pattern.fingerprint());
}

#[test]
fn what_is_sent_in_bulk_arrives_in_bulk() {
    let pattern = Pattern::new(10, 180_000);
    let server = nettool(["listen", "-u", "127.0.0.1", "0", "--max-bytes=180000"]);
    let server = server.stdout(Output::Hashed).start();
    let target = server.listening().to_string();
    let client = nettool(["connect", "-u", "--send-only", &target]);
    // Half of what a receive buffer holds, in two bundles and a rest.
    let expected: Fingerprint = pattern.fingerprint();
    client.stdin(pattern).run().success().silent();
    server.wait().success().received(expected);
}

#[test]
fn what_streams_alone_or_datagrams_alone_have_is_refused() {
    for command in ["connect", "listen"] {
        refused(
            &[command, "127.0.0.1", "9", "--lines"],
            &["--lines", "--udp"],
        );
        refused(
            &[command, "127.0.0.1", "9", "--datagram-size=9"],
            &["--datagram-size", "--udp"],
        );
        refused(
            &[command, "-u", "::1", "9", "--lines", "--datagram-size=9"],
            &["--lines", "--datagram-size"],
        );
        refused(
            &[command, "-u", "::1", "9", "--datagram-size=65508"],
            &["--datagram-size", "--udp"],
        );
        refused(
            &[command, "-U", "p", "--seqpacket", "--crlf"],
            &["--seqpacket", "--crlf"],
        );
        refused(
            &[command, "-u", "-4", "h", "9", "--multicast-join=ff02::1"],
            &["--multicast-join", "-4"],
        );
        refused(
            &[command, "-u", "-U", "p", "--broadcast"],
            &["--broadcast", "--unix"],
        );
    }
    let exit = nettool(["listen", "9", "--to=all"]).run();
    exit.status(2).says("--udp");
    let exit = nettool(["connect", "-u", "h", "9", "--seqpacket"]).run();
    exit.status(2).says("--udp").says("--seqpacket");
}
