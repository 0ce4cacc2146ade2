//! What the documents show is executed: every console block of the README and of the tutorial with
//! its output, every example of the manual and of the help texts.
//!
//! In a block `$ ` is this machine. A name before it, as in `server$ `, is another terminal, which
//! is on the other machine if that is its name. What a program prints is shown below its command; a
//! line `^C` is where it is interrupted, after all that stands below it in the same section. `...`
//! stands for any number of lines. Times, rates and ports that the system picks may differ; after
//! `<!-- numbers vary -->` all numbers may.

mod examples;
mod machines;
mod matching;
mod page;
mod shell;

use std::fs;

use machines::Machines;
use page::Section;
use shell::Shell;

/// Executes every console block of a document; each section starts with fresh terminals.
fn execute(path: &str, here: &str, elsewhere: &str) {
    let path = format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(&path).expect("a document");
    let sections = page::sections(&text);
    assert!(!sections.is_empty(), "{path} shows nothing");
    let Some(machines) = Machines::new() else {
        return;
    };
    let wrong: Vec<String> = sections
        .iter()
        .filter_map(|section| perform(section, &machines, here, elsewhere).err())
        .collect();
    assert!(wrong.is_empty(), "{path}\n{}", wrong.join("\n"));
}

/// Types the commands of a section, and compares what comes with what is shown.
fn perform(
    section: &Section,
    machines: &Machines,
    here: &str,
    elsewhere: &str,
) -> Result<(), String> {
    let mut shells: Vec<(&str, Shell)> = Vec::new();
    for command in &section.commands {
        let name = command.terminal.as_str();
        if !shells.iter().any(|(known, _)| *known == name) {
            let shell = if name == elsewhere && name != here {
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
    execute("README.md", "", "host");
}

#[test]
fn what_the_tutorial_shows_is_what_happens() {
    execute("docs/tutorial.md", "", "other");
}

#[test]
fn the_examples_of_the_manual_work() {
    execute("tests/docs/examples.md", "", "host");
}
