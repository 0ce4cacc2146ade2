//! Files of shards as they are, and as they should not be.

use super::super::line::{Line, Reasons};
use super::{Fold, Merged};
use nettool::probe::State;

/// That a run lists open ports alone.
const LISTS_OPEN: &str = r#","listed":["open"]"#;

/// The record of a port of 10.0.0.1.
fn port(port: u16, state: &str) -> String {
    format!(
        r#"{{"v":1,"type":"port","host":"h","addr":"10.0.0.1","port":{port},"proto":"tcp","state":"{state}","errno":0,"errname":null,"reason":"syn-ack","icmp":null,"rtt_us":5,"tries":1,"service":null,"banner":null}}"#
    )
}

/// The summary of a run: how many ports, open and closed, and what of a job it is.
fn summary(ports: u64, open: u64, closed: u64, part: &str) -> String {
    let left = ports - open - closed;
    format!(
        r#"{{"v":1,"type":"summary","ports":{ports},"open":{open},"closed":{closed},"rejected":0,"filtered":0,"open_filtered":0,"unreachable":0,"undetermined":{left},"probes_sent":{ports},"elapsed_us":7,"complete":{}{part}}}"#,
        left == 0
    )
}

/// That a run is of shard `number` of two, which has so many ports.
fn part(number: u32, ports: u64) -> String {
    format!(r#","job":"cafe","seed":0,"shard":{number},"shards":2,"share_ports":{ports}"#)
}

/// Merges files.
fn merge(files: &[Vec<String>]) -> Merged {
    let (mut fold, mut reasons) = (Fold::default(), Reasons::default());
    for (number, lines) in files.iter().enumerate() {
        fold.begin(&format!("{number}.json"));
        for line in lines {
            fold.take(Line::read(line.as_bytes(), &mut reasons).unwrap());
        }
        fold.end();
    }
    fold.finish()
}

/// Ports, open, closed, undetermined.
fn figures(merged: &Merged) -> [u64; 4] {
    let summary = &merged.summary;
    [
        summary.ports,
        summary.open,
        summary.closed,
        summary.undetermined,
    ]
}

#[test]
fn all_shards_are_the_whole() {
    let merged = merge(&[
        vec![
            port(1, "open"),
            port(3, "closed"),
            summary(2, 1, 1, &part(1, 2)),
        ],
        vec![port(2, "closed"), summary(1, 0, 1, &part(2, 1))],
    ]);
    assert_eq!(figures(&merged), [3, 1, 2, 0]);
    assert!(merged.summary.complete && merged.problems.is_empty() && !merged.is_doubtful);
}

#[test]
fn ports_that_are_counted_and_not_listed_count() {
    let of = |number, ports| part(number, ports) + LISTS_OPEN;
    let merged = merge(&[
        vec![port(1, "open"), summary(2000, 1, 1999, &of(1, 2000))],
        vec![summary(1999, 0, 1999, &of(2, 1999))],
    ]);
    assert_eq!(figures(&merged), [3999, 1, 3998, 0]);
    assert!(merged.summary.complete && !merged.is_doubtful);
    assert_eq!(
        merged.unlisted.into_iter().collect::<Vec<_>>(),
        [(State::Closed, 3998)]
    );
}

#[test]
fn ports_that_a_run_counts_and_should_list_are_missed() {
    let whole = [
        port(1, "open"),
        port(2, "open"),
        port(3, "closed"),
        summary(3, 2, 1, ""),
    ];
    for missing in [&[0][..], &[2], &[1, 2], &[0, 1, 2]] {
        let lines = whole.iter().enumerate();
        let lines = lines.filter(|(number, _)| !missing.contains(number));
        let merged = merge(&[lines.map(|(_, line)| line.clone()).collect()]);
        assert!(merged.is_doubtful && !merged.summary.complete, "{merged:?}");
        let number = missing.len();
        let told = format!("0.json lacks {number} of the ports that its summary counts");
        assert_eq!(merged.problems, [told]);
        assert_eq!(figures(&merged)[3], number as u64);
    }
    // Of the states that were to be listed none may be missing either.
    let merged = merge(&[vec![port(1, "open"), summary(9, 2, 7, LISTS_OPEN)]]);
    assert_eq!(figures(&merged), [9, 1, 7, 1]);
    assert!(merged.is_doubtful);
    let merged = merge(&[vec![port(1, "open"), port(2, "open"), summary(1, 1, 0, "")]]);
    assert_eq!(
        merged.problems,
        ["0.json lists more ports than its summary counts, by 1"]
    );
}

#[test]
fn a_name_has_one_address_in_all_parts_of_a_job() {
    let moved = port(2, "closed").replace("10.0.0.1", "10.0.0.2");
    let first = vec![port(1, "closed"), summary(1, 0, 1, &part(1, 1))];
    let merged = merge(&[first, vec![moved.clone(), summary(1, 0, 1, &part(2, 1))]]);
    assert_eq!(merged.problems, ["h has other addresses in other shards"]);
    assert!(merged.is_doubtful);
    let merged = merge(&[vec![port(1, "closed"), moved, summary(2, 0, 2, "")]]);
    assert!(!merged.is_doubtful);
}

#[test]
fn a_name_may_have_another_address_in_another_job() {
    let of = |job: &str, number| part(number, 1).replace("cafe", job);
    let job = |job: &str, address: &str| {
        [1, 2].map(|number| {
            let port = port(number, "closed").replace("10.0.0.1", address);
            vec![port, summary(1, 0, 1, &of(job, number.into()))]
        })
    };
    let merged = merge(&[job("cafe", "10.0.0.1"), job("beef", "10.0.0.2")].concat());
    let told = "the files are of 2 jobs with other targets, ports, seeds or numbers of shards";
    assert_eq!(merged.problems, [told]);
}

#[test]
fn a_run_and_its_resumption_are_one() {
    let stopped = vec![port(1, "open"), summary(3, 1, 0, &part(1, 3))];
    let other = vec![summary(0, 0, 0, &part(2, 0))];
    let half = merge(&[stopped.clone(), other.clone()]);
    assert_eq!(figures(&half), [3, 1, 0, 2]);
    assert!(!half.summary.complete);
    let rest = vec![
        port(2, "closed"),
        port(3, "closed"),
        summary(2, 0, 2, &part(1, 3)),
    ];
    let merged = merge(&[stopped, rest, other]);
    assert_eq!(figures(&merged), [3, 1, 2, 0]);
    assert!(merged.summary.complete && !merged.is_doubtful);
}

#[test]
fn what_was_counted_twice_is_told() {
    let one = vec![summary(9, 0, 9, &(part(1, 9) + LISTS_OPEN))];
    let merged = merge(&[one.clone(), one, vec![summary(0, 0, 0, &part(2, 0))]]);
    assert!(merged.is_doubtful, "{merged:?}");
    assert!(merged.problems[0].contains("probed twice"));
}

#[test]
fn missing_shards_are_told() {
    let merged = merge(&[vec![port(1, "open"), summary(1, 1, 0, &part(2, 1))]]);
    assert!(merged.is_doubtful && !merged.summary.complete);
    assert_eq!(merged.problems, ["shard 1 of 2 is missing"]);
}

#[test]
fn a_run_that_was_cut_off_is_told() {
    for lines in [vec![port(1, "open")], vec![]] {
        let merged = merge(&[vec![summary(0, 0, 0, "")], lines]);
        assert!(merged.is_doubtful);
        assert!(merged.problems[0].starts_with("1.json has no summary"));
    }
}

#[test]
fn what_is_told_twice_counts_once_and_contradictions_are_told() {
    let one = vec![port(1, "open"), port(2, "closed"), summary(2, 1, 1, "")];
    let merged = merge(&[one.clone(), one.clone()]);
    assert_eq!(figures(&merged), [2, 1, 1, 0]);
    assert!(!merged.is_doubtful);
    assert!(
        merged.problems[0].starts_with("ports that are told more than once, and counted once: 2")
    );
    let other = vec![port(1, "closed"), port(2, "closed"), summary(2, 0, 2, "")];
    for files in [[one.clone(), other.clone()], [other, one]] {
        let merged = merge(&files);
        assert_eq!(figures(&merged), [2, 1, 1, 0]);
        assert!(merged.is_doubtful);
        assert!(
            merged.problems[0].starts_with("h port 1/tcp is "),
            "{:?}",
            merged.problems
        );
    }
}

/// A damaged or hostile file may say of itself that it is one of billions.
#[test]
fn missing_shards_are_told_in_few_words() {
    let shard = |number: u32, of: u32| {
        let part =
            format!(r#","job":"cafe","seed":0,"shard":{number},"shards":{of},"share_ports":0"#);
        vec![summary(0, 0, 0, &part)]
    };
    let told = |files: &[Vec<String>]| merge(files).problems.join("; ");
    let of_ten = [shard(1, 10), shard(2, 10), shard(5, 10), shard(7, 10)];
    assert_eq!(told(&of_ten), "shards 3, 4, 6, 8-10 of 10 are missing");
    assert_eq!(told(&[shard(1, 2)]), "shard 2 of 2 is missing");
    let most = u32::MAX;
    let text = format!("shards 1-{} of {most} are missing", most - 1);
    assert_eq!(told(&[shard(most, most)]), text);
}

#[test]
fn many_contradictions_are_counted_after_the_first() {
    let ports = |state| (1..=30).map(move |number| port(number, state));
    let first = ports("open").chain([summary(30, 30, 0, "")]).collect();
    let second = ports("closed").chain([summary(30, 0, 30, "")]).collect();
    let merged = merge(&[first, second]);
    let told = merged.problems.iter();
    assert_eq!(told.filter(|text| text.contains("is open in")).count(), 10);
    let rest = "further ports that have different states in different files: 20";
    assert!(merged.problems.iter().any(|text| text == rest));
    assert!(merged.is_doubtful);
}
