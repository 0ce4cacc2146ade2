//! Who may be a client (`--allow`, `--deny` and their files).

use std::fs;

use super::*;
use crate::support::{again, records_of, scratch};

/// Connects, and sees a reset before a byte.
fn is_refused(addr: SocketAddr) {
    let seen = Peer::connect(addr, vec![Step::ReadToEnd]).seen();
    assert_eq!((seen.received.count, seen.end), (0, End::Reset));
}

/// G1: IPv4 in the clothes of IPv6 is IPv4.
#[test]
fn a_mapped_client_is_judged_as_ipv4() {
    // Linux shows an IPv4 client of a dual-stack socket like that; ours are not, but an inherited
    // way in may be: the rule is the gate's (src/serve/gate.rs), and this is its visible side.
    for (list, admitted) in [
        ("::ffff:127.0.0.0/104", true),
        ("127.0.0.0/8", true),
        ("::/0", false),
    ] {
        let server = server(&["--echo", "--allow", list]).start();
        let addr = server.listening();
        if admitted {
            assert_eq!(ask(&client(addr), b"me", 2), b"me");
        } else {
            is_refused(addr);
        }
        stopped(server);
    }
}

/// G2: refused before a byte, told once, and no client.
#[test]
fn who_is_refused_gets_nothing() {
    let server = server(&[
        "--echo",
        "-v",
        "--allow",
        "127.0.0.0/8",
        "--deny",
        "127.0.0.1",
    ]);
    let server = server.start();
    for _ in 0..3 {
        is_refused(server.listening());
    }
    server.says("refused");
    let stderr = stopped(server);
    let told = stderr
        .lines()
        .filter(|line| line.contains("refused: a network that is denied"));
    assert_eq!(told.count(), 3, "{stderr}");
    assert!(stderr.contains("served 0 clients, refused 3"), "{stderr}");
}

#[test]
fn a_refusal_has_a_record() {
    let server = server(&["--echo", "--json", "--allow", "192.0.2.0/24"]).start();
    is_refused(address(&server));
    let stderr = stopped(server);
    let refused = &records_of(&stderr, "refused")[0];
    assert_eq!(refused["proto"], "tcp");
    assert_eq!(refused["peer_addr"], "127.0.0.1");
    assert_eq!(refused["reason"], "not_allowed");
    assert_eq!(records_of(&stderr, "served")[0]["refused"], 1);
}

/// A single client is one that may.
#[test]
fn who_is_refused_is_not_the_client() {
    for behaviour in [&[][..], &["--echo"]] {
        let server = nettool(["listen", "127.0.0.1", "0", "--deny", "127.0.0.1", "--json"]);
        let server = server.args(behaviour).stdin("secret").start();
        let addr = address(&server);
        is_refused(addr);
        server.says("\"denied\"");
        is_refused(addr);
        server.kill();
    }
}

#[test]
fn lists_are_read_from_files() {
    let scratch = scratch();
    let (allow, deny) = (scratch.path().join("allow"), scratch.path().join("deny"));
    fs::write(&allow, "# ours\r\n127.0.0.0/8\n").unwrap();
    fs::write(&deny, "127.0.0.2 # not this one\n").unwrap();
    let server = nettool(["listen", "-k", "0.0.0.0", "0", "--echo", "--allow-file"]);
    let server = server.arg(&allow).arg("--deny-file").arg(&deny).start();
    let port = server.listening().port();
    assert_eq!(ask(&client(([127, 0, 0, 1], port).into()), b"me", 2), b"me");
    let other = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    other
        .bind(&SocketAddr::from(([127, 0, 0, 2], 0)).into())
        .unwrap();
    other
        .connect(&SocketAddr::from(([127, 0, 0, 1], port)).into())
        .unwrap();
    let error = again(|| (&other).read(&mut [0; 1])).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    stopped(server);
}

#[test]
fn a_mistake_in_a_list_is_told_with_its_line() {
    let scratch = scratch();
    let path = scratch.path().join("list");
    fs::write(&path, "10.0.0.0/8\n\n10.0.0.1/8\n").unwrap();
    let run = || {
        nettool(["listen", "0", "--echo", "--deny-file"])
            .arg(&path)
            .run()
    };
    let told = run();
    told.failure(2);
    assert!(
        told.stderr
            .contains("list:3: invalid network \"10.0.0.1/8\""),
        "{}",
        told.stderr
    );
    fs::write(&path, "# nothing\n").unwrap();
    run().failure(2);
    fs::remove_file(&path).unwrap();
    run().failure(1);
    for (option, value) in [
        ("--allow", "10.0.0.0/33"),
        ("--deny", ""),
        ("--allow", "1.2.3"),
    ] {
        nettool(["listen", "0", "--echo", option, value])
            .run()
            .failure(2);
    }
}
