//! Two pipes between the client and the child, for what has to look at the bytes.

use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::sync::watch;

use super::child::{Child, conclude};
use super::{ChildEnd, Exec};
use crate::error::{Action, Cause, Error, Result};
use crate::serve::caller::Caller;
use crate::serve::client::Client;
use crate::serve::watch::Watch;

/// How much is taken from the child at once: as much as a pipe holds that nobody has enlarged.
const PIECE: usize = 64 * 1024;

/// Whoever a child speaks to.
pub(in crate::serve) trait Hearer: Sync {
    /// Takes what it said.
    ///
    /// # Errors
    /// Nobody is there any more.
    fn hear(&self, said: &[u8]) -> impl Future<Output = Result<()>> + Send;
}

impl Hearer for Client {
    async fn hear(&self, said: &[u8]) -> Result<()> {
        self.send(said).await
    }
}

/// Runs the command until it ends, or the client resets the connection.
pub(super) async fn serve(client: &Client, command: &Exec) -> Result<()> {
    let caller = client.caller();
    let (child, input, output) = start(&caller, command)?;
    let mut place = client.child.lock().await;
    let child = place.insert(child);
    let (over, is_over) = watch::channel(false);
    let answering = answer(client, output, PIECE, is_over);
    let talked = talk(child, &over, feed_until_reset(client, input), answering);
    let (end, answered) = talked.await?;
    *place = None;
    conclude(&caller, command, end, &*client.service.observer);
    answered
}

/// Starts the command between two pipes, of which our ends are returned.
///
/// # Errors
/// It cannot be run, or there is no room for it.
pub(in crate::serve) fn start(
    caller: &Caller,
    command: &Exec,
) -> Result<(Child, Sender, Receiver)> {
    let failed = |error: io::Error| Error::new(Action::Run, "the command", error);
    let (stdin, input) = io::pipe().map_err(failed)?;
    let (output, stdout) = io::pipe().map_err(failed)?;
    let (input, output) = ours(input, output).map_err(failed)?;
    let child = Child::start(caller, command, stdin.into(), stdout.into())?;
    Ok((child, input, output))
}

/// Our ends of the pipes, watched by the runtime.
fn ours(input: PipeWriter, output: PipeReader) -> io::Result<(Sender, Receiver)> {
    Ok((
        Sender::from_owned_fd(OwnedFd::from(input))?,
        Receiver::from_owned_fd(OwnedFd::from(output))?,
    ))
}

/// Carries the bytes both ways until the child has ended and the client has all that it said, and
/// says how that went. A client that had ended before it refused something has said all it had to
/// say, and what is done with that is not stopped any more.
///
/// # Errors
/// The client's connection broke before it had ended, or nobody knows how the child ended.
pub(in crate::serve) async fn talk(
    child: &mut Child,
    over: &watch::Sender<bool>,
    feeding: impl Future<Output = Result<()>>,
    answering: impl Future<Output = Result<()>>,
) -> Result<(ChildEnd, Result<()>)> {
    let mut feeding = std::pin::pin!(feeding);
    let mut answering = std::pin::pin!(answering);
    let (mut fed, mut answered, mut ended) = (false, None, None);
    loop {
        tokio::select! {
            biased;
            result = feeding.as_mut(), if !fed => {
                result?;
                fed = true;
            }
            result = answering.as_mut(), if answered.is_none() => match result {
                Err(error) if !fed => return Err(error),
                result => answered = Some(result),
            },
            end = child.end(), if ended.is_none() => {
                ended = Some(end?);
                over.send_replace(true);
            }
        }
        if let (Some(end), true) = (ended, answered.is_some()) {
            return Ok((end, answered.unwrap_or(Ok(()))));
        }
    }
}

/// Gives the child what the client sends, unless it resets its connection. While the child takes
/// nothing, nothing is read from the client that would tell.
async fn feed_until_reset(client: &Client, input: Sender) -> Result<()> {
    let watch = Watch::new(client);
    tokio::select! {
        biased;
        fed = feed(client, input) => fed,
        error = watch.reset() => Err(client.broken(error)),
    }
}

/// Gives the child what the client sends; what it does not want any more is dropped.
async fn feed(client: &Client, input: Sender) -> Result<()> {
    let mut input = Some(input);
    while let Some(came) = client.receive(<[u8]>::to_vec).await? {
        if let Some(open) = &input
            && write(open, &came).await.is_err()
        {
            input = None;
        }
    }
    Ok(())
}

/// Writes all of it, and waits as long as the child is slow.
///
/// # Errors
/// It does not want any more.
pub(in crate::serve) async fn write(input: &Sender, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        input.writable().await?;
        match input.try_write(bytes) {
            Ok(length) => bytes = bytes.get(length..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Hands over what the child says, at most so much at once, until it closes its stdout. When the
/// child is over that is what it had said by then: children of its own may have the pipe still, and
/// are not waited for.
///
/// # Errors
/// Nobody takes it.
pub(in crate::serve) async fn answer(
    hearer: &impl Hearer,
    output: Receiver,
    most: usize,
    mut over: watch::Receiver<bool>,
) -> Result<()> {
    let mut buffer = vec![0; most];
    while !*over.borrow() {
        match output.try_read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(length) => {
                let said = buffer.get(..length).unwrap_or_default();
                hearer.hear(said).await?;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => tokio::select! {
                ready = output.readable() => ready.map_err(unreadable)?,
                // The sender is there for as long as we are asked.
                _ = over.wait_for(|over| *over) => {}
            },
            Err(error) => return Err(unreadable(error)),
        }
    }
    hand_over_rest(hearer, &output, &mut buffer).await
}

/// Hands over what is in the pipe now, and nothing that comes later. How much that can be nobody
/// knows beforehand: whoever has a pipe may enlarge it (`F_SETPIPE_SZ`, fcntl(2)).
async fn hand_over_rest(hearer: &impl Hearer, output: &Receiver, buffer: &mut [u8]) -> Result<()> {
    let left = rustix::io::ioctl_fionread(output).map_err(|error| unreadable(error.into()))?;
    let mut left = usize::try_from(left).unwrap_or(usize::MAX);
    while left > 0 {
        let most = left.min(buffer.len());
        let room = buffer.get_mut(..most).unwrap_or_default();
        // Not what the runtime has heard of it: what is there.
        let length = match rustix::io::read(output, room) {
            Ok(0) | Err(Errno::AGAIN) => return Ok(()),
            read => read.map_err(|error| unreadable(error.into()))?,
        };
        let said = buffer.get(..length).unwrap_or_default();
        hearer.hear(said).await?;
        left = left.saturating_sub(length);
    }
    Ok(())
}

/// The error of a pipe that cannot be read.
fn unreadable(error: io::Error) -> Error {
    Error::new(Action::Read, "the command", Cause::Io(error))
}
