//! `--shard` and `--resume`: one part of a job, and what is left of it.

use std::fs::{self, File};
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process;

use nettool::error::{Action, Error};
use nettool::probe::{Job, Left};
use nettool::value::Shard;
use serde::{Deserialize, Serialize};

use crate::cli::{ProbeArgs, Usage, contents};
use crate::command::Failure;
use crate::output::PartRecord;

/// The part that a run is to do.
#[derive(Debug)]
pub(super) struct Assignment {
    /// Which part.
    shard: Shard,
    /// What the order of the ports follows from.
    pub(super) seed: u64,
    /// Where it is written what is left over.
    file: Option<PathBuf>,
    /// What an earlier run has left over.
    earlier: Option<State>,
}

/// What a run has left over, as it is written to a file.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct State {
    v: u8,
    r#type: String,
    job: String,
    seed: u64,
    shard: u32,
    shards: u32,
    next: u64,
    pending: Vec<u64>,
}

impl Assignment {
    /// The part that the arguments and the file name; nothing for a plain run.
    pub(super) fn of(arguments: &ProbeArgs) -> Result<Option<Self>, Failure> {
        let (shard, file) = (arguments.shard()?, arguments.resume());
        if shard.is_none() && file.is_none() {
            return Ok(None);
        }
        let earlier = file.map(State::read).transpose()?.flatten();
        let seed = arguments.seed();
        let random = || RandomState::new().build_hasher().finish();
        let fallback = || if shard.is_some() { 0 } else { random() };
        let known = earlier.as_ref().map(|state| state.seed);
        Ok(Some(Self {
            shard: shard.unwrap_or(Shard::WHOLE),
            seed: seed.or(known).unwrap_or_else(fallback),
            file: file.map(Path::to_owned),
            earlier,
        }))
    }

    /// Whether other machines do the rest of the job.
    pub(super) fn is_shared(&self) -> bool {
        self.shard.of() > 1
    }

    /// What is left of the part, if the file belongs to this job.
    pub(super) fn left(&self, job: &Job) -> Result<Left, Usage> {
        let Some(state) = &self.earlier else {
            return Ok(Left::default());
        };
        let expected = self.state(job.identity(), &Left::default());
        let is_same = (&state.job, state.shard, state.shards)
            == (&expected.job, expected.shard, expected.shards);
        let left = Left {
            next: state.next,
            pending: state.pending.clone(),
        };
        let file = self.file.as_deref().unwrap_or(Path::new("")).display();
        if !is_same {
            return Err(Usage::new(format!(
                "{file} is of another job: --resume needs the same targets, ports, --exclude, \
                 --seed and --shard; remove the file to begin anew"
            )));
        }
        let size = job.clone().part(self.shard, &Left::default()).size();
        let is_sorted = left.pending.is_sorted_by(|one, next| one < next);
        let is_below = left.pending.last().is_none_or(|last| *last < left.next);
        if left.next > size || !is_sorted || !is_below {
            return Err(damaged(&file.to_string(), "the numbers do not fit the job"));
        }
        Ok(left)
    }

    /// The part of the job, without what was done before.
    pub(super) fn part(&self, job: Job, left: &Left) -> nettool::probe::Part {
        job.part(self.shard, left)
    }

    /// Writes what is left over.
    pub(super) fn save(&self, job: u64, left: &Left) -> Result<(), Error> {
        match &self.file {
            None => Ok(()),
            Some(path) => self.state(job, left).write(path),
        }
    }

    /// Removes the file: nothing is left over.
    pub(super) fn finish(&self) -> Result<(), Error> {
        let Some(path) = &self.file else {
            return Ok(());
        };
        fs::remove_file(path).map_err(|error| Error::new(Action::Write, path.display(), error))
    }

    /// The file, if there is one.
    pub(super) fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// What the summary says of the part.
    pub(super) fn record(&self, job: u64, ports: u64) -> PartRecord {
        PartRecord {
            job: format!("{job:016x}"),
            seed: self.seed,
            shard: self.shard.number(),
            shards: self.shard.of(),
            share_ports: ports,
        }
    }

    /// What is left over, as it is written.
    fn state(&self, job: u64, left: &Left) -> State {
        State {
            v: 1,
            r#type: "resume".to_owned(),
            job: format!("{job:016x}"),
            seed: self.seed,
            shard: self.shard.number(),
            shards: self.shard.of(),
            next: left.next,
            pending: left.pending.clone(),
        }
    }
}

impl State {
    /// What a file says; nothing where there is none.
    fn read(path: &Path) -> Result<Option<Self>, Failure> {
        let text = match contents(path) {
            Ok(text) => text,
            Err(error) if error.errno() == Some(libc::ENOENT) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let name = path.display().to_string();
        let state = Self::parse(&text).map_err(|problem| damaged(&name, &problem))?;
        Ok(Some(state))
    }

    /// What such a file says, or what is wrong with it.
    fn parse(text: &[u8]) -> Result<Self, String> {
        let state: Self = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        if (state.v, state.r#type.as_str()) != (1, "resume") {
            return Err("it is of another kind".to_owned());
        }
        Ok(state)
    }

    /// Writes a file whole or not at all.
    fn write(&self, path: &Path) -> Result<(), Error> {
        let failed = |error: io::Error| Error::new(Action::Write, path.display(), error);
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{}", process::id()));
        let beside = PathBuf::from(name);
        let text = serde_json::to_string(self).map_err(io::Error::other);
        let text = text.map_err(failed)?;
        let file = new_file(&beside);
        let mut file = file.map_err(|error| Error::new(Action::Open, beside.display(), error))?;
        let written = file
            .write_all(format!("{text}\n").as_bytes())
            .and_then(|()| file.sync_all())
            .and_then(|()| fs::rename(&beside, path));
        if written.is_err() {
            // Failed, it lies there, and is nobody's.
            let _ = fs::remove_file(&beside);
        }
        written.map_err(failed)
    }
}

/// A new file of our own. One of this name was left by a run that had our number, and was killed:
/// in a container that may be every one.
fn new_file(path: &Path) -> io::Result<File> {
    match File::create_new(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::remove_file(path)?;
            File::create_new(path)
        }
        created => created,
    }
}

/// A file that was not written by a run that was stopped.
fn damaged(name: &str, problem: &str) -> Usage {
    Usage::new(format!(
        "{name} was not written by --resume, or is damaged: {problem}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_file_says_is_read_or_refused() {
        crate::replay::replay("resumed", |bytes| {
            let _ = State::parse(bytes);
        });
    }
}
