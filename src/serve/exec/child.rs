//! A child from its start to its end, and how it is made to end.

use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use super::{ChildEnd, Exec, Words};
use crate::error::{Action, Error, Result};
use crate::event::{Event, Observer};
use crate::net::{Address, is_link_local};
use crate::serve::behaviour::Behaviour;
use crate::serve::caller::Caller;
use crate::serve::client::Client;
use crate::serve::stop::{Phase, Stop};
use crate::sys;

/// How long a child has from SIGTERM to SIGKILL, and how long once the server has to be gone.
const GRACE: Duration = Duration::from_secs(2);
const LAST_GRACE: Duration = Duration::from_millis(500);

/// A child that has not been waited for.
#[derive(Debug)]
pub(in crate::serve) struct Child {
    pid: u32,
    process: Box<tokio::process::Child>,
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
        let mut process = tokio::process::Command::from(process);
        process.kill_on_drop(true);
        let failed = |error: io::Error| Error::new(Action::Run, name.display(), error);
        let process = Box::new(process.spawn().map_err(failed)?);
        let pid = process.id().unwrap_or_default();
        Ok(Self { pid, process })
    }

    /// Waits for its end.
    pub(in crate::serve) async fn end(&mut self) -> Result<ChildEnd> {
        let status = self.process.wait().await;
        let status = status.map_err(|error| Error::new(Action::Run, self.pid, error))?;
        Ok(self.ended(status))
    }

    /// Its end in our words.
    fn ended(&self, status: ExitStatus) -> ChildEnd {
        ChildEnd {
            pid: self.pid,
            status: status.code(),
            signal: status.signal(),
        }
    }

    /// Ends it before its time: SIGTERM, and SIGKILL when that was not heeded.
    ///
    /// # Errors
    /// The system does not say how it ended.
    pub(in crate::serve) async fn dismiss(mut self, stop: &Stop) -> Result<ChildEnd> {
        self.signal(Signal::TERM);
        tokio::select! {
            end = self.end() => return end,
            () = grace(stop) => self.signal(Signal::KILL),
        }
        self.end().await
    }

    /// Sends a signal to it and its children.
    fn signal(&self, signal: Signal) {
        // Once it was waited for the number may be somebody else's.
        if self.process.id().is_some() {
            sys::signal_group(self.pid, signal);
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
    observer.notice(&Event::ChildEnded {
        client: caller.number,
        peer: &caller.peer,
        end,
    });
}

/// Ends the child of a client who is left before its time, if there is one.
pub(in crate::serve) async fn dismiss(client: &Client) {
    let Some(child) = client.child.lock().await.take() else {
        return;
    };
    let Behaviour::Exec(command) = &client.service.behaviour else {
        return;
    };
    let service = &client.service;
    if let Ok(end) = child.dismiss(&service.stop).await {
        conclude(&client.caller(), command, end, &*service.observer);
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
