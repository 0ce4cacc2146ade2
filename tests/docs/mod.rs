//! What the documents show is executed: every console block of the README and of the tutorial with
//! its output, every example of the manual and of the help texts.
//!
//! In a block `$ ` is this machine. A name before it, as in `server$ `, is another terminal, which
//! is on the other machine if that is its name. What a program prints is shown below its command; a
//! line `^C` is where it is interrupted, after all that stands below it in the same section. `...`
//! stands for any number of lines. Times, rates and ports that the system picks may differ; after
//! `<!-- numbers vary -->` all numbers may.

mod examples;
mod known;
mod machines;
mod matching;
mod page;
mod records;
mod shell;

use std::fs;

use crate::support::need;

use machines::Machines;
use page::Section;
use shell::Shell;

/// Executes the console blocks of those sections of a document whose titles are `wanted`; each starts
/// with fresh terminals. The one called `elsewhere` is on the other machine.
fn execute(path: &str, elsewhere: &str, wanted: impl Fn(&str) -> bool) {
    let path = format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(&path).expect("a document");
    let mut sections = page::sections(&text);
    sections.retain(|section| wanted(&section.title));
    assert!(!sections.is_empty(), "{path} shows nothing");
    let Some(machines) = Machines::new() else {
        return;
    };
    let wrong: Vec<String> = sections
        .iter()
        .filter_map(|section| perform(section, &machines, elsewhere).err())
        .collect();
    assert!(wrong.is_empty(), "{path}\n{}", wrong.join("\n"));
}

/// Types the commands of a section, and compares what comes with what is shown.
fn perform(section: &Section, machines: &Machines, elsewhere: &str) -> Result<(), String> {
    let mut shells: Vec<(&str, Shell)> = Vec::new();
    for command in &section.commands {
        let name = command.terminal.as_str();
        if !shells.iter().any(|(known, _)| *known == name) {
            let shell = if name == elsewhere {
                Shell::new(&machines.far, machines.far_files())
            } else {
                Shell::new(&machines.near, machines.near_files())
            };
            shells.push((name, shell));
        }
        let (_, shell) = shells
            .iter_mut()
            .find(|(known, _)| *known == name)
            .expect("a terminal");
        shell.finish()?;
        shell.begin(command)?;
    }
    // Who was started last is finished first: clients before their server.
    shells
        .iter_mut()
        .rev()
        .try_for_each(|(_, shell)| shell.finish())
}

#[test]
fn what_the_readme_shows_is_what_happens() {
    execute("README.md", "host", |_| true);
}

#[test]
fn what_the_tutorial_shows_is_what_happens() {
    execute("docs/tutorial.md", "other", |_| true);
}

/// Executes the examples of one command.
fn examples_of(command: &str) {
    if !need(&["jq"]) {
        return;
    }
    execute("tests/docs/examples.md", "host", |title| {
        title == "Files" || title.split(':').next() == Some(command)
    });
}

#[test]
fn the_examples_of_connect_work() {
    examples_of("connect");
}

#[test]
fn the_examples_of_listen_work() {
    examples_of("listen");
}

#[test]
fn the_examples_of_probe_work() {
    examples_of("probe");
}

#[test]
fn the_examples_of_ifaces_work() {
    examples_of("ifaces");
}

#[test]
fn the_examples_of_buffers_work() {
    examples_of("buffers");
}

#[test]
fn the_examples_of_man_and_completions_work() {
    if !need(&["man"]) {
        return;
    }
    examples_of("man");
    examples_of("completions");
}
