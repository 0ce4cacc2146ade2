//! What people write who know nc, ncat, nmap or ss: each gets an answer that names what to write.

mod tables;

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use nettool::value::{Port, parse_host_port};

use self::tables::{
    COMMANDS, Habit, OF_BUFFERS, OF_CONNECT, OF_IFACES, OF_NONE, OF_PROBE, OF_TALKS,
};
use super::explain::before_dashes;
use crate::output::escaped;

/// The commands of `buffers` that have a page.
const PAGES_OF_BUFFERS: [&str; 4] = ["fill", "list", "advise", "watch"];

/// What to write instead, for somebody whose words another program understands.
pub(super) fn answer(error: &clap::Error, arguments: &[OsString]) -> Option<String> {
    let words: Vec<&str> = before_dashes(arguments).collect();
    let wrong = match (error.kind(), error.get(ContextKind::InvalidArg)) {
        (ErrorKind::InvalidSubcommand, _) => return no_such_command(error, &words),
        (ErrorKind::ValueValidation, _) => return all_ports(error),
        (ErrorKind::UnknownArgument, Some(ContextValue::String(wrong))) => wrong.as_str(),
        _ => return None,
    };
    let (command, rest) = split(&words);
    if let Some(problem) = negative(wrong, rest, command) {
        return Some(problem);
    }
    match command {
        "buffers" if words.contains(&"man") && PAGES_OF_BUFFERS.contains(&wrong) => {
            Some(format!("use: nettool man buffers-{wrong}"))
        }
        "" if wrong == "-l" => Some(listen(rest, "")),
        "connect" if matches!(wrong, "-l" | "--listen") => {
            Some(listen(rest, "connect goes to a server; "))
        }
        "connect" | "listen" if !wrong.starts_with('-') => quit_after(rest),
        _ => of_tables(command, wrong, rest),
    }
}

/// What the tables say of an option; `-s` may be the beginning of `-sU`.
fn of_tables(command: &str, wrong: &str, rest: &[&str]) -> Option<String> {
    let tables: [&[Habit]; 2] = match command {
        "" => [OF_NONE, &[]],
        "connect" => [OF_CONNECT, OF_TALKS],
        "listen" => [OF_TALKS, &[]],
        "probe" => [OF_PROBE, &[]],
        "ifaces" => [OF_IFACES, &[]],
        "buffers" => [OF_BUFFERS, &[]],
        _ => return None,
    };
    let word = rest.iter().find(|word| word.starts_with(wrong));
    let word = word.copied().unwrap_or(wrong);
    let known = |text: &str| {
        let mut habits = tables.iter().copied().flatten();
        habits.find(|(option, _)| *option == text)
    };
    let (option, answer) = known(word).or_else(|| known(wrong))?;
    let option = if word.starts_with("--") { option } else { word };
    Some(format!("no option {:?} here: {answer}", escaped(option)))
}

/// The command, and the words behind it; all words where there is none.
fn split<'a>(words: &'a [&'a str]) -> (&'a str, &'a [&'a str]) {
    let commands = ["ifaces", "connect", "listen", "probe", "buffers"];
    let place = words.iter().position(|word| commands.contains(word));
    place.map_or(("", words), |place| {
        let rest = words.get(place.saturating_add(1)..).unwrap_or_default();
        (words.get(place).copied().unwrap_or_default(), rest)
    })
}

/// The `listen` that somebody means who writes `-l`, as far as the words are plain.
fn listen(rest: &[&str], why: &str) -> String {
    let (options, mut words): (Vec<&str>, Vec<&str>) =
        rest.iter().partition(|word| word.starts_with('-'));
    let (letters, ports): (Vec<&str>, Vec<&str>) = options.into_iter().map(glued_port).unzip();
    let letters = letters.concat();
    words.extend(ports.into_iter().filter(|port| !port.is_empty()));
    // nc has its port before the host, too.
    words.sort_by_key(|word| word.parse::<Port>().is_ok());
    if words.len() > 2 || !letters.chars().all(|letter| "lkuvnp46".contains(letter)) {
        return format!("{why}use: nettool listen [OPTIONS] PORT");
    }
    let kept: String = letters.matches(['k', 'u', '4', '6']).collect();
    let kept = match kept.as_str() {
        "" => kept,
        kept => format!("-{kept} "),
    };
    if words.is_empty() {
        words.push("PORT");
    }
    let place = words.join(" ");
    format!("{why}use: nettool listen {kept}{}", escaped(&place))
}

/// The letters of an option, and the port that follows them without a space, if one does.
fn glued_port(option: &str) -> (&str, &str) {
    let letters = option.strip_prefix('-').unwrap_or(option);
    match letters.split_once('p') {
        Some((before, port)) if port.parse::<Port>().is_ok() => (before, port),
        _ => (letters, ""),
    }
}

/// nc's `-q SECONDS` is an option without a value here, and a word too many.
fn quit_after(rest: &[&str]) -> Option<String> {
    let quiet = rest.iter().position(|word| *word == "-q")?;
    let seconds = rest.get(quiet.saturating_add(1))?;
    seconds.parse::<u32>().ok()?;
    Some(format!(
        "-q is --quiet here; for nc's -q write --quit-after {seconds}"
    ))
}

/// What is wrong with a negative number where a port stands.
fn negative(wrong: &str, rest: &[&str], command: &str) -> Option<String> {
    let digit = wrong.strip_prefix('-')?.chars().next()?;
    if !digit.is_ascii_digit() || !matches!(command, "connect" | "listen" | "probe") {
        return None;
    }
    let word = rest.iter().find(|word| word.starts_with(wrong))?;
    word.parse::<Port>().err().map(|error| error.to_string())
}

/// nmap's `-p-`.
fn all_ports(error: &clap::Error) -> Option<String> {
    let is = |kind, text: &str| match error.get(kind) {
        Some(ContextValue::String(found)) => found == text,
        _ => false,
    };
    (is(ContextKind::InvalidValue, "-") && is(ContextKind::InvalidArg, "--ports <PORTS>"))
        .then(|| "for every port use: nettool probe -p all TARGET".to_owned())
}

/// The name of another program, the wish for help, or a host and a port without a command, as nc has
/// them.
fn no_such_command(error: &clap::Error, words: &[&str]) -> Option<String> {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else {
        return None;
    };
    if word == "help" {
        return Some(help(words));
    }
    let is_first = words.iter().find(|known| !known.starts_with('-')) == Some(&word.as_str());
    let mut known = COMMANDS.iter().filter(|_| is_first);
    if let Some((_, answer)) = known.find(|(name, _)| name == word) {
        return Some(format!("no command {word:?} here: {answer}"));
    }
    let place = words.iter().position(|known| known == word)?;
    let next = words.get(place.saturating_add(1)).copied();
    let port = next.filter(|next| next.parse::<Port>().is_ok());
    if port.is_none() && parse_host_port(word).is_err() {
        return None;
    }
    let target = [Some(word.as_str()), port].into_iter().flatten();
    let target = target.collect::<Vec<_>>().join(" ");
    Some(format!(
        "what to do with {word:?}? use: nettool connect {target}, or nettool probe {target}"
    ))
}

/// Where help is to be had, on the command that is named if one is.
fn help(words: &[&str]) -> String {
    let command = match split(words) {
        ("", _) => String::new(),
        (command, _) => format!("{command} "),
    };
    format!("use: nettool {command}--help, or nettool man {command}| man -l -")
}
