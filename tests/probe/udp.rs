//! UDP: who answers is open, who says that nobody is there is closed, and silence is neither.

use std::time::Duration;

use serde_json::Value;

use super::{answered, finds, ports, probe, records, text};
use crate::support::{Exit, Input, Namespace, Program, Running, need};

/// A program in `space` that serves UDP at `host` on these ports, in the protocol that each is named
/// after, until it is dropped.
pub(super) fn server(space: &Namespace, host: &str, services: &[(&str, u16)]) -> Running {
    const SCRIPT: &str = "
import socket, sys, threading
host = sys.argv[1]
def dns(question):
    return question[:2] + bytes((0x81, 0x05)) + question[4:]
def ntp(question):
    return bytes((0x24,)) + bytes(47) if len(question) == 48 and question[0] & 7 == 3 else None
def snmp(question):
    return question.replace(b'\\xa0', b'\\xa2', 1)
def coap(question):
    return bytes((0x70,)) + question[1:]
def tftp(question):
    return b'\\0\\5\\0\\1File not found\\0' if question.startswith(b'\\0\\1') else None
def stun(question):
    return b'\\1\\1' + question[2:]
def sip(question):
    return b'SIP/2.0 483 Too Many Hops\\r\\n\\r\\n' if question.startswith(b'OPTIONS ') else None
def rpc(question):
    return question[:4] + bytes((0, 0, 0, 1)) + bytes(16)
def picky(question):
    return dns(question) if len(question) > 16 and question[2:6] == b'\\0\\0\\0\\1' else None
def echo(question):
    return question
def words(question):
    return b'pardon?'
def mute(question):
    return None
def empty(question):
    return b''
def serve(server, answer):
    while True:
        question, peer = server.recvfrom(65535)
        said = answer(question)
        if said is not None:
            # A transfer has a port of its own.
            with socket.socket(server.family, socket.SOCK_DGRAM) as other:
                other.bind((host, 0))
                (other if answer is tftp else server).sendto(said, peer)
for word in sys.argv[2:]:
    name, port = word.split(',')
    server = socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((host, int(port)))
    threading.Thread(target=serve, args=(server, globals()[name]), daemon=True).start()
print('serving', flush=True)
sys.stdin.read()
";
    let words = services.iter().map(|(name, port)| format!("{name},{port}"));
    let program = Program::new("python3")
        .args(["-c", SCRIPT, host])
        .args(words);
    let running = space.inside(program).stdin(Input::Open).start();
    running.prints("serving");
    running
}

const SERVICES: [(&str, u16); 13] = [
    ("dns", 53),
    ("tftp", 69),
    ("rpc", 111),
    ("ntp", 123),
    ("snmp", 161),
    ("mute", 514),
    ("stun", 3478),
    ("sip", 5060),
    ("coap", 5683),
    ("echo", 7777),
    ("words", 8888),
    ("empty", 8889),
    ("dns", 9953),
];

/// State, service and reason of each port that is not closed.
fn answers(found: &std::collections::BTreeMap<u64, Value>) -> Vec<(u64, String, Value, String)> {
    let open = found
        .iter()
        .filter(|(_, report)| report["state"] != "closed");
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    open.map(|(port, report)| {
        let (state, reason) = (word(&report["state"]), word(&report["reason"]));
        (*port, state, report["service"].clone(), reason)
    })
    .collect()
}

#[test]
fn every_port_of_this_machine_gets_its_state_and_who_answers_is_named() {
    for host in ["127.0.0.1", "::1"] {
        let Some(space) = Namespace::new().filter(|_| need(&["python3"])) else {
            return;
        };
        let _server = server(&space, host, &SERVICES);
        let words = format!("--json -u {host} all");
        let exit = answered(|| space.inside(probe(&words)).run(), finds(12));
        exit.success().silent().within(Duration::from_secs(40));
        let found = ports(&exit);
        assert_eq!(found.len(), 65_535);
        let told = answers(&found);
        let row =
            |port: u64, state: &str, reason: &str| (port, state.to_owned(), reason.to_owned());
        let (named, others): (Vec<_>, Vec<_>) =
            told.into_iter().partition(|row| row.3 == "protocol-reply");
        let named: Vec<_> = named
            .iter()
            .map(|row| (row.0, row.2.as_str().unwrap()))
            .collect();
        let expected = [
            (53, "dns"),
            (69, "tftp"),
            (111, "rpcbind"),
            (123, "ntp"),
            (161, "snmp"),
            (3478, "stun"),
            (5060, "sip"),
            (5683, "coap"),
            (7777, "echo"),
        ];
        assert_eq!(named, expected);
        // The server on 9953 answers the first question that it gets, which is not of its protocol.
        let others: Vec<_> = others.iter().map(|r| row(r.0, &r.1, &r.3)).collect();
        let expected = [
            row(514, "open|filtered", "no-response"),
            row(8888, "open", "reply"),
            row(8889, "open", "reply"),
            row(9953, "open", "reply"),
        ];
        assert_eq!(others, expected);
        let silent = &found[&514];
        assert_eq!(
            (&silent["errno"], &silent["rtt_us"]),
            (&Value::Null, &Value::Null)
        );
        let closed = &found[&1];
        assert_eq!(
            (closed["errno"].as_i64(), closed["proto"].as_str()),
            (Some(111), Some("udp"))
        );
        assert_eq!(closed["icmp"]["from"], host);
        let summary = &records(&exit, "summary")[0];
        assert_eq!(
            (&summary["open"], &summary["open_filtered"]),
            (&12.into(), &1.into())
        );
        assert_eq!(summary["closed"], 65_535 - 13);
    }
}

#[test]
fn one_list_for_both_transports() {
    let Some(space) = Namespace::new().filter(|_| need(&["python3"])) else {
        return;
    };
    let _udp = server(&space, "127.0.0.1", &[("dns", 53), ("mute", 54)]);
    let _tcp = super::server(&space, &[("127.0.0.1", 54)]);
    let run = |words: &str| space.inside(probe(words)).run();
    let has = |part: &'static str| move |exit: &Exit| text(exit).contains(part);
    let exit = answered(
        || run("--plain 127.0.0.1 54,u:53,54,55"),
        has("\t53\tudp\topen\t"),
    );
    let lines = text(exit.success())
        .lines()
        .map(|line| line.split('\t').collect::<Vec<_>>());
    let told: Vec<String> = lines
        .map(|f| format!("{}/{} {} {}", f[2], f[3], f[4], f[5]))
        .collect();
    assert_eq!(
        told,
        [
            "54/tcp open 0",
            "53/udp open 0",
            "54/udp open|filtered -",
            "55/udp closed 111"
        ]
    );
    run("-u 127.0.0.1 54").status(1);
    run("-u 127.0.0.1 t:54").success();
    let all = || run("--all-open -u 127.0.0.1 53,t:54");
    answered(all, |exit| exit.code == Some(0));
    run("--all-open -u 127.0.0.1 53,54").status(1);
    let exit = answered(
        || run("-u --show open|filtered 127.0.0.1 53-55"),
        has("\n  1 open, 1 closed\n"),
    );
    assert!(
        text(&exit).contains("\n  54/udp  open|filtered  "),
        "{}",
        text(&exit)
    );
    answered(
        || run("-u --plain --show open-filtered 127.0.0.1:53-55"),
        |exit| text(exit).lines().count() == 1,
    );
}

/// What the far side does with UDP to each port, and what is made of it.
type Row = (
    u64,
    &'static str,
    &'static str,
    &'static str,
    Option<(u8, u8)>,
);

/// Probes the far side under rules, and compares every row.
fn check_rules(family: &str, target: &str, rows: &[Row]) {
    let Some((near, far)) = Namespace::pair().filter(|_| need(&["python3", "nft"])) else {
        return;
    };
    far.run("sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0");
    let acts = rows.iter().filter(|row| !row.1.is_empty());
    let acts: Vec<_> = acts
        .map(|(port, action, ..)| format!("udp dport {port} {action}"))
        .collect();
    let hook = "type filter hook input priority 0;";
    let rules = acts.join("\n");
    far.rules(&format!(
        "table {family} t {{\nchain i {{\n{hook}\n{rules}\n}}\n}}\n"
    ));
    let _server = server(&far, target, &[("dns", 53), ("mute", 54)]);
    let list: Vec<String> = rows.iter().map(|row| row.0.to_string()).collect();
    let words = format!("--json -u {target} {}", list.join(","));
    let exit = answered(|| near.inside(probe(&words)).run(), finds(1));
    let found = ports(exit.success());
    assert_eq!(found.len(), rows.len());
    for (port, _, state, reason, icmp) in rows {
        let report = &found[port];
        assert_eq!(
            (report["state"].as_str(), report["reason"].as_str()),
            (Some(*state), Some(*reason)),
            "{report}"
        );
        match icmp {
            None => assert!(report["icmp"].is_null(), "{report}"),
            Some((kind, code)) => {
                let expected = serde_json::json!({"type": kind, "code": code, "from": target});
                assert_eq!(report["icmp"], expected, "{report}");
            }
        }
    }
}

#[test]
fn every_answer_of_a_firewall_is_told_apart() {
    check_rules(
        "ip",
        "10.77.0.2",
        &[
            (53, "", "open", "protocol-reply", None),
            (54, "", "open|filtered", "no-response", None),
            (999, "", "closed", "port-unreachable", Some((3, 3))),
            (1000, "drop", "open|filtered", "no-response", None),
            (
                1013,
                "reject with icmp admin-prohibited",
                "rejected",
                "admin-prohibited",
                Some((3, 13)),
            ),
            (
                1001,
                "reject with icmp host-unreachable",
                "rejected",
                "host-unreachable",
                Some((3, 1)),
            ),
            (
                1002,
                "reject with icmp net-unreachable",
                "rejected",
                "net-unreachable",
                Some((3, 0)),
            ),
            (
                1010,
                "reject with icmp host-prohibited",
                "rejected",
                "host-prohibited",
                Some((3, 10)),
            ),
            (
                1009,
                "reject with icmp net-prohibited",
                "rejected",
                "net-prohibited",
                Some((3, 9)),
            ),
            (
                1003,
                "reject with icmp prot-unreachable",
                "rejected",
                "protocol-unreachable",
                Some((3, 2)),
            ),
        ],
    );
}

#[test]
fn every_answer_of_a_firewall_is_told_apart_over_ipv6() {
    check_rules(
        "ip6",
        "fd77::2",
        &[
            (53, "", "open", "protocol-reply", None),
            (54, "", "open|filtered", "no-response", None),
            (999, "", "closed", "port-unreachable", Some((1, 4))),
            (1000, "drop", "open|filtered", "no-response", None),
            (
                1013,
                "reject with icmpv6 admin-prohibited",
                "rejected",
                "admin-prohibited",
                Some((1, 1)),
            ),
            (
                1001,
                "reject with icmpv6 addr-unreachable",
                "rejected",
                "address-unreachable",
                Some((1, 3)),
            ),
            (
                1002,
                "reject with icmpv6 no-route",
                "rejected",
                "no-route",
                Some((1, 0)),
            ),
            (
                1010,
                "reject with icmpv6 policy-fail",
                "rejected",
                "policy-failed",
                Some((1, 5)),
            ),
        ],
    );
}

#[test]
fn a_port_that_a_router_refuses_is_not_closed() {
    let Some((near, far)) = Namespace::pair().filter(|_| need(&["nft"])) else {
        return;
    };
    near.run("ip route add 10.99.0.0/24 via 10.77.0.2");
    far.run("sysctl -qw net.ipv4.ip_forward=1 net.ipv4.icmp_ratelimit=0");
    far.run("ip link add v0 type veth peer name v1");
    far.run("ip addr add 10.99.0.1/24 dev v0");
    far.run("ip link set v0 up");
    far.rules("table ip t {\nchain f {\ntype filter hook forward priority 0;\nudp dport 1 reject with icmp port-unreachable\n}\n}\n");
    let exit = near.inside(probe("--json -u 10.99.0.9 1")).run();
    let report = &ports(exit.status(1))[&1];
    assert_eq!(
        (&report["state"], &report["reason"]),
        (&"rejected".into(), &"port-unreachable".into())
    );
    assert_eq!(report["icmp"]["from"], "10.77.0.2");
}

#[test]
fn a_host_that_limits_its_icmp_is_asked_at_its_pace() {
    let Some((near, far)) = Namespace::pair().filter(|_| need(&["python3"])) else {
        return;
    };
    let _server = server(&far, "10.77.0.2", &[("dns", 53), ("mute", 54)]);
    // As Linux has it, but quicker, so that the test is: a token each 200 ms, and six at first.
    far.run("sysctl -qw net.ipv4.icmp_ratelimit=200");
    let run = |words: &str| near.inside(probe(words)).run();
    let exit = answered(|| run("--json -u 10.77.0.2 41-60"), finds(1));
    let summary = &records(exit.success().silent(), "summary")[0];
    assert_eq!(
        (
            &summary["open"],
            &summary["closed"],
            &summary["open_filtered"]
        ),
        (&1.into(), &18.into(), &1.into())
    );
    assert_eq!(ports(&exit)[&54]["state"], "open|filtered");
    assert_eq!(ports(&exit)[&54]["reason"], "no-response");
}

#[test]
fn what_cannot_be_known_in_time_is_said_honestly() {
    let Some((near, far)) = Namespace::pair().filter(|_| need(&["python3"])) else {
        return;
    };
    let _server = server(&far, "10.77.0.2", &[("dns", 53)]);
    let run = |words: &str| near.inside(probe(words)).run();
    let exit = answered(|| run("--json -u --patience 3s 10.77.0.2 1-400"), finds(1));
    exit.success().within(Duration::from_secs(40));
    let summary = &records(&exit, "summary")[0];
    let (closed, silent) = (
        summary["closed"].as_u64().unwrap(),
        summary["open_filtered"].as_u64().unwrap(),
    );
    assert_eq!((summary["open"].as_u64(), closed + silent), (Some(1), 399));
    assert!((6..200).contains(&closed), "{summary}");
    assert!(summary["complete"].as_bool().unwrap());
    let found = ports(&exit);
    let limited = found
        .values()
        .filter(|report| report["reason"] == "icmp-limited")
        .count();
    assert!(limited > 100, "{limited}");
    let told = records(&exit, "warning");
    let expected = format!(
        "10.77.0.2: {} of 400 UDP ports answered, the host limits its ICMP",
        closed + 1
    );
    assert_eq!(told[0]["message"], expected);
    let exit = answered(
        || run("-u --patience 0.2 10.77.0.2 1-100"),
        |exit| exit.code == Some(0),
    );
    let report = text(exit.success().silent());
    assert!(
        report.contains(" of 100 UDP ports answered, the host limits its ICMP\n"),
        "{report}"
    );
    assert!(
        report.contains(" open|filtered (icmp-limited)\n"),
        "{report}"
    );
}

#[test]
fn no_way_is_not_silence() {
    let Some((near, _far)) = Namespace::pair().filter(|_| need(&["nft"])) else {
        return;
    };
    let run = |words: &str| near.inside(probe(words)).run();
    let report = &ports(run("--json -u 192.0.2.1 53").status(1))[&53];
    assert_eq!(
        (&report["state"], &report["reason"]),
        (&"unreachable".into(), &"no-route".into())
    );
    let report = &ports(run("--json -u 10.77.0.9 53").status(1))[&53];
    assert_eq!(
        (&report["state"], &report["errno"]),
        (&"unreachable".into(), &113.into())
    );
    near.rules(
        "table ip t {\nchain o {\ntype filter hook output priority 0;\nudp dport 54 drop\n}\n}\n",
    );
    let report = &ports(run("--json -u 10.77.0.2 54").status(3))[&54];
    assert_eq!(
        (&report["state"], &report["errname"]),
        (&"undetermined".into(), &"EPERM".into())
    );
}

#[test]
fn few_local_ports_change_no_state() {
    let Some(space) = Namespace::new().filter(|_| need(&["python3"])) else {
        return;
    };
    let range = "echo 40000 40015 > /proc/sys/net/ipv4/ip_local_port_range";
    space
        .inside(Program::new("sh").args(["-c", range]))
        .run()
        .status(0);
    let _server = server(
        &space,
        "127.0.0.1",
        &[("dns", 53), ("mute", 54), ("mute", 55), ("mute", 56)],
    );
    for _ in 0..5 {
        let words = "--json -u 127.0.0.1 50-60,39990-40030";
        let exit = answered(|| space.inside(probe(words)).run(), finds(1));
        let summary = &records(exit.success(), "summary")[0];
        assert_eq!(
            (
                &summary["open"],
                &summary["open_filtered"],
                &summary["closed"]
            ),
            (&1.into(), &3.into(), &48.into())
        );
    }
}

#[test]
fn a_neighbour_that_is_not_there_is_no_silent_server() {
    let Some((near, _far)) = Namespace::pair() else {
        return;
    };
    // Of so many ports at once the system tells of few that nobody is there.
    let words = "--json --tries 1 --try-timeout 500ms -u 10.77.0.9 1-100";
    let exit = near.inside(probe(words)).run();
    let ports = records(exit.status(1), "port");
    assert_eq!(ports.len(), 100);
    for port in ports {
        let what = (&port["state"], &port["reason"], &port["errname"]);
        let expected = ("unreachable", "host-unreachable", "EHOSTUNREACH");
        let (state, reason, name) = expected;
        assert_eq!(
            what,
            (&state.into(), &reason.into(), &name.into()),
            "{port}"
        );
    }
}

/// Nobody asks a link for our own address, so that no table of neighbours has it.
#[test]
fn a_silent_port_of_this_machine_stays_silent_beside_neighbours() {
    let Some((near, _far)) = Namespace::pair().filter(|_| need(&["nft", "python3"])) else {
        return;
    };
    let _server = server(&near, "10.77.0.1", &[("mute", 39999)]);
    near.rules(
        "table ip t {\nchain i {\ntype filter hook input priority 0;\n\
         iif lo tcp dport 39999 drop\n}\n}\n",
    );
    for (port, silent) in [("u:39999", "open|filtered"), ("t:39999", "filtered")] {
        let exit = near.inside(probe("--json 10.77.0.1-9").arg(port)).run();
        for told in records(exit.status(1), "port") {
            let expected = match told["addr"].as_str() {
                Some("10.77.0.1") => silent,
                Some("10.77.0.2") => "closed",
                _ => "unreachable",
            };
            assert_eq!(told["state"], expected, "{told}");
        }
    }
}

#[test]
fn a_question_that_a_link_on_the_way_does_not_carry_is_asked_in_pieces() {
    let Some([near, _router, far]) = Namespace::narrow_path().filter(|_| need(&["python3"])) else {
        return;
    };
    let _server = server(&far, "10.78.0.1", &[("words", 443)]);
    // What a router has said of the path holds for ten minutes; each of these is the first to hear.
    let forget = || near.run("ip route flush cache");
    let exit = near.inside(probe("--json -u 10.78.0.1 443")).run();
    exit.success().silent();
    let open = &ports(&exit)[&443];
    assert_eq!(
        (&open["state"], &open["reason"]),
        (&"open".into(), &"reply".into())
    );
    forget();
    let words = "--json --wait 10s u:10.78.0.1:443";
    let exit = near.inside(probe(words)).run();
    exit.success().silent();
    let looks = records(&exit, "port");
    assert!(
        looks.iter().all(|look| look["state"] == "open"),
        "{looks:?}"
    );
    forget();
    let words = "--json --count 1 u:10.78.0.1:443";
    let exit = near.inside(probe(words)).run();
    exit.success().silent();
    assert_eq!(records(&exit, "latency")[0]["answered"], 1);
}
