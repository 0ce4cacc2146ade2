//! What `-h` leaves to `--help`: a screen has room for what is used every day.

use clap::Command;

/// Options of every command that `-h` does not show.
const EVERYWHERE: &[&str] = &["json", "color", "quiet", "verbose", "numeric"];

/// What the short help says instead of them.
const MORE: &str = "\
Every command has --json, --color, -q, -v and -n too; --help shows all options and examples.";

/// How many examples the short help shows.
const EXAMPLES: usize = 4;

/// Options of one command that `-h` does not show.
const OF_COMMANDS: &[(&str, &[&str])] = &[
    ("connect", TALK),
    ("connect", &["source_port", "retry_delay", "crlf"]),
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
        .mut_subcommands(with_few_examples)
}

/// The command with its first examples alone in its short help.
fn with_few_examples(command: Command) -> Command {
    let Some(all) = command.get_after_help().map(ToString::to_string) else {
        return command;
    };
    let few: Vec<&str> = all.lines().take(1 + EXAMPLES).collect();
    let few = format!("{}\n\n{MORE}", few.join("\n"));
    command.after_help(few).after_long_help(all)
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
    use clap::CommandFactory;

    use super::{EVERYWHERE, OF_COMMANDS, shortened};
    use crate::cli::Arguments;

    /// As many lines as a terminal of today shows without scrolling.
    const SCREEN: usize = 50;

    #[test]
    fn the_short_help_of_every_command_fits_a_screen() {
        let mut program = shortened(Arguments::command());
        program.build();
        for command in program.get_subcommands_mut() {
            let help = command.render_help().to_string();
            let lines = help.lines().count();
            assert!(lines <= SCREEN, "{lines} lines:\n{help}");
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
