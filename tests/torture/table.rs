//! `tests/README.md` says what is tested: its tests exist, and it has every row.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::process::Command;

use crate::support::alone;

/// How many rows each part of the table has.
const PARTS: [(char, usize); 9] = [
    ('A', 15),
    ('B', 13),
    ('C', 11),
    ('D', 15),
    ('E', 12),
    ('F', 10),
    ('G', 8),
    ('H', 10),
    ('J', 5),
];

/// The rows of the table: number, case, tests, result.
fn rows(text: &str) -> Vec<Vec<&str>> {
    let table = text.lines().filter(|line| line.starts_with("| "));
    let cells = table.map(|line| line.trim_matches('|').split('|').map(str::trim).collect());
    let is_row = |row: &Vec<&str>| {
        let number = row.first().and_then(|number| number.get(1..));
        row.len() == 4 && number.is_some_and(|number| number.parse::<u8>().is_ok())
    };
    cells.filter(is_row).collect()
}

/// The names between backticks.
fn names(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

#[test]
fn the_table_is_whole_and_its_tests_exist() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/README.md");
    let text = fs::read_to_string(path).unwrap();
    let rows = rows(&text);
    let found: Vec<_> = rows.iter().map(|row| row[0].to_owned()).collect();
    let all: Vec<_> = PARTS
        .iter()
        .flat_map(|(part, count)| (1..=*count).map(move |number| format!("{part}{number}")))
        .collect();
    assert_eq!(found, all);
    let mut list = Command::new(env::current_exe().unwrap());
    let list = alone(|| list.arg("--list").output()).unwrap();
    let list = String::from_utf8(list.stdout).unwrap();
    let tests: BTreeSet<_> = list
        .lines()
        .filter_map(|line| line.strip_suffix(": test"))
        .collect();
    for row in &rows {
        let named: Vec<_> = names(row[2]).collect();
        let open = row[3].starts_with("not yet") || row[3].starts_with("skipped: ");
        assert!(
            !named.is_empty() || open,
            "{row:?}: neither a test nor a reason"
        );
        for name in named {
            // A module of tests, or one of them.
            let exists = tests.contains(name)
                || tests
                    .iter()
                    .any(|test| test.starts_with(&format!("{name}::")));
            let elsewhere = fs::exists(name).unwrap_or(false);
            assert!(exists || elsewhere, "{}: there is no {name}", row[0]);
        }
    }
}
