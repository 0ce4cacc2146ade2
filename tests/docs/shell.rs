//! A terminal of the reader: bash, into which commands are typed one by one.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Signal, getpgid, kill_process_group};

use crate::support::{Input, Namespace, Program, Running, until};

use super::matching::{DOTS, essence, same, same_in_any_order};
use super::page::Command;

/// Begins a script that comes line by line. With job control each command is a process group, as in
/// a terminal, and the end of one by a signal is not the end of the shell.
const START: &str = "exec 9<&-; trap : INT; set -m";

/// What is printed around the status of a command.
const MARK: char = '\u{1e}';

/// How long the whole of a section may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// A shell and what it is expected to have printed.
pub(super) struct Shell {
    running: Running,
    /// What ought to have come, but for what varies.
    shown: Vec<String>,
    /// Whether all numbers may differ.
    loose: bool,
    /// Whether a program in the background writes to the same terminal.
    shared: bool,
    /// How many commands were typed.
    typed: usize,
    /// The last of them, its line, and what is shown after `^C`, while it is not finished.
    open: Option<(usize, String, Option<Vec<String>>)>,
}

impl Shell {
    /// One in this directory of this machine.
    pub(super) fn new(machine: &Namespace, directory: &Path) -> Self {
        let program = Path::new(env!("CARGO_BIN_EXE_nettool"));
        let programs = program.parent().expect("a directory").display();
        let path = format!("{programs}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin");
        let shell = Program::new("sh").args([
            "-c",
            "cd $0 && exec bash --norc /dev/fd/9 9<&0 </dev/null 2>&1",
            &directory.display().to_string(),
        ]);
        let shell = shell.env("PATH", &path).env("LC_ALL", "C.UTF-8");
        let mut shell = Self {
            running: machine
                .inside(shell)
                .stdin(Input::Open)
                .limit(PATIENCE)
                .start(),
            shown: vec![],
            loose: false,
            shared: false,
            typed: 0,
            open: None,
        };
        shell.type_in(START);
        shell
    }

    /// Types a command, and waits until it has ended or, if it serves, until it can be used: until
    /// the last line that begins with `listening on`, or else all that is shown, has come.
    pub(super) fn begin(&mut self, command: &Command) -> Result<(), String> {
        self.loose |= command.loose;
        self.shared |= command.text.ends_with('&');
        let already = parted(&self.text()).0.len();
        self.type_in(&format!("{}\nprintf '\\036%d\\036' $?", command.text));
        self.typed += 1;
        let shown = |line: &String| essence(line, self.loose);
        let mut parts = command.output.split(|line| line == "^C");
        let before: Vec<_> = parts.next().unwrap_or_default().iter().map(shown).collect();
        let after: Option<Vec<_>> = parts.next().map(|part| part.iter().map(shown).collect());
        let ready = ready(&before);
        let (endless, known) = (after.is_some(), self.typed);
        self.shown.extend(before);
        self.open = Some((command.line, command.text.clone(), after));
        self.awaits(|lines, ended| {
            ended == known || ((endless || ready > 0) && lines >= already + ready)
        })
    }

    /// Waits until the last command has ended, after an interruption where that is shown, and all
    /// that is shown has come, and nothing else.
    pub(super) fn finish(&mut self) -> Result<(), String> {
        let Some((_, _, after)) = &mut self.open else {
            return Ok(());
        };
        if let Some(after) = after.take() {
            self.agrees(|_| true)?;
            self.interrupt();
            self.shown.extend(after);
        }
        let known = self.typed;
        self.agrees(|ended| ended == known)?;
        self.open = None;
        Ok(())
    }

    /// Types a line.
    fn type_in(&mut self, text: &str) {
        let pipe = self.running.stdin.as_mut().expect("a kept pipe");
        pipe.write_all(text.as_bytes()).expect("a shell that reads");
        pipe.write_all(b"\n").expect("a shell that reads");
    }

    /// All that came so far, without the marks.
    fn text(&self) -> String {
        self.running.output_so_far()
    }

    /// Types Ctrl-C, once there is a command to get it: its process group gets the signal.
    fn interrupt(&self) {
        until("there is a command to interrupt", || {
            let group = self.groups().pop();
            let sent = group.is_some_and(|group| kill_process_group(group, Signal::INT).is_ok());
            sent || parted(&self.text()).1.len() == self.typed
        });
    }

    /// The process groups of what was started and has not ended; none as long as one of them is not
    /// what it is going to be: it may swallow a signal, or still be in the group of this test.
    fn groups(&self) -> Vec<Pid> {
        let pid = self.running.pid();
        let image = |pid: &str| fs::read_link(format!("/proc/{pid}/exe")).ok();
        let shell = image(&pid.to_string());
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
        let children = children.unwrap_or_default();
        if children
            .split_whitespace()
            .any(|child| image(child) == shell)
        {
            return vec![];
        }
        let groups = children.split_whitespace().filter_map(|child| {
            let child = Pid::from_raw(child.parse().ok()?);
            getpgid(child).ok()
        });
        groups.collect()
    }

    /// Waits until so many lines came and so many commands ended as `enough` says.
    fn awaits(&self, enough: impl Fn(usize, usize) -> bool) -> Result<(), String> {
        let found = self.running.finds(|text| {
            let (lines, ends) = parted(text);
            enough(lines.len(), ends.len()).then_some(())
        });
        found.ok_or_else(|| self.complaint())
    }

    /// Waits until what came is what is shown, and as many commands ended as `enough` says.
    fn agrees(&self, enough: impl Fn(usize) -> bool) -> Result<(), String> {
        let found = self.running.finds(|text| {
            let (lines, ends) = parted(text);
            let lines: Vec<_> = lines.iter().map(|line| essence(line, self.loose)).collect();
            let same = if self.shared {
                same_in_any_order(&self.shown, &lines)
            } else {
                same(&self.shown, &lines)
            };
            (same && enough(ends.len())).then_some(())
        });
        found.ok_or_else(|| self.complaint())
    }

    /// What is wrong.
    fn complaint(&self) -> String {
        let (line, text, _) = self.open.as_ref().expect("a command");
        let (lines, ends) = parted(&self.text());
        format!(
            "line {line}: {text}\nshown:\n{}\ncame ({} of {} ended):\n{}",
            self.shown.join("\n"),
            ends.len(),
            self.typed,
            lines.join("\n")
        )
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        for group in self.groups() {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// How many lines come before a program that serves can be used.
fn ready(lines: &[String]) -> usize {
    let last = lines
        .iter()
        .rposition(|line| line.starts_with("listening on "));
    let until_then = &lines[..last.map_or(lines.len(), |last| last + 1)];
    until_then.iter().filter(|line| *line != DOTS).count()
}

/// The lines that came, and the statuses of the commands that ended.
fn parted(text: &str) -> (Vec<String>, Vec<i32>) {
    let mut ends = vec![];
    let mut output = String::new();
    for (index, part) in text.split(MARK).enumerate() {
        if index % 2 == 0 {
            output.push_str(part);
        } else if let Ok(status) = part.parse() {
            ends.push(status);
        }
    }
    (output.lines().map(str::to_owned).collect(), ends)
}
