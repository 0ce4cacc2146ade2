//! The examples of the manual and of the help texts: each of them is executed in one of the documents.

use std::collections::BTreeSet;
use std::fs;

use crate::support::nettool;

use super::page;

/// The documents that are executed.
const DOCUMENTS: [&str; 3] = ["README.md", "docs/tutorial.md", "tests/docs/examples.md"];

/// Examples that another test executes, for they need more than a terminal.
const ELSEWHERE: [&str; 1] = ["ssh -o ProxyCommand='nettool connect %h %p' host"];

/// Commands that have help.
const COMMANDS: [&str; 12] = [
    "",
    "ifaces",
    "connect",
    "listen",
    "probe",
    "buffers",
    "buffers fill",
    "buffers list",
    "buffers watch",
    "buffers advise",
    "man",
    "completions",
];

#[test]
fn every_example_is_executed() {
    let executed: BTreeSet<String> = DOCUMENTS.iter().flat_map(|path| commands(path)).collect();
    let shown = pages().chain(COMMANDS.iter().flat_map(|command| help(command)));
    let missing: BTreeSet<String> = shown
        .filter(|example| !executed.contains(example) && !ELSEWHERE.contains(&example.as_str()))
        .collect();
    let missing: Vec<String> = missing.into_iter().collect();
    assert!(missing.is_empty(), "not executed:\n{}", missing.join("\n"));
}

/// The commands of a document.
fn commands(path: &str) -> Vec<String> {
    let path = format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(path).expect("a document");
    let sections = page::sections(&text);
    let commands = sections.into_iter().flat_map(|section| section.commands);
    commands.map(|command| command.text).collect()
}

/// The examples of all manual pages.
fn pages() -> impl Iterator<Item = String> {
    let pages = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/man")).expect("the manual");
    pages.flat_map(|page| {
        let text = fs::read_to_string(page.expect("a page").path()).expect("a page");
        let found = examples(&text);
        assert!(!found.is_empty(), "a page without examples: {text}");
        found
    })
}

/// The examples of a page: what stands after `.TP` in that section.
fn examples(page: &str) -> Vec<String> {
    let lines = page.lines().skip_while(|line| *line != ".SH EXAMPLES");
    let lines: Vec<&str> = lines
        .skip(1)
        .take_while(|line| !line.starts_with(".SH"))
        .collect();
    let after = lines.windows(2).filter(|pair| pair[0] == ".TP");
    after.map(|pair| plain(pair[1])).collect()
}

/// A line of roff as it is printed.
fn plain(line: &str) -> String {
    let line = line.replace("\\fB", "").replace("\\fR", "");
    let line = line.replace("\\fI", "").replace("\\-", "-");
    line.replace(" \\&...", "")
        .replace("\\(aq", "'")
        .replace("\\e", "\\")
}

/// The examples in the help of a command; a comment begins after two spaces.
fn help(command: &str) -> Vec<String> {
    let exit = nettool(command.split_whitespace().chain(["--help"])).run();
    let text = String::from_utf8(exit.success().stdout.clone()).expect("text");
    let lines = text.lines().skip_while(|line| *line != "Examples:");
    let examples = lines
        .skip(1)
        .map_while(|line| line.strip_prefix("  "))
        .map(|line| line.split("  ").next().unwrap_or_default().to_owned())
        .filter(|example| !example.is_empty());
    let examples: Vec<String> = examples.collect();
    assert!(
        !examples.is_empty(),
        "the help of {command:?} has no examples"
    );
    examples
}
