//! `--for` and `--default` beside `ip route`.

use serde_json::{Value, json};

use super::printed;
use crate::support::{Namespace, Output, nettool};

/// Ways of every sort, beside those that the addresses of `eth0` make.
const ROUTES: &[&str] = &[
    "address add 10.77.0.9/24 dev eth0",
    "address add fe80::77/64 dev eth0 nodad",
    "link add spare type veth peer name other",
    "link set spare up",
    "link set other up",
    "address add 10.88.0.1/24 dev spare",
    "address add fe80::88/64 dev spare nodad",
    "route add default via 10.77.0.2 metric 50",
    "route add default via 10.88.0.2 dev spare metric 20",
    "route add 198.51.100.0/24 via 10.77.0.2 src 10.77.0.9",
    "route add 203.0.113.0/24 via inet6 fd77::2 dev eth0",
    "route add 198.18.0.0/24 nexthop via 10.77.0.2 nexthop via 10.77.0.3",
    "route add unreachable 198.18.1.0/24",
    "route add prohibit 198.18.2.0/24",
    "route add blackhole 198.18.3.0/24",
    "-6 route add unreachable fd99:1::/64",
    "-6 route add prohibit fd99:2::/64",
    "-6 route add blackhole fd99:3::/64",
    "-6 route add default via fd77::2 dev eth0 metric 7",
    "-6 route add fd98::/64 via fe80::1234 dev eth0",
];

/// A namespace with all of them; what is at the other end of the cable must be kept.
fn crossroads() -> Option<(Namespace, Namespace)> {
    let (near, far) = Namespace::pair()?;
    for words in ROUTES {
        near.run(&format!("ip {words}"));
    }
    Some((near, far))
}

/// What `ip` says of the way to an address.
pub(super) fn ip_says(space: &Namespace, address: &str) -> Value {
    let exit = space.run(&format!("ip -j route get {address}"));
    let routes: Value = serde_json::from_slice(&exit.stdout).expect("JSON");
    let gateway = match &routes[0]["gateway"] {
        Value::Null => routes[0]["via"]["host"].clone(),
        gateway => gateway.clone(),
    };
    json!([routes[0]["prefsrc"], routes[0]["dev"], gateway])
}

#[test]
fn the_way_to_a_host_is_what_ip_says() {
    let Some((space, _far)) = crossroads() else {
        return;
    };
    for address in [
        "10.77.0.2",
        "10.77.0.1",
        "127.0.0.1",
        "198.51.100.7",
        "203.0.113.1",
        "192.0.2.200",
        "224.0.0.5",
        "255.255.255.255",
        "198.18.0.1",
        "fd77::2",
        "fd77::1",
        "::1",
        "2001:db8::77",
        "fd98::1",
    ] {
        let ours = printed(space.inside(nettool(["ifaces", "--json", "--for", address])));
        let [route] = ours.as_slice() else {
            panic!("{ours:?}")
        };
        let ours = json!([route["source"], route["interface"], route["gateway"]]);
        assert_eq!(ours, ip_says(&space, address), "{address}");
        assert_eq!(
            (&route["type"], &route["host"]),
            (&json!("route"), &json!(address))
        );
    }
}

#[test]
fn a_zone_decides_on_the_interface() {
    let Some((space, _far)) = crossroads() else {
        return;
    };
    let source = |zone: &str| {
        let program = nettool(["ifaces", "--ip", "--for", &format!("fe80::5%{zone}")]);
        let exit = space.inside(program).run();
        exit.success().silent();
        String::from_utf8(exit.stdout).expect("text")
    };
    assert_eq!(source("eth0"), "fe80::77%eth0\n");
    assert_eq!(source("spare"), "fe80::88%spare\n");
    // Our own address is reached through the loopback, and is of no use there.
    let program = nettool(["ifaces", "--ip", "--for", "fe80::88%spare"]);
    let exit = space.inside(program).run();
    exit.success().printed("fe80::88%spare\n");
    // A router has its zone, too, and so has the other end of a link.
    space.run("ip address add fe80::41 peer fe80::42 dev spare");
    let exit = space.inside(nettool(["ifaces", "spare"])).run();
    let text = String::from_utf8(exit.success().stdout.clone()).expect("text");
    assert!(text.contains("  peer fe80::42%spare"), "{text}");
    let exit = space.inside(nettool(["ifaces", "--for", "fd98::1"])).run();
    let text = String::from_utf8(exit.success().stdout.clone()).expect("text");
    assert!(text.ends_with("  gateway fe80::1234%eth0\n"), "{text}");
    let exit = space.inside(nettool(["ifaces", "--for", "fe80::5"])).run();
    assert!(exit.failure(1).contains("fe80::5%eth0"));
}

#[test]
fn the_zone_of_an_odd_name_leads_to_its_interface() {
    let Some(space) = Namespace::new() else {
        return;
    };
    space.run("ip link add w\u{e4}n type veth peer name 99");
    for name in ["w\u{e4}n", "99"] {
        space.run(&format!("ip link set {name} up"));
    }
    for name in ["w\u{e4}n", "99"] {
        space.run(&format!("ip address add fe80::9/64 dev {name} nodad"));
        let shown = printed(space.inside(nettool(["ifaces", "--json", name])));
        let zone = shown[0]["addresses"][0]["zone"].as_str().expect("a zone");
        let host = format!("fe80::5%{zone}");
        let way = printed(space.inside(nettool(["ifaces", "--json", "--for", &host])));
        assert_eq!(way[0]["interface"], name, "{host}");
    }
}

#[test]
fn where_there_is_no_way_it_says_why() {
    let Some((space, _far)) = crossroads() else {
        return;
    };
    for (address, why) in [
        ("198.18.1.1", "no route to host"),
        ("198.18.2.1", "permission denied"),
        ("198.18.3.1", "invalid argument"),
        ("fd99:1::1", "no route to host"),
        ("fd99:2::1", "permission denied"),
        ("fd99:3::1", "invalid argument"),
    ] {
        let exit = space
            .inside(nettool(["ifaces", "--ip", "--for", address]))
            .run();
        let line = exit.failure(1);
        assert_eq!(
            line,
            format!("nettool: error: inspect the route to {address}: {why}")
        );
        exit.printed("");
    }
    space.run("ip route flush default");
    space.run("ip -6 route flush default");
    let exit = space
        .inside(nettool(["ifaces", "--for", "192.0.2.1"]))
        .run();
    assert!(exit.failure(1).ends_with("network is unreachable"));
    let exit = space.inside(nettool(["ifaces", "--default", "-4"])).run();
    assert!(
        exit.failure(1)
            .ends_with("the default route: there is none for IPv4")
    );
}

#[test]
fn a_script_gets_one_address_of_a_name() {
    let Some((mut space, _far)) = crossroads() else {
        return;
    };
    space.replace("/etc/hosts", "10.77.0.2 peer.test\nfd77::2 peer.test\n");
    let source = |words: &[&str]| {
        let program = nettool(["ifaces", "--ip", "--for", "peer.test"]).args(words);
        let exit = space.inside(program).run();
        exit.success().silent();
        String::from_utf8(exit.stdout).expect("text")
    };
    assert_eq!(source(&["-4"]), "10.77.0.1\n");
    assert_eq!(source(&["-6"]), "fd77::1\n");
    assert_eq!(source(&[]).lines().count(), 1);
    let shown = space.inside(nettool(["ifaces", "-4", "--for", "peer.test"]));
    let line = "peer.test (10.77.0.2)  source 10.77.0.1  interface eth0  no gateway\n";
    shown.run().success().printed(line);
    nettool(["ifaces", "-n", "--for", "peer.test"])
        .run()
        .failure(2);
}

#[test]
fn nothing_is_sent_to_find_the_way() {
    let Some((space, _far)) = crossroads() else {
        return;
    };
    for address in ["10.77.0.200", "fd77::200", "192.0.2.1", "fd98::2"] {
        let program = nettool(["ifaces", "--for", address]);
        space.inside(program).run().success();
    }
    let known = space.run("ip neighbour show nud all").stdout;
    let known = String::from_utf8(known).expect("text");
    for asked in ["10.77.0.200", "fd77::200", "10.88.0.2", "fe80::1234"] {
        let found = known
            .lines()
            .any(|line| line.starts_with(&format!("{asked} ")));
        assert!(!found, "somebody asked for {asked}: {known}");
    }
}

#[test]
fn default_routes_come_in_their_order() {
    let Some((space, _far)) = crossroads() else {
        return;
    };
    let ours = printed(space.inside(nettool(["ifaces", "--json", "--default"])));
    let ways: Vec<Value> = ours
        .iter()
        .map(|r| {
            json!([
                r["destination"],
                r["source"],
                r["interface"],
                r["gateway"],
                r["metric"]
            ])
        })
        .collect();
    assert_eq!(
        ways,
        [
            json!(["0.0.0.0", "10.88.0.1", "spare", "10.88.0.2", 20]),
            json!(["0.0.0.0", "10.77.0.1", "eth0", "10.77.0.2", 50]),
            json!(["::", "fd77::1", "eth0", "fd77::2", 7]),
        ]
    );
    let show = |words: &[&str]| {
        space
            .inside(nettool(["ifaces", "--default"]).args(words))
            .run()
    };
    show(&["--ip"]).success().printed("10.88.0.1\nfd77::1\n");
    show(&["--ip", "-6"]).success().printed("fd77::1\n");
    show(&["-6"])
        .success()
        .printed("default IPv6  source fd77::1  interface eth0  gateway fd77::2  metric 7\n");
    space.run("ip route flush default");
    space.run("ip route add default nexthop via 10.77.0.2 nexthop via 10.88.0.2");
    let both = show(&["-4"]).stdout;
    let both = String::from_utf8(both).expect("text");
    assert!(
        both.contains("gateway 10.77.0.2") && both.contains("gateway 10.88.0.2"),
        "{both}"
    );
}

#[test]
fn options_that_mean_nothing_together_are_refused() {
    for words in [
        &["--ip"][..],
        &["--for", "::1", "--default"],
        &["--default", "lo"],
        &["--for", "::1", "--stats"],
        &["--for", "127.1"],
        &["--watch", "--default"],
        &["--every", "2s"],
        &["--watch", "--every", "1ms"],
        &["--watch", "--every", "forever"],
        &["--details", "--brief"],
    ] {
        nettool(["ifaces"]).args(words).run().failure(2);
    }
    let closed = nettool(["ifaces", "--for", "127.0.0.1"]).stdout(Output::Broken);
    closed.run().silent().died_of(13);
}
