//! Values that are measures: a minus before one is its own mistake, not another option.

/// The names of values that are no text of the user's own: what begins with a dash is no option
/// either where one is due, and whoever reads it says what is wrong with it.
const MEASURES: [&str; 9] = [
    "TIME", "SIZE", "RATE", "N", "PORT", "PORTS", "MODE", "CLASS", "I/N",
];

/// The command line whose measures may begin with a dash.
pub(super) fn minus_taken(command: clap::Command) -> clap::Command {
    let is_measure = |option: &clap::Arg| {
        let mut names = option.get_value_names().into_iter().flatten();
        !option.is_positional() && names.any(|name| MEASURES.contains(&name.as_str()))
    };
    let command = command.mut_args(|option| {
        if is_measure(&option) {
            option.allow_hyphen_values(true)
        } else {
            option
        }
    });
    command.mut_subcommands(minus_taken)
}
