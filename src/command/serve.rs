//! `nettool listen` with a behaviour: one client, or many.

use std::cell::Cell;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use nettool::error::{Action, Error};
use nettool::net::ListenOptions;
use nettool::relay::{Meter, Transfer};
use nettool::serve::{
    Behaviour, ChildEnd, Exec, Gate, Inquiry, Service, Source, Stdio, Stop, Tag, Waiting,
    serve_datagrams, serve_many, serve_one,
};

use super::files::{Beginning, Files};
use super::listen::{addresses, bind_datagrams, binding};
use super::progress::{Questions, shown};
use super::signals::Endings;
use super::{Failure, Status, talk, tell};
use crate::cli::{ListenArgs, Where};
use crate::output::{Form, Output, Progress, Total, tag};

/// Serves one client or many.
pub(super) fn run(
    arguments: &ListenArgs,
    place: &Where,
    (behaviour, gate, beginning): (Behaviour, Gate, Arc<Beginning>),
    (output, questions): (&Arc<Output>, &[i32]),
) -> Result<Status, Failure> {
    let serving = Serving {
        service: service(arguments, (behaviour, gate), &beginning),
        beginning: Arc::clone(&beginning),
        options: arguments.options(),
        arguments,
        output,
        questions,
    };
    if serving.serves_many() && !arguments.transport.udp {
        return talk::block_on_threads(output, |endings| serving.session(place, endings));
    }
    talk::block_on(output, |endings| serving.session(place, endings))
}

/// Our stdin and stdout, for many clients.
pub(super) fn stdio(
    arguments: &ListenArgs,
    output: &Output,
) -> Result<(Behaviour, Files), Failure> {
    let (data, serve) = (&arguments.data, &arguments.serve);
    let files = Files::open(data)?;
    let source = if data.recv_only {
        Source::Nothing
    } else {
        let input = talk::input(data);
        Source::Input(arguments.datagrams.shaped(input, &arguments.transport))
    };
    let tag: Option<Tag> = serve.tags().then_some(Box::new(tag));
    let failed = |error| Error::new(Action::Write, "stdout", error);
    let filter = || output.payload_filter(data.raw);
    let sink = talk::sink(data, &filter);
    let stdio = Stdio::new(source, sink, serve.slow(), tag).map_err(failed)?;
    Ok((Behaviour::Stdio(Arc::new(stdio)), files))
}

/// What every client gets.
fn service(
    arguments: &ListenArgs,
    (behaviour, gate): (Behaviour, Gate),
    beginning: &Arc<Beginning>,
) -> Service {
    Service {
        behaviour,
        gate,
        max_clients: arguments.serve.max_clients(),
        idle_timeout: arguments.times.idle(),
        max_time: arguments.times.whole(),
        most: arguments.data.most(),
        observer: Arc::clone(beginning) as _,
        inquiry: Inquiry::default(),
        stop: Stop::default(),
    }
}

/// What a run of it needs.
struct Serving<'a> {
    service: Service,
    beginning: Arc<Beginning>,
    options: ListenOptions,
    arguments: &'a ListenArgs,
    output: &'a Output,
    /// The signals that ask how far it is.
    questions: &'a [i32],
}

impl Serving<'_> {
    /// Whether there may be many clients.
    fn serves_many(&self) -> bool {
        self.arguments.serve.keeps_open() || self.arguments.transport.udp
    }

    /// Listens and serves until a signal, or the end of the only client.
    async fn session(self, place: &Where, mut endings: Endings) -> Result<Status, Failure> {
        let came = endings.came();
        let addresses = tokio::select! {
            () = endings.next() => return Ok(talk::stopped(&came)),
            addresses = addresses(place, self.arguments.transport.family()) => addresses?,
        };
        let stop = self.service.stop.clone();
        let inquiry = self.service.inquiry.clone();
        let questions = Questions::watch(self.questions);
        tokio::select! {
            never = obey(endings, &stop, self.output) => match never {},
            never = pass_on(questions, &inquiry), if self.serves_many() => match never {},
            status = self.serve(place, addresses, &came) => Ok(status?),
        }
    }

    /// Serves.
    async fn serve(
        self,
        place: &Where,
        addresses: Vec<SocketAddr>,
        came: &Cell<Option<i32>>,
    ) -> Result<Status, Error> {
        if self.arguments.transport.udp {
            return self.datagrams(place, addresses, came).await;
        }
        let binding = binding(place, addresses, self.arguments, self.output);
        if self.serves_many() {
            let listener = binding.listen(&self.options)?;
            listener.publish(&self.options, self.output)?;
            let (totals, served) = serve_many(listener, self.service).await;
            let failed = served.err().or_else(|| self.beginning.take_failure());
            let status = match failed {
                Some(mut error) => {
                    talk::name_file(&mut error, &self.arguments.data);
                    tell(&error.into(), self.output, Status::Failed)
                }
                None => talk::stopped(came),
            };
            self.output.totals(&totals);
            return Ok(status);
        }
        let gate = self.service.gate.clone();
        let waiting = Waiting {
            binding,
            gate: &gate,
            options: &self.options,
            accept_timeout: self.arguments.patience(),
            observer: self.output,
        };
        let behaviour = self.service.behaviour.clone();
        let meter = Arc::new(Meter::default());
        let silent = "listening, no client yet".to_owned();
        let progress = Progress::new(self.output, &meter, Form::Nothing, Total::default(), silent);
        let questions = Questions::watch(self.questions);
        let served = serve_one(waiting, self.service, &meter);
        let transfer = shown(served, &meter, progress, questions).await?;
        let Some(transfer) = transfer else {
            return Ok(talk::stopped(came));
        };
        self.output.only_client(&transfer);
        Ok(match behaviour {
            Behaviour::Exec(command) => status(&command, &transfer, came),
            _ => talk::status(&transfer, came),
        })
    }

    /// Serves whoever sends datagrams.
    async fn datagrams(
        self,
        place: &Where,
        addresses: Vec<SocketAddr>,
        came: &Cell<Option<i32>>,
    ) -> Result<Status, Error> {
        let how = (self.arguments, &self.options);
        let sockets = bind_datagrams(place, addresses, how, self.output)?;
        let quit_after = self.arguments.times.quit_after();
        let totals = serve_datagrams(sockets, self.service, quit_after).await?;
        self.output.totals(&totals);
        let ours = totals.datagrams_cut.saturating_add(totals.datagrams_unsent);
        let lost = totals.datagrams_lost.unwrap_or(0).saturating_add(ours) > 0;
        Ok(match came.get() {
            Some(_) => talk::stopped(came),
            None if lost => Status::Failed,
            None => Status::Done,
        })
    }
}

/// The status of a command's only client: the command's, if all went well.
fn status(command: &Exec, transfer: &Transfer, came: &Cell<Option<i32>>) -> Status {
    match &transfer.error {
        Some(error) if error.action == Action::Run => Status::Ran(match error.errno() {
            Some(libc::ENOENT) => 127,
            Some(libc::EAGAIN | libc::EMFILE | libc::ENFILE | libc::ENOMEM) => 1,
            _ => 126,
        }),
        None if transfer.is_complete() => Status::Ran(command.last_end().map_or(0, shell_status)),
        _ => talk::status(transfer, came),
    }
}

/// A child's end as a shell shows it.
fn shell_status(end: ChildEnd) -> u8 {
    let status = end
        .status
        .or(end.signal.map(|signal| signal.saturating_add(128)));
    status
        .and_then(|status| u8::try_from(status).ok())
        .unwrap_or(1)
}

/// Asks the server whenever somebody asks us.
async fn pass_on(mut questions: Questions, inquiry: &Inquiry) -> Infallible {
    loop {
        questions.came().await;
        inquiry.ask();
    }
}

/// The first signal stops the service, and the second ends it.
async fn obey(mut endings: Endings, stop: &Stop, output: &Output) -> Infallible {
    endings.next().await;
    stop.finish();
    endings.next().await;
    stop.now();
    output.hurry();
    std::future::pending().await
}
