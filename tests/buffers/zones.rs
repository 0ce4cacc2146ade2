//! `nettool buffers list` beside `ss`: the interfaces that sockets are bound to.

use serde_json::{Value, json};

use super::list::listed;
use crate::support::{Namespace, Program, need, nettool};

/// Sockets that are bound to an interface, or whose link-local address has one.
const BOUND: &str = r#"
import socket, time
lo = socket.if_nametoindex("lo"); cable = socket.if_nametoindex("cable")
keep = []
def bound(family, kind, address, device=None):
    one = socket.socket(family, kind); keep.append(one)
    if device: one.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device)
    one.bind(address)
    if kind == socket.SOCK_STREAM: one.listen(3)
    return one
bound(socket.AF_INET, socket.SOCK_STREAM, ("0.0.0.0", 6402), b"lo")
bound(socket.AF_INET6, socket.SOCK_STREAM, ("::1", 6403), b"lo")
bound(socket.AF_INET, socket.SOCK_DGRAM, ("0.0.0.0", 6404), b"cable")
bound(socket.AF_INET6, socket.SOCK_DGRAM, ("fe80::77", 6405, 0, cable))
server = bound(socket.AF_INET6, socket.SOCK_STREAM, ("fe80::77", 6406, 0, cable))
client = socket.socket(socket.AF_INET6); client.connect(("fe80::77", 6406, 0, cable))
keep += [client, server.accept()[0]]
bound(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 6407))
print("ready", flush=True)
time.sleep(1000)
"#;

#[test]
fn zones_and_interfaces_are_those_of_ss() {
    if !need(&["python3", "ss"]) {
        return;
    }
    let Some(space) = Namespace::new() else {
        return;
    };
    for words in [
        "link add cable type veth peer name plug",
        "link set cable up",
        "link set plug up",
        "address add fe80::77/64 dev cable nodad",
    ] {
        space.run(&format!("ip {words}"));
    }
    let program = Program::new("python3").args(["-c", BOUND]);
    let running = space.inside(program).start();
    running.prints("ready");
    let theirs = String::from_utf8(space.run("ss -OHtuan").stdout).expect("text");
    let ours = listed(&space, &["-tu", "-n"]);
    assert_eq!((ours.len(), theirs.lines().count()), (8, 8), "{theirs}");
    let shown = space.inside(nettool(["buffers", "list", "-tun"])).run();
    let shown = String::from_utf8(shown.success().stdout.clone()).expect("text");
    for line in theirs.lines() {
        // `ss` writes `[fe80::77]%cable:6406`, or `[fe80::77]:6406` of a peer.
        let words: Vec<_> = line.split_whitespace().skip(4).take(2).collect();
        let (host, port) = words[0].rsplit_once(':').expect("an address with its port");
        let (address, interface) = match host.split_once('%') {
            Some((address, interface)) => (address, json!(interface)),
            None => (host, Value::Null),
        };
        let address = address.trim_matches(['[', ']']);
        let of_line = |record: &&Value| {
            let (_, peer_port) = words[1].rsplit_once(':').expect("a peer");
            let number = |text: &str| text.parse::<u64>().expect("a port");
            record["local_port"] == number(port)
                && (peer_port == "*" || record["peer_port"] == number(peer_port))
        };
        let record = ours.iter().find(of_line).expect("the same socket");
        assert_eq!(record["local_addr"], address, "{line}");
        assert_eq!(record["interface"], interface, "{line}");
        let zone = interface
            .as_str()
            .map_or_else(String::new, |name| format!("%{name}"));
        let end = if address.contains(':') {
            format!(" [{address}{zone}]:{port} ")
        } else {
            format!(" {address}{zone}:{port} ")
        };
        assert!(shown.contains(&end), "{end:?} in {shown}");
    }
    assert!(
        shown.contains("[fe80::77%cable]:6406  [fe80::77%cable]:"),
        "{shown}"
    );
    running.kill();
}
