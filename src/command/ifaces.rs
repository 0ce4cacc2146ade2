//! `nettool ifaces`.

use nettool::error::{Action, Error};
use nettool::interfaces::{
    Interface, Listing, Refusal, Route, Sample, default_routes, hardware, list, resolver, route_to,
};
use nettool::net::Family;
use nettool::value::Host;

use super::talk::{addresses, check_numeric};
use super::watch::every;
use super::{Failure, Status};
use crate::cli::{IfacesArgs, Question};
use crate::output::{Details, Interfaces, Live, Output, Rates, Routes};

/// Answers what was asked.
pub(super) fn run(
    arguments: &IfacesArgs,
    numeric: bool,
    output: &Output,
) -> Result<Status, Failure> {
    match arguments.question()? {
        Question::Interfaces => show(arguments, output),
        Question::RouteTo(host) => {
            check_numeric(host, numeric)?;
            route(host, arguments, output)
        }
        Question::DefaultRoutes => default(arguments, output),
        Question::Rates(interval) => {
            let mut watch = Watch::begin(arguments, output)?;
            every(interval, || watch.look())
        }
    }
}

/// Shows the interfaces; a name that none has is a failure, told after the others are shown.
fn show(arguments: &IfacesArgs, output: &Output) -> Result<Status, Failure> {
    let (listing, unknown) = listed(arguments, output)?;
    let family = arguments.family();
    let wanted = listing
        .interfaces
        .into_iter()
        .filter(|i| arguments.wants(i.state));
    let interfaces: Vec<_> = wanted.map(|i| with_addresses(i, family)).collect();
    output.report(&Interfaces {
        shown: &interfaces,
        family,
        view: arguments.view(),
        details: arguments.details.then(|| details(&interfaces, output)),
    })?;
    for error in &unknown {
        output.error(error);
    }
    Ok(if unknown.is_empty() {
        Status::Done
    } else {
        Status::Failed
    })
}

/// The interfaces that are named, or all, and an error for each name that none has.
fn listed(arguments: &IfacesArgs, output: &Output) -> Result<(Listing, Vec<Error>), Failure> {
    let mut listing = list()?;
    if let Some(reason) = &listing.incomplete {
        output.incomplete_interfaces(reason);
    }
    let names = arguments.names();
    let unknown = match names.as_slice() {
        [] => Vec::new(),
        names => listing.keep_named(names),
    };
    Ok((listing, unknown))
}

/// The interface with its addresses of this family alone.
fn with_addresses(mut interface: Interface, family: Family) -> Interface {
    interface
        .addresses
        .retain(|address| family.includes(address.address));
    interface
}

/// What is known beyond the usual.
fn details(interfaces: &[Interface], output: &Output) -> Details {
    let hardware = interfaces.iter().map(|i| (i.index, hardware(i)));
    let told = resolver().inspect_err(|error| output.warn(&error.to_string()));
    Details {
        hardware: hardware.collect(),
        resolver: told.ok(),
    }
}

/// Shows the way to a host.
fn route(host: &Host, arguments: &IfacesArgs, output: &Output) -> Result<Status, Failure> {
    let route = route_to(&addresses(host, 0, arguments.family())?)?;
    if arguments.ip && route.source.is_none() {
        return Err(no_source(host).into());
    }
    output.report(&Routes {
        host: Some(host.to_string()),
        shown: &[route],
        only_source: arguments.ip,
    })?;
    Ok(Status::Done)
}

/// Shows the default routes. Where the first of each family refuses, nothing gets out.
fn default(arguments: &IfacesArgs, output: &Output) -> Result<Status, Failure> {
    let mut routes = default_routes(arguments.family())?;
    let refused = refusal(&routes).map(|refusal| {
        let error = refusal.error();
        Failure::from(Error::new(Action::Inspect, "the default route", error))
    });
    if arguments.ip {
        if let Some(refused) = refused {
            return Err(refused);
        }
        routes = met(routes);
        if !routes.iter().any(|route| route.source.is_some()) {
            return Err(no_source("the default route").into());
        }
    }
    output.report(&Routes {
        host: None,
        shown: &routes,
        only_source: arguments.ip,
    })?;
    refused.map_or(Ok(Status::Done), Err)
}

/// The routes that a packet can meet: none of a family behind one that refuses.
fn met(routes: Vec<Route>) -> Vec<Route> {
    let (ipv6, ipv4): (Vec<_>, Vec<_>) = routes
        .into_iter()
        .partition(|route| route.destination.is_ipv6());
    let before = |family: Vec<Route>| family.into_iter().take_while(|r| r.refusal.is_none());
    before(ipv4).chain(before(ipv6)).collect()
}

/// How packets of every family that has default routes are refused, if that is what meets them.
fn refusal(routes: &[Route]) -> Option<Refusal> {
    let first = |ipv6: bool| routes.iter().find(|r| r.destination.is_ipv6() == ipv6);
    let mut firsts = [false, true].into_iter().filter_map(first);
    let refusal = firsts.next()?.refusal?;
    firsts
        .all(|route| route.refusal.is_some())
        .then_some(refusal)
}

/// The error of a way that no address of ours is for.
fn no_source(target: impl std::fmt::Display) -> Error {
    let cause = "this machine has no address to send from".to_owned();
    Error::new(Action::Inspect, target, cause)
}

/// The rates of interfaces, look after look.
struct Watch<'a> {
    arguments: &'a IfacesArgs,
    live: Live<'a>,
    last: Option<Sample>,
}

impl<'a> Watch<'a> {
    /// Checks that there is something to look at. Later a name may come and go.
    fn begin(arguments: &'a IfacesArgs, output: &'a Output) -> Result<Self, Failure> {
        let (listing, unknown) = listed(arguments, output)?;
        if let Some(error) = unknown.into_iter().next() {
            return Err(error.into());
        }
        let nothing = listing.interfaces.iter().all(|i| i.stats.is_none());
        if nothing {
            let cause = "this system does not tell what went through them".to_owned();
            return Err(Error::new(Action::Inspect, "the interfaces", cause).into());
        }
        Ok(Self {
            arguments,
            live: Live::new(output),
            last: None,
        })
    }

    /// Shows what went through since the last look.
    fn look(&mut self) -> Result<(), Failure> {
        let mut listing = list()?;
        let names = self.arguments.names();
        if !names.is_empty() {
            listing.keep_named(&names);
        }
        let wanted = |interface: &&Interface| self.arguments.wants(interface.state);
        let sample = Sample::of(listing.interfaces.iter().filter(wanted));
        let rates = self.last.as_ref().map(|last| sample.since(last));
        self.last = Some(sample);
        match rates {
            Some(rates) => Ok(self.live.show(&Rates(&rates))?),
            None => Ok(()),
        }
    }
}
