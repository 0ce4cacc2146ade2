//! Servers that do not serve, against what Python makes of them.

use std::time::Duration;

use rustix::process::Signal;

use super::{ports, probe, server, text};
use crate::support::{Input, Namespace, Program, need};

/// `PORT ERRNO` as `connect_ex` of Python returns it with a timeout of a second, which is the ground
/// truth for `--connect-ex`.
fn python(space: &Namespace, host: &str, ports: &str) -> String {
    const SCRIPT: &str = "
import socket, sys
host, ports = sys.argv[1:]
for port in ports.split(','):
    with socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET) as s:
        s.settimeout(1)
        print(port, s.connect_ex((host, int(port))))
";
    let program = Program::new("python3").args(["-c", SCRIPT, host, ports]);
    let exit = space.inside(program).run();
    text(exit.success()).to_owned()
}

/// A stopped server accepts, since its kernel does; one whose queue is full is silent; one that only
/// holds on to its clients is open; and none of them is closed.
#[test]
fn a_server_that_does_not_serve_is_not_closed() {
    const SCRIPT: &str = "
import socket, sys
kept = []
full = socket.socket()
full.bind(('127.0.0.1', 1001))
full.listen(0)
for _ in range(3):
    client = socket.socket()
    client.setblocking(False)
    client.connect_ex(('127.0.0.1', 1001))
    kept.append(client)
print('full', flush=True)
tarpit = socket.create_server(('127.0.0.1', 1002))
print('pit', flush=True)
while True:
    kept.append(tarpit.accept())
";
    let Some(space) = Namespace::new().filter(|_| need(&["python3"])) else {
        return;
    };
    let stopped = server(&space, &[("127.0.0.1", 1000)]);
    stopped.signal(Signal::STOP);
    let others = space.inside(Program::new("python3").args(["-c", SCRIPT]));
    let others = others.stdin(Input::Open).start();
    others.prints("pit");
    let exit = space.inside(probe("--json 127.0.0.1 1000-1003")).run();
    let found = ports(exit.success());
    let told = |port: u64| {
        let report = &found[&port];
        (
            report["state"].as_str().unwrap(),
            report["errno"].as_i64(),
            report["reason"].as_str().unwrap(),
        )
    };
    assert_eq!(told(1000), ("open", Some(0), "syn-ack"));
    assert_eq!(told(1001), ("filtered", None, "no-response"));
    assert_eq!(told(1002), ("open", Some(0), "syn-ack"));
    assert_eq!(told(1003), ("closed", Some(111), "reset"));
    let exit = space
        .inside(probe("--connect-ex 127.0.0.1 1000-1003"))
        .run();
    exit.success()
        .printed("1000 0\n1001 11\n1002 0\n1003 111\n");
    assert_eq!(
        text(&exit),
        python(&space, "127.0.0.1", "1000,1001,1002,1003")
    );
    stopped.signal(Signal::CONT);
}

#[test]
fn connect_ex_is_what_python_says_of_a_firewall() {
    let Some((near, far)) = Namespace::pair().filter(|_| need(&["nft", "python3"])) else {
        return;
    };
    far.run("sysctl -qw net.ipv4.icmp_ratelimit=0");
    far.rules(
        "table ip t {
chain i {
type filter hook input priority 0;
tcp dport 1000 drop
tcp dport 1001 reject with tcp reset
tcp dport 1003 reject with icmp port-unreachable
tcp dport 1009 reject with icmp net-prohibited
tcp dport 1013 reject with icmp admin-prohibited
tcp dport 1002 reject with icmp prot-unreachable
}
}
",
    );
    let _server = server(&far, &[("10.77.0.2", 2000)]);
    let list = "1000,1001,1002,1003,1009,1013,1999,2000";
    let exit = near
        .inside(probe(&format!("--connect-ex 10.77.0.2 {list}")))
        .run();
    exit.success().silent().within(Duration::from_secs(45));
    assert_eq!(text(&exit), python(&near, "10.77.0.2", list));
    let exit = near.inside(probe("--connect-ex 192.0.2.1 80")).run();
    assert_eq!(text(exit.status(1)), python(&near, "192.0.2.1", "80"));
}

/// A host that sends few resets a second: the others look silent until they are asked again.
#[test]
fn resets_that_are_rationed_change_no_state() {
    let Some((near, far)) = Namespace::pair().filter(|_| need(&["nft", "python3"])) else {
        return;
    };
    far.rules("table ip t {\nchain o {\ntype filter hook output priority 0;\ntcp flags rst limit rate over 200/second burst 20 packets drop\n}\n}\n");
    let _server = server(&far, &[("10.77.0.2", 500)]);
    let exit = near.inside(probe("--json 10.77.0.2 1-1000")).run();
    let found = ports(exit.success());
    let states = |state: &str| {
        found
            .values()
            .filter(|report| report["state"] == state)
            .count()
    };
    assert_eq!((states("open"), states("closed")), (1, 999));
}
