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
/// shared libraries counts too. Every such call is written down in `log`, with what its descriptor is.
pub(crate) fn inject(program: Program, faults: &[&str], log: &Path) -> Program {
    program.by_way_of(injector(faults, log))
}

/// Likewise, but only calls fail, and count, that concern such a descriptor, as `/proc/self/fd`
/// shows it: `anon_inode:[pidfd]`.
pub(crate) fn inject_at(program: Program, at: &str, faults: &[&str], log: &Path) -> Program {
    let mut words = injector(faults, log);
    words.extend(["-P".to_owned(), at.to_owned()]);
    program.by_way_of(words)
}

/// The tracer that injects.
fn injector(faults: &[&str], log: &Path) -> Vec<String> {
    let calls: Vec<_> = faults
        .iter()
        .filter_map(|fault| fault.split(':').next())
        .collect();
    let mut words = tracer(&calls.join(","), log);
    words.push("-yy".to_owned());
    for fault in faults {
        words.extend(["-e".to_owned(), format!("inject={fault}")]);
    }
    words
}

/// Writes down every one of these calls, separated by commas.
pub(crate) fn trace(program: Program, calls: &str, log: &Path) -> Program {
    program.by_way_of(tracer(calls, log))
}

/// The tracer as a grandchild: the program keeps its process id, its parent and its end.
fn tracer(calls: &str, log: &Path) -> Vec<String> {
    let log = log.display().to_string();
    let words = ["strace", "-D", "-f", "-qq", "--seccomp-bpf", "-o", &log];
    let mut words = words.map(str::to_owned).to_vec();
    words.extend(["-e".to_owned(), format!("trace={calls}")]);
    words
}

/// How often each call was made by the thread that made it most, and how often before the program
/// itself began (by the loader): what a log of [`trace`] says, which must include `poll`.
pub(crate) fn counts(log: &str) -> BTreeMap<String, (u32, u32)> {
    let mut threads: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    let mut loading = BTreeMap::new();
    let mut began = false;
    for line in log.lines() {
        let Some((thread, rest)) = line.split_once(' ') else {
            continue;
        };
        let rest = rest.trim_start();
        // The first thing that Rust's runtime does is to look at descriptors 0, 1 and 2.
        if !began && rest.starts_with("poll([{fd=0") {
            began = true;
            loading = threads.clone();
        }
        let Some((call, _)) = rest.split_once('(') else {
            continue;
        };
        if call.starts_with(|first: char| first.is_ascii_lowercase()) {
            *threads.entry((thread, call)).or_default() += 1;
        }
    }
    let mut counts: BTreeMap<String, (u32, u32)> = BTreeMap::new();
    for ((thread, call), count) in threads {
        let before = loading.get(&(thread, call)).copied().unwrap_or_default();
        let entry = counts.entry(call.to_owned()).or_default();
        *entry = (entry.0.max(before), entry.1.max(count));
    }
    counts
}
