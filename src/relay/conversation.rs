//! A conversation over a stream, and the choice of what carries its bytes.

use std::future::Future;
use std::io;
use std::os::fd::AsFd as _;
use std::sync::Arc;

use super::direct::{Direct, Flow, Ways};
use super::halves::Halves;
use super::looped::Looped;
use super::records::Records;
use super::session::{Terms, talk};
use super::{Input, Limits, Meter, Outlet, Rules, Shaping, Transfer, Transform, Until};
use crate::error::{Action, Error, Result};
use crate::event::Observer;
use crate::net::{Address, Line, Proto, Stream};

/// A conversation that is about to begin.
pub struct Conversation<'a> {
    /// The connection.
    pub stream: Stream,
    /// The other end of it.
    pub peer: Address,
    /// What broke the connection, if somebody has learnt that already.
    pub failure: Option<io::Error>,
    /// What goes to the peer.
    pub input: &'a mut Input,
    /// Where the peer's bytes go.
    pub sink: Sink<'a>,
    /// As many of them are taken at most.
    pub most: Option<u64>,
    /// What is done to them on their way.
    pub shaping: Shaping<'a>,
    /// What carries them.
    pub path: Path,
    /// How it ends.
    pub rules: Rules,
    /// How long it may take.
    pub limits: Limits,
    /// What it moves.
    pub meter: &'a Arc<Meter>,
    /// Who is told.
    pub observer: &'a dyn Observer,
}

/// Where the peer's bytes go.
#[derive(Clone, Copy)]
pub enum Sink<'a> {
    /// Nowhere.
    Nothing,
    /// To stdout as they are.
    Stdout,
    /// To stdout, past a filter that this makes.
    Filtered(&'a dyn Fn() -> Box<dyn Transform>),
}

/// What carries the bytes of a stream. All of them behave alike; which one is the fastest depends
/// on the ends.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Path {
    /// The direct one, unless somebody has to look at the bytes.
    #[default]
    Auto,
    /// Two blocking threads and the calls that every system has.
    Portable,
    /// The event loop.
    Looped,
}

/// Moves bytes both ways until the end-of-file table says that it is over, or `stop` comes.
///
/// # Errors
/// It cannot even begin: the system has no room for it.
pub async fn converse(
    conversation: Conversation<'_>,
    stop: impl Future<Output = ()>,
) -> Result<Transfer> {
    let Conversation {
        stream,
        peer,
        failure,
        input,
        sink,
        most,
        shaping,
        path,
        rules,
        limits,
        meter,
        observer,
    } = conversation;
    let failed = |error| Error::new(Action::Session, &peer, error);
    let proto = stream.proto();
    // What cannot even begin must not look like a good end either.
    Line::new(proto, stream.as_fd()).reset_on_close(true);
    let local = stream.local().map_err(failed)?;
    let writes = !matches!(sink, Sink::Nothing);
    let terms = Terms {
        proto,
        local: &local,
        peer: &peer,
        rules,
        limits,
        meter,
        observer,
        writes,
    };
    let ways = match (sink, path) {
        _ if proto == Proto::UnixSeqpacket => None,
        (Sink::Filtered(_), _) | (_, Path::Looped) => None,
        _ if most.is_some() || input.is_shaped() || meter.has_digests() => None,
        _ if !shaping.is_none() => None,
        (_, Path::Auto) => Some(Ways::Best),
        (_, Path::Portable) => Some(Ways::Portable),
    };
    let reads = !rules.recv_only;
    if let Some(ways) = ways {
        let failure = failure.as_ref().and_then(io::Error::raw_os_error);
        let flow = Flow {
            reads,
            writes,
            ways,
            sends_all: rules.until != Until::Peer,
            failure,
        };
        let mut mover = Direct::start(stream, input, flow, meter).map_err(failed)?;
        return Ok(talk(terms, &mut mover, stop).await);
    }
    let outlet = Outlet::of(sink).map_err(failed)?;
    let halves = Halves::new(reads, outlet, meter, observer);
    if proto == Proto::UnixSeqpacket {
        let mut mover = Records::new(stream, input, halves, most);
        return Ok(talk(terms, &mut mover, stop).await);
    }
    let mut mover = Looped::new(stream, failure, input, halves);
    mover.take_at_most(most);
    mover.shape(shaping);
    Ok(talk(terms, &mut mover, stop).await)
}
