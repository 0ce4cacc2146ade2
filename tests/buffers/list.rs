//! `nettool buffers list` beside `ss`.

use serde_json::{Value, json};

use super::lines;
use crate::support::{Namespace, Program, Running, need, nettool, on_screen, until};

/// Sockets of every kind and in many states, some with bytes that nobody reads, until it is killed.
const SOCKETS: &str = r#"
import os, socket, sys, time
keep = []
def make(family, kind=socket.SOCK_STREAM):
    keep.append(socket.socket(family, kind))
    return keep[-1]
for family, host in [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]:
    server = make(family)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 20000)
    server.bind((host, 4000)); server.listen(7)
    for number in range(3):
        client = make(family); client.connect((host, 4000))
        if number < 2:
            keep.append(server.accept()[0])
        client.setblocking(False)
        try:
            while number: client.send(bytes(10000))
        except BlockingIOError:
            pass
    client = make(family); client.connect((host, 4000)); one = server.accept()[0]; keep.append(one)
    one.shutdown(socket.SHUT_WR)
    receiver = make(family, socket.SOCK_DGRAM); receiver.bind((host, 4001))
    sender = make(family, socket.SOCK_DGRAM); sender.connect((host, 4001))
    for _ in range(300): sender.send(bytes(1400))
for kind in [socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET]:
    one, other = socket.socketpair(socket.AF_UNIX, kind); keep += [one, other]
    one.send(bytes(100))
    server = make(socket.AF_UNIX, kind); server.bind(f"\0nettool-{int(kind)}")
    if kind != socket.SOCK_DGRAM: server.listen(5)
with open("/proc/self/comm", "w") as name: name.write("\x1b[2Jhostile")
print("ready", flush=True)
time.sleep(1000)
"#;

/// A namespace where all of them are.
fn crowd() -> Option<(Namespace, Running)> {
    if !need(&["python3", "ss"]) {
        return None;
    }
    let space = Namespace::new()?;
    let crowd = space
        .inside(Program::new("python3").args(["-c", SOCKETS]))
        .start();
    crowd.prints("ready");
    Some((space, crowd))
}

/// What `ss` says of the sockets over IP.
fn ss(space: &Namespace) -> Vec<Value> {
    let exit = space.run("ss -OHtuamn");
    let text = String::from_utf8(exit.stdout).expect("text");
    let mut rows: Vec<_> = text.lines().map(row).collect();
    rows.sort_by_key(Value::to_string);
    rows
}

/// A line of `ss` in our words.
fn row(line: &str) -> Value {
    let words: Vec<_> = line.split_whitespace().collect();
    let state = match words[1] {
        "ESTAB" => "established".to_owned(),
        "UNCONN" => "unconnected".to_owned(),
        "SYN-RECV" => "syn-received".to_owned(),
        other => other.to_lowercase(),
    };
    let number = |word: &str| word.parse::<u64>().expect("a number");
    let memory = line.split_once("skmem:(").map(|(_, rest)| rest);
    let memory = |name: &str| {
        let all = memory?.split(')').next()?.split(',');
        let mut named = all.filter_map(|word| word.strip_prefix(name)?.parse::<u64>().ok());
        named.next()
    };
    json!([
        words[0],
        state,
        number(words[2]),
        number(words[3]),
        words[4],
        words[5],
        memory("rb"),
        memory("tb"),
        memory("d"),
    ])
}

/// One of our records in the order of the columns of `ss`.
fn ours(record: &Value) -> Value {
    let end = |side: &str| {
        let (host, port) = (
            &record[format!("{side}_addr")],
            &record[format!("{side}_port")],
        );
        match host.as_str() {
            None if record["local_addr"]
                .as_str()
                .is_some_and(|a| a.contains(':')) =>
            {
                "[::]:*".into()
            }
            None => "0.0.0.0:*".to_owned(),
            Some(host) if host.contains(':') => format!("[{host}]:{port}"),
            Some(host) => format!("{host}:{port}"),
        }
    };
    let either = |one: &str, other: &str| {
        let one = &record[one];
        if one.is_null() {
            record[other].clone()
        } else {
            one.clone()
        }
    };
    json!([
        record["proto"],
        record["state"],
        either("receive_queue_bytes", "accept_queue"),
        either("send_queue_bytes", "backlog"),
        end("local"),
        end("peer"),
        record["receive_buffer_bytes"],
        record["send_buffer_bytes"],
        record["drops"],
    ])
}

/// The records of a list inside.
pub(super) fn listed(space: &Namespace, words: &[&str]) -> Vec<Value> {
    lines(space.inside(nettool(["buffers", "list", "--json"]).args(words)))
}

#[test]
fn every_number_is_what_ss_says() {
    let Some((space, crowd)) = crowd() else {
        return;
    };
    until("both see the same", || {
        let mut rows: Vec<_> = listed(&space, &["-tu", "-n"]).iter().map(ours).collect();
        rows.sort_by_key(Value::to_string);
        let before = ss(&space);
        assert!(rows.len() >= 22, "{rows:?}");
        rows == before
    });
    let unix = listed(&space, &["-x", "-n"]);
    let count = space.run("ss -Hxa").stdout;
    let count = count
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .count();
    assert_eq!(unix.len(), count);
    for kind in ["unix", "unix-datagram", "unix-seqpacket"] {
        let of_kind = || unix.iter().filter(|socket| socket["proto"] == kind);
        assert!(
            of_kind().any(|socket| socket["receive_queue_bytes"] == 100),
            "{unix:?}"
        );
        let named = |socket: &&Value| {
            socket["path"]
                .as_str()
                .is_some_and(|p| p.starts_with("@nettool-"))
        };
        assert_eq!(of_kind().filter(named).count(), 1, "{unix:?}");
    }
    crowd.kill();
}

#[test]
fn without_sock_diag_proc_tells_what_it_knows() {
    let Some((space, crowd)) = crowd() else {
        return;
    };
    if !need(&["strace"]) {
        return;
    }
    let refused = |words: &[&str]| {
        let words = ["buffers", "list", "-n"].iter().chain(words);
        let inject = "inject=socket:error=EPROTONOSUPPORT";
        let program =
            nettool(words).by_way_of(["strace", "-f", "-qq", "-o/dev/null", "-e", inject]);
        space.inside(program)
    };
    let poor = |mut row: Value| {
        for place in [6, 7] {
            row[place] = Value::Null;
        }
        // The table has no backlog, and drops of UDP alone.
        if row[1] == "listen" {
            row[3] = Value::Null;
        }
        if row[0] == "tcp" {
            row[8] = Value::Null;
        }
        row
    };
    until("both see the same", || {
        let mut rows: Vec<_> = lines(refused(&["-tu", "--json"]))
            .iter()
            .map(ours)
            .map(poor)
            .collect();
        rows.sort_by_key(Value::to_string);
        let mut there: Vec<_> = ss(&space).into_iter().map(poor).collect();
        there.sort_by_key(Value::to_string);
        assert!(rows.len() >= 22, "{rows:?}");
        rows == there
    });
    let names = |records: Vec<Value>| {
        let mut names: Vec<_> = records
            .iter()
            .map(|r| json!([r["proto"], r["state"], r["path"]]).to_string())
            .collect();
        names.sort();
        names
    };
    let unix = lines(refused(&["-x", "--json"]));
    assert!(
        unix.iter()
            .all(|socket| socket["receive_queue_bytes"].is_null())
    );
    assert_eq!(names(unix), names(listed(&space, &["-x", "-n"])));
    let said = refused(&["-t", "-v"]).run();
    said.success().says("/proc/net");
    crowd.kill();
}

#[test]
fn filters_and_orders() {
    let Some((space, crowd)) = crowd() else {
        return;
    };
    let listening = listed(&space, &["--listening", "--tcp"]);
    assert_eq!(listening.len(), 2);
    assert!(
        listening
            .iter()
            .all(|s| s["accept_queue"] == 1 && s["backlog"] == 7),
        "{listening:?}"
    );
    let waiting = listed(&space, &["--state", "close-wait,fin-wait-2", "-p", "4000"]);
    assert_eq!(waiting.len(), 4, "{waiting:?}");
    assert!(listed(&space, &["-p", "1-3"]).is_empty());
    let queues = |words: &[&str], name: &str| -> Vec<u64> {
        let all = listed(&space, words);
        all.iter()
            .map(|socket| socket[name].as_u64().unwrap_or(0))
            .collect()
    };
    for (order, name) in [("send", "send_queue_bytes"), ("drops", "drops")] {
        let found = queues(&["-tu", "--sort", order], name);
        assert!(
            found.is_sorted_by(|a, b| a >= b) && found[0] > 0,
            "{order}: {found:?}"
        );
    }
    // What the order goes by is shown.
    let shown = space.inside(nettool(["buffers", "list", "-tu", "--sort", "drops"]));
    let shown = String::from_utf8(shown.run().success().stdout.clone()).expect("text");
    let mut rows = shown.lines().map(|line| line.split_whitespace().nth(6));
    assert_eq!(rows.next(), Some(Some("drops")), "{shown}");
    let most = queues(&["-tu", "--sort", "drops"], "drops")[0].to_string();
    assert_eq!(rows.next(), Some(Some(most.as_str())), "{shown}");
    let pid = listening[0]["pid"].to_string();
    for process in ["\u{1b}[2Jhostile", &pid] {
        assert_eq!(listed(&space, &["-l", "-t", "--process", process]).len(), 2);
    }
    assert!(listed(&space, &["--process", "nobody"]).is_empty());
    let program = || {
        let program = nettool(["buffers", "list", "-tu"]).env("NO_COLOR", "1");
        space.inside(program.env("COLUMNS", "20"))
    };
    let shown = program().run();
    let text = String::from_utf8(shown.success().stdout.clone()).expect("text");
    assert!(
        text.contains("\\u{1b}[2Jhostile") && !text.contains('\u{1b}'),
        "{text}"
    );
    // A line a socket, whole, where a program reads it, and where there is room.
    let sockets = listed(&space, &["-tu", "-n"]).len();
    assert_eq!(text.lines().count(), sockets + 1, "{text}");
    assert_eq!(on_screen(program(), 250).lines().count(), sockets + 1);
    let folded = on_screen(program(), 80);
    assert!(
        folded.lines().all(|line| line.chars().count() <= 80),
        "{folded}"
    );
    crowd.kill();
}

#[test]
fn what_is_no_filter_is_a_usage_error() {
    for words in [
        &["--state", "open"][..],
        &["-l", "--state", "listen"],
        &["-p", "x y"],
        &["--sort", "up"],
    ] {
        nettool(["buffers", "list"]).args(words).run().failure(2);
    }
}
