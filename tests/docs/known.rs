//! What somebody knows from elsewhere stands in two tables, and both say the same.

use std::fs;

/// Programs that people come from.
const PROGRAMS: [&str; 13] = [
    "nc ",
    "ncat ",
    "socat ",
    "nmap ",
    "rustscan ",
    "tcping ",
    "wait-for-it ",
    "ifconfig",
    "ip address",
    "ipconfig",
    "ss ",
    "pv ",
    "ping ",
];

/// A file of this package.
fn file(path: &str) -> String {
    fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).expect("a document")
}

/// What is known and what to write, in the README.
fn readme() -> Vec<(String, String)> {
    let text = file("README.md").replace("\\|", "\0");
    let rows = text
        .lines()
        .skip_while(|line| !line.starts_with("| if you know "))
        .skip(2);
    let rows = rows.map_while(|row| {
        row.strip_prefix("| ")?
            .strip_suffix(" |")?
            .split_once(" | ")
    });
    let plain = |cell: &str| cell.replace('`', "").replace('\0', "|");
    rows.map(|(known, write)| (plain(known), plain(write)))
        .collect()
}

/// The same in the manual.
fn manual() -> Vec<(String, String)> {
    let text = file("man/nettool.1");
    let text = text.replace("\\fB", "").replace("\\fR", "");
    let text = text.replace("\\-", "-");
    let section = text.split(".SH ").find(|part| part.starts_with("IF YOU"));
    let entries = section.expect("the section").split(".TP\n").skip(1);
    let entries = entries.filter_map(|entry| entry.trim_end().split_once('\n'));
    entries
        .map(|(known, write)| (known.to_owned(), write.replace('\n', " ")))
        .collect()
}

#[test]
fn what_is_known_is_the_same_in_readme_and_manual() {
    let rows = readme();
    assert_eq!(rows, manual());
    for program in PROGRAMS {
        let is_named = |(known, _): &(String, String)| {
            let mut commands = known.split(", ");
            commands.any(|command| {
                command.starts_with(program) || command.contains(&format!("| {program}"))
            })
        };
        assert!(rows.iter().any(is_named), "nobody comes from {program}");
    }
}
