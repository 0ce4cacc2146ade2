//! Every state, error number, reason and sender against what is true: the rules that we made, and what
//! another program, which asks one port at a time, is told by the same kernel.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::{answered, probe, records, server, text, udp};
use crate::support::{Exit, Namespace, Program, need};

/// What a far side rejects with: the word of nft, the code, its name, and whether a router that sends
/// it says that there is no way.
type Code = (&'static str, u16, &'static str, bool);

const CODES: [Code; 7] = [
    ("net-unreachable", 0, "net-unreachable", true),
    ("host-unreachable", 1, "host-unreachable", true),
    ("prot-unreachable", 2, "protocol-unreachable", false),
    ("port-unreachable", 3, "port-unreachable", false),
    ("net-prohibited", 9, "net-prohibited", false),
    ("host-prohibited", 10, "host-prohibited", false),
    ("admin-prohibited", 13, "admin-prohibited", false),
];

const CODES_V6: [Code; 6] = [
    ("no-route", 0, "no-route", true),
    ("admin-prohibited", 1, "admin-prohibited", false),
    ("addr-unreachable", 3, "address-unreachable", true),
    ("port-unreachable", 4, "port-unreachable", false),
    ("policy-fail", 5, "policy-failed", false),
    ("reject-route", 6, "reject-route", false),
];

/// What is beyond the far side, which forwards to it, and has no such host.
const BEYOND: [&str; 2] = ["10.99.0.9", "fd99::9"];
const TARGETS: [&str; 2] = ["10.77.0.2", "fd77::2"];

/// Asks each port alone: `proto addr port errno type code from` a line, `-` for what is unknown.
const WITNESS: &str = "
import select, socket, struct, sys
def message(s, six):
    try:
        parts = s.recvmsg(512, 512, socket.MSG_ERRQUEUE)[1]
    except OSError:
        return ('-', '-', '-')
    for level, kind, data in parts:
        errno, origin, type, code = struct.unpack('=IBBB', data[:7])
        if origin in (2, 3):
            offender = data[24:40] if six else data[20:24]
            return (type, code, socket.inet_ntop(socket.AF_INET6 if six else socket.AF_INET, offender))
    return ('-', '-', '-')
def ask(proto, host, port):
    six = ':' in host
    kind = socket.SOCK_STREAM if proto == 'tcp' else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET6 if six else socket.AF_INET, kind) as s:
        s.setsockopt(socket.IPPROTO_IPV6 if six else socket.IPPROTO_IP, 25 if six else 11, 1)
        s.setblocking(False)
        s.connect_ex((host, port))
        if proto == 'udp':
            s.send(b'nt\\0\\0\\0\\1\\0\\0\\0\\0\\0\\0\\7version\\4bind\\0\\0\\x10\\0\\3')
        poll = select.poll()
        poll.register(s, select.POLLOUT if proto == 'tcp' else select.POLLIN)
        if not poll.poll(1000):
            return ('-', '-', '-', '-')
        errno = s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        return (errno, *message(s, six))
for word in sys.argv[1:]:
    proto, host, port = word.split(',')
    print(proto, host, port, *ask(proto, host, int(port)))
";

/// Two machines and their rules: the far side rejects on its own ports, and what it would forward.
fn machines() -> Option<(Namespace, Namespace)> {
    let (near, far) = Namespace::pair().filter(|_| need(&["nft", "python3"]))?;
    far.run("sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0");
    far.run("sysctl -qw net.ipv4.icmp_msgs_per_sec=100000 net.ipv4.icmp_msgs_burst=100000");
    far.run("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1");
    far.run("ip link add v0 type veth peer name v1");
    far.run("ip link set v0 up");
    far.run("ip address add 10.99.0.1/24 dev v0");
    far.run("ip address add fd99::1/64 dev v0 nodad");
    near.run("ip route add 10.99.0.0/24 via 10.77.0.2");
    near.run("ip route add fd99::/64 via fd77::2");
    let families = [("ipv4", "icmp", &CODES[..]), ("ipv6", "icmpv6", &CODES_V6)];
    let rejections = families.iter().flat_map(|(protocol, family, codes)| {
        codes.iter().map(move |(word, code, ..)| {
            let port = 1000 + code;
            format!("meta nfproto {protocol} th dport {port} reject with {family} {word}\n")
        })
    });
    let rejections: String = rejections.collect();
    let rules = format!(
        "meta l4proto tcp th dport 1101 reject with tcp reset\nth dport 1100 drop\n{rejections}"
    );
    far.rules(&format!(
        "table inet t {{\nchain rules {{\nmeta l4proto {{ tcp, udp }} jump ports\n}}\n\
         chain ports {{\n{rules}}}\n\
         chain i {{\ntype filter hook input priority 0;\njump rules\n}}\n\
         chain f {{\ntype filter hook forward priority 0;\njump rules\n}}\n}}\n"
    ));
    Some((near, far))
}

/// What is true of a port: state, reason, and whether a message says it.
type Truth = (String, String, bool);

/// What our rules make of every port of every target, by protocol, address and port.
fn truth() -> BTreeMap<(String, String, u16), Truth> {
    let mut all = BTreeMap::new();
    for (family, codes) in [(0, &CODES[..]), (1, &CODES_V6)] {
        for proto in ["tcp", "udp"] {
            let mut add = |target: &str, port, state: &str, reason: &str, told| {
                let key = (proto.to_owned(), target.to_owned(), port);
                all.insert(key, (state.to_owned(), reason.to_owned(), told));
            };
            let silent = if proto == "tcp" {
                "filtered"
            } else {
                "open|filtered"
            };
            for (_, code, reason, no_way) in codes {
                let closes = proto == "udp" && *reason == "port-unreachable";
                let here = if closes { "closed" } else { "rejected" };
                let there = if *no_way { "unreachable" } else { "rejected" };
                add(TARGETS[family], 1000 + code, here, reason, true);
                add(BEYOND[family], 1000 + code, there, reason, true);
            }
            for target in [TARGETS[family], BEYOND[family]] {
                add(target, 1100, silent, "no-response", false);
                if proto == "tcp" {
                    add(target, 1101, "closed", "reset", false);
                }
            }
            if proto == "tcp" {
                add(TARGETS[family], 80, "open", "syn-ack", false);
                add(TARGETS[family], 999, "closed", "reset", false);
            } else {
                add(TARGETS[family], 53, "open", "protocol-reply", false);
                add(TARGETS[family], 54, "open|filtered", "no-response", false);
                add(TARGETS[family], 999, "closed", "port-unreachable", true);
            }
        }
    }
    all
}

/// Whether so many servers over UDP were heard.
fn serves(count: usize) -> impl Fn(&Exit) -> bool {
    move |exit| {
        let ports = records(exit, "port").into_iter();
        let heard = ports.filter(|port| port["reason"] == "protocol-reply");
        heard.count() == count
    }
}

#[test]
fn every_port_is_what_it_is_over_tcp_and_udp_side_by_side() {
    let Some((near, far)) = machines() else {
        return;
    };
    let _tcp = server(&far, &[("10.77.0.2", 80), ("fd77::2", 80)]);
    let services = [("dns", 53), ("mute", 54)];
    let _udp = TARGETS.map(|target| udp::server(&far, target, &services));
    let truth = truth();
    let mut words = vec!["--json".to_owned()];
    for target in TARGETS.iter().chain(&BEYOND) {
        let ports = truth.keys().filter(|(_, host, _)| host == target);
        let ports = ports.map(|(proto, _, port)| format!("{}:{port}", &proto[..1]));
        let ports = ports.collect::<Vec<_>>().join(",");
        let is_v6 = target.contains(':');
        let target = if is_v6 {
            format!("[{target}]")
        } else {
            (*target).to_owned()
        };
        words.push(format!("{target}:{ports}"));
    }
    let words = words.join(" ");
    let exit = answered(|| near.inside(probe(&words)).run(), serves(2));
    exit.success().silent();
    let witness = || {
        let asked = truth
            .keys()
            .map(|(proto, host, port)| format!("{proto},{host},{port}"));
        let witness = Program::new("python3").args(["-c", WITNESS]);
        near.inside(witness.args(asked)).run()
    };
    let heard = answered(witness, |exit| text(exit).matches(" 53 0 ").count() == 2);
    let heard: BTreeMap<_, _> = text(heard.success())
        .lines()
        .map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            let key = (
                words[0].to_owned(),
                words[1].to_owned(),
                words[2].parse().unwrap(),
            );
            (key, words[3..].join(" "))
        })
        .collect();
    let found = records(&exit, "port");
    assert_eq!((found.len(), heard.len()), (truth.len(), truth.len()));
    for report in found {
        let word = |name: &str| report[name].as_str().unwrap().to_owned();
        let port = u16::try_from(report["port"].as_u64().unwrap()).unwrap();
        let key = (word("proto"), word("addr"), port);
        let told = (word("state"), word("reason"), !report["icmp"].is_null());
        assert_eq!(told, truth[&key], "{report}");
        let (errno, icmp) = (&report["errno"], &report["icmp"]);
        let parts = [errno, &icmp["type"], &icmp["code"], &icmp["from"]];
        let parts = parts.map(|part| match part {
            Value::Null => "-".to_owned(),
            Value::String(text) => text.clone(),
            number => number.to_string(),
        });
        assert_eq!(parts.join(" "), heard[&key], "{report}");
        let is_answered = word("state") != "filtered" && word("state") != "open|filtered";
        assert_eq!(report["rtt_us"].is_u64(), is_answered, "{report}");
    }
}

/// Resets and messages that come only so often make ports late, and change no state of any.
#[test]
fn limits_on_what_is_said_change_no_state() {
    let Some((near, far)) = Namespace::pair().filter(|_| need(&["nft", "python3"])) else {
        return;
    };
    far.run("sysctl -qw net.ipv4.icmp_ratelimit=100");
    far.rules(
        "table ip t {\nchain i {\ntype filter hook input priority 0;\n\
         tcp dport 2000-2299 limit rate 200/second burst 10 packets accept\n\
         tcp dport 2000-2299 drop\ntcp dport 2300 drop\nudp dport 2010 drop\n}\n}\n",
    );
    let _tcp = server(&far, &[("10.77.0.2", 80), ("10.77.0.2", 2150)]);
    let _udp = udp::server(&far, "10.77.0.2", &[("dns", 53)]);
    let words = "--json 10.77.0.2 t:80,2000-2300,u:53,2000-2014";
    let limit = Duration::from_secs(180);
    let run = || near.inside(probe(words)).limit(limit).run();
    let exit = answered(run, serves(1));
    exit.success();
    for report in records(&exit, "port") {
        let port = report["port"].as_u64().unwrap();
        let expected = match (report["proto"].as_str().unwrap(), port) {
            ("tcp", 80 | 2150) | ("udp", 53) => ("open", Some(0)),
            ("tcp", 2300) => ("filtered", None),
            ("udp", 2010) => ("open|filtered", None),
            _ => ("closed", Some(111)),
        };
        let told = (report["state"].as_str().unwrap(), report["errno"].as_i64());
        assert_eq!(told, expected, "{report}");
    }
    assert_eq!(records(&exit, "port").len(), 1 + 301 + 1 + 15);
}

#[test]
fn who_is_up_is_up_by_whatever_it_answers() {
    let Some((near, far)) = Namespace::pair().filter(|_| need(&["nft"])) else {
        return;
    };
    let permit = "echo 0 2147483647 > /proc/sys/net/ipv4/ping_group_range";
    let permit = Program::new("sh").args(["-c", permit]);
    near.inside(permit).run().status(0);
    for last in 10..=13 {
        far.run(&format!("ip address add 10.77.0.{last}/24 dev eth0"));
    }
    far.rules(
        "table ip t {\nchain i {\ntype filter hook input priority 0;\n\
         ip daddr 10.77.0.11 meta l4proto icmp drop\n\
         ip daddr 10.77.0.12 drop\n\
         ip daddr 10.77.0.13 reject with icmp admin-prohibited\n}\n}\n",
    );
    let words = "--json --ping 10.77.0.10 10.77.0.11 10.77.0.12 10.77.0.13 10.77.0.99 192.0.2.1";
    let exit = near.inside(probe(words)).run();
    let hosts = records(exit.success().silent(), "host");
    let told: BTreeMap<_, _> = hosts
        .iter()
        .map(|host| {
            let word = |name: &str| host[name].as_str().unwrap();
            (word("addr"), (word("state"), word("reason")))
        })
        .collect();
    assert_eq!(
        told,
        BTreeMap::from([
            ("10.77.0.10", ("up", "echo-reply")),
            ("10.77.0.11", ("up", "reset")),
            ("10.77.0.12", ("down", "no-response")),
            ("10.77.0.13", ("up", "admin-prohibited")),
            ("10.77.0.99", ("down", "host-unreachable")),
            ("192.0.2.1", ("down", "no-route")),
        ])
    );
    // What our own system says of a neighbour comes as a message or stands in its table.
    let others = hosts.iter().filter(|host| host["addr"] != "10.77.0.99");
    let messages: Vec<_> = others.filter(|host| !host["icmp"].is_null()).collect();
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert_eq!(messages[0]["icmp"]["from"], "10.77.0.13");
}

#[test]
fn a_rule_of_our_own_about_one_port_says_nothing_of_the_others() {
    let Some((near, far)) = Namespace::pair().filter(|_| need(&["nft", "python3"])) else {
        return;
    };
    let _server = server(&far, &[("10.77.0.2", 9000)]);
    for (kind, state) in [
        ("", "rejected"),
        (" with icmp host-unreachable", "unreachable"),
    ] {
        let rule = format!("type filter hook output priority 0;\ntcp dport 25 reject{kind}");
        near.rules(&format!(
            "flush ruleset\ntable ip t {{\nchain o {{\n{rule}\n}}\n}}\n"
        ));
        // So slow that the first port has its answer before the second one is tried, and with a seed
        // whose order has the rule's port first: only then can it be taken for all.
        let words = "--json --rate 2 --seed 1 10.77.0.2 25,9000";
        let exit = near.inside(probe(words)).run();
        let told = records(exit.success(), "port");
        let told: Vec<_> = told
            .iter()
            .map(|port| (&port["port"], &port["state"]))
            .collect();
        let expected = [(&25.into(), &state.into()), (&9000.into(), &"open".into())];
        assert_eq!(told, expected);
    }
}
