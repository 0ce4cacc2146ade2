//! What belongs to different subjects of `probe`, used at the same time.

use std::fs;

use super::parts::results;
use super::{answered, probe, records, server, text, udp};
use crate::support::{CONTROL_C, Exit, Namespace, Terminal, in_some_try, need};

#[test]
fn shards_of_both_transports_are_the_whole_and_become_one_report() {
    let Some(space) = Namespace::new().filter(|_| need(&["python3"])) else {
        return;
    };
    let _udp = udp::server(&space, "127.0.0.1", &[("dns", 53), ("echo", 7777)]);
    let _tcp = server(&space, &[("127.0.0.1", 22), ("127.0.0.2", 53)]);
    let dir = tempfile::tempdir().unwrap();
    let job = "--banner 127.0.0.1 127.0.0.2 t:20-60,u:50-60,7777";
    let run = |words: String| space.inside(probe(&words)).run();
    let opens = |exit: &Exit| {
        let is_open = |line: &&str| line.contains("\tudp\topen\t");
        text(exit).lines().filter(is_open).count() == 2
    };
    let whole = answered(|| run(format!("--plain {job}")), opens);
    let expected = results([&whole]);
    assert_eq!(expected.len(), 2 * (41 + 12));
    // The servers are programs, and may be held up.
    in_some_try(|| {
        let shard = |number| run(format!("--plain --shard {number}/4 {job}"));
        let shards: Vec<Exit> = (1..=4).map(shard).collect();
        results(&shards) == expected
    });
    let names: Vec<String> = (1..=4)
        .map(|number| dir.path().join(number.to_string()).display().to_string())
        .collect();
    let files = names.join(" ");
    in_some_try(|| {
        for (number, name) in (1..).zip(&names) {
            let exit = run(format!("--json --shard {number}/4 {job}"));
            fs::write(name, &exit.stdout).unwrap();
        }
        let merged = probe(&format!("--plain --merge {files}")).run();
        results([&merged]) == expected
    });
    let merged = probe(&format!("--plain --banner --merge {files}")).run();
    assert_eq!(results([merged.success()]), expected);
    let fields = |line: &str| line.split('\t').count();
    assert!(text(&merged).lines().all(|line| fields(line) == 11));
    assert!(text(&merged).contains("\t7777\tudp\topen\t"));
    let merged = probe(&format!("--json --merge {files}")).run();
    let echo = records(merged.success(), "port")
        .into_iter()
        .find(|port| port["port"] == 7777 && port["state"] == "open");
    assert_eq!(echo.unwrap()["service"], "echo");
}

#[test]
fn a_part_that_was_stopped_goes_on_with_its_udp_ports() {
    let Some((near, far)) = Namespace::pair().filter(|_| need(&["nft"])) else {
        return;
    };
    far.rules("table ip t {\nchain i {\ntype filter hook input priority 0;\nudp dport >= 1000 drop\n}\n}\n");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("left");
    let resume = |words: &str| {
        let words = format!("--plain --resume {} {words}", file.display());
        near.inside(probe(&words)).run()
    };
    let job = "10.77.0.2 t:20-29,u:999-1009";
    let first = resume(&format!("--deadline 700ms --seed 5 {job}"));
    first.status(3);
    let left = fs::read_to_string(&file).unwrap();
    assert!(left.contains("\"next\":"), "{left}");
    let second = resume(&format!("--seed 5 {job}"));
    second.status(1);
    assert!(!file.exists());
    let known = |line: &String| !line.ends_with(" undetermined");
    let mut all: Vec<_> = results([&first, &second])
        .into_iter()
        .filter(known)
        .collect();
    all.dedup();
    assert_eq!(all.len(), 21, "{all:?}");
}

#[test]
fn a_terminal_shows_how_far_a_survey_is_and_fast_is_no_obstacle() {
    let Some((near, far)) = Namespace::pair().filter(|_| need(&["nft", "setsid"])) else {
        return;
    };
    far.rules("table ip t {\nchain i {\ntype filter hook input priority 0;\nmeta l4proto udp drop\n}\n}\n");
    let mut terminal = Terminal::new();
    let words = "--fast -u --try-timeout 50s 10.77.0.2 1000-1099";
    let running = terminal.hosts(near.inside(probe(words))).start();
    terminal.shows("0%, 0 open, ");
    terminal.types(CONTROL_C);
    running.wait().died_of(libc::SIGINT);
    terminal.shows("100 not determined, stopped after ");
}

#[test]
fn a_report_of_hosts_is_none_of_ports() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hosts.json");
    let exit = probe("--json --ping 127.0.0.1").run();
    fs::write(&path, &exit.success().stdout).unwrap();
    let merge = probe(&format!("--merge {}", path.display())).run();
    merge.status(3).says("--ping");
}

#[test]
fn what_does_not_go_together_is_refused() {
    for (words, first, second) in [
        ("--ping --shard 1/2 h 1", "--ping", "--shard"),
        ("--ping --resume f h 1", "--ping", "--resume"),
        ("--ping --merge f", "--ping", "--merge"),
        ("-u --merge f", "--udp", "--merge"),
        ("--fast --merge f", "--fast", "--merge"),
        ("--wait 5s --banner h:1", "--wait", "--banner"),
        ("--wait 5s --ping h:1", "--wait", "--ping asks hosts"),
        ("--wait 5s --ping h 22", "--wait", "--ping asks hosts"),
        ("--wait 5s --ping h unix:/s", "--wait", "--ping asks hosts"),
        ("--count 5 --ping -p 22 h", "--count", "--ping asks hosts"),
        (
            "--wait 5s --ping --until-closed h",
            "--until-closed",
            "--ping",
        ),
        ("--wait 5s --patience 1s h:1", "--wait", "--patience"),
        ("--wait 5s --connect-ex h:1", "--wait", "--connect-ex"),
        ("--wait 5s -u h", "--wait", "write h:PORT"),
        ("--count 5 -u h", "--count", "write h:PORT"),
        ("--count 5 --banner h:1", "--count", "--banner"),
        ("--connect-ex -u h 1", "--connect-ex", "--udp"),
    ] {
        probe(words).run().status(2).says(first).says(second);
    }
}
