//! `nettool probe`: every state of a port, told apart on real sockets.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;
use socket2::{Domain, Socket, Type};

use crate::support::{Exit, Input, Namespace, Program, Running, need, nettool, until};

/// A port of this address that somebody listens on.
fn open_port(addr: &str) -> (TcpListener, u16) {
    let listener = TcpListener::bind((addr, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// A port of 127.0.0.1 that nobody listens on and nobody else can take.
fn closed_port() -> (Socket, u16) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    socket.bind(&any.into()).unwrap();
    let port = socket.local_addr().unwrap().as_socket().unwrap().port();
    (socket, port)
}

/// `nettool probe` with words that are separated by spaces.
fn probe(words: &str) -> Program {
    nettool(["probe"]).args(words.split_whitespace())
}

/// The records that were printed, by type.
fn records(exit: &Exit, kind: &str) -> Vec<Value> {
    let lines = std::str::from_utf8(&exit.stdout).unwrap().lines();
    let all = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
    all.filter(|record| record["type"] == kind).collect()
}

/// The port records that were printed, by port.
fn ports(exit: &Exit) -> BTreeMap<u64, Value> {
    let all = records(exit, "port").into_iter();
    all.map(|record| (record["port"].as_u64().unwrap(), record))
        .collect()
}

/// What was printed, as text.
fn text(exit: &Exit) -> &str {
    std::str::from_utf8(&exit.stdout).unwrap()
}

/// A program in `space` that listens on these addresses and ports, until it is dropped.
fn server(space: &Namespace, places: &[(&str, u16)]) -> Running {
    const SCRIPT: &str = "
import socket, sys
kept = []
for place in sys.argv[1:]:
    host, port = place.rsplit(',', 1)
    family = socket.AF_INET6 if ':' in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, int(port)))
    listener.listen()
    kept.append(listener)
print('listening', flush=True)
sys.stdin.read()
";
    let places = places.iter().map(|(host, port)| format!("{host},{port}"));
    let program = Program::new("python3").args(["-c", SCRIPT]).args(places);
    let running = space.inside(program).stdin(Input::Open).start();
    running.prints("listening");
    running
}

#[test]
fn an_open_and_a_closed_port_for_a_script() {
    let (_listener, open) = open_port("127.0.0.1");
    let (_socket, closed) = closed_port();
    let exit = probe(&format!("--plain 127.0.0.1 {open},{closed}")).run();
    exit.success().silent();
    let mut lines: Vec<Vec<&str>> = text(&exit)
        .lines()
        .map(|l| l.split('\t').collect())
        .collect();
    assert!(lines.is_sorted_by_key(|fields| fields[2].parse::<u16>().unwrap()));
    lines.sort_by_key(|fields| fields[4] != "open");
    for (fields, port, end) in [
        (&lines[0], open, ["open", "0", "-"]),
        (&lines[1], closed, ["closed", "111", "ECONNREFUSED"]),
    ] {
        let port = port.to_string();
        assert_eq!(fields[..4], ["127.0.0.1", "127.0.0.1", &port, "tcp"]);
        assert_eq!(fields[4..7], end);
        assert!(fields[7].parse::<u64>().unwrap() < 1_000_000, "{fields:?}");
        assert_eq!((fields[8], fields.len()), ("1", 10));
    }
}

#[test]
fn an_open_and_a_closed_port_for_a_person() {
    let (_listener, open) = open_port("127.0.0.1");
    let (_socket, closed) = closed_port();
    let exit = probe(&format!("127.0.0.1 {open},{closed}")).run();
    exit.success().silent();
    let lines: Vec<&str> = text(&exit).lines().collect();
    assert_eq!(lines[0], "127.0.0.1");
    assert!(
        lines[1].starts_with(&format!("  {open}/tcp  open  ")),
        "{lines:?}"
    );
    assert!(lines[1].ends_with(" ms"), "{lines:?}");
    assert_eq!(lines[2], "  1 closed");
    assert!(lines[3].starts_with("2 ports, 1 open, in "), "{lines:?}");
    assert_eq!(lines.len(), 4);
}

#[test]
fn records_have_every_field_in_order() {
    let (_listener, open) = open_port("127.0.0.1");
    let exit = probe(&format!("--json 127.0.0.1:{open}")).run();
    exit.success().silent();
    let (port, summary) = text(&exit).split_once('\n').unwrap();
    let record: Value = serde_json::from_str(port).unwrap();
    let rtt = record["rtt_us"].as_u64().unwrap();
    let service = record["service"].to_string();
    let expected = format!(
        r#"{{"v":1,"type":"port","host":"127.0.0.1","addr":"127.0.0.1","port":{open},"proto":"tcp","state":"open","errno":0,"errname":null,"reason":"syn-ack","icmp":null,"rtt_us":{rtt},"tries":1,"service":{service},"banner":null}}"#
    );
    assert_eq!(port, expected);
    let record: Value = serde_json::from_str(summary).unwrap();
    let elapsed = record["elapsed_us"].as_u64().unwrap();
    let expected = format!(
        "{{\"v\":1,\"type\":\"summary\",\"ports\":1,\"open\":1,\"closed\":0,\"rejected\":0,\"filtered\":0,\"open_filtered\":0,\"unreachable\":0,\"undetermined\":0,\"probes_sent\":1,\"elapsed_us\":{elapsed},\"complete\":true}}\n"
    );
    assert_eq!(summary, expected);
}

#[test]
fn show_chooses_the_states() {
    let (_listener, open) = open_port("127.0.0.1");
    let (_socket, closed) = closed_port();
    let target = format!("127.0.0.1 {open},{closed}");
    let exit = probe(&format!("--plain --show closed,filtered {target}")).run();
    exit.success();
    assert_eq!(text(&exit).lines().count(), 1);
    assert!(text(&exit).contains("\tclosed\t111\t"));
    let exit = probe(&format!("--json --show open {target}")).run();
    assert_eq!(
        ports(exit.success()).into_keys().collect::<Vec<_>>(),
        [u64::from(open)]
    );
    let exit = probe(&format!("--show all {target}")).run();
    assert!(text(exit.success()).contains("  closed  "));
    assert!(text(&exit).contains("  reset\n"));
}

#[test]
fn the_exit_status_is_the_answer() {
    let (_listener, open) = open_port("127.0.0.1");
    let (_socket, closed) = closed_port();
    for (words, status) in [
        (format!("127.0.0.1 {open}"), 0),
        (format!("127.0.0.1 {closed}"), 1),
        (format!("127.0.0.1 {open},{closed}"), 0),
        (format!("--all-open 127.0.0.1 {open},{closed}"), 1),
        (
            format!("--all-open 127.0.0.1 {open},{closed} --exclude-ports {closed}"),
            0,
        ),
        (format!("-4 localhost {open}"), 0),
        (format!("-n 127.0.0.1:{open}"), 0),
    ] {
        probe(&words).run().status(status).silent();
    }
}

#[test]
fn ipv6_is_as_ipv4() {
    let (_listener, open) = open_port("::1");
    let exit = probe(&format!("--plain -p {open} ::1 [::1]:{open}")).run();
    assert!(text(exit.success()).starts_with(&format!("::1\t::1\t{open}\ttcp\topen\t0\t-\t")));
    assert_eq!(
        text(&exit).lines().count(),
        1,
        "the same port is probed once"
    );
    probe(&format!("-6 127.0.0.1 {open}"))
        .run()
        .says("no IPv6 address")
        .status(3);
}

#[test]
fn what_cannot_be_understood_is_refused_before_anything_is_done() {
    for (words, hint) in [
        ("", "<TARGET>"),
        ("127.0.0.1 22 80", "write 22,80"),
        (
            "127.0.0.1 127.0.0.2 https",
            "probe -p https 127.0.0.1 127.0.0.2",
        ),
        ("127.0.0.1 65536", "larger than 65535"),
        ("127.0.0.1 80-", "80-"),
        ("127.0.0.1 0", "port 0 cannot be probed"),
        ("0177.0.0.1 80", "0177.0.0.1"),
        ("127.0.0.1 80 --try-timeout 5x", "5x"),
        ("127.0.0.1 80 --tries 0", "--tries"),
        ("127.0.0.1 80 --rate 0", "--rate"),
        ("127.0.0.1 80 --concurrency 0", "--concurrency"),
        ("127.0.0.1 80 --deadline soon", "soon"),
        ("127.0.0.1 80 --seed x", "--seed"),
        ("127.0.0.1 80 --source here", "--source"),
        ("127.0.0.1 80 --show ajar", "ajar"),
        ("127.0.0.1 80 --plain --json", "--json"),
        ("127.0.0.1 80 --exclude-ports 80", "no port"),
        ("-n localhost 80", "--numeric"),
        ("-4 -6 localhost 80", "-6"),
    ] {
        let exit = probe(words).run();
        exit.status(2);
        let told = format!("{}{}", exit.stderr, text(&exit));
        assert!(told.contains(hint), "{words}: {told}");
    }
}

#[test]
fn a_range_is_probed_whole_and_only_what_answers_is_named() {
    let (_listener, open) = open_port("127.0.0.3");
    let exit = probe(&format!("127.0.0.0/29 {open}")).run();
    exit.success().silent();
    let report = text(&exit);
    assert!(report.starts_with(&format!("127.0.0.3\n  {open}/tcp  open  ")));
    assert!(
        report.contains("\n127.0.0.0/29 (8 addresses)\n"),
        "{report}"
    );
    assert!(report.contains("\n8 ports, 1 open, in "), "{report}");
    let words = format!("--plain --exclude 127.0.0.4-5,127.0.0.8/30 127.0.0.2-9 127.0.0.7 {open}");
    let exit = probe(&words).run();
    let lines = text(exit.success()).lines();
    let hosts: Vec<&str> = lines.filter_map(|line| line.split('\t').next()).collect();
    assert_eq!(hosts, ["127.0.0.2", "127.0.0.3", "127.0.0.6", "127.0.0.7"]);
    probe(&format!("--all-open 127.0.0.3-4 {open}"))
        .run()
        .status(1);
    probe(&format!("--all-open 127.0.0.3/32 {open}"))
        .run()
        .success();
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
fn targets_come_from_files_and_stdin() {
    let (_listener, open) = open_port("127.0.0.3");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hosts");
    std::fs::write(
        &path,
        format!("# ours\n127.0.0.2 127.0.0.3:{open} # two\n\n"),
    )
    .unwrap();
    let file = format!("@{}", path.display());
    let exit = probe(&format!("--plain {file} 1")).run();
    assert_eq!(text(exit.success()).lines().count(), 2);
    let list = Input::Source(Box::new(std::io::Cursor::new(format!(
        "127.0.0.3:{open}\n"
    ))));
    let exit = probe("--plain -").stdin(list).run();
    assert_eq!(text(exit.success()).lines().count(), 1);
    std::fs::write(&path, "127.0.0.2\n127.0.0.1/8\n").unwrap();
    let exit = probe(&format!("{file} 1")).run();
    exit.status(2).says("line 2 of ").says("write 127.0.0.0/8");
    probe("@/nonexistent/hosts 1")
        .run()
        .status(1)
        .says("/nonexistent/hosts");
}

#[test]
fn who_is_excluded_by_name_is_not_asked() {
    let Some((mut near, far)) = Namespace::pair().filter(|_| need(&["python3", "nft"])) else {
        return;
    };
    near.replace("/etc/hosts", "10.77.0.2 far\n");
    near.replace("/etc/nsswitch.conf", "hosts: files\n");
    near.rules("table ip t {\nchain o {\ntype filter hook output priority 0;\nip daddr 10.77.0.2 counter\n}\n}\n");
    let _server = server(&far, &[("10.77.0.2", 9000)]);
    let run = |words: &str| near.inside(probe(words)).run();
    run("--exclude far far 9000")
        .status(2)
        .says("leaves nobody");
    run("--exclude far --all-open 10.77.0.1-2 9000").status(1);
    run("--exclude nosuch.invalid 10.77.0.2 9000").status(1);
    let counter = near.run("nft list ruleset").stdout;
    assert!(String::from_utf8_lossy(&counter).contains("packets 0 "));
}

#[test]
fn a_full_disk_is_a_failure() {
    let exit = probe("--plain 127.0.0.1 1").redirected("> /dev/full").run();
    assert!(
        exit.failure(1)
            .contains("write to stdout: no space left on device")
    );
}

/// The host that everybody compares with: Python, on every port of a range, in the same namespace.
#[test]
fn connect_ex_is_what_python_says() {
    const SCRIPT: &str = "
import socket, subprocess, sys
kept = []
for host, port in (('127.0.0.1', 7), ('127.0.0.1', 1999), ('127.0.0.1', 50001), ('::1', 2000)):
    listener = socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET)
    listener.bind((host, port))
    listener.listen()
    kept.append(listener)
def truth(host, port):
    with socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET) as s:
        return s.connect_ex((host, port))
ports = [*range(1, 3001), *range(50000, 50101)]
for host in ('127.0.0.1', '::1'):
    words = [*sys.argv[1:], host, '1-3000,50000-50100']
    told = subprocess.run(words, stdout=subprocess.PIPE, check=False).stdout.decode()
    true = ''.join(f'{port} {truth(host, port)}\\n' for port in ports)
    assert told == true, f'{host}: {set(told.splitlines()) ^ set(true.splitlines())}'
";
    let Some(space) = Namespace::new().filter(|_| need(&["python3"])) else {
        return;
    };
    let nettool = [env!("CARGO_BIN_EXE_nettool"), "probe", "--connect-ex"];
    space
        .inside(Program::new("python3").args(["-c", SCRIPT]).args(nettool))
        .run()
        .success();
}

#[test]
fn a_name_of_this_machine_is_open_where_any_of_its_addresses_is() {
    let Some(mut space) = Namespace::new().filter(|_| need(&["python3"])) else {
        return;
    };
    space.replace("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n");
    let _server = server(&space, &[("127.0.0.1", 9000), ("::1", 9001)]);
    let run = |words: &str| space.inside(probe(words)).run();
    let exit = run("--plain localhost 9000");
    let mut states: Vec<[&str; 2]> = Vec::new();
    for line in text(exit.success()).lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        states.push([fields[1], fields[4]]);
    }
    states.sort_unstable();
    assert_eq!(states, [["127.0.0.1", "open"], ["::1", "closed"]]);
    run("--connect-ex localhost 9000-9002")
        .success()
        .printed("9000 0\n9001 0\n9002 111\n");
    run("--all-open localhost 9000,9001").success();
    run("--all-open --all-addresses localhost 9000,9001").status(1);
    run("-6 localhost 9000").status(1);
}

#[test]
fn another_name_is_probed_where_it_answers_and_the_rest_is_named() {
    let Some((mut near, far)) = Namespace::pair().filter(|_| need(&["python3"])) else {
        return;
    };
    near.replace("/etc/hosts", "10.77.0.9 far\n10.77.0.2 far\n");
    let _server = server(&far, &[("10.77.0.2", 9000)]);
    let exit = near.inside(probe("far 9000")).run();
    assert!(text(exit.success()).starts_with("far (10.77.0.2)\n  9000/tcp  open  "));
    assert!(text(&exit).contains("\n  not probed: 10.77.0.9\n"));
    let exit = near.inside(probe("--plain far 9000")).run();
    exit.success()
        .says("not probed: 10.77.0.9; --all-addresses probes each");
    let exit = near.inside(probe("--json --all-addresses far 9000")).run();
    assert_eq!(records(exit.success(), "port").len(), 2);
}

#[test]
fn a_name_without_an_address_leaves_the_question_open() {
    let Some(mut space) = Namespace::new().filter(|_| need(&["python3"])) else {
        return;
    };
    space.replace("/etc/nsswitch.conf", "hosts: files\n");
    let _server = server(&space, &[("127.0.0.1", 9000)]);
    let exit = space.inside(probe("127.0.0.1 nosuch.invalid 9000")).run();
    assert!(exit.failure(3).contains("resolve nosuch.invalid"));
    assert!(text(&exit).contains("9000/tcp  open"));
    let exit = space.inside(probe("--json nosuch.invalid 9000")).run();
    exit.status(3).silent();
    assert_eq!(records(&exit, "error")[0]["action"], "resolve");
    assert_eq!(records(&exit, "summary")[0]["ports"], 0);
}

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
        exit.within(Duration::from_secs(1));
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

#[test]
fn the_users_limits_on_silence_hold() {
    let Some((near, far)) = Namespace::pair().filter(|_| need(&["nft"])) else {
        return;
    };
    far.rules("table ip t {\nchain i {\ntype filter hook input priority 0; policy drop;\n}\n}\n");
    let words = "--json --try-timeout 200ms --tries 2 10.77.0.2 1-100";
    let exit = near.inside(probe(words)).run();
    exit.status(1)
        .at_least(Duration::from_millis(400))
        .within(Duration::from_secs(2));
    let summary = &records(&exit, "summary")[0];
    assert_eq!(
        (&summary["filtered"], &summary["probes_sent"]),
        (&100.into(), &200.into())
    );
}

#[test]
fn the_users_rate_holds() {
    let exit = probe("--json --rate 100 127.0.0.1 1-51").run();
    exit.at_least(Duration::from_millis(450))
        .within(Duration::from_secs(3));
}

#[test]
fn the_same_seed_is_the_same_order() {
    let order = |seed: &str| {
        let exit = probe(&format!(
            "--json --rate 5000 --seed {seed} 127.0.0.1 9001-9200"
        ))
        .run();
        let all = records(&exit, "port").into_iter();
        all.map(|record| record["port"].as_u64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(order("7"), order("7"));
    assert_ne!(order("7"), order("8"));
}

#[test]
fn the_users_limits_on_everything_hold() {
    let Some((near, far)) = Namespace::pair().filter(|_| need(&["nft", "python3"])) else {
        return;
    };
    let _server = server(&far, &[("10.77.0.2", 22)]);
    far.rules(
        "table ip t {\nchain i {\ntype filter hook input priority 0;\ntcp dport != 22 drop\n}\n}\n",
    );
    let exit = near
        .inside(probe("--deadline 300ms 10.77.0.2 22,1000-1999"))
        .run();
    exit.status(3).silent().within(Duration::from_secs(2));
    assert!(text(&exit).contains("22/tcp  open"), "{}", text(&exit));
    assert!(text(&exit).contains(", 1000 not determined, stopped after "));
    let words = "--json --deadline 0.3 10.77.0.2 22,1000-1999";
    let summary = &records(near.inside(probe(words)).run().status(3), "summary")[0];
    assert_eq!(
        (&summary["undetermined"], &summary["complete"]),
        (&1000.into(), &false.into())
    );
    let running = near
        .inside(probe("--concurrency 7 --try-timeout 9 10.77.0.2 1000-1999"))
        .start();
    let sockets = || {
        let sockets = near.run("ss -tnH state syn-sent").stdout;
        sockets.split(|b| *b == b'\n').count() - 1
    };
    until("seven ports are being tried", || sockets() == 7);
    assert!(running.stays(Duration::from_millis(100)));
    assert_eq!(sockets(), 7);
    running.signal(Signal::TERM);
    running.wait().died_of(libc::SIGTERM);
}

#[test]
fn probes_come_from_where_the_user_says() {
    let Some((near, far)) = Namespace::pair().filter(|_| need(&["nft", "python3"])) else {
        return;
    };
    near.run("ip addr add 10.77.0.3/32 dev lo");
    let _server = server(&far, &[("10.77.0.2", 22)]);
    far.rules("table ip t {\nchain i {\ntype filter hook input priority 0;\nip saddr != 10.77.0.3 tcp dport 22 drop\n}\n}\n");
    let run = |words: &str| near.inside(probe(words)).run();
    run("--tries 1 --try-timeout 0.2 10.77.0.2 22").status(1);
    run("--source 10.77.0.3 10.77.0.2 22").success();
    run("--source 10.77.0.9 10.77.0.2 22")
        .status(1)
        .says("bind 10.77.0.9");
    run("--source 10.77.0.3 fd77::2 22")
        .status(3)
        .says("no IPv4 address");
    run("--source 10.77.0.3 -6 fd77::2 22")
        .status(2)
        .says("--source");
    run("--interface lo --tries 1 --try-timeout 0.2 --source 10.77.0.3 10.77.0.2 22").status(1);
    run("--interface nosuch0 10.77.0.2 22")
        .status(1)
        .says("bind nosuch0");
}

#[test]
fn a_signal_ends_it_with_what_is_known() {
    let Some((near, far)) = Namespace::pair().filter(|_| need(&["nft", "python3"])) else {
        return;
    };
    let _server = server(&far, &[("10.77.0.2", 22)]);
    far.rules(
        "table ip t {\nchain i {\ntype filter hook input priority 0;\ntcp dport != 22 drop\n}\n}\n",
    );
    let words = "--try-timeout 50s --show open 10.77.0.2 22,1000-1999";
    let running = near.inside(probe(words).arg("--json")).start();
    running.prints("\"state\":\"open\"");
    running.signal(Signal::INT);
    let exit = running.wait();
    exit.died_of(libc::SIGINT);
    let summary = &records(&exit, "summary")[0];
    assert_eq!(
        (&summary["open"], &summary["undetermined"]),
        (&1.into(), &1000.into())
    );
    assert_eq!(summary["complete"], false);
    let running = near.inside(probe(words)).start();
    until("all ports are being tried", || {
        near.run("ss -tnH state syn-sent")
            .stdout
            .split(|b| *b == b'\n')
            .count()
            > 500
    });
    running.signal(Signal::TERM);
    let exit = running.wait();
    exit.died_of(libc::SIGTERM);
    assert!(text(&exit).contains("22/tcp  open  "), "{}", text(&exit));
    assert!(text(&exit).contains("stopped after"), "{}", text(&exit));
}

#[test]
fn few_open_files_change_no_state() {
    let Some((near, far)) = Namespace::pair().filter(|_| need(&["python3"])) else {
        return;
    };
    let _server = server(&far, &[("10.77.0.2", 22), ("10.77.0.2", 2999)]);
    for limit in ["32", "64"] {
        let script = format!("ulimit -n {limit}; exec \"$@\"");
        let program = probe("--json 10.77.0.2 1-3000").by_way_of(["sh", "-c", &script, "sh"]);
        let exit = near.inside(program).run();
        let summary = &records(exit.success(), "summary")[0];
        assert_eq!(
            (&summary["open"], &summary["closed"]),
            (&2.into(), &2998.into())
        );
    }
}

/// With four local ports in all, every probe of one of them is likely to be given that very port,
/// and so to connect to itself.
#[test]
fn a_port_that_connects_to_itself_is_closed() {
    let Some(space) = Namespace::new() else {
        return;
    };
    space
        .inside(Program::new("sh").args([
            "-c",
            "echo 40000 40003 > /proc/sys/net/ipv4/ip_local_port_range",
        ]))
        .run()
        .status(0);
    let mut met = 0;
    for _ in 0..20 {
        let exit = space
            .inside(probe("--json 127.0.0.1 ::1 40000-40003"))
            .run();
        let found = records(exit.status(1), "port");
        assert_eq!(found.len(), 8);
        for report in found {
            assert_eq!(
                (&report["state"], &report["errno"]),
                (&"closed".into(), &111.into()),
                "{report}"
            );
            met += usize::from(report["reason"] == "self-connect");
        }
    }
    assert!(met > 0, "no probe met itself");
}
