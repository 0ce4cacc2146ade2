//! The files that the user named: opened first, so that what is wrong with them is known before
//! anybody is connected, and emptied only when somebody is, or a first datagram has come.

use std::fmt::Display;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use nettool::error::{Action, Error};
use nettool::event::{Event, Observer};
use nettool::process::{self, OutputFile};
use nettool::relay::Dump;

use crate::cli::{DataArgs, ShapingArgs};
use crate::output::Output;

/// Files that are written when the conversation begins, and what went wrong then.
#[derive(Debug, Default)]
pub(super) struct Files {
    written: Vec<(Action, OutputFile)>,
    /// stdin is left alone.
    spares_input: bool,
    failure: Mutex<Option<Error>>,
}

impl Files {
    /// Puts the files that were asked for in the place of stdin and stdout, so that whatever
    /// carries the bytes reads and writes them as the shell's redirections.
    pub(super) fn open(data: &DataArgs) -> Result<Self, Error> {
        let mut files = Self {
            spares_input: data.recv_only,
            ..Self::default()
        };
        if let Some(path) = &data.input {
            let failed = |error| Error::new(Action::Open, path.display(), error);
            process::read_from(path).map_err(failed)?;
        }
        if let Some(path) = &data.output {
            let failed = |error| Error::new(Action::Open, path.display(), error);
            let file = OutputFile::in_place_of_stdout(path, data.existing()).map_err(failed)?;
            files.spare(path.display(), &file, false)?;
            files.written.push((Action::Write, file));
        }
        Ok(files)
    }

    /// Refuses to empty what is to be read, or written by others, whatever it is called there.
    fn spare(&self, name: impl Display, file: &OutputFile, has_rival: bool) -> Result<(), Error> {
        let failed = |problem: &str| Err(Error::new(Action::Open, name, problem.to_owned()));
        if !self.spares_input && file.empties(io::stdin()) {
            return failed("it is what is to be sent, and would be emptied before that");
        }
        if has_rival && file.empties(io::stdout()) {
            return failed("what comes is written there");
        }
        Ok(())
    }

    /// Opens the file that everything is written down in, if that was asked for; like the shell's
    /// redirections it replaces what was there.
    pub(super) fn open_dump(&mut self, shaping: &ShapingArgs) -> Result<Option<Dump>, Error> {
        let Some(path) = shaping.hexdump() else {
            return Ok(None);
        };
        let (name, path) = if path == Path::new("-") {
            ("stderr".to_owned(), Path::new("/dev/stderr"))
        } else {
            (path.display().to_string(), path)
        };
        let failed = |error| Error::new(Action::Open, &name, error);
        let (descriptor, file) = OutputFile::replacing(path).map_err(failed)?;
        self.spare(&name, &file, true)?;
        self.written.push((Action::Dump, file));
        let dump = Dump::into(descriptor, name.clone());
        dump.map(Some)
            .map_err(|error| Error::new(Action::Dump, name, error))
    }

    /// Somebody is there: what the files held goes now.
    pub(super) fn begin(&self) -> Result<(), Error> {
        for (action, file) in &self.written {
            let failed = |error| Error::new(*action, file.path().display(), error);
            file.begin().map_err(failed)?;
        }
        Ok(())
    }
}

/// Begins with the files when a client has come, and passes on all that is told.
pub(super) struct Beginning {
    files: Files,
    output: Arc<Output>,
}

impl Beginning {
    /// With these files, telling this one.
    pub(super) fn new(files: Files, output: &Arc<Output>) -> Arc<Self> {
        let output = Arc::clone(output);
        Arc::new(Self { files, output })
    }

    /// What went wrong when nobody could be told.
    pub(super) fn take_failure(&self) -> Option<Error> {
        let failure = self.files.failure.lock();
        failure.unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Observer for Beginning {
    fn notice(&self, event: &Event<'_>) {
        let is_begin = matches!(
            event,
            Event::Connected { .. } | Event::ClientCame { .. } | Event::FirstDatagram
        );
        if is_begin && let Err(error) = self.files.begin() {
            let failure = self.files.failure.lock();
            let mut failure = failure.unwrap_or_else(PoisonError::into_inner);
            failure.get_or_insert(error);
        }
        self.output.notice(event);
    }
}
