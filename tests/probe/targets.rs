//! Who is probed.

use super::{open_port, probe, records, server, text};
use crate::support::{Input, Namespace, need};

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
        .status(3)
        .says("open /nonexistent/hosts: no such file");
}

#[test]
fn a_list_that_names_nobody_is_a_mistake() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hosts");
    std::fs::write(&path, "# nobody yet\n\n").unwrap();
    let path = path.display();
    for words in ["1", "127.0.0.2 1", "--ping", "--count 1", "--all-open 1"] {
        let exit = probe(&format!("@{path} {words}")).run();
        exit.status(2).says(&format!("{path} names no target"));
    }
    for words in ["- 1", "--all-open - 1"] {
        let exit = probe(words).stdin(Input::Null).run();
        exit.status(2).says("stdin names no target");
    }
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
    run("--exclude nosuch.invalid 10.77.0.2 9000").status(3);
    let counter = near.run("nft list ruleset").stdout;
    assert!(String::from_utf8_lossy(&counter).contains("packets 0 "));
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
    for words in ["nosuch.invalid 9000", "127.0.0.1 nosuch.invalid 9000"] {
        for (option, kind) in [("", "summary"), ("--ping", "hosts"), ("--ping", "summary")] {
            let exit = space
                .inside(probe(&format!("--json {option} {words}")))
                .run();
            let end = &records(exit.status(3), kind)[0];
            assert_eq!(end["complete"], false, "{option} {words}: {end}");
        }
    }
    let exit = space.inside(probe("--json nosuch.invalid 9000")).run();
    exit.status(3).silent();
    assert_eq!(records(&exit, "error")[0]["action"], "resolve");
    assert_eq!(records(&exit, "summary")[0]["ports"], 0);
}

/// Two links with the same host address on both are two hosts.
#[test]
fn a_zone_is_part_of_the_address() {
    let Some(near) = Namespace::new() else {
        return;
    };
    for (link, peer) in [("d1", "p1"), ("d2", "p2")] {
        near.run(&format!("ip link add {link} type veth peer name {peer}"));
        near.run(&format!("ip link set {link} up"));
        near.run(&format!("ip link set {peer} up"));
        near.run(&format!("ip address add fe80::5/64 dev {link} nodad"));
    }
    let index = near.run("cat /sys/class/net/d2/ifindex").stdout;
    let index = String::from_utf8_lossy(&index).trim().to_owned();
    let hosts = |words: &str| {
        let exit = near
            .inside(probe(&format!("--plain --show all {words}")))
            .run();
        let lines = text(&exit).lines();
        let fields = lines.map(|line| line.split('\t').take(3).collect::<Vec<_>>().join(" "));
        fields.collect::<Vec<_>>()
    };
    let both = "fe80::5%d1 fe80::5%d2 9";
    assert_eq!(hosts(both).len(), 2);
    let left = hosts(&format!("--exclude fe80::5%d1 {both}"));
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(left[0].contains("fe80::5%d2"), "{left:?}");
    for none in ["fe80::5", "fe80::/64"] {
        let words = format!("--exclude {none} {both}");
        let exit = near.inside(probe(&words)).run();
        exit.status(2).says("--exclude leaves nobody");
    }
    let twice = hosts(&format!("[fe80::5%d2]:9 [fe80::5%{index}]:9,10"));
    assert_eq!(twice.len(), 2, "{twice:?}");
}

#[test]
fn a_link_local_address_is_told_with_its_zone_and_takes_it_from_the_interface() {
    let Some((near, far)) = Namespace::pair().filter(|_| need(&["python3"])) else {
        return;
    };
    near.run("ip address add fe80::1/64 dev eth0 nodad");
    far.run("ip address add fe80::2/64 dev eth0 nodad");
    near.run("ip link add other type veth peer name another");
    near.run("ip link set other up");
    let _server = server(&far, &[("::", 9000)]);
    let run = |words: &str| near.inside(probe(words)).run();
    let index = near.run("cat /sys/class/net/eth0/ifindex").stdout;
    let index = String::from_utf8_lossy(&index).trim().to_owned();
    for (words, host) in [
        ("fe80::2%eth0 9000", "fe80::2%eth0"),
        ("--interface eth0 fe80::2 9000", "fe80::2%eth0"),
        (
            &format!("--interface eth0 fe80::2%{index} 9000"),
            &format!("fe80::2%{index}"),
        ),
    ] {
        let plain = run(&format!("--plain --banner {words}"));
        let expected = format!("{host}\tfe80::2%eth0\t9000\ttcp\topen\t");
        assert!(
            text(plain.success()).contains(&expected),
            "{}",
            text(&plain)
        );
        let json = run(&format!("--json {words}"));
        let ports = records(json.success(), "port");
        let open = ports.iter().find(|port| port["state"] == "open").unwrap();
        assert_eq!(
            (&open["host"], &open["addr"]),
            (&host.into(), &"fe80::2%eth0".into())
        );
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("report");
        std::fs::write(&path, &json.stdout).unwrap();
        let merged = probe(&format!("--plain --merge {}", path.display())).run();
        assert!(
            text(merged.success()).contains(&expected),
            "{}",
            text(&merged)
        );
    }
    let report = run("fe80::2%eth0 9000");
    assert!(text(report.success()).starts_with("fe80::2%eth0\n"));
    for (words, kind) in [
        ("--ping fe80::2%eth0", "host"),
        ("--count 1 [fe80::2%eth0]:9000", "latency"),
        ("--wait 5 --interface eth0 [fe80::2]:9000", "port"),
    ] {
        let exit = run(&format!("--json {words}"));
        assert_eq!(records(exit.success(), kind)[0]["addr"], "fe80::2%eth0");
    }
    let exit = run("--interface other fe80::2%eth0 9000");
    exit.status(2)
        .says("--interface other does not lead to fe80::2%eth0");
}

/// What a zone of a command line cannot be called, a record does not call it either.
#[test]
fn a_zone_whose_name_nobody_can_write_is_its_number() {
    let Some(space) = Namespace::new() else {
        return;
    };
    for link in ["мост", "c[d]", "77"] {
        space.run(&format!("ip link add name {link} type veth peer name peer"));
        space.run(&format!("ip link set dev {link} up"));
        space.run("ip link set peer up");
        space.run(&format!("ip address add fe80::5/64 dev {link} nodad"));
        let index = space
            .run(&format!("cat /sys/class/net/{link}/ifindex"))
            .stdout;
        let index = String::from_utf8_lossy(&index).trim().to_owned();
        let address = format!("fe80::5%{index}");
        let json = space.inside(probe(&format!("--json {address} 9"))).run();
        assert_eq!(records(json.status(1), "port")[0]["addr"], *address);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("report");
        std::fs::write(&path, &json.stdout).unwrap();
        let merged = probe(&format!("--plain --merge {}", path.display())).run();
        assert!(
            text(merged.status(1)).contains(&format!("\t{address}\t9\ttcp\tclosed\t")),
            "{}",
            text(&merged)
        );
        space.run("ip link delete peer");
    }
}

#[test]
fn targets_that_the_options_contradict_are_refused() {
    for (words, first, second) in [
        ("-4 ::1 9", "::1", "-4"),
        ("-4 fd00::/120 9", "fd00::/120", "-4"),
        ("-6 127.0.0.1 9", "127.0.0.1", "-6"),
        ("--source ::1 127.0.0.1 9", "127.0.0.1", "--source ::1"),
        ("-4 --source ::1 localhost 9", "--source ::1", "-4"),
        ("--deadline 0 127.0.0.1 9", "--deadline", "write forever"),
        (
            "--try-timeout 0s 127.0.0.1 9",
            "--try-timeout",
            "write forever",
        ),
        ("::1:80", "::1:80", "write [::1]:80"),
    ] {
        probe(words).run().status(2).says(first).says(second);
    }
    probe("-4 --deadline 5s ::ffff:127.0.0.1 9").run().status(1);
}
