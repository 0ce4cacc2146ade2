//! `--default` where the smallest metric is not the way that packets take, beside `ip route get`.

use serde_json::{Value, json};

use super::printed;
use super::routes::ip_says;
use crate::support::{Namespace, Program, nettool, skip, until};

/// An address that no route but a default one is for.
const FAR: &str = "8.8.8.8";

/// Two cables, each with an address of both families.
const CABLES: &[&str] = &[
    "link add v0 type veth peer name w0",
    "link add v2 type veth peer name w2",
    "link set v0 up",
    "link set w0 up",
    "link set v2 up",
    "link set w2 up",
    "address add 10.0.0.1/24 dev v0",
    "address add 10.0.2.1/24 dev v2",
    "address add fd00::1/64 dev v0 nodad",
    "address add fd02::1/64 dev v2 nodad",
];

/// A namespace with both and these routes.
fn cables(routes: &[&str]) -> Option<Namespace> {
    let space = Namespace::new()?;
    for words in CABLES {
        space.run(&format!("ip {words}"));
    }
    for words in routes {
        space.run(&format!("ip {words}"));
    }
    Some(space)
}

/// Sets what the kernel is to do inside; `name` is a path below `/proc/sys/net`.
fn set(space: &Namespace, name: &str, value: u8) {
    let script = format!("echo {value} > /proc/sys/net/{name}");
    let program = Program::new("sh").args(["-c", &script]);
    space.inside(program).run().status(0);
}

/// Pulls the plug of `v2`, whose routes are not used any more.
fn unplug(space: &Namespace) {
    for family in ["ipv4", "ipv6"] {
        let name = format!("{family}/conf/all/ignore_routes_with_linkdown");
        set(space, &name, 1);
    }
    down(space, "w2", "v2");
}

/// Switches one end of a cable off, and waits until the routes of the other have heard of it.
fn down(space: &Namespace, end: &str, other: &str) {
    space.run(&format!("ip link set {end} down"));
    for family in ["-4", "-6"] {
        let routes = format!("ip {family} route show dev {other}");
        until("its routes are dead", || {
            let shown = space.run(&routes).stdout;
            let shown = String::from_utf8(shown).expect("text");
            let mut lines = shown.lines();
            lines.all(|line| line.starts_with("multicast") || line.contains("linkdown"))
        });
    }
}

/// The default routes of a family: interface, metric and what they refuse with.
fn defaults(space: &Namespace, family: &str) -> Vec<Value> {
    let ours = printed(space.inside(nettool(["ifaces", "--json", "--default", family])));
    let each = ours.iter();
    each.map(|r| json!([r["interface"], r["metric"], r["refusal"]]))
        .collect()
}

/// Checks that a script gets the address that the kernel would take.
fn same_as_ip(space: &Namespace, family: &str, far: &str) {
    let program = nettool(["ifaces", "--default", "--ip", family]);
    let exit = space.inside(program).run();
    exit.success().silent();
    let says = ip_says(space, far);
    exit.printed(format!("{}\n", says[0].as_str().expect("an address")));
}

#[test]
fn a_dead_route_is_none() {
    let Some(space) = cables(&[
        "route add default via 10.0.2.254 metric 5",
        "route add default via 10.0.0.254 metric 10",
        "-6 route add default via fd02::fe dev v2 metric 5",
        "-6 route add default via fd00::fe dev v0 metric 10",
    ]) else {
        return;
    };
    assert_eq!(defaults(&space, "-4").len(), 2);
    unplug(&space);
    for (family, far) in [("-4", FAR), ("-6", "2001:4860::1")] {
        assert_eq!(defaults(&space, family), [json!(["v0", 10, null])]);
        same_as_ip(&space, family, far);
    }
    // Without the setting the kernel goes on to send there.
    set(&space, "ipv4/conf/all/ignore_routes_with_linkdown", 0);
    same_as_ip(&space, "-4", FAR);
}

#[test]
fn a_dead_way_of_several_is_none() {
    let Some(space) = cables(&[
        "route add default nexthop via 10.0.2.254 nexthop via 10.0.0.254",
        "-6 route add default nexthop via fd02::fe dev v2 nexthop via fd00::fe dev v0",
    ]) else {
        return;
    };
    assert_eq!(defaults(&space, "-4").len(), 2);
    assert_eq!(defaults(&space, "-6").len(), 2);
    unplug(&space);
    for (family, far) in [("-4", FAR), ("-6", "2001:4860::1")] {
        let interfaces: Vec<_> = defaults(&space, family)
            .iter()
            .map(|r| r[0].clone())
            .collect();
        assert_eq!(interfaces, ["v0"]);
        same_as_ip(&space, family, far);
    }
    down(&space, "w0", "v0");
    for family in ["-4", "-6"] {
        let program = nettool(["ifaces", "--default", family]);
        let exit = space.inside(program).run();
        assert!(exit.failure(1).contains("there is none for"));
    }
}

#[test]
fn a_route_for_marked_packets_is_not_taken_by_others() {
    let Some(space) = cables(&[
        "route add default tos 8 via 10.0.2.254 metric 5",
        "route add default via 10.0.0.254 metric 10",
    ]) else {
        return;
    };
    assert_eq!(defaults(&space, "-4"), [json!(["v0", 10, null])]);
    same_as_ip(&space, "-4", FAR);
}

#[test]
fn of_routers_with_one_metric_the_one_that_answers_is_first() {
    let Some(space) = cables(&[
        "route add default via 10.0.0.254 metric 5",
        "route append default via 10.0.2.254 metric 5",
    ]) else {
        return;
    };
    space.run("ip neighbour add 10.0.2.254 lladdr 02:00:00:00:00:01 dev v2 nud reachable");
    space.run("ip neighbour add 10.0.0.254 dev v0 nud failed");
    same_as_ip(&space, "-4", FAR);
    assert_eq!(defaults(&space, "-4").len(), 2);
}

#[test]
fn a_route_for_some_sources_comes_after_the_others() {
    let Some(space) = cables(&["-6 route add default via fd02::fe dev v2 metric 10"]) else {
        return;
    };
    let words = "-6 route add default from fd00::/64 via fd00::fe dev v0 metric 1";
    let ip = Program::new("ip").args(words.split(' '));
    if space.inside(ip).run().code != Some(0) {
        return skip("no routes by source (CONFIG_IPV6_SUBTREES)");
    }
    let both = [json!(["v2", 10, null]), json!(["v0", 1, null])];
    assert_eq!(defaults(&space, "-6"), both);
    same_as_ip(&space, "-6", "2001:4860::1");
}

#[test]
fn a_nexthop_of_its_own_is_followed() {
    let Some(space) = cables(&[
        "nexthop add id 1 via 10.0.2.254 dev v2",
        "nexthop add id 2 blackhole",
        "route add default nhid 1 metric 5",
        "route add default via 10.0.0.254 metric 10",
    ]) else {
        return;
    };
    for mode in [1, 0] {
        set(&space, "ipv4/nexthop_compat_mode", mode);
        let both = [json!(["v2", 5, null]), json!(["v0", 10, null])];
        assert_eq!(defaults(&space, "-4"), both);
        same_as_ip(&space, "-4", FAR);
    }
    space.run("ip route replace default nhid 2 metric 5");
    let exit = space.inside(nettool(["ifaces", "--default", "-4"])).run();
    assert!(exit.failure(1).ends_with("invalid argument"));
}

#[test]
fn a_route_that_refuses_is_shown_and_gives_no_address() {
    for (kind, why) in [
        ("unreachable", "no route to host"),
        ("prohibit", "permission denied"),
        ("blackhole", "invalid argument"),
        ("throw", "network is unreachable"),
    ] {
        let Some(space) = cables(&[
            &format!("route add {kind} default metric 5"),
            "route add default via 10.0.0.254 metric 10",
            "-6 route add default via fd00::fe dev v0 metric 7",
        ]) else {
            return;
        };
        let line = format!("nettool: error: inspect the default route: {why}");
        let run = |words: &[&str]| {
            let program = nettool(["ifaces", "--default"]).args(words);
            space.inside(program).run()
        };
        let alone = run(&["--ip", "-4"]);
        assert_eq!(alone.failure(1), line);
        alone.printed("");
        let shown = run(&["-4"]);
        assert_eq!(shown.failure(1), line);
        let text = String::from_utf8_lossy(&shown.stdout);
        let first = text.lines().next().expect("a line");
        assert!(
            first.starts_with("default IPv4") && first.contains(kind),
            "{text}"
        );
        assert!(text.contains("gateway 10.0.0.254"), "{text}");
        // The other family has a way.
        run(&["--ip"]).success().printed("fd00::1\n");
        let exit = run(&["--json", "-4"]);
        exit.status(1).silent();
        let records = crate::support::records(&exit.stdout);
        assert_eq!(
            (&records[0]["refusal"], &records[0]["metric"]),
            (&json!(kind), &json!(5))
        );
        assert_eq!(records[2]["type"], "error");
        // Behind a way it is none that any packet meets.
        space.run(&format!("ip route del {kind} default metric 5"));
        space.run(&format!("ip route add {kind} default metric 50"));
        run(&["--ip", "-4"]).success().printed("10.0.0.1\n");
    }
}
