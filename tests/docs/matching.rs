//! Whether output is as it is shown, but for what no two runs have in common.

/// Whether the lines that came are those that are shown, in the same order.
pub(super) fn same(shown: &[String], came: &[String]) -> bool {
    let (mut wanted, mut seen) = (0, 0);
    // Where to go on when the lines after the last dots turn out to be others.
    let mut dots = None;
    while seen < came.len() {
        match (shown.get(wanted), dots) {
            (Some(line), _) if line == DOTS => {
                wanted += 1;
                dots = Some((wanted, seen));
            }
            (Some(line), _) if *line == came[seen] => {
                wanted += 1;
                seen += 1;
            }
            (_, Some((after, skipped))) => {
                wanted = after;
                seen = skipped + 1;
                dots = Some((after, seen));
            }
            _ => return false,
        }
    }
    shown[wanted..].iter().all(|line| line == DOTS)
}

/// What stands for any number of lines.
pub(super) const DOTS: &str = "...";

/// Whether the lines are the same in whatever order: two programs share the terminal.
pub(super) fn same_in_any_order(shown: &[String], came: &[String]) -> bool {
    let sorted = |lines: &[String]| {
        let mut lines = lines.to_vec();
        lines.sort();
        lines
    };
    sorted(shown) == sorted(came)
}

/// The line without what may differ: the width of its gaps, times, rates, ports that the system
/// picked, and where it is `loose` every number.
pub(super) fn essence(line: &str, loose: bool) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    let mut kept: Vec<String> = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let unit = words.get(index + 1).map_or("", |next| trimmed(next));
        let kind = kind(unit).filter(|_| word.parse::<f64>().is_ok());
        let before = index.checked_sub(1).and_then(|index| words.get(index));
        let is_unit = kind_of_number_before(before, word);
        match (kind, is_unit) {
            (Some(kind), _) => kept.push(kind.to_owned()),
            (None, true) => kept.push(word.trim_start_matches(trimmed(word)).to_owned()),
            (None, false) => kept.push(without_numbers(word, loose)),
        }
    }
    kept.join(" ")
}

/// Whether the word is the unit of the number before it.
fn kind_of_number_before(before: Option<&&str>, word: &str) -> bool {
    let number = before.is_some_and(|before| before.parse::<f64>().is_ok());
    number && kind(trimmed(word)).is_some()
}

/// The word without the punctuation after it.
fn trimmed(word: &str) -> &str {
    word.trim_end_matches([',', ')', ';', '.'])
}

/// What a unit measures, if that is a time or a rate.
fn kind(unit: &str) -> Option<&'static str> {
    match unit {
        "s" | "ms" | "us" | "µs" => Some("TIME"),
        rate if rate.ends_with("B/s") || rate.ends_with("bit/s") => Some("RATE"),
        _ => None,
    }
}

/// The word with a 0 for each number that may differ.
fn without_numbers(word: &str, loose: bool) -> String {
    let mut out = String::new();
    let mut rest = word;
    while let Some(start) = rest.find(|character: char| character.is_ascii_digit()) {
        let (before, from) = rest.split_at(start);
        let end = from
            .find(|character: char| !character.is_ascii_digit())
            .unwrap_or(from.len());
        let (number, after) = from.split_at(end);
        out.push_str(before);
        let time = out.ends_with("_us\":");
        let picked = out.ends_with(':')
            && number
                .parse()
                .is_ok_and(|port| (32768..=60999).contains(&port));
        out.push_str(if loose || time || picked { "0" } else { number });
        rest = after;
    }
    out.push_str(rest);
    if loose { simplified(&out) } else { out }
}

/// The word without fractions, prefixes of units and the lengths of bars.
fn simplified(word: &str) -> String {
    let mut word = word.replace("0.0", "0");
    for prefix in ["KiB", "MiB", "GiB"] {
        word = word.replace(prefix, "B");
    }
    for mark in ['#', '='] {
        let twice = [mark, mark].iter().collect::<String>();
        while word.contains(&twice) {
            word = word.replace(&twice, &mark.to_string());
        }
    }
    word
}

#[cfg(test)]
mod tests {
    use super::{essence, same};

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn what_varies_is_left_out_and_nothing_else() {
        let same = |one, other| essence(one, false) == essence(other, false);
        assert!(same("22/tcp  open  ssh  0.05 ms", "22/tcp open ssh 12 us"));
        assert!(same("done, 0.4 s, 113.5 MiB/s", "done, 3 ms, 1 KiB/s"));
        assert!(same("from 127.0.0.1:40000", "from 127.0.0.1:51234"));
        assert!(same("\"rtt_us\":310,\"n\":1", "\"rtt_us\":9,\"n\":1"));
        assert!(!same("from 127.0.0.1:9000", "from 127.0.0.1:51234"));
        assert!(!same("sent 5 B", "sent 6 B"));
        assert!(!same("took 5 B", "took 5 ms"));
        assert!(!same("7 ports, 1 open", "7 ports, 2 open"));
    }

    #[test]
    fn where_numbers_vary_words_do_not() {
        let same = |one, other| essence(one, true) == essence(other, true);
        assert!(same("took 4291584 B (4.1 MiB)", "took 99 B (99 KiB)"));
        assert!(same("here [####==] peer", "here [#=====] peer"));
        assert!(!same("not sent  4163072", "in flight  4163072"));
    }

    #[test]
    fn dots_stand_for_lines() {
        assert!(same(&lines("a\n...\nd"), &lines("a\nb\nc\nd")));
        assert!(same(&lines("a\n...\nd"), &lines("a\nd")));
        assert!(!same(&lines("a\n...\nd"), &lines("a\nb\nc")));
    }
}
