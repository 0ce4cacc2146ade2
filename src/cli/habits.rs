//! What people write who know nc, ncat, nmap or ss: each gets an answer that names what to write.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use nettool::value::{Port, parse_host_port};

use super::before_dashes;
use crate::output::escaped;

/// An option of another program, and what is written here instead.
type Habit = (&'static str, &'static str);

/// Before a port is named at all.
const OF_NONE: &[Habit] = &[
    ("-l", "use: nettool listen PORT"),
    ("-k", "use: nettool listen -k PORT"),
    ("-z", "use: nettool probe HOST PORT"),
    (
        "-u",
        "use: nettool connect -u HOST PORT, or nettool listen -u PORT",
    ),
    (
        "-p",
        "use: nettool probe -p PORTS HOST, or nettool listen PORT",
    ),
    ("-s", "use: nettool probe HOST PORTS"),
    ("-a", "use: nettool ifaces, or nettool buffers list"),
    ("-e", "use: nettool listen PORT -e CMD"),
    ("-c", "use: nettool listen PORT -c CMD"),
];

const OF_CONNECT: &[Habit] = &[
    (
        "-k",
        "connect talks with one server; use: nettool listen -k PORT",
    ),
    (
        "--keep-open",
        "connect talks with one server; use: nettool listen -k PORT",
    ),
    (
        "-e",
        "connect runs no command; use: nettool listen PORT -e CMD",
    ),
    (
        "--exec",
        "connect runs no command; use: nettool listen PORT -e CMD",
    ),
    (
        "-c",
        "connect runs no command; use: nettool listen PORT -c CMD",
    ),
    (
        "--sh-exec",
        "connect runs no command; use: nettool listen PORT -c CMD",
    ),
    (
        "-P",
        "connect knows no proxies; -s ADDR and -p PORT are our own address and port",
    ),
    ("--proxy", "connect knows no proxies"),
];

/// Of both that talk.
const OF_TALKS: &[Habit] = &[
    (
        "-z",
        "listen waits for clients; use: nettool probe HOST PORT",
    ),
    (
        "-i",
        "use --delay TIME for the time between lines, --idle-timeout TIME for silence",
    ),
    (
        "-d",
        "use --recv-only where stdin is not to be read, --delay TIME between lines",
    ),
    ("-W", "use --max-bytes SIZE"),
    ("-b", "use --broadcast"),
    ("-I", "use --recv-buffer SIZE"),
    ("-O", "use --send-buffer SIZE"),
    ("-T", "use --dscp CLASS"),
    ("-M", "use --ttl N"),
    ("-m", "use --ttl N"),
    ("-o", "use --hexdump FILE, or --output FILE for what comes"),
    ("-r", "port 0 lets the system pick one"),
    ("-t", "Telnet is not spoken: leave -t out"),
    ("-g", "routes are the system's: leave -g out"),
    (
        "-D",
        "use: nettool probe --count N HOST PORT to see how connections come about",
    ),
    (
        "--ssl",
        "TLS is not spoken; use: openssl s_client -connect HOST:PORT",
    ),
    ("-S", "use --source ADDR"),
];

const OF_PROBE: &[Habit] = &[
    ("-sU", "use -u: nettool probe -u HOST"),
    ("-sn", "use --ping: nettool probe --ping 10.0.0.0/24"),
    ("-sP", "use --ping: nettool probe --ping 10.0.0.0/24"),
    ("-sV", "use --banner, which shows what servers say"),
    ("-sC", "use --banner, which shows what servers say"),
    (
        "-sL",
        "targets are not listed unasked; use --ping to see which are up",
    ),
    (
        "-s",
        "ports are probed by connecting, as nmap -sT does: leave it out, or write -u for UDP",
    ),
    (
        "-P",
        "nobody is pinged first unless --ping is given: leave it out",
    ),
    (
        "-T",
        "the speed follows the path: leave it out, or write --fast",
    ),
    (
        "-F",
        "without PORTS the common ones are probed: leave it out",
    ),
    ("-A", "use --banner, which shows what servers say"),
    (
        "-O",
        "systems are not guessed; --banner shows what servers say",
    ),
    ("-oX", "use --json > FILE"),
    ("-o", "use --plain > FILE, or --json > FILE"),
    ("-iL", "use @FILE as a target"),
    (
        "-i",
        "use --every TIME with --count N, or @FILE for a list of targets",
    ),
    ("-z", "probe sends no data anyway: leave -z out"),
    (
        "-w",
        "use --try-timeout TIME, or --wait TIME until the port is open",
    ),
    ("-W", "use --try-timeout TIME"),
    ("-c", "use --count N"),
    (
        "-r",
        "ports are probed in any order and told as they answer: leave it out",
    ),
    ("-R", "-n is for addresses without names: leave it out"),
    ("-S", "use --source ADDR"),
    ("-e", "use --interface NAME"),
    ("-I", "use --interface NAME"),
    (
        "--open",
        "open ports are what is shown: leave it out, or write --show open",
    ),
    ("--top-ports", "use common as the ports, or leave them out"),
    ("--excludefile", "use --exclude TARGET,..."),
    ("--reason", "use --show all"),
    ("--max-retries", "use --tries N"),
    ("--max-rate", "use --rate N"),
    (
        "--min-rate",
        "the speed follows the path: leave it out, or write --fast",
    ),
    ("--host-timeout", "use --deadline TIME"),
];

const OF_IFACES: &[Habit] = &[
    ("-a", "every interface is shown: leave -a out"),
    ("-l", "use --names"),
    ("-c", "use --color WHEN"),
    (
        "-i",
        "name the interface: nettool ifaces NAME, or -s for its counts",
    ),
    ("-r", "use --default, or --for HOST"),
    ("-d", "use --details"),
    ("-f", "use -4 or -6"),
    ("-o", "use --brief for a line each"),
];

const OF_BUFFERS: &[Habit] = &[
    ("-t", "use: nettool buffers list -t"),
    ("-u", "use: nettool buffers list -u"),
    ("-x", "use: nettool buffers list -x"),
    ("-l", "use: nettool buffers list -l"),
    ("-p", "use: nettool buffers list"),
    ("-a", "use: nettool buffers list"),
    ("-m", "use: nettool buffers list"),
    ("-s", "use: nettool buffers"),
];

/// What to write instead, for somebody whose words another program understands.
pub(super) fn answer(error: &clap::Error, arguments: &[OsString]) -> Option<String> {
    let words: Vec<&str> = before_dashes(arguments).collect();
    let wrong = match (error.kind(), error.get(ContextKind::InvalidArg)) {
        (ErrorKind::InvalidSubcommand, _) => return without_command(error, &words),
        (ErrorKind::ValueValidation, _) => return all_ports(error),
        (ErrorKind::UnknownArgument, Some(ContextValue::String(wrong))) => wrong.as_str(),
        _ => return None,
    };
    let (command, rest) = split(&words);
    if let Some(problem) = negative(wrong, rest, command) {
        return Some(problem);
    }
    match command {
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
    let (options, words): (Vec<&str>, Vec<&str>) =
        rest.iter().partition(|word| word.starts_with('-'));
    let letters = || options.iter().flat_map(|option| option.chars().skip(1));
    let plain = words.len() <= 2 && letters().all(|letter| "lkuvnp46".contains(letter));
    let kept: String = letters()
        .filter(|letter| "ku46".contains(*letter))
        .collect();
    let kept = if kept.is_empty() || !plain {
        kept
    } else {
        format!("-{kept} ")
    };
    match words.as_slice() {
        [] => format!("{why}use: nettool listen {kept}PORT"),
        words if plain => format!(
            "{why}use: nettool listen {kept}{}",
            escaped(&words.join(" "))
        ),
        _ => format!("{why}use: nettool listen [OPTIONS] PORT"),
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

/// A host and a port without a command, as nc has them; or the wish for help.
fn without_command(error: &clap::Error, words: &[&str]) -> Option<String> {
    let Some(ContextValue::String(host)) = error.get(ContextKind::InvalidSubcommand) else {
        return None;
    };
    let place = words.iter().position(|word| word == host)?;
    let next = words.get(place.saturating_add(1)).copied();
    if host == "help" {
        let command = match split(words) {
            ("", _) => String::new(),
            (command, _) => format!("{command} "),
        };
        return Some(format!(
            "use: nettool {command}--help, or nettool man {command}| man -l -"
        ));
    }
    let port = next.filter(|next| next.parse::<Port>().is_ok());
    if port.is_none() && parse_host_port(host).is_err() {
        return None;
    }
    let target = [Some(host.as_str()), port].into_iter().flatten();
    let target = target.collect::<Vec<_>>().join(" ");
    Some(format!(
        "what to do with {host:?}? use: nettool connect {target}, or nettool probe {target}"
    ))
}
