//! The manual and the completions, made from the types of the command line. Compiled for the tests
//! alone: one of them makes the files and compares them with those that are committed.

use std::fs;
use std::path::Path;

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;

use super::Arguments;

/// The parts of a page that are written by hand.
struct Page {
    /// The name of the page: that of the command, after `nettool-`.
    name: &'static str,
    /// The sections after the options.
    sections: &'static [&'static str],
}

const PAGES: &[Page] = &[
    Page {
        name: "nettool",
        sections: &[
            include_str!("manual/nettool.roff"),
            include_str!("manual/nettool-end.roff"),
            include_str!("manual/values.roff"),
            include_str!("manual/json.roff"),
            include_str!("manual/environment.roff"),
            include_str!("manual/environment-path.roff"),
        ],
    },
    Page {
        name: "nettool-ifaces",
        sections: &[
            include_str!("manual/ifaces.roff"),
            include_str!("manual/exit-status-report.roff"),
            include_str!("manual/report.roff"),
            include_str!("manual/environment.roff"),
            include_str!("manual/ifaces-compared.roff"),
        ],
    },
    Page {
        name: "nettool-connect",
        sections: &[
            include_str!("manual/connect.roff"),
            include_str!("manual/datagrams.roff"),
            include_str!("manual/end-of-file.roff"),
            include_str!("manual/progress.roff"),
            include_str!("manual/shaping.roff"),
            include_str!("manual/exit-status.roff"),
            include_str!("manual/signals.roff"),
            include_str!("manual/environment.roff"),
            include_str!("manual/environment-path.roff"),
            include_str!("manual/json-session.roff"),
            include_str!("manual/connect-compared.roff"),
        ],
    },
    Page {
        name: "nettool-listen",
        sections: &[
            include_str!("manual/listen.roff"),
            include_str!("manual/datagrams.roff"),
            include_str!("manual/end-of-file.roff"),
            include_str!("manual/progress.roff"),
            include_str!("manual/shaping.roff"),
            include_str!("manual/exit-status.roff"),
            include_str!("manual/signals.roff"),
            include_str!("manual/environment.roff"),
            include_str!("manual/environment-path.roff"),
            include_str!("manual/json-session.roff"),
            include_str!("manual/listen-compared.roff"),
        ],
    },
    Page {
        name: "nettool-probe",
        sections: &[
            include_str!("manual/probe.roff"),
            include_str!("manual/probe-end.roff"),
            include_str!("manual/environment.roff"),
            include_str!("manual/probe-compared.roff"),
        ],
    },
    Page {
        name: "nettool-buffers",
        sections: &[
            include_str!("manual/buffers.roff"),
            include_str!("manual/exit-status-report.roff"),
            include_str!("manual/report.roff"),
            include_str!("manual/environment.roff"),
            include_str!("manual/buffers-compared.roff"),
        ],
    },
    Page {
        name: "nettool-buffers-fill",
        sections: &[
            include_str!("manual/buffers-fill.roff"),
            include_str!("manual/exit-status-report.roff"),
            include_str!("manual/report.roff"),
            include_str!("manual/environment.roff"),
            include_str!("manual/buffers-fill-compared.roff"),
        ],
    },
    Page {
        name: "nettool-buffers-list",
        sections: &[
            include_str!("manual/buffers-list.roff"),
            include_str!("manual/exit-status-report.roff"),
            include_str!("manual/report.roff"),
            include_str!("manual/environment.roff"),
            include_str!("manual/buffers-list-compared.roff"),
        ],
    },
    Page {
        name: "nettool-buffers-advise",
        sections: &[
            include_str!("manual/buffers-advise.roff"),
            include_str!("manual/exit-status-report.roff"),
            include_str!("manual/report.roff"),
            include_str!("manual/environment.roff"),
            include_str!("manual/buffers-advise-compared.roff"),
        ],
    },
    Page {
        name: "nettool-buffers-watch",
        sections: &[
            include_str!("manual/buffers-watch.roff"),
            include_str!("manual/exit-status-report.roff"),
            include_str!("manual/report.roff"),
            include_str!("manual/environment.roff"),
            include_str!("manual/buffers-watch-compared.roff"),
        ],
    },
];

/// The sections that each page of a command has.
const SECTIONS: [&str; 9] = [
    "SYNOPSIS",
    "EXAMPLES",
    "EXIT STATUS",
    "END OF FILE",
    "SIGNALS",
    "ENVIRONMENT",
    "JSON",
    "COMPARED WITH",
    "SEE ALSO",
];

/// The committed completions.
const COMPLETIONS: [(Shell, &str); 5] = [
    (Shell::Bash, "nettool.bash"),
    (Shell::Elvish, "nettool.elv"),
    (Shell::Fish, "nettool.fish"),
    (Shell::PowerShell, "_nettool.ps1"),
    (Shell::Zsh, "_nettool"),
];

/// The whole command line, with what belongs to every command in every command.
fn program() -> Command {
    let mut program = Arguments::command();
    program.build();
    program
}

/// One page in roff.
fn page(page: &Page) -> String {
    let program = program();
    let names = page.name.split('-').skip(1);
    let mut command = names.fold(program, |command, name| {
        let found = command.find_subcommand(name);
        found.expect("a command of this name").clone()
    });
    let command_has_commands = command.has_subcommands();
    let usage = command.render_usage().to_string();
    let man = Man::new(command.name(page.name)).title(page.name);
    let mut out = Vec::new();
    man.render_title(&mut out).expect("written to memory");
    man.render_name_section(&mut out)
        .expect("written to memory");
    out.extend_from_slice(synopsis(&usage).as_bytes());
    man.render_description_section(&mut out)
        .expect("written to memory");
    if command_has_commands {
        out.extend_from_slice(commands(&man).as_bytes());
    }
    out.extend_from_slice(options(&man).as_bytes());
    for section in page.sections {
        out.extend_from_slice(section.as_bytes());
    }
    out.extend_from_slice(see_also(page.name).as_bytes());
    String::from_utf8(out).expect("roff is text")
}

/// The commands as a section. Those that have no page are named as they are typed.
fn commands(man: &Man) -> String {
    let mut out = Vec::new();
    man.render_subcommands_section(&mut out)
        .expect("written to memory");
    let mut text = String::from_utf8(out).expect("roff is text");
    for name in ["man", "completions"] {
        text = text.replace(&format!("nettool\\-{name}(1)"), &format!("nettool {name}"));
    }
    text
}

/// All other pages, and those of other programs that are read beside this one.
fn see_also(name: &str) -> String {
    let names = PAGES.iter().map(|page| page.name);
    let others = names.filter(|other| *other != name);
    let others = others.map(|other| format!("\\fB{}\\fR(1),\n", other.replace('-', "\\-")));
    let elsewhere = include_str!("manual/see-also.roff");
    format!(".SH SEE ALSO\n{}{elsewhere}", others.collect::<String>())
}

/// The options as sections. What the short help leaves out is a paragraph of its own on the screen;
/// here it is the next sentence.
fn options(man: &Man) -> String {
    let mut out = Vec::new();
    man.render_options_section(&mut out)
        .expect("written to memory");
    String::from_utf8(out)
        .expect("roff is text")
        .replace("\n.br\n\n.br\n", "\n.sp\n")
        .replace("\n\n", ".\n")
}

/// The usage lines as a section.
fn synopsis(usage: &str) -> String {
    let lines = usage.trim_start_matches("Usage:").lines();
    let lines: Vec<String> = lines.map(|line| line.trim().replace('-', "\\-")).collect();
    format!(".SH SYNOPSIS\n.nf\n{}\n.fi\n", lines.join("\n"))
}

/// The completions of one shell.
fn completions(shell: Shell) -> String {
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "nettool", &mut out);
    with_interfaces(
        shell,
        &String::from_utf8(out).expect("completions are text"),
    )
}

/// The completions of a shell with the names of interfaces, which no generator knows.
fn with_interfaces(shell: Shell, text: &str) -> String {
    match shell {
        Shell::Bash => {
            let end = "if [[ \"${BASH_VERSINFO[0]}\" -eq 4 &&";
            let functions = include_str!("completion/interfaces.bash");
            // What a shell puts in as it is: a bar would be a pipe.
            let text = replaced(text, " open|filtered ", " open-filtered ");
            let text = replaced(&text, end, &format!("{functions}{end}"));
            replaced(
                &text,
                "complete -F _nettool ",
                "complete -F _nettool_named ",
            )
        }
        Shell::Zsh => {
            let end = "if [ \"$funcstack[1]\" = \"_nettool\" ]";
            let function = include_str!("completion/interfaces.zsh");
            // The words of a list are evaluated, and so a bar in them is a pipe.
            let text = replaced(text, "\nopen|filtered\\:", "\nopen\\|filtered\\:");
            let text = replaced(&text, end, &format!("{function}{end}"));
            let lines = text.lines().map(|line| match line {
                name if name.contains("these interfaces") || name.contains("--interface=[") => {
                    replaced(name, ":_default'", ":_nettool_interfaces'")
                }
                ports if ports.contains(":PORTS:_default'") => {
                    replaced(ports, ":_default'", ":_nettool_ports'")
                }
                words if words.contains("*::words -- Names") => {
                    replaced(words, ":_default'", ":_nettool_targets'")
                }
                other => other.to_owned(),
            });
            lines.map(|line| line + "\n").collect()
        }
        // A bar that is not quoted is a pipe.
        Shell::Fish => {
            let text = replaced(text, "\nopen|filtered\\t", "\n'open|filtered'\\t");
            format!("{text}{}", include_str!("completion/interfaces.fish"))
        }
        _ => text.to_owned(),
    }
}

/// The text with every `old` replaced; there must be one.
fn replaced(text: &str, old: &str, new: &str) -> String {
    assert!(text.contains(old), "{old:?} is no part of {text:?}");
    text.replace(old, new)
}

/// Compares a committed file with what it should be, or writes it if that was asked for.
fn settle(path: &str, expected: &str, stale: &mut Vec<String>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("NETTOOL_BLESS").is_some() {
        fs::write(&path, expected).expect("the file can be written");
    } else if fs::read_to_string(&path).unwrap_or_default() != expected {
        stale.push(path.display().to_string());
    }
}

#[test]
fn every_page_has_the_sections_that_are_looked_for() {
    for wanted in PAGES {
        let text = page(wanted);
        for section in SECTIONS {
            let heading = format!(".SH {section}\n");
            let count = text.matches(&heading).count();
            let expected = match (wanted.name, section) {
                // There the comparison is a table of its own, IF YOU KNOW.
                ("nettool", "COMPARED WITH") => 0,
                _ => 1,
            };
            assert_eq!(count, expected, "{section} of {}", wanted.name);
        }
    }
}

#[test]
fn the_command_line_is_consistent() {
    Arguments::command().debug_assert();
}

#[test]
fn the_committed_pages_and_completions_are_current() {
    let mut stale = Vec::new();
    for wanted in PAGES {
        settle(&format!("man/{}.1", wanted.name), &page(wanted), &mut stale);
    }
    for (shell, name) in COMPLETIONS {
        settle(
            &format!("completions/{name}"),
            &completions(shell),
            &mut stale,
        );
    }
    assert!(
        stale.is_empty(),
        "not current: {stale:?}; NETTOOL_BLESS=1 cargo test writes them"
    );
}
