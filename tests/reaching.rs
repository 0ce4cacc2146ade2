//! Reaching a peer, or not: every way to fail has words of its own, and a dead address is no obstacle.

use std::net::TcpListener;
use std::time::Duration;

use crate::support::{Input, Namespace, Peer, Program, Step, need, nettool};

/// The error line of a program that fails with status 1.
fn failure(program: Program) -> String {
    program.run().printed("").failure(1).to_owned()
}

/// A name server that knows no name.
const NO_SUCH_NAME: &str = "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('127.0.0.1', 53))
print('ready', flush=True)
while True:
    q, peer = s.recvfrom(512)
    s.sendto(q[:2] + bytes([0x81, 0x83]) + q[4:6] + bytes(6) + q[12:], peer)
";

#[test]
fn every_way_to_fail_has_its_own_words() {
    if !need(&["nft", "python3"]) {
        return;
    }
    let Some(mut space) = Namespace::new() else {
        return;
    };
    space.rules(
        "table inet t { chain c { type filter hook output priority 0; tcp dport 9 drop; }; }",
    );
    space.replace(
        "/etc/resolv.conf",
        "nameserver 127.0.0.1\noptions attempts:1 timeout:1\n",
    );
    let server = space
        .inside(Program::new("python3").args(["-c", NO_SUCH_NAME]))
        .start();
    server.prints("ready");
    let words = [
        (vec!["connect", "127.0.0.1", "1"], "refused"),
        (vec!["connect", "192.0.2.1", "1"], "unreachable"),
        (vec!["connect", "nosuch.example", "1"], "nosuch.example"),
        (
            vec!["connect", "127.0.0.1", "9", "--connect-timeout", "200ms"],
            "timed out",
        ),
    ];
    for (words, expected) in words {
        let error = failure(space.inside(nettool(&words)));
        assert!(
            error.contains(words[1]) && error.contains(expected),
            "{error}"
        );
    }
}

#[test]
fn an_address_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("a bound address").to_string();
    let error = failure(nettool(["listen", &address]));
    assert!(
        error.contains(&address) && error.contains("in use"),
        "{error}"
    );
}

#[test]
fn a_malformed_value_is_refused_before_any_input_is_read() {
    for (words, value) in [
        (["connect", "127.1", "80"], "127.1"),
        (["connect", "localhost", "65536"], "65536"),
        (["listen", "0177.0.0.1", "0"], "0177.0.0.1"),
        (["listen", "127.0.0.1", "80x"], "80x"),
    ] {
        let mut refused = nettool(words).stdin(Input::Open).start();
        let pipe = refused.stdin.take();
        refused.wait().status(2).says(value);
        drop(pipe);
    }
}

#[test]
fn a_dead_address_costs_at_most_400_ms() {
    if !need(&["nft"]) {
        return;
    }
    let Some((mut near, far)) = Namespace::pair() else {
        return;
    };
    far.run("ip address add 10.77.0.9/24 dev eth0");
    far.run("ip address add fd77::9/64 dev eth0 nodad");
    far.rules(
        "table inet t { chain c { type filter hook input priority 0; \
         ip daddr 10.77.0.9 drop; ip6 daddr fd77::9 drop; }; }",
    );
    near.replace(
        "/etc/hosts",
        "10.77.0.2 alive\n10.77.0.2 six\nfd77::9 six\n10.77.0.9 four\nfd77::2 four\n",
    );
    let mut elapsed = Vec::new();
    for name in ["alive", "six", "four"] {
        let place = if name == "four" {
            "[fd77::2]:7"
        } else {
            "10.77.0.2:7"
        };
        let greeting = || vec![Step::Write(b"hello".to_vec())];
        let Some(peer) = far.on_a_thread(|| Peer::serve_at(place, greeting())) else {
            return;
        };
        let exit = near.inside(nettool(["connect", name, "7"])).run();
        exit.success().printed("hello");
        peer.seen();
        elapsed.push(exit.elapsed);
    }
    let slowest = elapsed.iter().max().expect("three of them");
    let extra = slowest.saturating_sub(elapsed[0]);
    assert!(extra < Duration::from_millis(400), "{elapsed:?}");
}
