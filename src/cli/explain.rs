//! What is said of a command line that is no command to run: a text that was asked for, or what is
//! wrong, and what to write instead.

use std::ffi::OsString;

use anstream::ColorChoice;
use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::{Arguments, Parsed, VERSION, brief, habits, read};
use crate::output::{Wishes, escaped};

/// A text that was asked for, or what is wrong.
pub(super) fn explain(error: clap::Error, arguments: &[OsString]) -> Parsed {
    let error = error_of_escaped(arguments).unwrap_or(error);
    let text = error.render().to_string();
    match error.kind() {
        ErrorKind::DisplayHelp => Parsed::Text(text),
        ErrorKind::DisplayVersion => Parsed::Text(VERSION.to_owned()),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => Parsed::Help(text),
        kind => Parsed::Usage {
            message: match kind {
                ErrorKind::InvalidUtf8 => not_utf8(arguments),
                ErrorKind::MissingSubcommand => no_command(),
                _ => {
                    habits::answer(&error, arguments).unwrap_or_else(|| in_our_words(&error, &text))
                }
            },
            wishes: wishes_of(arguments),
            talks: talks(arguments),
        },
    }
}

/// The words before `--`, where options are.
pub(super) fn before_dashes(arguments: &[OsString]) -> impl Iterator<Item = &str> {
    let words = arguments.iter().skip(1).take_while(|word| *word != "--");
    words.map(|word| word.to_str().unwrap_or_default())
}

/// The same error with every argument escaped: clap quotes them, and they may be hostile. A help that
/// was asked for is an error, too: only here the command line takes the time to be told in two ways.
fn error_of_escaped(arguments: &[OsString]) -> Option<clap::Error> {
    let escaped = arguments
        .iter()
        .map(|word| shortened(&escaped(&word.to_string_lossy())));
    let program = if before_dashes(arguments).any(|word| word == "--help") {
        brief::whole(Arguments::command())
    } else {
        brief::screenful(Arguments::command())
    };
    read(program, escaped).err()
}

/// The beginning of a word that is too long to be read.
fn shortened(word: &str) -> String {
    const MOST: usize = 200;
    match word.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", word.get(..end).unwrap_or_default()),
        None => word.to_owned(),
    }
}

/// What clap says, without a tip that never helps here: no word that is taken begins with a dash. Of
/// a value that is one of a few it is in the words that ours say of others.
fn in_our_words(error: &clap::Error, text: &str) -> String {
    let text = text.strip_prefix("error: ").unwrap_or(text);
    let is_idle = |part: &&str| part.starts_with("  tip: to pass '");
    let parts: Vec<&str> = text.split("\n\n").filter(|part| !is_idle(part)).collect();
    let text = parts.join("\n\n");
    let (Some(ContextValue::Strings(known)), Some((before, after))) = (
        error.get(ContextKind::ValidValue),
        text.split_once("\n  [possible values: "),
    ) else {
        return text;
    };
    let stop = if before.ends_with("supplied") {
        ";"
    } else {
        ": not one of these;"
    };
    let accepted = match known.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => known.concat(),
    };
    let after = after.split_once(']').map_or("", |(_, after)| after);
    format!("{before}{stop} write {accepted}{after}")
}

/// What to write where there are options alone.
fn no_command() -> String {
    let commands = Arguments::command();
    let names: Vec<_> = commands
        .get_subcommands()
        .map(clap::Command::get_name)
        .collect();
    format!(
        "what to do? write nettool COMMAND, one of {}",
        names.join(", ")
    )
}

/// What is wrong with the first word that is not UTF-8.
fn not_utf8(arguments: &[OsString]) -> String {
    let word = arguments.iter().find(|word| word.to_str().is_none());
    let word = word.map_or_else(String::new, |word| word.to_string_lossy().into_owned());
    format!("invalid argument {word:?}: it is not UTF-8; write names and numbers in ASCII")
}

/// What can be said of the printer although the command line cannot be understood.
fn wishes_of(arguments: &[OsString]) -> Wishes {
    let mut wishes = Wishes::default();
    let mut before = "";
    for word in before_dashes(arguments) {
        match (before, word.strip_prefix("--color=").unwrap_or(word)) {
            (_, "--json") => wishes.json = true,
            ("--color", "always") => wishes.color = ColorChoice::AlwaysAnsi,
            ("--color", "never") => wishes.color = ColorChoice::Never,
            (_, "always") if word != "always" => wishes.color = ColorChoice::AlwaysAnsi,
            (_, "never") if word != "never" => wishes.color = ColorChoice::Never,
            _ => {}
        }
        before = word;
    }
    wishes
}

/// Whether the command is one whose stdout belongs to the payload.
fn talks(arguments: &[OsString]) -> bool {
    let commands = Arguments::command();
    let command = before_dashes(arguments).find(|word| commands.find_subcommand(word).is_some());
    matches!(command, Some("connect" | "listen"))
}
