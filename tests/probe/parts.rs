//! `--shard`, `--resume`, `--merge`: one job by many machines and in many runs.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use super::{open_port, probe, records, text};
use crate::support::{Exit, Namespace, scratch};

/// Host, address, port and state of each line of `--plain`, in order.
pub(super) fn results<'a>(exits: impl IntoIterator<Item = &'a Exit>) -> Vec<String> {
    let mut all = Vec::new();
    for exit in exits {
        for line in text(exit).lines() {
            let fields: Vec<&str> = line.split('\t').take(5).collect();
            all.push(fields.join(" "));
        }
    }
    all.sort_unstable();
    all
}

#[test]
fn the_shards_of_every_kind_of_target_are_the_whole() {
    let (_listener, open) = open_port("127.0.0.1");
    let dir = tempfile::tempdir().unwrap();
    let list = dir.path().join("hosts");
    fs::write(&list, "127.0.0.3:7,9\n127.0.0.16/30\n").unwrap();
    let file = format!("@{}", list.display());
    for targets in [
        format!("127.0.0.1 1-50,{open}"),
        format!("127.0.0.0/29 --exclude 127.0.0.2-3 127.0.0.20-22 ::1 20-40,{open}"),
        format!("-4 localhost 127.0.0.9:1-9 {file} 40-60,{open}"),
    ] {
        let whole = results([&probe(&format!("--plain {targets}")).run()]);
        for of in [1, 2, 5, 300] {
            let run =
                |number| probe(&format!("--plain --shard {number}/{of} --seed 3 {targets}")).run();
            let numbers = if of == 300 {
                vec![1, 2, 300]
            } else {
                (1..=of).collect()
            };
            let shards: Vec<Exit> = numbers.into_iter().map(run).collect();
            let all = results(&shards);
            if of < 300 {
                assert_eq!(all, whole, "{of} shards of {targets}");
            } else {
                assert!(all.iter().all(|line| whole.contains(line)));
            }
        }
    }
}

#[test]
fn what_would_differ_between_machines_is_refused() {
    let Some(mut space) = Namespace::new() else {
        return;
    };
    let hosts = "127.0.0.1 two one\n127.0.0.2 two\n192.0.2.1 both\nfd00::9 both\n192.0.2.1 pair\n192.0.2.2 pair\n";
    space.replace("/etc/hosts", hosts);
    space.replace("/etc/nsswitch.conf", "hosts: files\n");
    let run = |words: &str| space.inside(probe(words)).run();
    run("--shard 1/2 two 1-9")
        .status(2)
        .says("two has several addresses");
    // Elsewhere another address may be the first that answers.
    run("--shard 1/2 both 1-9")
        .status(2)
        .says("both has several addresses");
    run("--shard 2/2 --exclude 192.0.2.2 pair 1-9")
        .status(2)
        .says("pair has several addresses");
    run("--shard 1/2 -4 --try-timeout 0.1 --tries 1 both 1-9").status(1);
    run("--shard 1/1 --try-timeout 0.1 --tries 1 both 1-9").status(1);
    run("--shard 1/2 one 1-9").status(1);
    run("--shard 1/2 nosuch.invalid one 1-9")
        .status(3)
        .says("nothing is probed");
    run("--shard 1/2 --exclude 127.0.0.1 one 127.0.0.3 1-9")
        .status(2)
        .says("leave the name itself out");
    run("--shard 1/2 --exclude one 127.0.0.3 1-9")
        .status(2)
        .says("write the addresses of one");
}

#[test]
fn a_signal_that_comes_twice_at_once_is_one() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let words = format!(
        "--json --rate 20 --resume {} 127.0.0.1 all",
        state.display()
    );
    loop {
        let running = probe(&words).start();
        running.prints_lines(3);
        // timeout(1) sends each signal to its child, and then to the group that both are in.
        let began = Instant::now();
        (0..100).for_each(|_| running.signal(Signal::TERM));
        let took = began.elapsed();
        let exit = running.wait();
        exit.died_of(libc::SIGTERM);
        // If the machine stood still in between, it was more than one.
        if took < Duration::from_millis(100) {
            assert_eq!(records(&exit, "summary").len(), 1);
            return assert!(state.exists());
        }
    }
}

#[test]
fn a_run_that_was_stopped_goes_on_where_it_was() {
    let (_listener, open) = open_port("127.0.0.1");
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let job = format!("127.0.0.1 ::1 1-150,{open}");
    let whole = results([&probe(&format!("--plain {job}")).run()]);
    for form in ["--plain", "--json"] {
        let words = format!("{form} --resume {} --rate 20 {job}", state.display());
        let mut exits = Vec::new();
        for _ in 0..2 {
            let running = probe(&words).start();
            if form == "--json" {
                running.prints_lines(20);
            } else {
                until_written(&state);
                assert!(running.stays(Duration::from_millis(150)));
            }
            running.signal(Signal::INT);
            let exit = running.wait();
            exit.died_of(libc::SIGINT);
            exits.push(exit);
            assert!(state.exists());
        }
        let other = format!("--resume {} 127.0.0.1 1-151", state.display());
        probe(&other).run().status(2).says("another job");
        let other = format!("--plain --seed 1 --resume {} {job}", state.display());
        probe(&other).run().status(2).says("another job");
        exits.push(probe(&words.replace("--rate 20", "")).run());
        assert!(!state.exists(), "nothing is left over");
        if form == "--plain" {
            assert_eq!(results(&exits), whole);
        } else {
            let reports = exits.iter().flat_map(|exit| records(exit, "port"));
            let mut reports: Vec<String> = reports.map(|record| line_of(&record)).collect();
            reports.sort_unstable();
            assert_eq!(reports, whole);
        }
    }
    fs::write(&state, "my notes\n").unwrap();
    let words = format!("--resume {} {job}", state.display());
    probe(&words)
        .run()
        .status(2)
        .says("was not written by --resume");
    assert_eq!(fs::read_to_string(&state).unwrap(), "my notes\n");
    let exit = probe("--resume /nonexistent/state 127.0.0.1 1").run();
    assert!(exit.failure(3).contains("open /nonexistent/state."));
}

/// A run that was killed while it wrote its file may have had the number of the next one: in a
/// container each has the same.
#[test]
fn what_a_killed_run_left_beside_its_file_is_no_hindrance() {
    let directory = scratch();
    let state = directory.path().join("state");
    let left = format!(": > {}.$$; exec \"$@\"", state.display());
    let (_listener, open) = open_port("127.0.0.1");
    let words = format!("--resume {} 127.0.0.1 {open}", state.display());
    let exit = probe(&words).by_way_of(["sh", "-c", &left, "sh"]).run();
    exit.success();
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

/// Waits until a run has begun, which it says in its file.
fn until_written(state: &Path) {
    crate::support::until("the run has begun", || state.exists());
}

/// A record as `results` has it.
fn line_of(record: &Value) -> String {
    let texts = ["host", "addr", "port", "proto", "state"].map(|name| match &record[name] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    texts.join(" ")
}

#[test]
fn the_files_of_shards_become_one_report() {
    let (_listener, open) = open_port("127.0.0.1");
    let dir = tempfile::tempdir().unwrap();
    let job = format!("127.0.0.1 1-40,{open}");
    let mut files = Vec::new();
    for number in 1..=3 {
        let exit = probe(&format!("--json --shard {number}/3 {job}")).run();
        let path = dir.path().join(format!("{number}.json"));
        fs::write(&path, &exit.stdout).unwrap();
        files.push(path.display().to_string());
    }
    let all = files.join(" ");
    let exit = probe(&format!("--merge {all} --plain")).run();
    exit.success().silent();
    assert_eq!(
        results([&exit]),
        results([&probe(&format!("--plain {job}")).run()])
    );
    let exit = probe(&format!("--merge {all}")).run();
    let told = text(exit.success());
    assert!(
        told.starts_with(&format!("127.0.0.1\n  {open}/tcp  open  ")),
        "{told}"
    );
    assert!(told.contains("\n41 ports, 1 open, in "), "{told}");
    let exit = probe(&format!("--json --merge {all}")).run();
    let summary = &records(exit.success(), "summary")[0];
    assert_eq!(
        (&summary["ports"], &summary["complete"]),
        (&41.into(), &true.into())
    );
    assert_eq!(records(&exit, "port").len(), 41);
    probe(&format!("--all-open --merge {all}")).run().status(1);
    // What merge prints can be merged.
    let merged = dir.path().join("merged.json");
    fs::write(&merged, &exit.stdout).unwrap();
    probe(&format!("--merge {}", merged.display()))
        .run()
        .success();
}

#[test]
fn what_a_merge_lacks_is_told() {
    let (_listener, open) = open_port("127.0.0.1");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("2.json");
    let file = path.display().to_string();
    let exit = probe(&format!(
        "--json --shard 2/3 127.0.0.1:{open} 127.0.0.2 1-40"
    ))
    .run();
    fs::write(&path, &exit.stdout).unwrap();
    let exit = probe(&format!("--merge {file}")).run();
    exit.status(3).says("shards 1, 3 of 3 are missing");
    let mut cut = exit_bytes(&path);
    cut.truncate(cut.len() - 50);
    cut.extend_from_slice(b"\nnonsense\n");
    let lines = cut.split(|byte| *byte == b'\n').count() - 1;
    fs::write(&path, &cut).unwrap();
    let exit = probe(&format!("--merge {file}")).run();
    exit.status(3)
        .says(&format!("line {} of {file}: it is no record", lines - 1))
        .says(&format!("line {lines} of {file}: it is no record"))
        .says("has no summary at its end");
    let exit = probe("--merge /nonexistent/file").run();
    assert!(
        exit.failure(3)
            .contains("open /nonexistent/file: no such file")
    );
}

/// Writes what a probe with `--json` prints into a file, and returns its name.
fn recorded(dir: &Path, name: &str, words: &str) -> String {
    let path = dir.join(name);
    fs::write(&path, probe(&format!("--json {words}")).run().stdout).unwrap();
    path.display().to_string()
}

#[test]
fn records_that_are_missing_are_missed() {
    let (_listener, open) = open_port("127.0.0.1");
    let dir = tempfile::tempdir().unwrap();
    let job = format!("127.0.0.1 1-40,{open}");
    let whole = recorded(dir.path(), "whole", &job);
    let bytes = fs::read(&whole).unwrap();
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let cut = dir.path().join("cut");
    for kept in [0, 5] {
        fs::write(&cut, [&lines[..kept], &lines[41..]].concat().concat()).unwrap();
        for form in ["", "--plain", "--json", "--connect-ex"] {
            let exit = probe(&format!("{form} --merge {}", cut.display())).run();
            let told = format!("lacks {} of the ports that its summary counts", 41 - kept);
            let said = if form == "--json" {
                text(&exit)
            } else {
                &exit.stderr
            };
            assert!(said.contains(&told), "{form}: {said}");
            exit.status(3);
        }
    }
    fs::write(&cut, lines[41]).unwrap();
    let exit = probe(&format!("--merge {}", cut.display())).run();
    assert!(text(exit.status(3)).starts_with("41 ports, 0 open, 41 not determined, "));
    // What --show left out is not missing, though a report that is to list it says so.
    let open_alone = recorded(dir.path(), "open", &format!("--show open {job}"));
    let exit = probe(&format!("--merge {open_alone}")).run();
    assert!(text(exit.success().silent()).contains("\n41 ports, 1 open, in "));
    let exit = probe(&format!("--plain --merge {open_alone}")).run();
    exit.success()
        .says("not listed, as --show had it then: 40 closed");
    let again = recorded(dir.path(), "again", &format!("--merge {open_alone}"));
    let exit = probe(&format!("--merge {again}")).run();
    assert!(text(exit.success()).contains("\n41 ports, 1 open, in "));
}

#[test]
fn bare_lines_are_of_one_host_and_of_tcp() {
    let (_listener, open) = open_port("127.0.0.1");
    let dir = tempfile::tempdir().unwrap();
    let one = recorded(dir.path(), "one", &format!("127.0.0.1 {open},1"));
    let other = recorded(dir.path(), "other", "127.0.0.2 1");
    let udp = recorded(dir.path(), "udp", "-u 127.0.0.1 1");
    let exit = probe(&format!("--connect-ex --merge {one}")).run();
    exit.success().silent();
    assert_eq!(text(&exit), format!("1 111\n{open} 0\n"));
    for (files, hint) in [
        (format!("{one} {other}"), "of several"),
        (format!("{one} {udp}"), "of UDP"),
        (udp, "of UDP"),
    ] {
        let exit = probe(&format!("--connect-ex --merge {files}")).run();
        exit.status(2).says(hint);
        assert_eq!(text(&exit), "");
    }
}

#[test]
fn a_file_that_cannot_be_read_takes_no_other_with_it() {
    let (_listener, open) = open_port("127.0.0.1");
    let dir = tempfile::tempdir().unwrap();
    let one = recorded(dir.path(), "one", &format!("127.0.0.1 {open},1"));
    let missing = format!("{}/missing", dir.path().display());
    for files in [
        format!("{one} {missing}"),
        format!("{missing} {one}"),
        format!("{} {one}", dir.path().display()),
    ] {
        let exit = probe(&format!("--merge {files}")).run();
        exit.failure(3);
        assert!(text(&exit).contains("2 ports, 1 open, "), "{}", text(&exit));
        let exit = probe(&format!("--json --merge {files}")).run();
        let summary = &records(exit.status(3), "summary")[0];
        assert_eq!(summary["complete"], false);
        assert_eq!(records(&exit, "port").len(), 2);
    }
}

#[test]
fn many_lines_that_are_no_records_are_counted_after_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    fs::write(&path, "nonsense\n".repeat(5000)).unwrap();
    let file = path.display().to_string();
    let exit = probe(&format!("--merge {file}")).run();
    exit.status(3)
        .says(&format!("line 10 of {file}: it is no record"))
        .says(&format!("{file}: further lines that are no records: 4990"));
    assert!(!exit.stderr.contains("line 11 of"));
}

/// What a file holds.
fn exit_bytes(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap()
}

#[test]
fn parts_that_cannot_be_meant_are_refused() {
    for (words, hint) in [
        ("--shard 0/3 h 1", "the first part is number 1"),
        ("--shard 4/3 h 1", "there are fewer parts"),
        ("--shard 3 h 1", "such as 1/8"),
        ("--shard 1/3 --all-addresses h 1", "--all-addresses"),
        ("--shard 1/3 --wait 5s h:1", "--shard"),
        ("--resume f --count 5 h:1", "--resume"),
        ("--merge f --shard 1/3", "--shard"),
        ("--seed 1 --merge f", "--seed"),
        ("--merge", "--merge"),
    ] {
        probe(words).run().status(2).says(hint);
    }
}
