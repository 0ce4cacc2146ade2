//! `nettool ifaces` beside `ip`, in namespaces with every odd interface and address.

mod comparison;
mod completion;
mod defaults;
mod details;
mod routes;
mod watch;

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use serde_json::{Value, json};

use self::comparison::{expected, ip, list, text, words};
use crate::support::{Namespace, Output, Program, need, nettool, on_screen, records, skip};

/// Makes the interfaces that a machine has and those that a test thinks of.
const LINKS: &[&str] = &[
    "link add veth0 type veth peer name veth1",
    "link add cable type veth peer name plug",
    "link add br0 type bridge",
    "link set veth0 master br0",
    "link set veth0 up",
    "link set veth1 up",
    "link set br0 up",
    "link set cable up",
    "link set cable mtu 1280",
    "link set plug promisc on",
    "link property add dev veth0 altname the-other-name-of-veth0",
    "tuntap add tun0 mode tun",
    "tuntap add tap0 mode tap",
    "link set tun0 up",
    "link add idle type veth peer name idler",
];

/// Gives them addresses of every sort; those of `cable` stay tentative, since nobody plugs it in.
const ADDRESSES: &[&str] = &[
    "address add 10.1.0.1/24 broadcast + dev veth1",
    "address add 10.1.0.2/24 dev veth1",
    "address add 10.2.0.1/16 broadcast 10.2.9.9 label veth1:alias dev veth1",
    "address add 192.168.77.1 peer 192.168.77.2/32 dev veth1",
    "address add 10.3.0.1/24 dev br0 valid_lft 5000 preferred_lft 4000",
    "address add 10.4.0.1/32 scope link dev br0",
    "address add 10.5.0.1/32 scope host dev br0",
    "address add 10.6.0.1 peer 10.6.0.2 dev tun0",
    "address add fd01::1/64 dev veth1 nodad",
    "address add fd01::2/64 dev veth1 nodad preferred_lft 0",
    "address add fd02:1234:5678:9abc:def0:1234:5678:9abc/128 dev veth1 nodad noprefixroute",
    "address add fd03::1 peer fd03::2/64 dev tun0",
    "address add fd04::1/64 dev cable",
    "address add fd05::1/64 dev br0 nodad mngtmpaddr valid_lft 9000 preferred_lft 8000",
];

/// A namespace with all of it.
fn zoo() -> Option<Namespace> {
    if !Path::new("/dev/net/tun").exists() {
        skip("no /dev/net/tun");
        return None;
    }
    let space = Namespace::new()?;
    for words in LINKS.iter().chain(ADDRESSES) {
        space.run(&format!("ip {words}"));
    }
    alias(&space, "a \"cable\" to rack 4");
    Some(space)
}

/// Describes `veth1`.
fn alias(space: &Namespace, text: &str) {
    let ip = Program::new("ip").args(["link", "set", "veth1", "alias", text]);
    space.inside(ip).run().status(0);
}

/// The records of a run, which must succeed.
fn printed(program: Program) -> Vec<Value> {
    let exit = program.run();
    exit.success().silent();
    records(&exit.stdout)
}

/// Compares all records with all that `ip` says, between two answers of `ip` that agree: counters
/// and lifetimes move.
fn same_as_ip(space: &Namespace) {
    for _ in 0..50 {
        let all = || expected(&ip(space));
        let expected = all();
        let mut ours = printed(space.inside(nettool(["ifaces", "--json"])));
        for link in &mut ours {
            // `ip` says nothing of a permanent address that is in use.
            if link["permanent_mac"] == link["mac"] {
                link["permanent_mac"] = Value::Null;
            }
        }
        if expected != all() {
            continue;
        }
        assert_eq!(ours.len(), expected.len());
        for (ours, expected) in ours.iter().zip(&expected) {
            assert_eq!(ours, expected);
        }
        return;
    }
    panic!("the namespace never stood still");
}

#[test]
fn every_field_is_what_ip_says() {
    let Some(space) = zoo() else { return };
    space.run("ip link set tap0 address 02:11:22:33:44:55");
    same_as_ip(&space);
    let ours = printed(space.inside(nettool(["ifaces", "--json"])));
    let states: Vec<_> = ours.iter().map(|link| text(link, "state")).collect();
    for state in ["up", "down", "no-carrier", "lower-layer-down"] {
        assert!(
            states.iter().any(|seen| seen == state),
            "{state}: {states:?}"
        );
    }
    let all = ours.iter().flat_map(|link| list(&link["addresses"]));
    let flags: Vec<_> = all.flat_map(|address| words(&address["flags"])).collect();
    for flag in [
        "secondary",
        "dynamic",
        "deprecated",
        "tentative",
        "mngtmpaddr",
    ] {
        assert!(flags.iter().any(|seen| seen == flag), "{flag}: {flags:?}");
    }
}

#[test]
fn the_other_end_may_be_in_another_namespace() {
    let Some((near, far)) = Namespace::pair() else {
        return;
    };
    same_as_ip(&near);
    let ours = printed(far.inside(nettool(["ifaces", "--json", "eth0"])));
    assert_eq!(ours[0]["link"], Value::Null);
    assert!(ours[0]["link_namespace"].is_number(), "{ours:?}");
}

#[test]
fn a_thousand_interfaces_are_all_there_in_order() {
    let Some(space) = Namespace::new() else {
        return;
    };
    let mut batch = String::new();
    for number in 0..500 {
        let _ = writeln!(batch, "link add a{number} type veth peer name b{number}");
        for network in 0..3 {
            let _ = writeln!(
                batch,
                "address add 10.{network}.{}.{}/32 dev a{number}",
                number / 256,
                number % 256
            );
        }
    }
    let ip = Program::new("ip").args(["-batch", "-"]);
    space.inside(ip).stdin(batch.as_str()).run().status(0);
    same_as_ip(&space);
}

#[test]
fn a_table_that_changes_underway_is_never_shown_in_part() {
    let Some(space) = Namespace::new() else {
        return;
    };
    let mut batch = String::new();
    for number in 0..100 {
        let _ = writeln!(batch, "link add a{number} type veth peer name b{number}");
        let _ = writeln!(batch, "address add 10.0.{number}.1/32 dev a{number}");
    }
    let ip = |batch: &str| {
        let ip = Program::new("ip").args(["-batch", "-"]);
        space.inside(ip).stdin(batch).run().status(0);
    };
    ip(&batch);
    let churn = "link add x type veth peer name y\nlink del x\n".repeat(20);
    std::thread::scope(|scope| {
        let changing = scope.spawn(|| ip(&churn));
        while !changing.is_finished() {
            let exit = space.inside(nettool(["ifaces", "--json"])).run();
            exit.success().silent();
            let lines = records(&exit.stdout);
            let kept = lines
                .iter()
                .filter(|link| !["x", "y"].contains(&text(link, "name").as_str()));
            assert_eq!(kept.clone().count(), 201);
            let addresses = kept.map(|link| list(&link["addresses"]).len());
            assert_eq!(addresses.sum::<usize>(), 100 + 2);
        }
    });
}

#[test]
fn people_see_lines_that_fit() {
    let Some(space) = zoo() else { return };
    alias(&space, "\u{1b}[2J\n\"uplink\"");
    let program = |args: &[&str]| {
        let program = nettool([&["ifaces"], args].concat()).env("COLUMNS", "20");
        space.inside(program.env("TERM", "dumb").env("NO_COLOR", "1"))
    };
    let show = |args: &[&str]| {
        let exit = program(args).run();
        exit.success().silent();
        String::from_utf8(exit.stdout).expect("text")
    };
    let widest = |text: &str| text.lines().map(|line| line.chars().count()).max();
    let folded = on_screen(program(&[]), 80);
    assert!(widest(&folded) <= Some(80), "{folded}");
    // Elsewhere, and where there is room, each address and each interface is a line.
    let whole = show(&[]);
    assert!(widest(&whole) > Some(80), "{whole}");
    assert_eq!(on_screen(program(&[]), 250), whole);
    let blocks = show(&["-s"]);
    assert!(!blocks.contains('\u{1b}') && !blocks.lines().any(|line| line.ends_with(' ')));
    for part in [
        "10.2.0.1/16",
        "broadcast 10.2.9.9",
        "label veth1:alias",
        "secondary",
        "deprecated",
        "peer 192.168.77.2",
        "tentative",
        "no address",
        "master br0",
        "\"\\u{1b}[2J\\n\"uplink\"\"",
        "%veth1/64",
        " packets",
        "lower-layer-down",
    ] {
        assert!(blocks.contains(part), "{part:?} in {blocks}");
    }
    let brief = show(&["-b", "-4"]);
    assert_eq!(brief.lines().count(), 10, "{brief}");
    assert!(
        brief.contains("10.1.0.1/24 10.2.0.1/16") && !brief.contains("fd01"),
        "{brief}"
    );
    assert!(show(&["-6", "veth1"]).contains("fd01::1/64") && !show(&["-6"]).contains("10.1."));
    assert!(show(&["-4", "plug"]).contains("no IPv4 address"));
    let up = show(&["--up", "--names"]);
    assert!(
        up.contains("veth1\n") && !up.contains("plug\n") && !up.contains("idle"),
        "{up}"
    );
}

#[test]
fn names_are_any_bytes_but_never_obeyed() {
    let Some(space) = zoo() else { return };
    alias(&space, "\u{1b}[2J\n\"uplink\"");
    let odd: [&[u8]; 3] = [
        b"\x1b[2J\xff\xfe\x07odd",
        "wän0123456789a".as_bytes(),
        b"-\\\"'$(x)`;&<",
    ];
    for (name, new) in ["idle", "idler", "tap0"].into_iter().zip(odd) {
        let words = [b"link".as_slice(), b"set", name.as_bytes(), b"name", new];
        let ip = Program::new("ip").args(words.map(OsStr::from_bytes));
        space.inside(ip).run().status(0);
    }
    let names = space.inside(nettool(["ifaces", "--names"])).run();
    names.success();
    let names = String::from_utf8(names.stdout).expect("text");
    for name in [
        "\\u{1b}[2J\\xff\\xfe\\u{7}odd",
        "wän0123456789a",
        "-\\\"'$(x)`;&<",
    ] {
        assert!(names.lines().any(|line| line == name), "{name} in {names}");
    }
    let words = odd.map(OsStr::from_bytes);
    let program = nettool(["ifaces", "--json", "--"]).args(words);
    let found = printed(space.inside(program));
    assert_eq!(found.len(), 3);
    assert!(
        found
            .iter()
            .any(|link| link["name"] == "\u{1b}[2J\\xff\\xfe\u{7}odd")
    );
}

#[test]
fn an_unknown_name_fails_with_near_ones() {
    let Some(space) = zoo() else { return };
    let exit = space.inside(nettool(["ifaces", "vteh0", "lo"])).run();
    assert_eq!(
        exit.failure(1),
        "nettool: error: inspect vteh0: no such interface"
    );
    exit.says("hint: did you mean veth0 or veth1?");
    assert!(exit.stdout.starts_with(b"lo  up  loopback"));
    let exit = space.inside(nettool(["ifaces", "--json", "nothing"])).run();
    exit.status(1).silent();
    let records = records(&exit.stdout);
    assert_eq!((records.len(), &records[0]["type"]), (1, &json!("error")));
    let exit = space
        .inside(nettool(["ifaces", "--names", "the-other-name-of-veth0"]))
        .run();
    exit.success().printed("veth0\n");
}

#[test]
fn a_report_that_cannot_be_written_is_a_failure() {
    let show = |to| nettool(["ifaces"]).stdout(to).run();
    show(Output::Full).failure(1);
    show(Output::Broken).silent().died_of(13);
}

/// Refuses netlink sockets to the program that it becomes.
const WITHOUT_NETLINK: &str = r#"
import ctypes, os, platform, struct, sys
number = {"x86_64": 41, "aarch64": 198}[platform.machine()]
code = [(0x20, 0, 0, 0), (0x15, 0, 3, number), (0x20, 0, 0, 16), (0x15, 0, 1, 16),
        (0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x7fff0000)]
filter = b"".join(struct.pack("HBBI", *line) for line in code)
memory = ctypes.create_string_buffer(filter)
program = struct.pack("HxxxxxxP", len(code), ctypes.addressof(memory))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, program, 0, 0) == 0, os.strerror(ctypes.get_errno())
os.execv(sys.argv[1], sys.argv[1:])
"#;

#[test]
fn a_system_that_tells_nothing_is_a_failure_not_an_empty_list() {
    if !need(&["python3"]) {
        return;
    }
    let refused = nettool(["ifaces"])
        .by_way_of(["python3", "-c", WITHOUT_NETLINK])
        .run();
    let line = refused.failure(1);
    assert!(
        line.contains("the interfaces: operation not permitted"),
        "{line}"
    );
    refused.printed("");
}
