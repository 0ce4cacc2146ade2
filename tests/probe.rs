//! `nettool probe`: every state of a port, told apart on real sockets.

mod answers;
mod asking;
mod banner;
mod debian;
mod latency;
mod limits;
mod own_port;
mod parts;
mod ping;
mod progress;
mod servers;
mod targets;
mod together;
mod truth;
mod udp;
mod waiting;

use std::collections::BTreeMap;
use std::net::TcpListener;

use serde_json::Value;
use socket2::Socket;

use crate::support::{
    self, Exit, Input, Namespace, Program, Running, Stopwatch, TRIES, need, nettool, records_of,
};

/// A port of this address that somebody listens on.
fn open_port(addr: &str) -> (TcpListener, u16) {
    let listener = TcpListener::bind((addr, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// A port of 127.0.0.1 that nobody listens on and nobody else can take.
fn closed_port() -> (Socket, u16) {
    let (socket, addr) = support::closed_port();
    (socket, addr.port())
}

/// `nettool probe` with words that are separated by spaces.
fn probe(words: &str) -> Program {
    nettool(["probe"]).args(words.split_whitespace())
}

/// The records of this type that were printed.
#[track_caller]
fn records(exit: &Exit, kind: &str) -> Vec<Value> {
    records_of(&exit.stdout, kind)
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

/// The end of a run in which the servers, which are programs and may be held up, answered in time.
#[track_caller]
fn answered(run: impl Fn() -> Exit, told: impl Fn(&Exit) -> bool) -> Exit {
    for _ in 0..TRIES {
        let watch = Stopwatch::start();
        let exit = run();
        if told(&exit) {
            return exit;
        }
        let shown = || format!("{}\n{}", text(&exit), exit.stderr);
        assert!(!watch.stood_still().is_zero(), "{}", shown());
    }
    panic!("in none of {TRIES} tries they answered in time");
}

/// Whether so many UDP and TCP ports were found open.
fn finds(open: u64) -> impl Fn(&Exit) -> bool {
    move |exit| records(exit, "summary")[0]["open"] == open
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
        assert!(fields[7].parse::<u64>().is_ok(), "{fields:?}");
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
    assert!(
        lines[1].ends_with(" ms") || lines[1].ends_with(" s"),
        "{lines:?}"
    );
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
        .says("127.0.0.1 cannot be used with -6")
        .status(2);
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
fn a_full_disk_is_a_failure() {
    let (_listener, open) = open_port("127.0.0.1");
    let dir = tempfile::tempdir().unwrap();
    let records = dir.path().join("records");
    let exit = probe(&format!("--json 127.0.0.1 {open}")).run();
    std::fs::write(&records, &exit.success().stdout).unwrap();
    let merge = format!("--json --merge {}", records.display());
    for words in [
        &format!("--plain 127.0.0.1 {open}"),
        &format!("--json 127.0.0.1 {open}"),
        &format!("--json --shard 1/1 127.0.0.1 {open}"),
        &format!("--json --ping 127.0.0.1 {open}"),
        &format!("--json --count 1 127.0.0.1:{open}"),
        &format!("--json --wait 1 127.0.0.1:{open}"),
        &merge,
    ] {
        for (redirection, why) in [
            ("> /dev/full", "no space left on device"),
            (">&-", "bad file descriptor"),
        ] {
            let exit = probe(words).redirected(redirection).run();
            let told = exit.status(3).stderr.clone();
            let expected = format!("nettool: error: write to stdout: {why}\n");
            assert!(told.starts_with(&expected), "{words}: {told}");
            assert!(told.lines().skip(1).all(|line| line.starts_with("hint: ")));
        }
    }
}

#[test]
fn what_no_record_can_tell_stderr_does() {
    for (words, status, line) in [
        ("probe --json 127.0.0.1 1 2", 2, "write 1,2"),
        (
            "probe --json --source 192.0.2.1 127.0.0.1 1",
            3,
            "bind 192.0.2.1",
        ),
        ("ifaces --json nosuch0", 1, "nosuch0"),
        ("ifaces --json", 1, "write to stdout"),
        ("buffers --json", 1, "write to stdout"),
        ("buffers list --json", 1, "write to stdout"),
    ] {
        for redirection in ["> /dev/full", ">&-"] {
            let exit = nettool(words.split(' ')).redirected(redirection).run();
            exit.status(status).says(line);
        }
    }
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
