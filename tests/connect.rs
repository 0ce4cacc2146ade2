//! `nettool connect` on its way to the peer: names with many addresses, zones, name servers, limits.

use std::fmt::Write;
use std::time::Duration;

use crate::support::{Exit, Namespace, Peer, Program, Step, in_some_try, need, nettool};

/// More than a machine takes for that, and far less than what waits for it.
const PROMPT: Duration = Duration::from_secs(10);

/// The error line of `nettool connect` with these words inside.
#[track_caller]
fn fails(space: &Namespace, words: &[&str]) -> (String, Exit) {
    let exit = space.inside(nettool(["connect"]).args(words)).run();
    (exit.failure(1).to_owned(), exit)
}

/// A peer at `place` inside that says hello to one client; none where that is not permitted.
fn greeter(space: &Namespace, place: &str) -> Option<Peer> {
    space.on_a_thread(|| Peer::serve_at(place, vec![Step::Write(b"hello".to_vec())]))
}

#[test]
fn a_dead_address_is_raced() {
    if !need(&["nft"]) {
        return;
    }
    let Some(mut space) = Namespace::new() else {
        return;
    };
    space.rules("table inet t { chain c { type filter hook input priority 0; ip6 daddr ::1 tcp dport 7 drop; }; }");
    space.replace("/etc/hosts", "::1 dead\n127.0.0.1 dead\n");
    let Some(_server) = greeter(&space, "127.0.0.1:7") else {
        return;
    };
    // Whoever waited for the dead one would do so for longer than we do.
    let words = ["connect", "-vv", "--connect-timeout=1h", "dead", "7"];
    let exit = space.inside(nettool(words)).run();
    exit.success()
        .printed("hello")
        .at_least(Duration::from_millis(250));
    exit.says("trying [::1]:7").says("trying 127.0.0.1:7");
}

#[test]
fn a_refusal_is_followed_at_once() {
    let Some(mut space) = Namespace::new() else {
        return;
    };
    let mut hosts = "::1 many\n127.0.0.9 many\n".to_owned();
    for last in 10..110 {
        writeln!(hosts, "127.0.0.{last} many").unwrap();
    }
    space.replace("/etc/hosts", &hosts);
    let Some(_server) = greeter(&space, "127.0.0.109:7") else {
        return;
    };
    let words = ["connect", "-vv", "--connect-timeout=1h", "many", "7"];
    let exit = space.inside(nettool(words)).run();
    // A hundred staggers would take 25 seconds.
    exit.success().printed("hello").within(PROMPT);
    exit.says("trying [::1]:7").says("trying 127.0.0.9:7");
}

#[test]
fn every_address_that_failed_is_named() {
    if !need(&["nft"]) {
        return;
    }
    let Some(mut space) = Namespace::new() else {
        return;
    };
    space.rules("table inet t { chain c { type filter hook input priority 0; tcp dport 9 ip daddr 127.0.0.2 drop; }; }");
    space.replace(
        "/etc/hosts",
        "::1 alike\n127.0.0.1 alike\n127.0.0.1 unlike\n127.0.0.2 unlike\n",
    );
    let (line, exit) = fails(&space, &["alike", "9"]);
    assert!(
        line.ends_with("connect to alike:9: connection refused (tried [::1]:9, 127.0.0.1:9)"),
        "{line}"
    );
    exit.says("hint: ");
    in_some_try(|| {
        let (line, _) = fails(&space, &["unlike", "9", "--connect-timeout=600ms"]);
        // With no time left after the name was found, nobody can be tried.
        line.contains("127.0.0.1:9: connection refused")
            && line.contains("127.0.0.2:9: timed out after 600ms")
    });
    let (line, _) = fails(&space, &["alike", "9", "-4"]);
    assert!(
        line.ends_with("connect to alike:9 (127.0.0.1:9): connection refused"),
        "{line}"
    );
    let (line, _) = fails(&space, &["unlike", "9", "-6"]);
    assert!(line.contains("resolve unlike: "), "{line}");
}

#[test]
fn two_hundred_addresses_are_one_line() {
    let Some(mut space) = Namespace::new() else {
        return;
    };
    let mut hosts = String::new();
    for last in 1..=200 {
        writeln!(hosts, "127.0.0.{last} many").unwrap();
    }
    space.replace("/etc/hosts", &hosts);
    let (line, exit) = fails(&space, &["many", "9", "--connect-timeout=1h"]);
    assert!(line.contains("127.0.0.200:9"), "{line}");
    exit.within(PROMPT);
}

/// A namespace whose connections all leave from this one port.
fn one_port(port: u16) -> Option<Namespace> {
    let space = Namespace::new()?;
    let narrow = format!("echo {port} {port} > /proc/sys/net/ipv4/ip_local_port_range");
    space
        .inside(Program::new("sh").args(["-c", &narrow]))
        .run()
        .status(0);
    Some(space)
}

#[test]
fn a_closed_port_does_not_answer_itself() {
    let Some(space) = one_port(50_000) else {
        return;
    };
    for host in ["127.0.0.1", "::1"] {
        let (line, _) = fails(&space, &["-v", host, "50000"]);
        assert!(line.ends_with("connection refused"), "{line}");
    }
}

#[test]
fn used_up_ports_are_named() {
    let Some(space) = one_port(50_000) else {
        return;
    };
    let server = space
        .inside(nettool(["listen", "-v", "127.0.0.1", "7"]))
        .start();
    server.listening();
    let first = nettool(["connect", "-v", "127.0.0.1", "7", "--no-shutdown"]);
    let first = space.inside(first).start();
    first.says("connected over tcp");
    server.says("connected over tcp");
    let server = space.inside(nettool(["listen", "127.0.0.1", "7"])).start();
    server.listening();
    let (line, exit) = fails(&space, &["127.0.0.1", "7"]);
    assert!(
        line.ends_with("connect to 127.0.0.1:7: cannot assign requested address"),
        "{line}"
    );
    exit.says("ports are used up");
}

#[test]
fn a_link_local_address_needs_its_interface() {
    let Some((near, far)) = Namespace::pair() else {
        return;
    };
    near.run("ip address add fe80::1/64 dev eth0 nodad");
    far.run("ip address add fe80::2/64 dev eth0 nodad");
    for host in ["fe80::2", "[fe80::2]"] {
        let (line, _) = fails(&near, &[host, "7"]);
        assert!(line.contains("resolve fe80::2: "), "{line}");
        assert!(
            line.contains("needs its interface") && line.contains("fe80::2%eth0"),
            "{line}"
        );
    }
    let (line, _) = fails(&near, &["fe80::2%nosuch", "7"]);
    assert!(
        line.contains("\"nosuch\"") && line.contains("eth0"),
        "{line}"
    );
    let index = String::from_utf8(near.run("cat /sys/class/net/eth0/ifindex").stdout).unwrap();
    for zone in ["eth0", index.trim()] {
        for target in [
            vec![format!("fe80::2%{zone}"), "7".to_owned()],
            vec![format!("[fe80::2%{zone}]:7")],
        ] {
            let Some(_server) = greeter(&far, "[::]:7") else {
                return;
            };
            near.inside(nettool(["connect"]).args(target))
                .run()
                .success()
                .printed("hello");
        }
    }
    let server = far.inside(nettool(["listen", "fe80::2%eth0", "8"])).start();
    server.announced(1);
    near.inside(nettool(["connect", "fe80::2%eth0", "8"]).stdin("x"))
        .run()
        .success();
    server.wait().success().printed("x");
}

/// A name server that answers by the first letter of a name: `s`ervfail, `e`mpty, `n`one such, and
/// otherwise not at all.
const NAME_SERVER: &str = "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('127.0.0.1', 53))
print('ready', flush=True)
flags = {ord('s'): 0x82, ord('e'): 0x80, ord('n'): 0x83}
while True:
    q, peer = s.recvfrom(512)
    code = flags.get(q[13])
    if code is not None:
        s.sendto(q[:2] + bytes([0x81, code]) + q[4:6] + bytes(6) + q[12:], peer)
";

#[test]
fn what_the_name_server_says_is_told() {
    if !need(&["python3"]) {
        return;
    }
    let Some(mut space) = Namespace::new() else {
        return;
    };
    space.replace(
        "/etc/resolv.conf",
        "nameserver 127.0.0.1\noptions timeout:20 attempts:1\n",
    );
    let server = space
        .inside(Program::new("python3").args(["-c", NAME_SERVER]))
        .start();
    server.prints("ready");
    let mut causes: Vec<String> = Vec::new();
    for name in [
        "servfail.example",
        "empty.example",
        "none.example",
        "deaf.example",
    ] {
        let limit = if name == "deaf.example" {
            "500ms"
        } else {
            "1m"
        };
        let limit = format!("--connect-timeout={limit}");
        let (line, exit) = fails(&space, &[name, "9", &limit]);
        let (start, cause) = line.rsplit_once(": ").unwrap();
        assert!(start.ends_with(&format!("resolve {name}")), "{line}");
        exit.within(PROMPT);
        assert!(!causes.contains(&cause.to_owned()), "{line}");
        causes.push(cause.to_owned());
    }
    assert_eq!(causes[3], "timed out after 500ms");
    let (line, exit) = fails(&space, &["deaf.example", "9", "--max-time=300ms"]);
    assert!(line.ends_with("timed out after 300ms"), "{line}");
    exit.within(PROMPT);
    let (line, _) = fails(&space, &["-u", "deaf.example", "9", "-w300ms"]);
    assert!(
        line.ends_with("resolve deaf.example: timed out after 300ms"),
        "{line}"
    );
}

#[test]
fn no_limit_is_waited_longer_than_it_says() {
    let Some(space) = Namespace::with_a_deaf_port() else {
        return;
    };
    let (reaching, whole) = ("--connect-timeout waits longer", "--max-time allows more");
    let limits = [
        (&["--connect-timeout=300ms"][..], reaching),
        (&["--max-time=300ms"], whole),
        (&["--max-time=300ms", "--connect-timeout=forever"], whole),
        (&["--connect-timeout=300ms", "-w1h"], reaching),
        (&["--connect-timeout=300ms", "--max-time=1h"], reaching),
    ];
    for (options, hint) in limits {
        let (line, exit) = fails(&space, &[&["127.0.0.1", "9"], options].concat());
        let expected = "connect to 127.0.0.1:9: timed out after 300ms";
        assert!(line.ends_with(expected), "{line}");
        exit.within(PROMPT).says("hint: ").says(hint);
    }
}
