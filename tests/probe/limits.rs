//! Limits: the user's, and those of this machine.

use std::time::Duration;

use rustix::process::Signal;

use super::{probe, records, server, text};
use crate::support::{Namespace, Program, Running, in_some_try, need, until};

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
        .within(Duration::from_secs(10));
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
        .within(Duration::from_secs(10));
}

/// The far side with two open ports, that resets at most so many connections a second.
fn limited_resets(rate: u32) -> Option<(Namespace, Namespace, Running)> {
    let (near, far) = Namespace::pair().filter(|_| need(&["nft", "python3"]))?;
    far.rules(&format!(
        "table ip t {{\nchain o {{\ntype filter hook output priority 0;\ntcp flags & (rst | syn) == rst limit rate over {rate}/second counter drop\n}}\n}}\n"
    ));
    let server = server(&far, &[("10.77.0.2", 22), ("10.77.0.2", 2999)]);
    Some((near, far, server))
}

/// How many resets of the far side were dropped.
fn dropped(far: &Namespace) -> u64 {
    let rules = far.run("nft list ruleset").stdout;
    let rules = String::from_utf8_lossy(&rules).into_owned();
    let (_, rest) = rules.split_once("counter packets ").expect("a counter");
    let number = rest.split_whitespace().next().expect("a number");
    number.parse().expect("a number")
}

#[test]
fn a_host_that_limits_its_resets_is_given_the_time_that_takes() {
    let Some((near, far, _server)) = limited_resets(500) else {
        return;
    };
    let exit = near.inside(probe("--json 10.77.0.2 1-3000")).run();
    exit.success();
    // A machine that is slow enough itself meets no limit.
    if dropped(&far) > 1000 {
        let warning = &records(&exit, "warning")[0]["message"];
        let told = warning.as_str().unwrap();
        assert!(
            told.starts_with("10.77.0.2: limits its resets to about "),
            "{told}"
        );
    }
    let summary = &records(&exit, "summary")[0];
    let counts = ["open", "closed", "filtered"].map(|state| summary[state].as_u64().unwrap());
    assert_eq!(counts, [2, 2998, 0]);
}

#[test]
fn a_host_that_limits_its_resets_is_not_waited_for_in_haste() {
    let Some((near, far, _server)) = limited_resets(200) else {
        return;
    };
    let exit = near.inside(probe("--fast --json 10.77.0.2 1-3000")).run();
    exit.success();
    // A machine that is slow enough itself meets no limit.
    if dropped(&far) < 2000 {
        return;
    }
    // All of them take fifteen seconds.
    exit.within(Duration::from_secs(12));
    let warning = &records(&exit, "warning")[0]["message"];
    let told = warning.as_str().unwrap();
    assert!(told.contains("without --fast it is told"), "{told}");
    let mut left = 0;
    for report in records(&exit, "port") {
        let is_served = [22, 2999].contains(&report["port"].as_u64().unwrap());
        let state = report["state"].as_str().unwrap();
        match (is_served, state) {
            (true, "open") | (false, "closed") => {}
            (false, "filtered") => {
                assert_eq!(report["reason"], "reset-limit", "{report}");
                left += 1;
            }
            _ => panic!("{report}"),
        }
    }
    assert!(left > 0, "{left}");
    let none_open = near.inside(probe("--fast 10.77.0.2 100-2900")).run();
    none_open.status(1);
    near.inside(probe("--fast --all-open 10.77.0.2 22,2999"))
        .run()
        .success();
}

#[test]
fn the_same_seed_is_the_same_order() {
    let order = |seed: &str| {
        let exit = probe(&format!(
            "--json --concurrency 1 --seed {seed} 127.0.0.1 9001-9200"
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
    // Within that all must have been tried.
    let mut deadline = Duration::from_millis(150);
    in_some_try(|| {
        deadline *= 2;
        let words = format!("--deadline {}ms --try-timeout 1h", deadline.as_millis());
        let exit = near.inside(probe(&format!("{words} 10.77.0.2 22,1000-1999")));
        let exit = exit.limit(Duration::from_secs(300)).run();
        exit.status(3).silent();
        exit.within(deadline + Duration::from_secs(10));
        let told = text(&exit).contains("22/tcp  open");
        let stopped = text(&exit).contains(", 1000 not determined, stopped after ");
        assert!(stopped || !told, "{}", text(&exit));
        told
    });
    let words = "--json --deadline 0.3 --try-timeout 1h 10.77.0.2 1000-1999";
    let summary = &records(near.inside(probe(words)).run().status(3), "summary")[0];
    assert_eq!(
        (&summary["undetermined"], &summary["complete"]),
        (&1000.into(), &false.into())
    );
    let running = near
        .inside(probe(
            "--concurrency 7 --try-timeout 1h 10.77.0.2 1000-1999",
        ))
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
        .status(3)
        .says("bind 10.77.0.9");
    run("--source 10.77.0.3 fd77::2 22")
        .status(2)
        .says("fd77::2 cannot be used with --source 10.77.0.3");
    run("--source 10.77.0.3 -6 fd77::2 22")
        .status(2)
        .says("--source");
    run("--interface lo --tries 1 --try-timeout 0.2 --source 10.77.0.3 10.77.0.2 22").status(1);
    run("--interface nosuch0 10.77.0.2 22")
        .status(3)
        .says("bind nosuch0");
}

/// A source address that does not fit is no news of anybody.
#[test]
fn what_cannot_be_asked_from_our_source_is_not_known() {
    let Some((near, far)) = Namespace::pair().filter(|_| need(&["python3"])) else {
        return;
    };
    near.run("ip route add blackhole 10.9.0.0/24");
    let _server = server(&far, &[("10.77.0.2", 22), ("fd77::2", 22)]);
    let run = |words: &str| near.inside(probe(words)).run();
    let asked = [
        ("--source 127.0.0.1", "10.77.0.2 22"),
        ("--source 127.0.0.1 --banner", "10.77.0.2 22"),
        ("--source 127.0.0.1 -u", "10.77.0.2 53"),
        ("--source 127.0.0.1 --count 1", "10.77.0.2:22"),
        ("--source ::1", "fd77::2 22"),
        ("--source ::1 -u", "fd77::2 53"),
        ("--source ::1 --count 1", "u:[fd77::2]:53"),
    ];
    for (options, target) in asked {
        let exit = run(&format!("{options} --json {target}"));
        let told = records(exit.status(3), "port");
        let word = |name: &str| told[0][name].as_str().unwrap().to_owned();
        let told = (word("state"), word("errname"), word("reason"));
        let expected = ("undetermined", "EINVAL", "unfit-source");
        let expected = (expected.0.into(), expected.1.into(), expected.2.into());
        assert_eq!(told, expected, "{options} {target}");
    }
    let told = "(unfit-source): our source address has no way there";
    run("--source ::1 --count 1 u:[fd77::2]:53")
        .status(3)
        .says(told);
    for (source, target) in [("127.0.0.1", "10.77.0.2"), ("::1", "fd77::2")] {
        let hosts = run(&format!("--source {source} --json --ping {target}"));
        let hosts = records(hosts.status(3), "host");
        assert_eq!(hosts[0]["state"], "undetermined", "{hosts:?}");
        for port in [format!("[{target}]:22"), format!("u:[{target}]:22")] {
            let port = port.replace("[10.77.0.2]", "10.77.0.2");
            let words = format!("--source {source} --wait 0.3 --until-closed {port} -- echo RAN");
            let exit = run(&words);
            exit.status(1).says("our source address has no way there");
            assert_eq!(text(&exit), "", "{words}");
        }
    }
    // The same address is good for this machine, and a blackhole is one from anywhere.
    run("--source 127.0.0.1 10.77.0.1 1").status(1);
    run("--source ::1 fd77::1 1").status(1);
    let exit = run("--source 10.77.0.1 --plain 10.9.0.1 22");
    assert!(text(exit.status(1)).contains("\tunreachable\t"));
    // Nobody has the address of a network or of a group, though a socket can be bound to it.
    for source in ["10.77.0.255", "224.0.0.1"] {
        run(&format!("--source {source} 10.77.0.2 22"))
            .status(3)
            .says(&format!("bind {source}"));
    }
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
    for limit in [32, 64] {
        let program = probe("--json 10.77.0.2 1-3000").few_files(limit);
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

#[test]
fn a_name_that_is_not_known_at_the_deadline_is_told() {
    let Some((mut near, far)) = Namespace::pair().filter(|_| need(&["nft"])) else {
        return;
    };
    near.replace("/etc/nsswitch.conf", "hosts: dns\n");
    near.replace("/etc/resolv.conf", "nameserver 10.77.0.2\n");
    far.rules("table ip t {\nchain i {\ntype filter hook input priority 0; policy drop;\n}\n}\n");
    let run = |words: &str| near.inside(probe(words)).run();
    run("--deadline 400ms slow.example 22")
        .status(3)
        .says("resolve slow.example: timed out after 400ms")
        .within(Duration::from_secs(8));
    run("--deadline 400ms --exclude slow.example 10.77.0.1 22")
        .status(3)
        .says("resolve slow.example: timed out after 400ms");
}

/// Linux rejects six ports in a row, then one a second: what was not rejected may have been meant to
/// be, and nobody can tell.
#[test]
fn silence_beside_rejected_ports_is_explained() {
    let Some((near, far)) = Namespace::pair().filter(|_| need(&["nft"])) else {
        return;
    };
    far.rules(
        "table inet t {\nchain i {\ntype filter hook input priority 0;\n\
         tcp dport 1000-1099 reject with icmpx admin-prohibited\ntcp dport 2000 drop\n}\n}\n",
    );
    let told = "rejects by ICMP, of which many hosts send only so much";
    let run = |words: &str| near.inside(probe(words)).run();
    for (ports, expected) in [
        ("1-4", false),
        ("2000", false),
        ("1000", false),
        ("1000-1099", true),
    ] {
        let exit = run(&format!("--try-timeout 300ms --tries 2 10.77.0.2 {ports}"));
        assert_eq!(text(&exit).contains(told), expected, "{}", text(&exit));
    }
    // Who has had its share over IPv4 has another one over IPv6.
    let exit = run("--json --try-timeout 300ms --tries 2 fd77::2 1000-1099");
    let warnings = records(&exit, "warning");
    let message = warnings[0]["message"].as_str().unwrap();
    assert!(message.contains(told), "{message}");
}
