//! Both directions on one thread, as long as all messages are short: an answer then comes and goes
//! without a change of threads, which costs a fifth of the round trips a second.

use std::os::fd::AsFd;

use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::RecvFlags;

use super::Ways;
use super::down::Down;
use super::up::Up;
use crate::relay::attention::Mode;
use crate::relay::is_passing;
use crate::sys::{self, StdinKind};

/// Passes short messages both ways, until there is more to do than that: much to move, an end, a
/// failure, somebody who has to be waited for, or an order. Nothing of it is lost: each direction
/// holds what it could not pass on.
pub(super) fn pass(up: &mut Up, down: &mut Down) {
    while up.may_be_short() && down.may_be_short() {
        let Some((input, came)) = wait(up, down) else {
            return;
        };
        if input && !up.pass_short() || came && !down.pass_short() {
            return;
        }
    }
}

/// Waits until stdin or the peer has something; which of the two it is is returned in this order,
/// `None` if it is neither.
fn wait(up: &Up, down: &Down) -> Option<(bool, bool)> {
    let stdin = (rustix::stdio::stdin(), PollFlags::IN);
    let socket = (down.work.socket.as_fd(), PollFlags::IN);
    let stdout = (rustix::stdio::stdout(), PollFlags::empty());
    let orders = (up.work.attention.waker(), PollFlags::IN);
    let watched = [stdin, socket, stdout, orders];
    let [input, came, gone, order] = down.work.attention.wait(watched, None).ok()?;
    let is_plain = gone.is_empty() && order.is_empty();
    is_plain.then_some((!input.is_empty(), !came.is_empty()))
}

impl Up {
    /// Whether messages from stdin may be short ones, and can be taken without waiting for them.
    fn may_be_short(&self) -> bool {
        let is_free = self.held.is_empty() && self.work.attention.mode() == Mode::Run;
        is_free && self.ways == Ways::Best && self.kind == StdinKind::Stream
    }

    /// Passes on what stdin has now; false if there is more to do than that.
    fn pass_short(&mut self) -> bool {
        let is_full = match sys::read_now(rustix::stdio::stdin(), self.held.room()) {
            // Whoever reads again finds the end again.
            Ok(0) => return false,
            Ok(length) => self.hold(length),
            Err(error) => return is_passing(&error),
        };
        let sent = self.send_now();
        let is_all = matches!(sent, Ok(true));
        self.ended = sent.err();
        is_all && !is_full
    }
}

impl Down {
    /// Whether messages of the peer may be short ones, and can be passed on without waiting for
    /// whoever reads them.
    fn may_be_short(&self) -> bool {
        let is_free = self.held.is_empty() && self.work.attention.mode() == Mode::Run;
        is_free && self.work.ways == Ways::Best && self.writes && self.stdout.has_reader()
    }

    /// Passes on what the peer has sent now; false if there is more to do than that.
    fn pass_short(&mut self) -> bool {
        let is_full = match self.take(RecvFlags::DONTWAIT) {
            // Whoever receives again finds the end again.
            Ok(0) => return false,
            Ok(length) => self.held.fill(length),
            Err(Errno::AGAIN | Errno::INTR) => return true,
            Err(error) => {
                self.broken = Some(error.into());
                return false;
            }
        };
        // What fails here fails again.
        let is_all = matches!(self.write_held_now(), Ok(true));
        is_all && !is_full
    }
}
