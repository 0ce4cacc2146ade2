//! `nettool buffers` beside getsockopt and `/proc/sys`, asked by another program.

mod advise;
mod fill;
mod list;
mod tasting;
mod watch;
mod zones;

use std::fs;

use serde_json::{Value, json};

use crate::support::{Namespace, Program, json_lines, need, nettool, records};

/// What a new socket of every kind has, and what it gets when asked for each size; a line each.
const ANOTHER: &str = r#"
import json, socket, sys
kinds = {
    "tcp": (socket.AF_INET, socket.SOCK_STREAM), "udp": (socket.AF_INET, socket.SOCK_DGRAM),
    "unix": (socket.AF_UNIX, socket.SOCK_STREAM),
    "unix-datagram": (socket.AF_UNIX, socket.SOCK_DGRAM),
}
ways = {"send": socket.SO_SNDBUF, "receive": socket.SO_RCVBUF}
for proto, kind in kinds.items():
    for direction, option in ways.items():
        for size in [None] + [int(word) for word in sys.argv[1:]]:
            with socket.socket(*kind) as one:
                if size is not None:
                    one.setsockopt(socket.SOL_SOCKET, option, size)
                has = one.getsockopt(socket.SOL_SOCKET, option)
            print(json.dumps([proto, direction, size, has]))
"#;

/// What the two ends of a connection over loopback, and of pairs, have; a line each.
const CONNECTED: &str = r#"
import json, socket
server = socket.create_server(("127.0.0.1", 0))
tcp = socket.create_connection(server.getsockname()), server.accept()[0]
udp = socket.socket(type=socket.SOCK_DGRAM), socket.socket(type=socket.SOCK_DGRAM)
pairs = {"tcp": tcp, "udp": udp, "unix": socket.socketpair(),
    "unix-datagram": socket.socketpair(type=socket.SOCK_DGRAM)}
for proto, (sender, receiver) in pairs.items():
    print(json.dumps([proto, "send", sender.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)]))
    print(json.dumps([proto, "receive", receiver.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)]))
"#;

/// Every line of standard output as JSON, of a program that must succeed without a word.
fn lines(program: Program) -> Vec<Value> {
    let exit = program.run();
    exit.success().silent();
    json_lines(&exit.stdout)
}

/// What another program gets.
fn another(sizes: &[u64]) -> Program {
    let words = sizes.iter().map(u64::to_string);
    Program::new("python3").args(["-c", ANOTHER]).args(words)
}

/// What `nettool` says, with more words.
fn buffers(words: &[&str]) -> Vec<Value> {
    lines(nettool(["buffers", "--json"]).args(words))
}

/// The numbers of a setting.
fn setting(name: &str) -> Vec<u64> {
    let path = format!("/proc/sys/net/{name}");
    let text = fs::read_to_string(path).expect("a setting");
    let numbers = text.split_whitespace().map(str::parse);
    numbers.map(|number| number.expect("a number")).collect()
}

/// The names that two lines share.
fn key(record: &Value) -> [&Value; 2] {
    [&record["proto"], &record["direction"]]
}

#[test]
fn sizes_are_what_a_socket_says_and_where_they_come_from() {
    if !need(&["python3"]) {
        return;
    }
    let most = u64::from(i32::MAX.unsigned_abs());
    let theirs = lines(another(&[1, most]));
    let ours = buffers(&[]);
    assert_eq!(theirs.len(), ours.len() * 3);
    for (ours, theirs) in ours.iter().zip(theirs.chunks(3)) {
        assert_eq!(key(ours), [&theirs[0][0], &theirs[0][1]]);
        assert_eq!(ours["default_bytes"], theirs[0][3]);
        assert_eq!(ours["minimum_bytes"], theirs[1][3]);
        assert_eq!(ours["settable_bytes"], theirs[2][3]);
        assert_eq!(ours["requested_bytes"], Value::Null);
    }
    for (way, letter) in [("send", 'w'), ("receive", 'r')] {
        let of = |proto: &str| {
            let named = |record: &&Value| key(record) == [&json!(proto), &json!(way)];
            ours.iter().find(named).expect("a record")
        };
        let tcp = setting(&format!("ipv4/tcp_{letter}mem"));
        assert_eq!(of("tcp")["default_bytes"], tcp[1]);
        assert_eq!(of("tcp")["maximum_bytes"], tcp[2]);
        assert_eq!(of("tcp")["origin"], format!("net.ipv4.tcp_{letter}mem"));
        assert_eq!(of("tcp")["autotuned"], true);
        for proto in ["udp", "unix", "unix-datagram"] {
            let core = |name: &str| setting(&format!("core/{letter}mem_{name}"))[0];
            assert_eq!(of(proto)["default_bytes"], core("default"));
            assert_eq!(of(proto)["maximum_bytes"], core("max") * 2);
            assert_eq!(of(proto)["origin"], format!("net.core.{letter}mem_max"));
            assert_eq!(of(proto)["autotuned"], false);
        }
    }
}

#[test]
fn a_connection_begins_with_what_its_ends_say() {
    if !need(&["python3"]) {
        return;
    }
    let theirs = lines(Program::new("python3").args(["-c", CONNECTED]));
    let ours = buffers(&[]);
    let ours = ours.iter().map(|record| {
        json!([
            record["proto"],
            record["direction"],
            record["connected_bytes"]
        ])
    });
    assert_eq!(ours.collect::<Vec<_>>(), theirs);
    let text = nettool(["buffers"]).run();
    let sentence = format!(
        "begins with {} to send and {} to receive.",
        theirs[0][2], theirs[1][2]
    );
    assert!(String::from_utf8_lossy(&text.success().stdout).contains(&sentence));
}

#[test]
fn an_ordinary_user_learns_what_may_be_known() {
    if !need(&["python3", "setpriv"]) {
        return;
    }
    let nobody = [
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
    ];
    let unprivileged = |words: &[&str]| nettool(words).by_way_of(nobody);
    assert_eq!(lines(unprivileged(&["buffers", "--json"])), buffers(&[]));
    let fill = lines(unprivileged(&["buffers", "fill", "--json"]));
    assert_eq!(
        (&fill[0]["blocked"], &fill[0]["at_rest"]),
        (&json!(true), &json!(true))
    );
    let Some(space) = Namespace::new() else {
        return;
    };
    let script = "import socket, time; s = socket.create_server(('127.0.0.1', 4000), backlog=7); \
        print('ready', flush=True); time.sleep(1000)";
    let server = space
        .inside(Program::new("python3").args(["-c", script]))
        .start();
    server.prints("ready");
    let list = |words: &[&str]| space.inside(unprivileged(words));
    let sockets = lines(list(&["buffers", "list", "-t", "--json"]));
    assert_eq!(
        (sockets.len(), &sockets[0]["backlog"]),
        (1, &json!(7)),
        "{sockets:?}"
    );
    assert_eq!(
        (&sockets[0]["pid"], &sockets[0]["process"]),
        (&Value::Null, &Value::Null)
    );
    let said = list(&["buffers", "list", "-t", "-v"]).run();
    said.success()
        .says("processes of other users are shown to root alone");
    server.kill();
}

#[test]
fn a_grant_is_what_another_program_gets() {
    if !need(&["python3"]) {
        return;
    }
    let limits = [setting("core/wmem_max")[0], setting("core/rmem_max")[0]];
    let [least, most] = [limits[0].min(limits[1]), limits[0].max(limits[1])];
    for size in [
        0,
        1,
        1000,
        4000,
        65_536,
        least,
        least + 1,
        2 * most,
        2_147_483_647,
    ] {
        let theirs = lines(another(&[size]));
        let ours = buffers(&["--request", &size.to_string()]);
        for (ours, theirs) in ours.iter().zip(theirs.chunks(2)) {
            let limit = limits[usize::from(ours["direction"] == "receive")];
            assert_eq!(key(ours), [&theirs[1][0], &theirs[1][1]]);
            assert_eq!(ours["requested_bytes"], size);
            assert_eq!(ours["granted_bytes"], theirs[1][3]);
            assert_eq!(ours["capped"], size > limit);
        }
        let exit = nettool(["buffers", "--require", &size.to_string()]).run();
        if size <= least {
            exit.success().silent();
        } else {
            assert!(exit.failure(1).contains("the system grants at most"));
            exit.says("hint: as root: sysctl -w net.core.")
                .says(&format!("mem_max={size}"));
        }
    }
}

#[test]
fn a_shortfall_is_a_record_too() {
    let exit = nettool(["buffers", "--json", "--require", "2147483647"]).run();
    exit.status(1).silent();
    let records = records(&exit.stdout);
    assert_eq!(records.len(), 9);
    assert_eq!(
        (&records[8]["type"], &records[8]["action"]),
        (&json!("error"), &json!("set"))
    );
}

#[test]
fn a_size_that_no_program_can_ask_for_is_a_usage_error() {
    for words in [
        ["--request", "2147483648"],
        ["--require", "12Q"],
        ["--request", ""],
    ] {
        nettool(["buffers"]).args(words).run().failure(2);
    }
}

#[test]
fn global_options_stand_anywhere() {
    let records = |words: &[&str]| lines(nettool(words.iter().copied())).len();
    assert_eq!(records(&["buffers", "--json", "fill"]), 1);
    assert_eq!(records(&["--json", "buffers", "fill"]), 1);
    for option in [
        &["-n"][..],
        &["-q"],
        &["-v"],
        &["-vv"],
        &["--color", "never"],
        &["--color=always"],
    ] {
        for rest in [&["fill"][..], &["list", "-t"], &["fill", "-q", "-4"]] {
            let program = nettool(["buffers"]).args(option.iter().chain(rest));
            program.run().success();
        }
    }
    let colored = nettool(["buffers", "--color", "always", "fill"]).run();
    assert!(colored.success().stdout.contains(&0x1b));
    // A size belongs to `buffers` alone.
    for size in ["--request", "--require"] {
        for rest in ["fill", "list", "watch"] {
            let exit = nettool(["buffers", size, "1k", rest]).run();
            let message = exit.failure(2);
            assert!(
                message.contains(size) && message.contains(rest),
                "{message}"
            );
        }
    }
}

#[test]
fn settings_of_the_namespace_decide() {
    let Some(space) = Namespace::new() else {
        return;
    };
    for setting in ["tcp_wmem=8192,20000,600000", "tcp_moderate_rcvbuf=0"] {
        let (name, numbers) = setting.split_once('=').expect("a setting");
        let script = format!(
            "echo '{}' > /proc/sys/net/ipv4/{name}",
            numbers.replace(',', " ")
        );
        space
            .inside(Program::new("sh").args(["-c", &script]))
            .run()
            .status(0);
    }
    let ours = lines(space.inside(nettool(["buffers", "--json"])));
    assert_eq!(
        (&ours[0]["default_bytes"], &ours[0]["maximum_bytes"]),
        (&json!(20_000), &json!(600_000))
    );
    assert_eq!(
        (&ours[1]["autotuned"], &ours[1]["origin"]),
        (&json!(false), &json!("net.core.rmem_max"))
    );
}

#[test]
fn where_settings_are_hidden_sockets_are_measured() {
    let Some(space) = Namespace::new() else {
        return;
    };
    let open = buffers(&[]);
    space.run("mount -t tmpfs tmpfs /proc/sys/net");
    let hidden = lines(space.inside(nettool(["buffers", "--json"])));
    for (hidden, open) in hidden.iter().zip(&open) {
        for size in ["minimum_bytes", "default_bytes", "settable_bytes"] {
            assert_eq!(hidden[size], open[size]);
        }
        assert_eq!(hidden["default_origin"], "measured");
        let maximum = if hidden["proto"] == "tcp" {
            &Value::Null
        } else {
            &open["maximum_bytes"]
        };
        assert_eq!(&hidden["maximum_bytes"], maximum);
    }
    let exit = space.inside(nettool(["buffers", "-v"])).run();
    exit.success()
        .says("net.core.wmem_max: no such file or directory");
    let text = String::from_utf8_lossy(&exit.stdout);
    let tcp = text
        .lines()
        .find(|line| line.starts_with("tcp"))
        .expect("a line");
    let default = open[0]["default_bytes"].to_string();
    let words: Vec<_> = tcp.split_whitespace().skip(3).collect();
    assert_eq!(words, [default.as_str(), "-", "yes", "-"], "{text}");
}
