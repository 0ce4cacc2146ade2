//! Options that mean nothing without another one.
//!
//! clap's own `requires` says nothing where the option that is missing conflicts with one that is
//! there: `connect -4 --seqpacket` would be TCP. And it does not name the option that is in need.

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, Command, Error};

/// An option, and the one that it needs.
type Need = (&'static str, &'static str);

/// Of `connect` and `listen`.
const OF_TALKS: [Need; 9] = [
    ("seqpacket", "unix"),
    ("broadcast", "udp"),
    ("groups", "udp"),
    ("to", "udp"),
    ("mode", "unix"),
    ("append", "output"),
    ("force", "output"),
    ("retry_delay", "retry"),
    ("tag", "keep_open"),
];

/// Of `ifaces`.
const OF_IFACES: [Need; 1] = [("every", "watch")];

/// What the options of a command need.
fn of(command: &str) -> &'static [Need] {
    match command {
        "connect" | "listen" => &OF_TALKS,
        "ifaces" => &OF_IFACES,
        _ => &[],
    }
}

/// Refuses an option without the one that it needs.
pub(super) fn check(program: &mut Command, matches: &ArgMatches) -> Result<(), Error> {
    let Some((name, given)) = matches.subcommand() else {
        return Ok(());
    };
    let mut needs = of(name).iter();
    let Some((option, needed)) =
        needs.find(|(option, needed)| is_given(given, option) && !is_given(given, needed))
    else {
        return Ok(());
    };
    let text = format!(
        "the argument '{}' needs '{}'",
        written(program, name, option),
        written(program, name, needed)
    );
    match program.find_subcommand_mut(name) {
        Some(command) => Err(command.error(ErrorKind::MissingRequiredArgument, text)),
        None => Ok(()),
    }
}

/// An option of a command as it is written in the help.
fn written(program: &Command, command: &str, id: &str) -> String {
    let command = program.find_subcommand(command);
    let option = command.and_then(|command| command.get_arguments().find(|a| a.get_id() == id));
    option.map_or_else(String::new, ToString::to_string)
}

/// Whether an option of this command was written.
fn is_given(matches: &ArgMatches, id: &str) -> bool {
    matches.try_contains_id(id).unwrap_or(false)
        && matches.value_source(id) == Some(ValueSource::CommandLine)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::super::Arguments;
    use super::*;

    #[test]
    fn every_option_in_the_tables_exists() {
        let program = Arguments::command();
        let known = |commands: &[&str], id: &str| {
            let mut found = commands
                .iter()
                .filter_map(|name| program.find_subcommand(name));
            found.any(|command| {
                command
                    .get_arguments()
                    .any(|argument| argument.get_id() == id)
            })
        };
        for (option, needed) in OF_TALKS {
            assert!(known(&["connect", "listen"], option), "{option}");
            assert!(known(&["connect", "listen"], needed), "{needed}");
        }
        for (option, needed) in OF_IFACES {
            assert!(known(&["ifaces"], option) && known(&["ifaces"], needed));
        }
    }
}
