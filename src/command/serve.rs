//! `nettool listen` with a behaviour: one client, or many.

use std::cell::Cell;
use std::sync::Arc;

use nettool::error::{Action, Error};
use nettool::net::{Binding, ListenOptions};
use nettool::serve::{
    Behaviour, Service, Source, Stdio, Stop, Tag, Waiting, serve_many, serve_one,
};

use super::listen::{addresses, binding};
use super::signals::Endings;
use super::{Failure, Status, talk};
use crate::cli::{ListenArgs, Where};
use crate::output::{Output, tag};

/// Serves one client or many.
pub(super) fn run(
    arguments: &ListenArgs,
    place: &Where,
    behaviour: Behaviour,
    output: &Arc<Output>,
) -> Result<Status, Failure> {
    let serving = Serving {
        service: service(arguments, behaviour, output),
        options: arguments.options(),
        arguments,
        output,
    };
    if arguments.serve.keeps_open() {
        return talk::block_on_threads(|endings| serving.session(place, endings));
    }
    talk::block_on(|endings| serving.session(place, endings))
}

/// Our stdin and stdout, for many clients.
pub(super) fn stdio(arguments: &ListenArgs) -> Result<Behaviour, Failure> {
    let (data, serve) = (&arguments.data, &arguments.serve);
    talk::open_files(data)?;
    let source = if data.recv_only {
        Source::Nothing
    } else {
        Source::Input(talk::input(data))
    };
    let tag: Option<Tag> = serve.tags().then_some(Box::new(tag));
    let failed = |error| Error::new(Action::Write, "stdout", error);
    let stdio = Stdio::new(source, talk::sink(data), serve.slow(), tag).map_err(failed)?;
    Ok(Behaviour::Stdio(Arc::new(stdio)))
}

/// What every client gets.
fn service(arguments: &ListenArgs, behaviour: Behaviour, output: &Arc<Output>) -> Service {
    Service {
        behaviour,
        idle_timeout: arguments.times.idle(),
        max_time: arguments.times.whole(),
        most: arguments.data.most(),
        observer: Arc::clone(output) as _,
        stop: Stop::default(),
    }
}

/// What a run of it needs.
struct Serving<'a> {
    service: Service,
    options: ListenOptions,
    arguments: &'a ListenArgs,
    output: &'a Output,
}

impl Serving<'_> {
    /// Listens and serves until a signal, or the end of the only client.
    async fn session(self, place: &Where, mut endings: Endings) -> Result<Status, Failure> {
        let came = endings.came();
        let addresses = tokio::select! {
            () = endings.next() => return Ok(talk::stopped(&came)),
            addresses = addresses(place, self.arguments.transport.family()) => addresses?,
        };
        let binding = binding(place, addresses, self.arguments, self.output);
        let stop = self.service.stop.clone();
        tokio::select! {
            never = obey(endings, &stop) => match never {},
            status = self.serve(binding, &came) => Ok(status?),
        }
    }

    /// Serves.
    async fn serve(self, binding: Binding, came: &Cell<Option<i32>>) -> Result<Status, Error> {
        if self.arguments.serve.keeps_open() {
            let listener = binding.listen(&self.options)?;
            listener.publish(&self.options, self.output)?;
            let totals = serve_many(listener, self.service).await?;
            self.output.totals(&totals);
            return Ok(talk::stopped(came));
        }
        let waiting = Waiting {
            binding,
            options: &self.options,
            accept_timeout: self.arguments.patience(),
            observer: self.output,
        };
        let transfer = serve_one(waiting, self.service, &Arc::default()).await?;
        Ok(transfer.map_or(talk::stopped(came), |transfer| {
            talk::status(&transfer, came)
        }))
    }
}

/// The first signal stops the service, and the second ends it.
async fn obey(mut endings: Endings, stop: &Stop) -> std::convert::Infallible {
    endings.next().await;
    stop.finish();
    endings.next().await;
    stop.now();
    std::future::pending().await
}
