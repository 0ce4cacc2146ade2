//! `--wait` and `--count` over UDP: only an answer is open, only ICMP says closed, and silence is
//! neither.

use std::time::Duration;

use serde_json::json;

use super::{answered, probe, records, text, udp};
use crate::support::{Exit, Namespace, need};

const SILENT: &str = "no answer: over UDP it may be open or filtered";

#[test]
fn a_server_that_comes_late_is_waited_for_beside_others() {
    for host in ["127.0.0.1", "[::1]"] {
        let Some(space) = Namespace::new().filter(|_| need(&["python3"])) else {
            return;
        };
        let bare = host.trim_matches(['[', ']']);
        let _tcp = super::server(&space, &[(bare, 80)]);
        let words = format!("--wait 1m -v {host}:t:80,u:53 u:{host}:9953");
        let running = space.inside(probe(&words)).start();
        running.says(&format!(
            "udp://{host}:53: closed (port-unreachable from {bare}), try 3 "
        ));
        let _udp = udp::server(&space, bare, &[("dns", 53), ("picky", 9953)]);
        let exit = running.wait();
        exit.success()
            .says(&format!("udp://{host}:53: open (protocol-reply), try "))
            .says(&format!("udp://{host}:9953: open (protocol-reply), try "))
            .printed("");
        let words = format!("--wait 1m -u {host}:53,9953,t:80");
        space
            .inside(probe(&words))
            .run()
            .success()
            .silent()
            .printed("");
    }
}

#[test]
fn silence_is_neither_open_nor_closed() {
    let Some(space) = Namespace::new().filter(|_| need(&["python3"])) else {
        return;
    };
    let _udp = udp::server(&space, "127.0.0.1", &[("mute", 54), ("dns", 53)]);
    let run = |words: &str| space.inside(probe(words)).run();
    for goal in ["", "--until-closed", "--hold 100ms"] {
        let exit = run(&format!("--wait 700ms {goal} u:127.0.0.1:54"));
        let expected = format!("wait for udp://127.0.0.1:54: {SILENT}");
        assert!(exit.failure(1).ends_with(&expected), "{}", exit.stderr);
        exit.at_least(Duration::from_millis(700))
            .within(Duration::from_secs(10));
    }
    // In that time all were asked, and one has answered.
    let is_open = |exit: &Exit| {
        let all = records(exit, "port");
        let asked = |number: u16| all.iter().any(|port| port["port"] == number);
        let is_open = all.iter().any(|port| port["state"] == "open");
        is_open && asked(54) && asked(55)
    };
    let exit = answered(
        || run("--wait 700ms --json 127.0.0.1:u:53,54,t:55"),
        is_open,
    );
    exit.status(1).silent();
    let found = |port: u16| {
        let mut all = records(&exit, "port").into_iter();
        all.rfind(|record| record["port"] == port).unwrap()
    };
    let open = found(53);
    assert_eq!(
        (&open["proto"], &open["state"], &open["service"]),
        (&"udp".into(), &"open".into(), &"dns".into())
    );
    let silent = found(54);
    assert_eq!(
        (&silent["state"], &silent["reason"], &silent["rtt_us"]),
        (&"open|filtered".into(), &"no-response".into(), &json!(null))
    );
    assert_eq!(found(55)["proto"], "tcp");
    assert_eq!(
        records(&exit, "wait")[0]["missing"],
        json!(["127.0.0.1:55", "udp://127.0.0.1:54"])
    );
    run("--wait 1m --any u:127.0.0.1:53,54").success().silent();
    answered(
        || run("--wait 300ms --until-closed u:127.0.0.1:53"),
        |exit| exit.failure(1).ends_with(": it is still open"),
    );
}

#[test]
fn a_server_that_goes_away_or_falls_over_is_noticed() {
    let Some(space) = Namespace::new().filter(|_| need(&["python3"])) else {
        return;
    };
    let serve = || udp::server(&space, "127.0.0.1", &[("dns", 53)]);
    let first = serve();
    let words = "--wait 1m --until-closed --hold 300ms -v u:127.0.0.1:53";
    let running = space.inside(probe(words)).start();
    running.says("open (protocol-reply), try ");
    drop(first);
    running.wait().success().says("closed (port-unreachable ");
    let first = serve();
    let words = "--wait 1m --hold 5s -v u:127.0.0.1:53";
    let running = space.inside(probe(words)).start();
    running.says("open (protocol-reply), try ");
    drop(first);
    running.says("closed (port-unreachable ");
    let _second = serve();
    running
        .wait()
        .success()
        .at_least(Duration::from_secs(5))
        .says("the wait is over");
}

#[test]
fn a_host_that_limits_its_icmp_is_neither_silent_nor_open() {
    let Some((near, far)) = Namespace::pair().filter(|_| need(&["python3"])) else {
        return;
    };
    // Ten seconds between two messages, after six.
    far.run("sysctl -qw net.ipv4.icmp_ratelimit=10000");
    let exit = near.inside(probe("--wait 5s -v u:10.77.0.2:53")).run();
    exit.status(1)
        .says("udp://10.77.0.2:53: closed (port-unreachable from 10.77.0.2), try 6 ")
        .says("udp://10.77.0.2:53: open|filtered (icmp-limited), try ")
        .says("wait for udp://10.77.0.2:53: connection refused");
    assert!(!exit.stderr.contains("no-response"), "{}", exit.stderr);
    let running = near.inside(probe("--wait 1m -v u:10.77.0.2:53")).start();
    // If the next message is due already, soon none is.
    running.says("open|filtered (no-response), try ");
    let _server = udp::server(&far, "10.77.0.2", &[("dns", 53)]);
    running.wait().success().says("open (protocol-reply), try ");
}

#[test]
fn what_a_firewall_says_is_told_at_the_deadline() {
    let Some((near, far)) = Namespace::pair().filter(|_| need(&["python3", "nft"])) else {
        return;
    };
    let _server = udp::server(&far, "10.77.0.2", &[("dns", 53)]);
    far.run("sysctl -qw net.ipv4.icmp_ratelimit=0");
    let rules = |act: &str| {
        let hook = "type filter hook input priority 0;";
        far.rules(&format!(
            "flush ruleset\ntable ip t {{\nchain i {{\n{hook}\nudp dport 53 {act}\n}}\n}}\n"
        ));
    };
    rules("drop");
    let words = "--wait 1m -v u:10.77.0.2:53";
    let running = near.inside(probe(words)).start();
    running.says("udp://10.77.0.2:53: open|filtered (no-response), try 2 ");
    far.rules("flush ruleset\n");
    running.wait().success().says("open (protocol-reply)");
    rules("reject with icmp admin-prohibited");
    let exit = near.inside(probe("--wait 4s -v u:10.77.0.2:53")).run();
    exit.says("rejected (admin-prohibited from 10.77.0.2)");
    let told = exit.failure(1);
    assert!(told.contains("wait for udp://10.77.0.2:53: "), "{told}");
    let words = "--wait 1m --until-closed u:10.77.0.2:53";
    near.inside(probe(words)).run().success();
    let exit = near.inside(probe("--wait 300ms u:192.0.2.1:53")).run();
    exit.status(1)
        .says("wait for udp://192.0.2.1:53: network is unreachable");
    let words = "--count 1 --json u:192.0.2.1:53 192.0.2.1:53 --try-timeout 1s";
    let exit = near.inside(probe(words)).run();
    for report in records(exit.status(1), "port") {
        assert_eq!(
            (&report["state"], &report["rtt_us"]),
            (&"unreachable".into(), &json!(null)),
            "nothing was sent, and nobody heard"
        );
    }
}

#[test]
fn answers_are_measured_by_the_question_that_is_answered() {
    let Some(space) = Namespace::new().filter(|_| need(&["python3"])) else {
        return;
    };
    let services = [("dns", 53), ("picky", 9953), ("mute", 54)];
    let _server = udp::server(&space, "127.0.0.1", &services);
    let words = "--count 5 --every 20ms --try-timeout 300ms --json -u 127.0.0.1:53,54,9953";
    let all_answered = |exit: &Exit| {
        let latency = records(exit, "latency");
        latency
            .iter()
            .filter(|record| record["answered"] == 5)
            .count()
            == 2
    };
    let exit = answered(|| space.inside(probe(words)).run(), all_answered);
    exit.success().silent();
    let latency = records(&exit, "latency");
    let counts = latency.iter().map(|record| {
        assert_eq!(record["proto"], "udp");
        let of = |name: &str| record[name].as_u64().unwrap();
        (of("port"), of("sent"), of("answered"), &record["lost"])
    });
    let lost = json!({"no-response": 5});
    assert_eq!(
        counts.collect::<Vec<_>>(),
        [
            (53, 5, 5, &json!({})),
            (54, 5, 0, &lost),
            (9953, 5, 5, &json!({}))
        ]
    );
    for record in records(&exit, "port") {
        let named = record["service"] == "dns";
        assert!(named == (record["state"] == "open"), "{record}");
        assert_eq!(named, record["rtt_us"].is_u64(), "{record}");
    }
    let words = "--count 2 --every 10ms u:127.0.0.1:53 u:127.0.0.1:55";
    let exit = answered(
        || space.inside(probe(words)).run(),
        |exit| text(exit).contains("udp://127.0.0.1:53: try 2: open (dns) in "),
    );
    let told = text(exit.success().silent());
    let lost = "udp://127.0.0.1:55: 2 tries, 0 answered, 2 lost (100.0 %): 2 port-unreachable\n";
    assert!(told.contains(lost), "{told}");
}

#[test]
fn losses_are_told_by_what_the_far_side_said() {
    let Some((near, far)) = Namespace::pair().filter(|_| need(&["nft"])) else {
        return;
    };
    far.rules("table ip t {\nchain i {\ntype filter hook input priority 0;\nudp dport 1000 drop\nudp dport 1013 reject with icmp admin-prohibited\n}\n}\n");
    let lost = |words: &str| {
        let words = format!("--count 12 --every 20ms --try-timeout 400ms --json {words}");
        let exit = near.inside(probe(&words)).run();
        let latency = records(exit.status(1), "latency").remove(0);
        assert_eq!(
            (&latency["sent"], &latency["answered"]),
            (&12.into(), &0.into())
        );
        latency["lost"].clone()
    };
    assert_eq!(lost("u:10.77.0.2:1000"), json!({"no-response": 12}));
    // Six at once and one in ten seconds, of which the choice of the question has cost one.
    far.run("sysctl -qw net.ipv4.icmp_ratelimit=10000");
    let limited = lost("u:10.77.0.2:999");
    assert_eq!(
        limited,
        json!({"port-unreachable": 5, "icmp-limited": 7}),
        "what is not said is not taken for silence"
    );
    far.run("sysctl -qw net.ipv4.icmp_ratelimit=0");
    assert_eq!(lost("u:10.77.0.2:1013"), json!({"admin-prohibited": 12}));
}
