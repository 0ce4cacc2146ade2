//! What the far side answers, and what it is called.

use std::time::Duration;

use serde_json::Value;

use super::{ports, probe, records, server, text};
use crate::support::{Namespace, need};

/// What the far side does with TCP to each port, and how it is to be called: state, errno, reason,
/// ICMP type and code.
type Row = (
    u64,
    &'static str,
    &'static str,
    Option<i32>,
    &'static str,
    Option<(u8, u8)>,
);

/// Probes the far side under rules, and compares every row.
fn check_rules(family: &str, target: &str, rows: &[Row]) {
    let Some((near, far)) = Namespace::pair().filter(|_| need(&["python3", "nft"])) else {
        return;
    };
    // Linux sends one rejection a second to each host, after a burst of six.
    far.run("sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0");
    let acts = rows.iter().filter(|row| !row.1.is_empty());
    let acts: Vec<_> = acts
        .map(|(port, action, ..)| format!("tcp dport {port} {action}"))
        .collect();
    let rules = acts.join("\n");
    let hook = "type filter hook input priority 0;";
    far.rules(&format!(
        "table {family} t {{\nchain i {{\n{hook}\n{rules}\n}}\n}}\n"
    ));
    let _server = server(&far, &[(target, 2000)]);
    let list: Vec<String> = rows.iter().map(|row| row.0.to_string()).collect();
    let exit = near
        .inside(probe(&format!("--json {target} {}", list.join(","))))
        .run();
    let found = ports(exit.success());
    assert_eq!(found.len(), rows.len());
    for (port, _, state, errno, reason, icmp) in rows {
        let report = &found[port];
        let name = errno.and_then(nettool::error::errno_name);
        assert_eq!(report["state"], *state, "{report}");
        assert_eq!(report["errno"].as_i64(), errno.map(i64::from), "{report}");
        assert_eq!(report["errname"].as_str(), name, "{report}");
        assert_eq!(report["reason"], *reason, "{report}");
        let told = &report["icmp"];
        match icmp {
            None => assert!(told.is_null(), "{report}"),
            Some((kind, code)) => {
                let expected = serde_json::json!({"type": kind, "code": code, "from": target});
                assert_eq!(*told, expected, "{report}");
            }
        }
        let answered = *state != "filtered";
        assert_eq!(report["rtt_us"].is_u64(), answered, "{report}");
    }
}

#[test]
fn every_answer_of_a_firewall_is_told_apart() {
    check_rules(
        "ip",
        "10.77.0.2",
        &[
            (999, "", "closed", Some(111), "reset", None),
            (1000, "drop", "filtered", None, "no-response", None),
            (
                1001,
                "reject with tcp reset",
                "closed",
                Some(111),
                "reset",
                None,
            ),
            (
                1003,
                "reject with icmp port-unreachable",
                "rejected",
                Some(111),
                "port-unreachable",
                Some((3, 3)),
            ),
            (
                1013,
                "reject with icmp admin-prohibited",
                "rejected",
                Some(113),
                "admin-prohibited",
                Some((3, 13)),
            ),
            (
                1004,
                "reject with icmp host-unreachable",
                "rejected",
                Some(113),
                "host-unreachable",
                Some((3, 1)),
            ),
            (
                1005,
                "reject with icmp net-unreachable",
                "rejected",
                Some(101),
                "net-unreachable",
                Some((3, 0)),
            ),
            (
                1010,
                "reject with icmp host-prohibited",
                "rejected",
                Some(113),
                "host-prohibited",
                Some((3, 10)),
            ),
            (
                1009,
                "reject with icmp net-prohibited",
                "rejected",
                Some(101),
                "net-prohibited",
                Some((3, 9)),
            ),
            (
                1002,
                "reject with icmp prot-unreachable",
                "rejected",
                Some(92),
                "protocol-unreachable",
                Some((3, 2)),
            ),
            (2000, "", "open", Some(0), "syn-ack", None),
        ],
    );
}

#[test]
fn every_answer_of_a_firewall_is_told_apart_over_ipv6() {
    check_rules(
        "ip6",
        "fd77::2",
        &[
            (999, "", "closed", Some(111), "reset", None),
            (1000, "drop", "filtered", None, "no-response", None),
            (
                1001,
                "reject with tcp reset",
                "closed",
                Some(111),
                "reset",
                None,
            ),
            (
                1004,
                "reject with icmpv6 port-unreachable",
                "rejected",
                Some(111),
                "port-unreachable",
                Some((1, 4)),
            ),
            (
                1011,
                "reject with icmpv6 admin-prohibited",
                "rejected",
                Some(13),
                "admin-prohibited",
                Some((1, 1)),
            ),
            (
                1003,
                "reject with icmpv6 addr-unreachable",
                "rejected",
                Some(113),
                "address-unreachable",
                Some((1, 3)),
            ),
            (
                1010,
                "reject with icmpv6 no-route",
                "rejected",
                Some(101),
                "no-route",
                Some((1, 0)),
            ),
            (
                1005,
                "reject with icmpv6 policy-fail",
                "rejected",
                Some(13),
                "policy-failed",
                Some((1, 5)),
            ),
            (
                1006,
                "reject with icmpv6 reject-route",
                "rejected",
                Some(13),
                "reject-route",
                Some((1, 6)),
            ),
            (2000, "", "open", Some(0), "syn-ack", None),
        ],
    );
}

#[test]
fn no_way_is_not_silence() {
    let Some((near, _far)) = Namespace::pair() else {
        return;
    };
    near.run("ip route add unreachable 10.99.1.0/24");
    for (target, errno) in [("192.0.2.1", 101), ("2001:db8::1", 101), ("10.99.1.1", 113)] {
        let exit = near.inside(probe(&format!("--json {target} 22"))).run();
        let report = &ports(exit.status(1))[&22];
        assert_eq!(
            (&report["state"], &report["reason"]),
            (&"unreachable".into(), &"no-route".into())
        );
        assert_eq!(
            (report["errno"].as_i64(), &report["rtt_us"]),
            (Some(errno), &Value::Null)
        );
        exit.within(Duration::from_secs(8));
    }
}

#[test]
fn a_neighbour_that_is_not_there_is_unreachable() {
    let Some((near, _far)) = Namespace::pair() else {
        return;
    };
    let exit = near.inside(probe("--json 10.77.0.9 fd77::9 22")).run();
    let found = records(exit.status(1), "port");
    assert_eq!(found.len(), 2);
    for report in found {
        assert_eq!(
            (&report["state"], &report["errno"]),
            (&"unreachable".into(), &113.into())
        );
    }
}

/// The system tells of few neighbours that it did not find at once.
#[test]
fn neighbours_that_are_not_there_are_unreachable_however_many() {
    let Some((near, _far)) = Namespace::pair() else {
        return;
    };
    for (network, first) in [("10.77.0.0/24", "10.77.0."), ("fd77::/120", "fd77::")] {
        let exit = near.inside(probe(&format!("--json {network} 22,80"))).run();
        exit.status(1).within(Duration::from_secs(45));
        let there = ["1", "2"].map(|last| format!("{first}{last}"));
        for report in records(&exit, "port") {
            let addr = report["addr"].as_str().unwrap();
            let is_there = there.iter().any(|known| known == addr);
            // The first and the last address of a network are nobody's, and the system may have them.
            let is_edge = ["10.77.0.0", "10.77.0.255", "fd77::"].contains(&addr);
            let expected = if is_there { "closed" } else { "unreachable" };
            assert!(is_edge || report["state"] == expected, "{report}");
            let is_untold = expected == "closed" || report["icmp"].is_null();
            assert!(is_edge || is_untold, "one cause, one word: {report}");
        }
    }
}

#[test]
fn a_host_that_answers_whatever_is_asked_is_suspect() {
    let Some((near, far)) = Namespace::pair().filter(|_| need(&["nft", "python3"])) else {
        return;
    };
    far.rules("table ip t {\nchain i {\ntype nat hook prerouting priority 0;\ntcp dport 1-900 redirect to :22\n}\n}\n");
    let _server = server(&far, &[("10.77.0.2", 22)]);
    let run = |words: &str| near.inside(probe(words)).run();
    let exit = run("10.77.0.2 101-140");
    assert!(text(exit.success()).contains("  all 40 ports are open: perhaps a proxy"));
    run("--plain 10.77.0.2 101-140")
        .success()
        .says("10.77.0.2: all 40 ports are open");
    run("--plain 10.77.0.2 881-920").success().silent();
    run("--plain 10.77.0.2 101-120").success().silent();
}

#[test]
fn a_firewall_of_this_machine_holds_nothing_up() {
    let Some(space) = Namespace::new().filter(|_| need(&["nft"])) else {
        return;
    };
    space.rules(
        "table ip t {\nchain o {\ntype filter hook output priority 0;\ntcp dport 1000-1299 drop\ntcp dport 1300-1319 reject with icmp admin-prohibited\n}\n}\n",
    );
    let words = "--json --tries 1 --try-timeout 300ms 127.0.0.1 900-1419";
    let exit = space.inside(probe(words)).run();
    exit.status(1).within(Duration::from_secs(30));
    let summary = &records(&exit, "summary")[0];
    let counts = ["closed", "filtered", "rejected"].map(|state| summary[state].as_u64().unwrap());
    assert_eq!(counts, [200, 300, 20]);
}
