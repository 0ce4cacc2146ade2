//! `nettool probe --count`: what the figures are made of, and what a loss is.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use super::{closed_port, open_port, probe, records, server, text};
use crate::support::{CONTROL_C, Exit, Namespace, Terminal, can_inject, inject, need, scratch};

/// The figures in a record, in the order of their names.
fn figures(record: &Value) -> Vec<u64> {
    let names = ["min_us", "p50_us", "p95_us", "p99_us", "max_us"];
    names.map(|name| record[name].as_u64().unwrap()).to_vec()
}

#[test]
fn the_figures_are_those_of_the_tries() {
    let (_listener, port) = open_port("127.0.0.1");
    let exit = probe(&format!("--count 30 --every 10ms --json 127.0.0.1:{port}")).run();
    exit.success().silent().at_least(Duration::from_millis(290));
    let tries = records(&exit, "port");
    assert!(
        tries
            .iter()
            .all(|record| record["tries"] == 1 && record["state"] == "open")
    );
    let mut times: Vec<u64> = tries
        .iter()
        .map(|r| r["rtt_us"].as_u64().unwrap())
        .collect();
    times.sort_unstable();
    let latency = &records(&exit, "latency")[0];
    assert_eq!(
        (&latency["sent"], &latency["answered"]),
        (&30.into(), &30.into())
    );
    let expected = [times[0], times[14], times[28], times[29], times[29]];
    assert_eq!(figures(latency), expected);
    assert_eq!(latency["port"], port);
    assert_eq!(latency["lost"], serde_json::json!({}));
}

#[test]
fn a_person_gets_a_line_a_try_and_the_figures() {
    let (_listener, open) = open_port("127.0.0.1");
    let (_socket, closed) = closed_port();
    let words = format!("--count 3 --every 10ms 127.0.0.1:{open},{closed}");
    let exit = probe(&words).run();
    exit.success().silent();
    let told = text(&exit);
    assert_eq!(told.matches(&format!("127.0.0.1:{open}: try ")).count(), 3);
    assert!(told.contains(": try 1: open in "), "{told}");
    assert!(told.contains(": try 3: closed (reset) in "), "{told}");
    assert!(told.contains(&format!("127.0.0.1:{open}: 3 tries, 3 answered\n  min ")));
    let lost = format!("127.0.0.1:{closed}: 3 tries, 0 answered, 3 lost (100.0 %): 3 reset\n");
    assert!(told.contains(&lost), "{told}");
    assert!(!told.contains('#'), "a chart is for terminals");
    let exit = probe(&format!("-q {words}")).run();
    assert!(!text(exit.success()).contains(": try "));
    probe(&format!("--count 2 --every 10ms 127.0.0.1:{closed}"))
        .run()
        .status(1);
}

#[test]
fn a_name_is_measured_where_it_serves() {
    let Some(mut space) = Namespace::new().filter(|_| need(&["python3"])) else {
        return;
    };
    space.replace("/etc/hosts", "127.0.0.1 here\n127.0.0.2 here\n");
    space.replace("/etc/nsswitch.conf", "hosts: files\n");
    let _server = server(&space, &[("127.0.0.2", 9000)]);
    let words = "--count 2 --every 10ms --json here:9000 nosuch.invalid:1";
    let exit = space.inside(probe(words)).run();
    exit.status(3).silent();
    let latency = &records(&exit, "latency")[0];
    assert_eq!(
        (&latency["addr"], &latency["answered"]),
        (&"127.0.0.2".into(), &2.into())
    );
    assert_eq!(records(&exit, "error")[0]["action"], "resolve");
    assert!(text(&exit).contains("not measured: 127.0.0.1"));
}

#[test]
fn a_syn_that_is_sent_again_is_told_and_silence_is_a_loss() {
    let Some((near, far)) = Namespace::pair().filter(|_| need(&["nft", "python3"])) else {
        return;
    };
    let _server = server(&far, &[("10.77.0.2", 9000)]);
    let rule = "tcp dport 9000 tcp flags syn numgen inc mod 2 == 0 drop\ntcp dport 9001 drop";
    far.rules(&format!(
        "table ip t {{\nchain i {{\ntype filter hook input priority 0;\n{rule}\n}}\n}}\n"
    ));
    let exit = near.inside(probe("--count 1 --json 10.77.0.2:9000")).run();
    let latency = &records(exit.success(), "latency")[0];
    assert_eq!(
        (&latency["answered"], &latency["retransmissions"]),
        (&1.into(), &1.into())
    );
    assert!(latency["min_us"].as_u64().unwrap() >= 900_000, "{latency}");
    let words = "--count 3 --every 50ms --try-timeout 100ms --json 10.77.0.2:9001";
    let exit = near.inside(probe(words)).run();
    exit.status(1).within(Duration::from_secs(10));
    let latency = &records(&exit, "latency")[0];
    assert_eq!(latency["lost"], serde_json::json!({"no-response": 3}));
    assert_eq!(
        (&latency["min_us"], &latency["jitter_us"]),
        (&Value::Null, &Value::Null)
    );
}

#[test]
fn control_c_prints_the_figures_so_far() {
    let (_listener, port) = open_port("127.0.0.1");
    let words = format!("--count 100000 --every 10ms 127.0.0.1:{port}");
    let running = probe(&words).start();
    running.prints(": try 3: ");
    running.signal(Signal::INT);
    let exit = running.wait();
    exit.died_of(libc::SIGINT);
    assert!(text(&exit).contains(" tries, "), "{}", text(&exit));
    let mut terminal = Terminal::new();
    let running = terminal.hosts(probe(&words)).start();
    terminal.shows(": try 3: ");
    terminal.types(CONTROL_C);
    running.wait().died_of(libc::SIGINT);
    terminal.shows(" answered");
    terminal.shows("  ####");
}

#[test]
fn unix_sockets_are_measured_too() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let _listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let words = format!("--count 2 --every 10ms --json unix:{}", path.display());
    let exit = probe(&words).run();
    let latency = &records(exit.success(), "latency")[0];
    assert_eq!(
        (&latency["proto"], &latency["addr"]),
        (&"unix".into(), &Value::Null)
    );
    assert_eq!(latency["answered"], 2);
}

#[test]
fn what_fails_on_our_side_is_no_loss_of_the_target() {
    let (_listener, open) = open_port("127.0.0.1");
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let silent = socket.local_addr().unwrap().port();
    let words = format!(
        "--count 30 --every 20ms --try-timeout 4s --json u:127.0.0.1:{silent} 127.0.0.1:{open}"
    );
    // Whether the number left to us is even or odd: a question over UDP holds one descriptor, not two,
    // and so leaves none to the other target.
    for limit in [24, 25] {
        tells_what_failed_here(&probe(&words).few_files(limit).run());
    }
    let words = format!("--count 3 --every 50ms 127.0.0.1:{open}");
    probe(&words).run().success().silent();
}

/// What is asked of our system before a try, and after one that it refused, it may have no
/// descriptor for: then nothing is known, of the source address as little as of the target.
#[test]
fn a_question_that_our_system_could_not_be_asked_is_no_knowledge() {
    let Some((near, _far)) = Namespace::pair().filter(|_| can_inject()) else {
        return;
    };
    let (words, log) = ("--count 1 --every 10ms --json", scratch());
    for (target, fault) in [
        ("--source ::1 [::1]:9", "socket:error=EMFILE:when=3+"),
        (
            "--source 127.0.0.1 10.77.0.2:9",
            "socket:error=EMFILE:when=4+",
        ),
    ] {
        let program = probe(&format!("{words} {target}"));
        let program = inject(program, &[fault], &[], &log.path().join("log"));
        let exit = near.inside(program).run();
        let told = &records(exit.status(3), "port")[0];
        assert_eq!(told["state"], "undetermined", "{told}");
        assert_eq!(told["reason"], "no-files", "{told}");
    }
}

/// Some tries of each target could be made, and none that could not is called lost.
fn tells_what_failed_here(exit: &Exit) {
    exit.status(3);
    let errors = records(exit, "error");
    let is_told = |error: &Value| {
        let error = error.to_string();
        error.contains("(no-files)") && error.contains("ulimit -n")
    };
    assert!(
        !errors.is_empty() && errors.iter().all(is_told),
        "{errors:?}"
    );
    for latency in &records(exit, "latency") {
        let lost = latency["lost"].as_object().unwrap();
        assert!(
            lost.keys().all(|reason| reason == "no-response"),
            "{latency}"
        );
        let sent = latency["sent"].as_u64().unwrap();
        assert!((1..30).contains(&sent), "{latency}");
    }
}

#[test]
fn a_series_that_cannot_be_meant_is_refused() {
    for (words, hint) in [
        ("--count 0 h:1", "--count"),
        ("--count 1 h", "write h:PORT"),
        ("--every 1s h:1", "--count"),
        ("--count 1 --every 0 h:1", "10ms or more"),
        ("--count 1 --wait 1s h:1", "--wait"),
        ("--count 1 --plain h:1", "--plain"),
    ] {
        probe(words).run().status(2).says(hint);
    }
}
