//! `nettool buffers fill`: where the bytes are, to the byte, and as the peer itself sees it.

use std::io::Write;
use std::net::TcpListener;
use std::thread;

use serde_json::{Value, json};

use super::lines;
use crate::support::{
    Input, Namespace, Output, Program, Running, in_some_try, need, nettool, records, until,
};

/// Takes a connection for each line on stdin, reads nothing from it, and prints its number, how many
/// bytes wait in it and the size of its receive buffer.
const PEER: &str = r#"
import array, fcntl, socket, sys, termios
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
server = socket.socket(family)
if sys.argv[2] != "0":
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, int(sys.argv[2]))
server.bind(socket.getaddrinfo(sys.argv[1], 0)[0][4])
server.listen()
kept = []
print(f"listening on tcp {sys.argv[3].format(server.getsockname()[1])}", file=sys.stderr, flush=True)
for line in sys.stdin:
    kept.append(server.accept()[0])
    waiting = array.array("i", [0])
    fcntl.ioctl(kept[-1], termios.FIONREAD, waiting)
    size = kept[-1].getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    print(f"{len(kept)}: {waiting[0]} of {size} ", flush=True)
"#;

/// The peer, on an address and with a receive buffer of a size; 0 is the system's own.
fn peer(address: &str, size: u64) -> Program {
    let shown = if address.contains(':') {
        format!("[{address}]:{{}}")
    } else {
        format!("{address}:{{}}")
    };
    let program = Program::new("python3").args(["-c", PEER, address, &size.to_string(), &shown]);
    program.stdin(Input::Open)
}

/// The one record of a fill.
fn fill(words: &[&str]) -> Value {
    let mut records = lines(nettool(["buffers", "fill", "--json"]).args(words));
    assert_eq!(records.len(), 1);
    records.remove(0)
}

/// A number of a record.
fn number(record: &Value, name: &str) -> u64 {
    record[name]
        .as_u64()
        .unwrap_or_else(|| panic!("{name} in {record}"))
}

/// Checks that every byte is in one place and that the numbers stood still.
pub(super) fn adds_up(fill: &Value) {
    let places = [
        "unsent_bytes",
        "in_flight_bytes",
        "peer_queue_bytes",
        "read_bytes",
    ];
    let sum: u64 = places.iter().filter_map(|name| fill[*name].as_u64()).sum();
    assert_eq!(number(fill, "accepted_bytes"), sum, "{fill}");
    assert_eq!(
        (&fill["blocked"], &fill["at_rest"]),
        (&json!(true), &json!(true)),
        "{fill}"
    );
}

/// Fills connections to a peer and compares with what the peer finds.
fn compare(address: &str, size: u64, words: &[&str], runs: usize) {
    let peer: Running = peer(address, size).start();
    let target = peer.listening().to_string();
    for run in 1..=runs {
        let fill = fill(&[&[target.as_str()], words].concat());
        adds_up(&fill);
        let mut stdin = peer.stdin.as_ref().expect("an open pipe");
        stdin.write_all(b"look\n").expect("a peer that reads");
        let (waiting, size) = (
            &fill["peer_queue_bytes"],
            &fill["peer_receive_buffer_bytes"],
        );
        peer.prints(&format!("{run}: {waiting} of {size} "));
        assert_eq!(fill["acknowledged_bytes"], *waiting, "{fill}");
    }
    peer.kill();
}

#[test]
fn a_hundred_fills_are_right_to_the_byte() {
    if !need(&["python3"]) {
        return;
    }
    thread::scope(|scope| {
        for address in ["127.0.0.1", "::1"] {
            for (size, words) in [
                (0, &[][..]),
                (65_536, &["--send-buffer", "64K"]),
                (4096, &["--send-buffer", "4K"]),
                (0, &["--send-buffer", "1M"]),
                (1_048_576, &[]),
            ] {
                scope.spawn(move || compare(address, size, words, 10));
            }
        }
    });
}

#[test]
fn a_pair_of_our_own_is_filled_and_drained() {
    for words in [
        &["-4"][..],
        &["-6", "--send-buffer", "64K", "--recv-buffer", "64K"],
    ] {
        let words = [&["buffers", "fill", "--json", "--drain"], words].concat();
        let records = lines(nettool(words));
        records.iter().for_each(adds_up);
        assert_eq!((records.len(), number(&records[0], "read_bytes")), (17, 0));
        let last = &records[16];
        assert_eq!(last["read_bytes"], last["accepted_bytes"]);
        assert_eq!(number(last, "peer_queue_bytes"), 0);
    }
}

/// Reads nothing before a line on stdin, then everything; prints how much that was.
const READER: &str = r#"
import socket, sys
server = socket.create_server(("127.0.0.1", 0))
print(f"listening on tcp 127.0.0.1:{server.getsockname()[1]}", file=sys.stderr, flush=True)
one = server.accept()[0]
sys.stdin.readline()
total = 0
while piece := one.recv(65536): total += len(piece)
print(total, flush=True)
"#;

#[test]
fn bytes_leave_as_another_program_reads() {
    if !need(&["python3"]) {
        return;
    }
    let reader = Program::new("python3")
        .args(["-c", READER])
        .stdin(Input::Open)
        .start();
    let target = reader.listening().to_string();
    let words = ["buffers", "fill", "--json", "--drain", "--max-time", "30s"];
    let filling = nettool(words).arg(&target).start();
    until("it is full", || filling.printed() > 100);
    let mut stdin = reader.stdin.as_ref().expect("an open pipe");
    stdin.write_all(b"read\n").expect("a peer that reads");
    let exit = filling.wait();
    exit.success().silent();
    let records = records(&exit.stdout);
    assert!(records.len() > 1, "{records:?}");
    let last = &records[records.len() - 1];
    assert_eq!(last["acknowledged_bytes"], last["accepted_bytes"]);
    assert_eq!(last["peer_queue_bytes"], 0);
    reader.prints(&format!("{}\n", last["accepted_bytes"]));

    let deaf = peer("127.0.0.1", 0).start();
    let words = ["buffers", "fill", "--drain", "--max-time", "700ms"];
    let exit = nettool(words).arg(deaf.listening().to_string()).run();
    let message = exit.failure(1);
    assert!(
        message.contains("it has not read everything after 0 bytes received and "),
        "{message}"
    );
    deaf.kill();
}

#[test]
fn a_fill_is_what_ss_says() {
    if !need(&["python3", "ss"]) {
        return;
    }
    let Some(space) = Namespace::new() else {
        return;
    };
    let peer = space.inside(peer("127.0.0.1", 0)).start();
    let target = peer.listening().to_string();
    let words = ["buffers", "fill", "--json", "--drain", "--max-time", "60s"];
    let filling = space.inside(nettool(words).arg(&target)).start();
    until("it is full", || filling.printed() > 100);
    let port = target.rsplit(':').next().expect("a port");
    let shown = space.run(&format!("ss -OHtmin dport = :{port}")).stdout;
    let shown = String::from_utf8(shown).expect("text");
    let fill = &records(&filling.kill().stdout)[0];
    let queued = number(fill, "unsent_bytes") + number(fill, "in_flight_bytes");
    assert_eq!(
        shown.split_whitespace().nth(2),
        Some(queued.to_string().as_str()),
        "{shown}"
    );
    for (name, field) in [
        ("send_buffer_bytes", ",tb"),
        ("acknowledged_bytes", "bytes_acked:"),
        ("unsent_bytes", "notsent:"),
    ] {
        let (_, rest) = shown.split_once(field).expect(field);
        let digits = rest.split(|letter: char| !letter.is_ascii_digit()).next();
        let told: u64 = digits.and_then(|text| text.parse().ok()).expect(field);
        // The SYN counts as a byte there.
        let told = told - u64::from(name == "acknowledged_bytes");
        assert_eq!(number(fill, name), told, "{name}: {shown}");
    }
    peer.kill();
}

#[test]
fn what_a_unix_socket_holds_is_at_the_peer() {
    let fill = fill(&["--proto", "unix"]);
    adds_up(&fill);
    assert_eq!(fill["peer_queue_bytes"], fill["accepted_bytes"]);
    for name in [
        "unsent_bytes",
        "in_flight_bytes",
        "peer_addr",
        "acknowledged_bytes",
    ] {
        assert_eq!(fill[name], Value::Null, "{name}");
    }
}

#[test]
fn every_datagram_is_kept_or_counted_as_dropped() {
    for words in [&[][..], &["--recv-buffer", "64K"], &["-6"]] {
        let fill = fill(&[&["--proto", "udp"], words].concat());
        let (kept, dropped) = (
            number(&fill, "datagrams_kept"),
            number(&fill, "datagrams_dropped"),
        );
        assert_eq!(number(&fill, "datagrams_sent"), kept + dropped);
        assert!(kept > 0 && dropped > 0, "{fill}");
        assert_eq!(number(&fill, "peer_queue_bytes"), kept * 1400);
    }
}

#[test]
fn what_a_peer_elsewhere_has_is_unknown() {
    if !need(&["python3"]) {
        return;
    }
    let Some((near, far)) = Namespace::pair() else {
        return;
    };
    let peer = far.inside(peer("10.77.0.2", 0)).start();
    let target = peer.listening().to_string();
    let fill = lines(near.inside(nettool(["buffers", "fill", "--json", &target])));
    let fill = &fill[0];
    assert_eq!(
        (&fill["peer_queue_bytes"], &fill["blocked"]),
        (&Value::Null, &json!(true))
    );
    let queued = number(fill, "unsent_bytes") + number(fill, "in_flight_bytes");
    let acknowledged = number(fill, "acknowledged_bytes");
    assert_eq!(number(fill, "accepted_bytes"), queued + acknowledged);
    assert!(acknowledged > 0);
    peer.kill();
}

#[test]
fn a_peer_on_a_link_of_this_machine_is_found() {
    if !need(&["python3"]) {
        return;
    }
    let Some(space) = Namespace::new() else {
        return;
    };
    space.run("ip link add d0 type veth peer name p0");
    space.run("ip link set d0 up");
    space.run("ip link set p0 up");
    space.run("ip address add fe80::5/64 dev d0 nodad");
    let peer = space.inside(peer("fe80::5%d0", 0)).start();
    let told = peer.announced(1).remove(0);
    let target = told.trim_start_matches("tcp ");
    let fill = lines(space.inside(nettool(["buffers", "fill", "--json", target])));
    adds_up(&fill[0]);
    assert!(number(&fill[0], "peer_queue_bytes") > 0, "{fill:?}");
    peer.kill();
}

#[test]
fn bytes_that_travel_are_shown_as_such() {
    let Some(space) = Namespace::new() else {
        return;
    };
    space.run("tc qdisc add dev lo root tbf rate 20mbit burst 80kb latency 2s");
    let words = [
        "buffers",
        "fill",
        "--json",
        "--max-time",
        "150ms",
        "--recv-buffer",
        "4M",
    ];
    // It takes more than a second until all is there, unless we are not there ourselves.
    in_some_try(|| {
        let moving = lines(space.inside(nettool(words)));
        moving[0]["at_rest"] == false
    });
    in_some_try(|| {
        let words = words.into_iter().filter(|word| *word != "--json");
        let text = space.inside(nettool(words)).run();
        String::from_utf8_lossy(&text.stdout).contains("still move")
    });
    let words = [
        "buffers",
        "fill",
        "--json",
        "--recv-buffer",
        "256K",
        "--send-buffer",
        "64K",
    ];
    adds_up(&lines(space.inside(nettool(words)))[0]);
}

#[test]
fn people_see_a_bar_that_fits() {
    let shown = |words: &[&str]| {
        let exit = nettool(["buffers", "fill"])
            .args(words)
            .env("COLUMNS", "20")
            .run();
        exit.success().silent();
        let text = String::from_utf8(exit.stdout).expect("text");
        assert!(
            text.lines().all(|line| line.chars().count() <= 80),
            "{text}"
        );
        text
    };
    let text = shown(&["--drain"]);
    assert!(
        text.contains("before it would block\n") && text.contains("##=="),
        "{text}"
    );
    assert!(shown(&["--proto", "udp"]).contains("had no room there"));
    assert!(shown(&["--proto", "unix"]).contains("wait for the peer"));
}

#[test]
fn a_peer_that_resets_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let peer = thread::spawn(move || {
        let (client, _) = listener.accept().expect("a client");
        // What is left unread makes the close a reset.
        client.peek(&mut [0]).expect("a byte");
    });
    let exit = nettool(["buffers", "fill", "--drain", &address]).run();
    let message = exit.failure(1);
    assert!(
        message.contains(&format!("send to {address}: ")),
        "{message}"
    );
    let (_, after) = message.split_once(" after ").expect("how far it was");
    assert!(after.starts_with("0 bytes received and "), "{message}");
    assert!(after.contains(" bytes sent"), "{message}");
    peer.join().expect("the peer");
}

#[test]
fn a_fill_that_cannot_be_is_explained() {
    let exit = nettool(["buffers", "fill", "127.0.0.1", "1"]).run();
    assert!(
        exit.failure(1)
            .ends_with("connect to 127.0.0.1:1: connection refused")
    );
    for words in [
        &["--proto", "udp", "--drain"][..],
        &["--proto", "unix", "-4"],
        &["host"],
        &["127.0.0.1", "0"],
        &["--send-buffer", "3G"],
        &["-n", "name.test", "80"],
    ] {
        nettool(["buffers", "fill"]).args(words).run().failure(2);
    }
    let broken = nettool(["buffers", "fill", "--proto", "unix"]).stdout(Output::Broken);
    broken.run().died_of(13);
}
