//! `nettool probe --wait`.

use std::io;

use nettool::error::{Action, Error};
use nettool::probe::{Binding, Connector, News, Wait, Waited};
use nettool::process;
use tokio::time::Instant;

use super::failed;
use crate::cli::{ProbeArgs, Request, WaitWish};
use crate::command::interruption::Interruption;
use crate::command::{Failure, Status, runtime};
use crate::output::{Output, WaitTalk};

/// Waits, and becomes the command if there is one.
pub(super) fn run(
    arguments: &ProbeArgs,
    wish: &WaitWish,
    request: Request,
    binding: Binding,
    output: &Output,
) -> Result<Status, Failure> {
    let targets = request.sought("--wait", arguments.ping())?;
    process::raise_open_files();
    let interruption = Interruption::watch().map_err(failed)?;
    let wait = Wait {
        connector: Connector::new(binding, &super::ports(&targets)),
        targets,
        goal: wish.goal,
        family: arguments.family(),
        deadline: wish
            .limit
            .and_then(|limit| Instant::now().checked_add(limit)),
    };
    let mut talk = WaitTalk::new(output, &wait.targets);
    let runtime = runtime::on_this_thread().map_err(failed)?;
    let mut told = Ok(());
    let waited = runtime.block_on(async {
        let tell = |news: &News<'_>| {
            if told.is_ok() {
                told = talk.tell(news);
            }
        };
        wait.run(interruption.came(), tell).await
    });
    // A look-up in progress does not hold the exit.
    runtime.shutdown_background();
    told?;
    talk.end(&waited)?;
    let status = interruption.status(status(&waited));
    match status {
        Status::Done if !wish.command.is_empty() => Ok(become_command(wish, output)),
        status => Ok(status),
    }
}

/// The status of a wait.
fn status(waited: &Waited) -> Status {
    if waited.is_met {
        Status::Done
    } else {
        Status::Failed
    }
}

/// Runs the command in our place; comes back only if it cannot run.
fn become_command(wish: &WaitWish, output: &Output) -> Status {
    let error = process::replace_with(&wish.command);
    let not_found = error.kind() == io::ErrorKind::NotFound;
    let program = wish.command.first().map(|word| word.to_string_lossy());
    output.error(&Error::new(Action::Run, program.unwrap_or_default(), error));
    Status::Ran(if not_found { 127 } else { 126 })
}
