//! Many at once: groups and everybody.

use super::type_into;
use crate::support::{Input, Namespace, nettool};

#[test]
fn a_group_is_joined_and_spoken_to() {
    let Some((near, far)) = Namespace::pair() else {
        return;
    };
    for (group, joined, port) in [
        ("239.7.7.7", "239.7.7.7%veth", "7001"),
        ("ff02::7:7", "ff02::7:7%veth", "7002"),
    ] {
        let interface = far.run("ip -o link show").stdout;
        let interface = String::from_utf8(interface).expect("text");
        let name = |text: &str| {
            let names = text.lines().filter_map(|line| line.split(':').nth(1));
            let mut names = names.map(|name| name.trim().split('@').next().unwrap().to_owned());
            names.find(|name| name != "lo").expect("an interface")
        };
        let their = name(&interface);
        let ours = String::from_utf8(near.run("ip -o link show").stdout).expect("text");
        let ours = name(&ours);
        let joined = joined.replace("veth", &their);
        let words = [
            "listen",
            "-u",
            port,
            "--multicast-join",
            &joined,
            "--to=last",
        ];
        let mut server = far.inside(nettool(words).stdin(Input::Open)).start();
        server.announced(1);
        let host = if group.contains(':') {
            format!("{group}%{ours}")
        } else {
            group.to_owned()
        };
        let words = [
            "connect",
            "-u",
            "--ttl=1",
            "--interface",
            &ours,
            &host,
            port,
        ];
        let mut client = near.inside(nettool(words).stdin(Input::Open)).start();
        type_into(&mut client, "<question>");
        server.prints("<question>");
        // It comes from an address of its own, and not from the group.
        type_into(&mut server, "<answer>");
        client.prints("<answer>");
        client.kill();
        server.kill();
    }
}

#[test]
fn everybody_is_spoken_to_only_if_asked_for() {
    let Some((near, far)) = Namespace::pair() else {
        return;
    };
    let mut server = far
        .inside(nettool(["listen", "-u", "-4", "7003"]).stdin(Input::Open))
        .start();
    server.announced(1);
    let words = ["connect", "-u", "10.77.0.255", "7003"];
    let exit = near.inside(nettool(words).stdin("x")).run();
    let error = exit.failure(1);
    assert!(error.contains("permission denied"), "{error}");
    exit.says("--broadcast");
    let client = nettool(words).arg("--broadcast").stdin(Input::Open);
    let mut client = near.inside(client).start();
    type_into(&mut client, "<question>");
    server.prints("<question>");
    type_into(&mut server, "<answer>");
    client.prints("<answer>");
    client.kill();
    server.kill();
}

#[test]
fn listeners_of_one_group_share_its_port() {
    let Some(space) = Namespace::new() else {
        return;
    };
    let words = [
        "listen",
        "-u",
        "-4",
        "7004",
        "--multicast-join=239.7.7.7%lo",
    ];
    let servers: Vec<_> = (0..2)
        .map(|_| space.inside(nettool(words)).start())
        .collect();
    for server in &servers {
        server.announced(1);
    }
    let words = [
        "connect",
        "-u",
        "--interface=lo",
        "--send-only",
        "239.7.7.7",
        "7004",
    ];
    space.inside(nettool(words).stdin("<word>")).run().success();
    for server in servers {
        server.prints("<word>");
        server.kill();
    }
    let exit = space
        .inside(nettool([
            "listen",
            "-u",
            "9",
            "--multicast-join=239.7.7.7%nope",
        ]))
        .run();
    assert!(exit.failure(1).contains("\"nope\""), "{}", exit.stderr);
}
