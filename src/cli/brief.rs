//! What `-h` leaves to `--help`: a screen has room for what is used every day.

use clap::{Arg, Command};

/// Options of every command that `-h` does not show.
const EVERYWHERE: &[&str] = &["json", "color", "quiet", "verbose", "numeric"];

/// What the short help says instead of them.
const MORE: &str = "Every command has --json, --color, -q, -v and -n too; --help shows the rest.";

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

/// How many examples the short help shows.
const EXAMPLES: usize = 4;

/// Options of one command that `-h` does not show.
const OF_COMMANDS: &[(&str, &[&str])] = &[
    ("connect", TALK),
    (
        "connect",
        &["source_port", "retry_delay", "crlf", "checksum", "lines"],
    ),
    ("listen", TALK),
    (
        "listen",
        &[
            "port",
            "slow",
            "tag",
            "reply_file",
            "allow_file",
            "deny_file",
            "backlog",
            "reuse_port",
            "mode",
            "to",
            "port_file",
            "accept_timeout",
            "discard",
            "forward",
            "lines",
            "crlf",
            "broker",
            "chat",
            "deny",
            "max_clients",
            "quit_after",
            "send_only",
            "recv_only",
            "checksum",
            "limit_rate",
            "ipv4",
            "ipv6",
        ],
    ),
    (
        "probe",
        &[
            "exclude_ports",
            "deadline",
            "all_addresses",
            "try_timeout",
            "tries",
            "concurrency",
            "seed",
            "source",
            "interface",
            "connect_ex",
            "ipv4",
            "ipv6",
            "exclude",
            "all_open",
            "shard",
            "any",
            "hold",
            "until_closed",
            "resume",
            "merge",
            "patience",
            "fast",
            "plain",
            "rate",
            "every",
        ],
    ),
];

/// Options of `connect` and `listen` that `-h` does not show.
const TALK: &[&str] = &[
    "interface",
    "ttl",
    "dscp",
    "keepalive",
    "send_buffer",
    "recv_buffer",
    "idle_timeout",
    "max_time",
    "no_shutdown",
    "input",
    "append",
    "force",
    "max_bytes",
    "raw",
    "delay",
    "hexdump",
    "size",
    "seqpacket",
    "datagram_size",
    "broadcast",
    "groups",
    "progress",
    "until",
];

/// The command line whose short help fits a screen.
pub(super) fn shortened(command: Command) -> Command {
    OF_COMMANDS
        .iter()
        .fold(hidden(command, EVERYWHERE), |command, (name, options)| {
            command.mut_subcommand(name, |command| hidden(command, options))
        })
        .mut_subcommands(told_in_two_ways)
}

/// The command, and those that belong to it, with the first examples alone in the short help, and
/// with the form of values in the long one.
fn told_in_two_ways(command: Command) -> Command {
    let command = command.mut_subcommands(told_in_two_ways);
    let Some(all) = command.get_after_help().map(ToString::to_string) else {
        return command;
    };
    let few: Vec<&str> = all.lines().take(1 + EXAMPLES).collect();
    let few = format!("{}\n\n{MORE}", few.join("\n"));
    let all = format!("{}{all}", values(&command));
    command.after_help(few).after_long_help(all)
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

/// The command without these options in its short help.
fn hidden(command: Command, options: &[&str]) -> Command {
    command.mut_args(|option| {
        if options.contains(&option.get_id().as_str()) {
            option.hide_short_help(true)
        } else {
            option
        }
    })
}

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory};

    use super::{EVERYWHERE, OF_COMMANDS, VALUES, shortened};
    use crate::cli::Arguments;

    /// As many columns as the narrowest terminal has, and as many lines as any of today shows
    /// without scrolling.
    const SCREEN: (usize, usize) = (80, 40);

    #[test]
    fn the_short_help_of_every_command_fits_a_screen() {
        let (columns, lines) = SCREEN;
        let mut program = shortened(Arguments::command()).term_width(columns);
        program.build();
        every(&mut program, &mut |command| {
            let help = command.render_help().to_string();
            let count = help.lines().count();
            assert!(count <= lines, "{count} lines:\n{help}");
            let examples = command.get_after_long_help().or(command.get_after_help());
            let examples = examples.map(ToString::to_string).unwrap_or_default();
            for line in help.lines().chain(examples.lines()) {
                let width = line.chars().count();
                assert!(width <= columns, "{width} columns:\n{line}");
            }
        });
    }

    #[test]
    fn the_long_help_says_how_values_are_written() {
        let mut program = shortened(Arguments::command());
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
    fn what_is_hidden_exists() {
        let mut program = Arguments::command();
        program.build();
        for (name, options) in OF_COMMANDS {
            let command = program.find_subcommand(name).expect("a command");
            for option in options.iter().filter(|option| !EVERYWHERE.contains(option)) {
                let mut known = command.get_arguments().map(|known| known.get_id().as_str());
                assert!(
                    known.any(|known| known == *option),
                    "{name} has no {option}"
                );
            }
        }
    }
}
