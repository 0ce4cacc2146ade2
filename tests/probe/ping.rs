//! `--ping`: who is up, by whatever answer.

use super::{probe, records, server, text};
use crate::support::{Namespace, need};

/// Lets everybody in `space` send echoes.
fn permit_echo(space: &Namespace) {
    let permit = "echo 0 2147483647 > /proc/sys/net/ipv4/ping_group_range";
    let program = crate::support::Program::new("sh").args(["-c", permit]);
    space.inside(program).run().status(0);
}

#[test]
fn an_echo_says_who_is_up() {
    let Some((near, _far)) = Namespace::pair() else {
        return;
    };
    permit_echo(&near);
    let exit = near
        .inside(probe("--json --ping 10.77.0.2 fd77::2 10.77.0.9 127.0.0.1"))
        .run();
    let hosts = records(exit.success().silent(), "host");
    let find = |addr: &str| hosts.iter().find(|host| host["addr"] == addr).unwrap();
    for addr in ["10.77.0.2", "fd77::2", "127.0.0.1"] {
        let host = find(addr);
        assert_eq!(
            (&host["state"], &host["reason"]),
            (&"up".into(), &"echo-reply".into()),
            "{host}"
        );
        assert!(host["rtt_us"].is_u64() && host["port"].is_null(), "{host}");
    }
    let down = find("10.77.0.9");
    assert_eq!(
        (&down["state"], &down["reason"]),
        (&"down".into(), &"host-unreachable".into())
    );
    let figures = &records(&exit, "hosts")[0];
    assert_eq!(
        (&figures["hosts"], &figures["up"], &figures["down"]),
        (&4.into(), &3.into(), &1.into())
    );
}

#[test]
fn a_reset_or_an_open_port_says_so_too() {
    let Some((near, far)) = Namespace::pair().filter(|_| need(&["nft", "python3"])) else {
        return;
    };
    permit_echo(&near);
    let _server = server(&far, &[("10.77.0.2", 80)]);
    far.rules("table inet t {\nchain i {\ntype filter hook input priority 0;\nmeta l4proto icmp drop\ntcp dport != 80 drop\n}\n}\n");
    let host = |words: &str, status| {
        let exit = near.inside(probe(words)).run();
        records(exit.status(status), "host").remove(0)
    };
    let report = host("--json --ping 10.77.0.2", 0);
    assert_eq!(
        (&report["state"], &report["reason"], &report["port"]),
        (&"up".into(), &"syn-ack".into(), &80.into())
    );
    far.rules("flush ruleset\ntable inet t {\nchain i {\ntype filter hook input priority 0;\nmeta l4proto icmp drop\n}\n}\n");
    let report = host("--json --ping 10.77.0.2", 0);
    assert_eq!(report["state"], "up");
    assert!(["syn-ack", "reset"].contains(&report["reason"].as_str().unwrap()));
    far.rules("flush ruleset\ntable inet t {\nchain i {\ntype filter hook input priority 0;\ndrop\n}\n}\n");
    let report = host("--json --ping 10.77.0.2", 1);
    assert_eq!(
        (&report["state"], &report["reason"]),
        (&"down".into(), &"no-response".into())
    );
}

#[test]
fn without_permission_for_echoes_tcp_is_asked() {
    let Some((near, _far)) = Namespace::pair() else {
        return;
    };
    // A new namespace permits nobody (icmp(7)).
    let exit = near.inside(probe("--plain --ping 10.77.0.2")).run();
    let line = text(exit.success().silent());
    assert!(
        line.starts_with("10.77.0.2\t10.77.0.2\tup\treset\t"),
        "{line}"
    );
    assert_eq!(line.trim_end().split('\t').count(), 7);
}

#[test]
fn ports_are_asked_of_those_that_are_up_alone() {
    let Some((near, far)) = Namespace::pair().filter(|_| need(&["nft", "python3"])) else {
        return;
    };
    permit_echo(&near);
    near.rules("table ip t {\nchain o {\ntype filter hook output priority 0;\ntcp dport 9000 ip daddr != 10.77.0.2 counter\n}\n}\n");
    let _server = server(&far, &[("10.77.0.2", 9000)]);
    let exit = near
        .inside(probe("--ping --exclude 10.77.0.1 10.77.0.0/30 9000"))
        .run();
    let report = text(exit.success().silent());
    assert!(report.contains("\n10.77.0.2  up  "), "{report}");
    assert!(report.contains("\n3 hosts, 1 up, in "), "{report}");
    assert!(
        report.contains("\n10.77.0.2\n  9000/tcp  open  "),
        "{report}"
    );
    let exit = near
        .inside(probe("--ping --json 10.77.0.2:9000 10.77.0.9"))
        .run();
    assert_eq!(records(exit.success(), "port").len(), 1);
    assert_eq!(records(&exit, "host").len(), 2);
    let counter = near.run("nft list ruleset").stdout;
    assert!(String::from_utf8_lossy(&counter).contains("packets 0 "));
}

/// A port of a host that is down is not open.
#[test]
fn all_open_is_said_of_all_hosts() {
    let Some((near, far)) = Namespace::pair().filter(|_| need(&["python3"])) else {
        return;
    };
    permit_echo(&near);
    let _server = server(&far, &[("10.77.0.2", 80)]);
    for (options, hosts, status) in [
        ("--ping --all-open", "10.77.0.9", 1),
        ("--ping --all-open", "10.77.0.9 10.77.0.2", 1),
        ("--ping --all-open", "10.77.0.2/31", 1),
        (
            "--ping --all-open --all-addresses",
            "10.77.0.9 10.77.0.2",
            1,
        ),
        ("--ping --all-open --json", "10.77.0.9", 1),
        ("--ping --all-open", "10.77.0.2", 0),
        ("--ping --all-open --all-addresses", "10.77.0.2", 0),
        ("--ping", "10.77.0.9 10.77.0.2", 0),
        ("--ping", "10.77.0.9", 1),
    ] {
        let exit = near
            .inside(probe(&format!("{options} {hosts} -p 80")))
            .run();
        exit.status(status);
    }
}

#[test]
fn a_host_is_waited_for_by_whatever_it_answers() {
    let Some((near, far)) = Namespace::pair().filter(|_| need(&["nft"])) else {
        return;
    };
    let run = |words: &str| near.inside(probe(words)).run();
    // Without permission for echoes a reset says that it is up.
    let exit = run("--wait 1m --ping -v 10.77.0.2 fd77::2");
    exit.success().says("10.77.0.2: up (reset), try ");
    permit_echo(&near);
    let exit = run("--wait 1m --ping --json 10.77.0.2 fd77::2");
    let hosts = records(exit.success().silent(), "host");
    assert_eq!(hosts.len(), 2);
    for host in hosts {
        assert_eq!(
            (&host["state"], &host["reason"]),
            (&"up".into(), &"echo-reply".into())
        );
        assert!(host["rtt_us"].is_u64(), "{host}");
    }
    far.rules("table ip t {\nchain i {\ntype filter hook input priority 0;\ndrop\n}\n}\n");
    let exit = run("--wait 300ms --ping 10.77.0.2");
    assert!(exit.failure(1).ends_with("wait for 10.77.0.2: no answer"));
    let running = near.inside(probe("--wait 1m --ping -v 10.77.0.2")).start();
    running.says("10.77.0.2: down (no-response), try 2 ");
    far.rules("flush ruleset\n");
    running.wait().success().says("10.77.0.2: up (");
}

#[test]
fn echoes_are_measured() {
    let Some((near, far)) = Namespace::pair().filter(|_| need(&["nft"])) else {
        return;
    };
    let run = |words: &str| near.inside(probe(words)).run();
    run("--count 2 --ping 10.77.0.2")
        .status(3)
        .says("an ICMP echo is not permitted to this user (net.ipv4.ping_group_range)");
    permit_echo(&near);
    far.rules(
        "table ip t {\nchain i {\ntype filter hook input priority 0;\n\
         icmp type echo-request numgen inc mod 2 == 1 drop\n}\n}\n",
    );
    let words = "--count 4 --every 20ms --try-timeout 300ms --ping --json 10.77.0.2 fd77::2";
    let latency = records(run(words).success().silent(), "latency");
    let counts = latency.iter().map(|record| {
        assert_eq!(
            (&record["proto"], &record["port"]),
            (&"icmp".into(), &serde_json::Value::Null)
        );
        (record["answered"].as_u64().unwrap(), record["lost"].clone())
    });
    let lost = serde_json::json!({"no-response": 2});
    assert_eq!(
        counts.collect::<Vec<_>>(),
        [(2, lost), (4, serde_json::json!({}))]
    );
    far.rules("flush ruleset\n");
    let exit = run("--count 2 --every 20ms --ping 10.77.0.2");
    let told = text(exit.success().silent());
    assert!(told.starts_with("10.77.0.2: try 1: up in "), "{told}");
    assert!(told.contains("10.77.0.2: 2 tries, 2 answered\n"), "{told}");
}

#[test]
fn the_exit_status_is_the_answer() {
    probe("--ping 127.0.0.1").run().success().silent();
    probe("--ping --deadline 1ms 127.0.0.0/16").run().status(3);
    for (words, hint) in [
        ("--ping --all-open 127.0.0.1", "--all-open"),
        ("--ping --connect-ex 127.0.0.1", "--connect-ex"),
    ] {
        let exit = probe(words).run();
        exit.status(2);
        assert!(exit.stderr.contains(hint), "{}", exit.stderr);
    }
    let exit = probe("--ping --json 127.0.0.0/29").run();
    let hosts = records(exit.success(), "host");
    assert!(hosts.iter().all(|host| host["state"] == "up"));
    assert_eq!(hosts.len(), 8);
}
