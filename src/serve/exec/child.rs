//! A child from its start to its end, and how it is made to end.

use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, waitpid};
use tokio::io::unix::AsyncFd;
use tokio::runtime::Handle;
use tokio::signal::unix::{Signal as Signals, SignalKind, signal};

use super::{ChildEnd, Exec, Words};
use crate::error::{Action, Cause, Error, Result};
use crate::event::{Event, Observer};
use crate::net::{Address, is_link_local};
use crate::serve::behaviour::Behaviour;
use crate::serve::caller::Caller;
use crate::serve::client::Client;
use crate::serve::stop::{Phase, Stop};
use crate::sys;

/// How long a child has from SIGTERM to SIGKILL and then to its end, and how long to SIGKILL once
/// the server has to be gone.
const GRACE: Duration = Duration::from_secs(2);
const LAST_GRACE: Duration = Duration::from_millis(500);

/// How often a child is looked at whose end nobody tells of.
const LOOK: Duration = Duration::from_millis(20);

/// A child, which is waited for whatever becomes of this.
#[derive(Debug)]
pub(in crate::serve) struct Child {
    pid: Pid,
    news: News,
    /// It was waited for: the number may be somebody else's.
    is_over: bool,
}

/// What tells that a child may have ended.
#[derive(Debug)]
enum News {
    /// A descriptor of its own.
    Own(AsyncFd<OwnedFd>),
    /// The signal that tells of all children.
    Any(Signals),
    /// Nothing: we look from time to time.
    None,
}

impl News {
    /// The best there is: there may be no room for the better ones.
    fn of(pid: Pid) -> Self {
        if let Ok(own) = sys::watch_child(pid) {
            return Self::Own(own);
        }
        signal(SignalKind::child()).map_or(Self::None, Self::Any)
    }

    /// Waits until it may be worth a look.
    async fn wait(&mut self) {
        match self {
            Self::Own(ended) => {
                let _ = ended.readable().await;
                // Whoever debugs it is told first, and may keep it from us for a while.
                *self = Self::None;
            }
            Self::Any(signals) => {
                if signals.recv().await.is_none() {
                    *self = Self::None;
                }
            }
            Self::None => tokio::time::sleep(LOOK).await,
        }
    }
}

impl Child {
    /// Starts the command for a client.
    ///
    /// # Errors
    /// It cannot be run, or there is no room for one more process.
    pub(in crate::serve) fn start(
        caller: &Caller,
        command: &Exec,
        stdin: Stdio,
        stdout: Stdio,
    ) -> Result<Self> {
        let (mut process, name) = match &command.words {
            Words::Program(program, arguments) => {
                let mut process = Command::new(program);
                process.args(arguments);
                (process, program)
            }
            Words::Shell(line) => {
                let mut process = Command::new("sh");
                process.arg("-c").arg(line);
                (process, line)
            }
        };
        process.stdin(stdin).stdout(stdout);
        tell_addresses(&mut process, caller);
        sys::prepare_child(&mut process);
        let failed = |error: io::Error| Error::new(Action::Run, name.display(), error);
        let pid = Pid::from_child(&process.spawn().map_err(failed)?);
        Ok(Self {
            pid,
            news: News::of(pid),
            is_over: false,
        })
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// The system does not say how it ended.
    pub(in crate::serve) async fn end(&mut self) -> Result<ChildEnd> {
        loop {
            let looked = waitpid(Some(self.pid), WaitOptions::NOHANG);
            self.is_over = !matches!(looked, Ok(None));
            match looked {
                Ok(Some((_, status))) => return Ok(self.ended(status)),
                Ok(None) => self.news.wait().await,
                Err(error) => {
                    let error = io::Error::from(error);
                    return Err(Error::new(Action::Run, self.pid, error));
                }
            }
        }
    }

    /// Its end in our words.
    fn ended(&self, status: WaitStatus) -> ChildEnd {
        ChildEnd {
            pid: self.pid.as_raw_nonzero().get().unsigned_abs(),
            status: status.exit_status(),
            signal: status.terminating_signal(),
        }
    }

    /// Ends it before its time: SIGTERM, and SIGKILL when that was not heeded.
    ///
    /// # Errors
    /// The system does not say how it ended, or keeps it.
    pub(in crate::serve) async fn dismiss(mut self, stop: &Stop) -> Result<ChildEnd> {
        self.signal(Signal::TERM);
        tokio::select! {
            end = self.end() => return end,
            () = grace(stop) => self.signal(Signal::KILL),
        }
        match tokio::time::timeout(GRACE, self.end()).await {
            Ok(end) => end,
            Err(_) => Err(Error::new(Action::Run, self.pid, Cause::TimedOut(GRACE))),
        }
    }

    /// Sends a signal to it and its children.
    fn signal(&self, signal: Signal) {
        if !self.is_over {
            sys::signal_group(self.pid, signal);
        }
    }
}

impl Drop for Child {
    /// Nobody is left to it: it is ended, and waited for.
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        self.signal(Signal::KILL);
        let (pid, mut news) = (self.pid, std::mem::replace(&mut self.news, News::None));
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                while let Ok(None) = waitpid(Some(pid), WaitOptions::NOHANG) {
                    news.wait().await;
                }
            });
        }
    }
}

/// Takes note of the end of a client's child, and tells of it.
pub(in crate::serve) fn conclude(
    caller: &Caller,
    command: &Exec,
    end: ChildEnd,
    observer: &dyn Observer,
) {
    command.note_end(end);
    tell(caller, end, observer);
}

/// Tells of the end of a client's child.
fn tell(caller: &Caller, end: ChildEnd, observer: &dyn Observer) {
    observer.notice(&Event::ChildEnded {
        client: caller.number,
        peer: &caller.peer,
        end,
    });
}

/// Ends the child of a client who is left before its time, if there is one. How it ended is that of
/// the client, unless that one has all that it may get, which is as it should be.
pub(in crate::serve) async fn dismiss(client: &Client) {
    let Some(child) = client.child.lock().await.take() else {
        return;
    };
    let Behaviour::Exec(command) = &client.service.behaviour else {
        return;
    };
    let service = &client.service;
    match child.dismiss(&service.stop).await {
        Ok(end) if client.is_full() => tell(&client.caller(), end, &*service.observer),
        Ok(end) => conclude(&client.caller(), command, end, &*service.observer),
        Err(_) => {}
    }
}

/// Waits for as long as a child may take.
async fn grace(stop: &Stop) {
    let hurry = async {
        stop.reached(Phase::Over).await;
        tokio::time::sleep(LAST_GRACE).await;
    };
    let _ = tokio::time::timeout(GRACE, hurry).await;
}

/// Tells the child who talks with whom, in its environment. What has no value is not set, even if
/// we found it set.
fn tell_addresses(process: &mut Command, caller: &Caller) {
    process.env("NETTOOL_PROTO", caller.proto.name());
    let ends = [("LOCAL", &caller.local), ("REMOTE", &caller.peer)];
    for (end, address) in ends {
        let (host, port) = words_of(address);
        for (name, value) in [("ADDR", host), ("PORT", port)] {
            let name = format!("NETTOOL_{end}_{name}");
            match value {
                Some(value) => process.env(name, value),
                None => process.env_remove(name),
            };
        }
    }
}

/// An address without brackets and its port, or a path.
fn words_of(address: &Address) -> (Option<OsString>, Option<OsString>) {
    let Some(ip) = address.ip() else {
        return (address.path().map(|path| path.clone().into()), None);
    };
    let host = match address {
        Address::Ip(SocketAddr::V6(v6)) if is_link_local(*v6.ip()) => {
            format!("{}%{}", v6.ip(), v6.scope_id())
        }
        _ => ip.ip().to_string(),
    };
    (Some(host.into()), Some(ip.port().to_string().into()))
}
