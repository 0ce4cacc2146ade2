//! The help in two ways: what `-h` shows fits the screen of a terminal, and `--help` shows all.

use clap::{Arg, ArgAction, Command};

/// The options that `-h` shows of a command; of one that is not here all but those of every command.
const SHOWN: &[(&str, &[&str])] = &[
    ("nettool", &[]),
    (
        "ifaces",
        &[
            "brief",
            "stats",
            "only_names",
            "details",
            "host",
            "default",
            "ip",
            "watch",
            "ipv4",
            "ipv6",
            "up",
        ],
    ),
    (
        "connect",
        &[
            "udp",
            "unix",
            "ipv4",
            "ipv6",
            "timeout",
            "retry",
            "send_only",
            "recv_only",
            "output",
        ],
    ),
    (
        "listen",
        &[
            "udp",
            "unix",
            "keep_open",
            "echo",
            "exec",
            "sh_exec",
            "save",
            "allow",
            "output",
        ],
    ),
    (
        "probe",
        &["ports", "udp", "banner", "ping", "show", "wait", "count"],
    ),
    (
        "fill",
        &["proto", "drain", "send_buffer", "recv_buffer", "max_time"],
    ),
];

/// What `-h` says of all that it does not show.
const MORE: &str = "--help shows the rest; --json, --color, -q, -v, -n and -V work everywhere.";

/// How many examples `-h` shows.
const EXAMPLES: usize = 3;

/// How the values of options are written, by the names that stand for them.
const VALUES: &[(&str, &str)] = &[
    (
        "TIME",
        "500ms, 2s, 1m30s, or forever; a bare number is seconds",
    ),
    (
        "SIZE",
        "64K or 64KiB is 65536 bytes, 64kB is 64000; a bare number is bytes",
    ),
    ("RATE", "bytes a second, written as SIZE"),
];

/// The command, and those that belong to it, with the help of `-h`: what is used every day, in one
/// list, and the first examples.
pub(super) fn screenful(command: Command) -> Command {
    let shown = SHOWN.iter().find(|(name, _)| *name == command.get_name());
    let is_shown = |option: &Arg| match shown {
        Some((_, shown)) => shown.contains(&option.get_id().as_str()),
        None => !option.is_global_set(),
    };
    let command = command.mut_args(|option| {
        let is_hidden = !is_shown(&option);
        // The states of ports, and those of sockets, take several lines.
        let is_long = ["show", "state"].contains(&option.get_id().as_str());
        option
            .help_heading(None::<&str>)
            .hide_short_help(is_hidden)
            .hide_possible_values(is_long)
    });
    let examples = command.get_after_help().map(ToString::to_string);
    let examples = examples.unwrap_or_default();
    let few = examples.lines().take(1 + EXAMPLES).chain(["", MORE]);
    let few: Vec<&str> = few.skip_while(|line| line.is_empty()).collect();
    without_flags(command)
        .after_help(few.join("\n"))
        .mut_subcommands(screenful)
}

/// The command, and those that belong to it, with the help of `--help`: all of it, and how values are
/// written.
pub(super) fn whole(command: Command) -> Command {
    let examples = command.get_after_help().map(ToString::to_string);
    let all = values(&command) + &examples.unwrap_or_default();
    command.after_long_help(all).mut_subcommands(whole)
}

/// The command whose `-h` and `-V` do what they do and are not listed.
fn without_flags(command: Command) -> Command {
    let flag = |id, short, action| {
        let flag = Arg::new(id).short(short).long(id).action(action);
        flag.hide_short_help(true)
    };
    command
        .disable_help_flag(true)
        .disable_version_flag(true)
        .arg(flag("help", 'h', ArgAction::Help))
        .arg(flag("version", 'V', ArgAction::Version))
}

/// How the values of its options are written.
fn values(command: &Command) -> String {
    let is_taken = |name: &str| {
        let mut names = command.get_arguments().filter_map(Arg::get_value_names);
        names.any(|names| names.iter().any(|taken| taken == name))
    };
    let taken = VALUES.iter().filter(|(name, _)| is_taken(name));
    let lines: Vec<String> = taken
        .map(|(name, form)| format!("  {name:<6}{form}\n"))
        .collect();
    match lines.concat().as_str() {
        "" => String::new(),
        lines => format!("Values:\n{lines}\n"),
    }
}

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory};

    use super::{SHOWN, VALUES, screenful, whole};
    use crate::cli::Arguments;

    /// As many columns and lines as the smallest terminal has, less one line for the prompt.
    const SCREEN: (usize, usize) = (80, 23);

    #[test]
    fn the_short_help_of_every_command_fits_a_screen() {
        let (columns, lines) = SCREEN;
        let mut program = screenful(Arguments::command()).term_width(columns);
        program.build();
        every(&mut program, &mut |command| {
            let help = command.render_help().to_string();
            let count = help.lines().count();
            assert!(count <= lines, "{count} lines:\n{help}");
            for line in help.lines() {
                let width = line.chars().count();
                assert!(width <= columns, "{width} columns:\n{line}");
            }
        });
    }

    #[test]
    fn no_example_is_wider_than_a_screen() {
        let (columns, _) = SCREEN;
        let mut program = Arguments::command();
        every(&mut program, &mut |command| {
            let examples = command.get_after_help().map(ToString::to_string);
            for line in examples.unwrap_or_default().lines() {
                assert!(line.chars().count() <= columns, "{line}");
            }
        });
    }

    #[test]
    fn the_long_help_says_how_values_are_written() {
        let mut program = whole(Arguments::command());
        program.build();
        every(&mut program, &mut |command| {
            let help = command.render_long_help().to_string();
            for (name, form) in VALUES {
                let is_taken = help.contains(&format!("<{name}>"));
                assert_eq!(help.contains(form), is_taken, "{name}:\n{help}");
            }
        });
    }

    /// Calls `visit` with a command and all that belong to it.
    fn every(command: &mut Command, visit: &mut impl FnMut(&mut Command)) {
        visit(command);
        for command in command.get_subcommands_mut() {
            every(command, visit);
        }
    }

    #[test]
    fn what_is_shown_exists() {
        let mut program = Arguments::command();
        for (name, options) in SHOWN {
            let mut found = false;
            every(&mut program, &mut |command| {
                if command.get_name() == *name {
                    found = true;
                    let known: Vec<_> = command.get_arguments().map(clap::Arg::get_id).collect();
                    let mut unknown = options.iter().filter(|id| !known.iter().any(|k| k == *id));
                    assert_eq!(unknown.next(), None, "{name}");
                }
            });
            assert!(found, "{name}");
        }
    }
}
