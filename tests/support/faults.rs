//! Faults of the kernel, injected from outside with `strace`: the program under test is the one
//! that ships, and a call of it fails as a kernel could let it fail.

use std::collections::BTreeMap;
use std::path::Path;

use super::program::Program;
use super::skip::need;

/// Whether faults can be injected here; skips the test where not.
pub(crate) fn can_inject() -> bool {
    need(&["strace"])
}

/// Lets calls of a program fail. A fault is written as `strace` takes it:
/// `read,write:error=EINTR:when=5+3`; the count begins anew in every thread, and the loader of
/// shared libraries counts too. Every such call is written down in `log`, and every one of `also`,
/// with what its descriptor is.
pub(crate) fn inject(program: Program, faults: &[&str], also: &[&str], log: &Path) -> Program {
    program.by_way_of(injector(faults, also, log))
}

/// Likewise, but only calls fail, and count, that concern such a descriptor, as `/proc/self/fd`
/// shows it: `anon_inode:[pidfd]`.
pub(crate) fn inject_at(program: Program, at: &str, fault: &str, log: &Path) -> Program {
    let mut words = injector(&[fault], &[], log);
    words.extend(["-P".to_owned(), at.to_owned()]);
    program.by_way_of(words)
}

/// Likewise for whatever its standard output is.
pub(crate) fn inject_at_stdout(program: Program, fault: &str, log: &Path) -> Program {
    let script = "tracer=$1; shift; exec \"$tracer\" -P \"$(readlink /proc/$$/fd/1)\" \"$@\"";
    let program = program.by_way_of(injector(&[fault], &[], log));
    program.by_way_of(["sh", "-c", script, "sh"])
}

/// The tracer that injects.
fn injector(faults: &[&str], also: &[&str], log: &Path) -> Vec<String> {
    let failing = faults.iter().filter_map(|fault| fault.split(':').next());
    let traced: Vec<_> = failing.chain(also.iter().copied()).collect();
    let mut words = tracer(&traced.join(","), log);
    for fault in faults {
        words.extend(["-e".to_owned(), format!("inject={fault}")]);
    }
    words
}

/// Writes down every one of these calls, separated by commas, with what their descriptors are.
pub(crate) fn trace(program: Program, calls: &str, log: &Path) -> Program {
    program.by_way_of(tracer(calls, log))
}

/// The tracer as a grandchild: the program keeps its process id, its parent and its end. Programs
/// that it starts are let go.
fn tracer(calls: &str, log: &Path) -> Vec<String> {
    let log = log.display().to_string();
    let words = [
        "strace", "-D", "-f", "-qq", "-yy", "-b", "execve", "-o", &log,
    ];
    let mut words = words.map(str::to_owned).to_vec();
    words.extend(["-e".to_owned(), format!("trace={calls}")]);
    words
}

/// A call that a log tells of.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// Who made it.
    pub(crate) thread: String,
    /// Its name.
    pub(crate) name: String,
    /// Which one of this name it is in its thread, from 1.
    pub(crate) nth: u32,
    /// What it was given, as far as the log has that, and what came of it.
    pub(crate) text: String,
    /// Whether the loader of shared libraries made it, or who ran before it.
    pub(crate) is_loading: bool,
    /// Whether a fault was injected.
    pub(crate) is_injected: bool,
}

/// The calls of a log of [`trace`] or [`inject`], in their order. Where `poll` is not among them the
/// loader's are not told from others.
pub(crate) fn calls(log: &str) -> Vec<Call> {
    let mut calls: Vec<Call> = Vec::new();
    let mut counts: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    let mut begun: BTreeMap<&str, usize> = BTreeMap::new();
    for line in log.lines() {
        let Some((thread, text)) = line.split_once(' ') else {
            continue;
        };
        let text = text.trim_start();
        let is_injected = text.ends_with("(INJECTED)");
        if text.starts_with("<... ") {
            if let Some(call) = begun.remove(thread).and_then(|place| calls.get_mut(place)) {
                call.text.push_str(text);
                call.is_injected = is_injected;
            }
            continue;
        }
        let Some((name, _)) = text.split_once('(') else {
            continue;
        };
        if !name.starts_with(|first: char| first.is_ascii_lowercase()) {
            continue;
        }
        // The first thing that Rust's runtime does is to look at descriptors 0, 1 and 2.
        if text.starts_with("poll([{fd=0") {
            for call in &mut calls {
                call.is_loading = true;
            }
        }
        if text.ends_with("<unfinished ...>") {
            begun.insert(thread, calls.len());
        }
        let nth = counts.entry((thread, name)).or_default();
        *nth += 1;
        calls.push(Call {
            thread: thread.to_owned(),
            name: name.to_owned(),
            nth: *nth,
            text: text.to_owned(),
            is_loading: false,
            is_injected,
        });
    }
    calls
}
