//! `--details`, and what everybody may see.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use super::{printed, zoo};
use crate::support::{Namespace, Program, need, nettool, on_screen, skip};

/// The text that `nettool ifaces --details` prints inside.
fn details(space: &Namespace, words: &[&str]) -> String {
    let program = nettool(["ifaces", "--details"]).args(words);
    let exit = space.inside(program.env("COLUMNS", "20")).run();
    exit.success().silent();
    String::from_utf8(exit.stdout).expect("text")
}

#[test]
fn everything_else_is_told() {
    let Some(mut space) = zoo() else { return };
    let resolver = "nameserver 192.0.2.53\nnameserver fe80::1%veth1\nsearch \x1b[2J.test b.test\n";
    space.replace("/etc/resolv.conf", resolver);
    let program = nettool(["ifaces", "--details"]).env("NO_COLOR", "1");
    let folded = on_screen(space.inside(program), 80);
    let fits = |line: &str| line.chars().count() <= 80;
    assert!(folded.lines().all(fits), "{folded}");
    let text = details(&space, &[]);
    assert!(!text.lines().all(fits), "{text}");
    assert!(!text.contains('\x1b'), "{text}");
    for part in [
        "peer veth0",
        "names  the-other-name-of-veth0",
        "flags  UP  BROADCAST  RUNNING",
        "driver veth",
        "driver tun",
        "queue 1000",
        "  valid 1h",
        "  preferred 1h",
        "name servers  192.0.2.53  fe80::1%veth1  (/etc/resolv.conf)",
        "search  \\u{1b}[2J.test  b.test",
    ] {
        assert!(text.contains(part), "{part:?} in {text}");
    }
    assert!(
        !text.contains("speed"),
        "virtual interfaces have none: {text}"
    );
    let ours = printed(space.inside(nettool(["ifaces", "--details", "--json", "veth1"])));
    let [link, names] = ours.as_slice() else {
        panic!("{ours:?}")
    };
    assert_eq!(
        (&link["driver"], &link["link"]),
        (&json!("veth"), &json!("veth0"))
    );
    assert_eq!(link["speed_bits_per_s"], Value::Null);
    assert_eq!(names["servers"], json!(["192.0.2.53", "fe80::1%veth1"]));
    assert_eq!(
        (&names["type"], &names["path"]),
        (&json!("resolver"), &json!("/etc/resolv.conf"))
    );
}

#[test]
fn a_local_stub_is_asked_whom_it_asks() {
    let Some(mut space) = Namespace::new() else {
        return;
    };
    space.replace("/etc/resolv.conf", "nameserver 127.0.0.53\noptions edns0\n");
    space.run("mount -t tmpfs tmpfs /run");
    assert!(details(&space, &[]).contains("name servers  127.0.0.53  (/etc/resolv.conf)"));
    space.run("mkdir -p /run/systemd/resolve");
    let script = "echo nameserver 192.0.2.1 > /run/systemd/resolve/resolv.conf";
    space
        .inside(Program::new("sh").args(["-c", script]))
        .run()
        .status(0);
    let upstream = "name servers  192.0.2.1  (/run/systemd/resolve/resolv.conf)";
    assert!(details(&space, &["lo"]).contains(upstream));
}

#[test]
fn nobody_sees_the_same() {
    if !need(&["setpriv"]) {
        return;
    }
    let Some(space) = zoo() else { return };
    let directory = tempfile::tempdir().expect("a directory");
    let copy = directory.path().join("nettool");
    fs::copy(env!("CARGO_BIN_EXE_nettool"), &copy).expect("a copy");
    fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).expect("a mode");
    let as_nobody = |program: Program| {
        let words = ["--reuid=65534", "--regid=65534", "--clear-groups"];
        program.by_way_of(["setpriv"].iter().chain(&words))
    };
    if space.inside(as_nobody(Program::new("true"))).run().code != Some(0) {
        return skip("no permission to become somebody else");
    }
    let words = ["ifaces", "--json", "--details"];
    let at_rest = |mut all: Vec<Value>| {
        for link in &mut all {
            link["stats"] = Value::Null;
            for address in link["addresses"].as_array_mut().into_iter().flatten() {
                address["valid_s"] = Value::Null;
                address["preferred_s"] = Value::Null;
            }
        }
        all
    };
    // Between two answers of ours that agree: an address that was tentative may be so no longer.
    for _ in 0..50 {
        let ours = || at_rest(printed(space.inside(nettool(words))));
        let expected = ours();
        let theirs = as_nobody(Program::new(&copy).args(words));
        let theirs = at_rest(printed(space.inside(theirs)));
        if expected == ours() {
            return assert_eq!(theirs, expected);
        }
    }
    panic!("the namespace never stood still");
}
