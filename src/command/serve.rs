//! `nettool listen` with a behaviour: one client, or many.

use std::cell::Cell;
use std::sync::Arc;

use nettool::error::Error;
use nettool::net::{Binding, ListenOptions};
use nettool::serve::{Behaviour, Gate, Service, Stop, Waiting, serve_many, serve_one};

use super::listen::{addresses, binding};
use super::signals::Endings;
use super::{Failure, Status, talk};
use crate::cli::{ListenArgs, Where};
use crate::output::Output;

/// Serves one client or many.
pub(super) fn run(
    arguments: &ListenArgs,
    place: &Where,
    (behaviour, gate): (Behaviour, Gate),
    output: &Arc<Output>,
) -> Result<Status, Failure> {
    let serving = Serving {
        service: service(arguments, (behaviour, gate), output),
        options: arguments.options(),
        arguments,
        output,
    };
    if arguments.serve.keep_open {
        return talk::block_on_threads(|endings| serving.session(place, endings));
    }
    talk::block_on(|endings| serving.session(place, endings))
}

/// What every client gets.
fn service(
    arguments: &ListenArgs,
    (behaviour, gate): (Behaviour, Gate),
    output: &Arc<Output>,
) -> Service {
    Service {
        behaviour,
        gate,
        max_clients: arguments.serve.max_clients,
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
        if self.arguments.serve.keep_open {
            let listener = binding.listen(&self.options)?;
            listener.publish(&self.options, self.output)?;
            let totals = serve_many(listener, self.service).await?;
            self.output.totals(&totals);
            return Ok(talk::stopped(came));
        }
        let gate = self.service.gate.clone();
        let waiting = Waiting {
            binding,
            gate: &gate,
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
