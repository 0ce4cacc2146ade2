//! `nettool buffers advise` beside `/proc/sys`.

use serde_json::{Value, json};

use super::{lines, setting};
use crate::support::{Namespace, Program, nettool};

/// The two records of an answer.
fn advice(program: Program) -> [Value; 2] {
    lines(program).try_into().expect("two records")
}

#[test]
fn the_settings_that_stand_in_the_way_are_named() {
    let little = advice(nettool([
        "buffers",
        "advise",
        "--json",
        "--bandwidth",
        "1000",
        "--rtt",
        "10ms",
    ]));
    for record in &little {
        assert_eq!(
            (&record["product_bytes"], &record["needed_bytes"]),
            (&json!(10), &json!(20))
        );
        assert_eq!(
            (&record["enough"], &record["remedy"]),
            (&json!(true), &Value::Null)
        );
    }
    let words = [
        "buffers",
        "advise",
        "--json",
        "--bandwidth",
        "10GB",
        "--rtt",
        "100ms",
    ];
    for (record, letter) in advice(nettool(words)).iter().zip(["w", "r"]) {
        let sizes = setting(&format!("ipv4/tcp_{letter}mem"));
        let needed = 2_000_000_000_u64;
        assert_eq!(record["needed_bytes"], needed);
        assert_eq!(record["largest_bytes"], sizes[2]);
        assert_eq!(record["enough"], false);
        assert_eq!(
            record["remedy"],
            format!("{} {} {needed}", sizes[0], sizes[1])
        );
    }
    let text = nettool(["buffers", "advise", "--bandwidth", "10GB", "--rtt", "100ms"]).run();
    let text = String::from_utf8(text.success().stdout.clone()).expect("text");
    assert!(text.contains("  sysctl -w net.ipv4.tcp_rmem=\""), "{text}");
    assert!(
        text.lines().all(|line| line.chars().count() <= 80),
        "{text}"
    );
}

#[test]
fn a_path_that_holds_more_than_a_window_is_not_given_a_setting() {
    let words = ["buffers", "advise", "--bandwidth", "10GB", "--rtt", "1s"];
    for record in advice(nettool(words).arg("--json")) {
        assert_eq!(record["needed_bytes"], 20_000_000_000_u64);
        assert_eq!(
            (&record["enough"], &record["remedy"]),
            (&json!(false), &Value::Null)
        );
    }
    let text = nettool(words).run();
    let text = String::from_utf8(text.success().stdout.clone()).expect("text");
    assert!(text.contains("several connections"), "{text}");
    assert!(!text.contains("sysctl"), "{text}");
    assert!(
        text.lines().all(|line| line.chars().count() <= 80),
        "{text}"
    );
}

#[test]
fn a_path_that_nothing_can_count_is_a_usage_error() {
    for (bandwidth, rtt) in [
        ("1P", "1d"),
        ("17293822569102704640", "1s"),
        ("1P", "10000s"),
    ] {
        let words = ["--bandwidth", bandwidth, "--rtt", rtt];
        let exit = nettool(["buffers", "advise"]).args(words).run();
        let message = exit.failure(2);
        assert!(message.contains("holds more than"), "{message}");
        exit.printed("");
    }
    // The largest that are counted are exact.
    let bandwidth = (7_u64 << 60).to_string();
    let words = ["--bandwidth", &bandwidth, "--rtt", "1s"];
    let program = nettool(["buffers", "advise", "--json"]).args(words);
    for record in advice(program) {
        assert_eq!(record["product_bytes"], 7_u64 << 60);
        assert_eq!(record["needed_bytes"], 14_u64 << 60);
    }
    let text = nettool(["buffers", "advise"]).args(words).run();
    let text = String::from_utf8(text.success().stdout.clone()).expect("text");
    assert!(text.contains("7 EiB/s (64.6 Ebit/s)"), "{text}");
}

#[test]
fn a_remedy_is_one() {
    let Some(space) = Namespace::new() else {
        return;
    };
    let words = [
        "buffers",
        "advise",
        "--json",
        "--bandwidth",
        "100MB",
        "--rtt",
        "500ms",
    ];
    let before = advice(space.inside(nettool(words)));
    for record in &before {
        let name = record["setting"]
            .as_str()
            .expect("a name")
            .replace('.', "/");
        let remedy = record["remedy"].as_str().expect("a remedy");
        let script = format!("echo '{remedy}' > /proc/sys/{name}");
        space
            .inside(Program::new("sh").args(["-c", &script]))
            .run()
            .status(0);
    }
    let after = advice(space.inside(nettool(words)));
    assert!(
        after.iter().all(|record| record["enough"] == true),
        "{after:?}"
    );
    space.run("mount -t tmpfs tmpfs /proc/sys/net");
    let hidden = advice(space.inside(nettool(words)));
    assert!(
        hidden.iter().all(|record| record["enough"].is_null()),
        "{hidden:?}"
    );
    let exit = space
        .inside(nettool(["buffers", "advise", "-v"]).args(&words[3..]))
        .run();
    exit.success()
        .says("net.ipv4.tcp_wmem: no such file or directory");
}

#[test]
fn a_setting_that_is_switched_off_stands_in_the_way() {
    let Some(space) = Namespace::new() else {
        return;
    };
    let words = ["buffers", "advise", "--bandwidth", "20MB", "--rtt", "50ms"];
    let set = |name: &str, value: &str| {
        let script = format!("echo '{value}' > /proc/sys/net/ipv4/{name}");
        let shell = Program::new("sh").args(["-c", &script]);
        space.inside(shell).run().status(0);
    };
    set("tcp_rmem", "4096 131072 8388608");
    set("tcp_wmem", "4096 16384 8388608");
    let all = |space: &Namespace| lines(space.inside(nettool(words).arg("--json")));
    assert!(all(&space).iter().all(|record| record["enough"] == true));
    set("tcp_moderate_rcvbuf", "0");
    set("tcp_window_scaling", "0");
    let records = all(&space);
    let told: Vec<_> = records
        .iter()
        .filter(|record| record["enough"] == false)
        .map(|record| {
            let fields = ["direction", "setting", "largest_bytes", "remedy"];
            fields.map(|field| record[field].clone())
        })
        .collect();
    let scaling = |way| json!([way, "net.ipv4.tcp_window_scaling", 131_070, "1"]);
    let tuning = json!(["receive", "net.ipv4.tcp_moderate_rcvbuf", 131_072, "1"]);
    assert_eq!(
        json!(told),
        json!([scaling("send"), tuning, scaling("receive")])
    );
    let text = space.inside(nettool(words)).run();
    let text = String::from_utf8(text.success().stdout.clone()).expect("text");
    let remedy = "  sysctl -w net.ipv4.tcp_window_scaling=\"1\"\n";
    assert_eq!(text.matches(remedy).count(), 1, "{text}");
    set("tcp_moderate_rcvbuf", "1");
    set("tcp_window_scaling", "1");
    assert!(all(&space).iter().all(|record| record["enough"] == true));
}

#[test]
fn the_round_trip_is_measured() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a listener");
    let target = listener.local_addr().expect("an address").to_string();
    let words = [
        "buffers",
        "advise",
        "--json",
        "--bandwidth",
        "1MB",
        "--to",
        &target,
    ];
    let record = &advice(nettool(words))[0];
    let rtt = record["rtt_us"].as_u64().expect("a time");
    assert!((1..1_000_000).contains(&rtt), "{record}");
    for words in [
        &["--bandwidth", "1MB"][..],
        &["--rtt", "1s"],
        &["--bandwidth", "0", "--rtt", "1s"],
        &["--bandwidth", "1MB", "--rtt", "forever"],
        &["--bandwidth", "1MB", "--rtt", "1s", "--to", "::1:1"],
    ] {
        nettool(["buffers", "advise"]).args(words).run().failure(2);
    }
    let words = [
        "buffers",
        "advise",
        "--bandwidth",
        "1MB",
        "--to",
        "127.0.0.1:1",
    ];
    nettool(words).run().failure(1);
}
