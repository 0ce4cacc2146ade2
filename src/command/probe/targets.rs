//! From what the user asked for to whom is probed.

use std::collections::{HashMap, HashSet};
use std::io::{self, Read as _};
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::sync::Arc;
use std::time::Duration;

use nettool::error::{Action, Cause, Error};
use nettool::net::{Family, resolve};
use nettool::probe::{Ports, Target, Whom};
use nettool::value::{AddressRange, Host, ProbePorts};

use super::Resolved;
use crate::cli::{List, Party, Request, Wanted, contents};
use crate::command::Failure;

/// Who was looked up, and what came of it; a range has its family checked.
pub(super) type Answer = (Wanted, Result<Vec<SocketAddr>, Error>);

/// How long something may take.
#[derive(Clone, Copy)]
pub(super) struct Time {
    /// What is left of the time.
    pub(super) left: Duration,
    /// What it was in all.
    pub(super) whole: Duration,
}

/// Looks all hosts up at once, for so long at most.
pub(super) async fn look_up(
    wanted: Vec<Wanted>,
    family: Family,
    limit: Option<Time>,
) -> Vec<Answer> {
    let ask = |wanted: Wanted| {
        tokio::spawn(async move {
            let answer = match &wanted.party {
                Party::Host(host) => in_time(host, family, limit).await,
                Party::Range(range) => {
                    let first = Host::from(range.first());
                    resolve(&first, 0, family).await.map(|_| Vec::new())
                }
            };
            (wanted, answer)
        })
    };
    let asked: Vec<_> = wanted.into_iter().map(ask).collect();
    let mut answers = Vec::new();
    for answer in asked {
        answers.extend(answer.await);
    }
    answers
}

/// The addresses of a host, if they are known in time.
async fn in_time(
    host: &Host,
    family: Family,
    limit: Option<Time>,
) -> Result<Vec<SocketAddr>, Error> {
    let answer = resolve(host, 0, family);
    let Some(limit) = limit else {
        return answer.await;
    };
    let late = |_| Error::new(Action::Resolve, host, Cause::TimedOut(limit.whole));
    let answer = tokio::time::timeout(limit.left, answer);
    answer.await.map_err(late)?
}

/// The address that a host is nothing but.
pub(super) fn own_name(host: &str, addresses: &[SocketAddr]) -> Option<AddressRange> {
    let [address] = addresses else {
        return None;
    };
    let has_zone = matches!(address, SocketAddr::V6(address) if address.scope_id() != 0);
    let is_own = !has_zone && address.ip().to_string() == host;
    is_own.then(|| address.ip().into())
}

/// All of them, but an address that is there twice, by both names of its zone, once with all ports.
pub(super) fn joined(all: Vec<Resolved>) -> Vec<Resolved> {
    let mut joined: Vec<Resolved> = Vec::new();
    let mut known: HashMap<Vec<SocketAddr>, usize> = HashMap::new();
    for one in all {
        if !one.is_zoned() {
            joined.push(one);
            continue;
        }
        let number = *known.entry(one.addresses.clone()).or_insert(joined.len());
        match joined.get_mut(number) {
            Some(same) => same.ports = Arc::new(same.ports.with(&one.ports)),
            None => joined.push(one),
        }
    }
    joined
}

/// Whom nobody asks.
#[derive(Default)]
pub(super) struct Excluded {
    /// These, in every zone.
    pub(super) ranges: Vec<AddressRange>,
    /// These in their own zone: elsewhere they are other hosts.
    zoned: Vec<SocketAddrV6>,
}

impl Excluded {
    /// One more address.
    pub(super) fn add(&mut self, address: SocketAddr) {
        match address {
            SocketAddr::V6(v6) if v6.scope_id() != 0 && v6.ip().is_unicast_link_local() => {
                self.zoned.push(v6);
            }
            _ => self.ranges.push(address.ip().into()),
        }
    }

    /// Whether this address is not to be asked.
    pub(super) fn contains(&self, address: &SocketAddr) -> bool {
        let in_zone = |v6: &SocketAddrV6| {
            matches!(address, SocketAddr::V6(asked)
                if asked.ip() == v6.ip() && asked.scope_id() == v6.scope_id())
        };
        let mut ranges = self.ranges.iter();
        ranges.any(|range| range.contains(address.ip())) || self.zoned.iter().any(in_zone)
    }
}

/// An IPv6 address without a zone, which is one in every zone, as a range; others as they are.
pub(super) fn of_all_zones(party: Party) -> Party {
    match party {
        Party::Host(Host::V6(address, None)) => Party::Range(IpAddr::from(address).into()),
        other => other,
    }
}

/// Reads all lists of targets.
pub(super) fn read_lists(request: &mut Request) -> Result<(), Failure> {
    for list in std::mem::take(&mut request.lists) {
        let text = match &list {
            List::File(path) => contents(path)?,
            List::Stdin => {
                let mut text = Vec::new();
                let read = io::stdin().lock().read_to_end(&mut text);
                read.map_err(|error| Error::new(Action::Read, &list, error))?;
                text
            }
        };
        request.add_list(&list, &text)?;
    }
    Ok(())
}

/// How many ports are asked for; those of a name with several addresses count once.
pub(super) fn questions(targets: &[Target]) -> u64 {
    let mut names = HashSet::new();
    let mut total = 0_u64;
    for target in targets {
        let is_new = match &target.whom {
            Whom::Host(name, _) => names.insert(name.clone()),
            Whom::Range(_) => true,
        };
        if is_new {
            total = total.saturating_add(target.questions());
        }
    }
    total
}

/// The ports of many targets: the same list is kept once.
#[derive(Default)]
pub(super) struct Shared(Option<(Arc<ProbePorts>, Arc<Ports>)>);

impl Shared {
    /// The ports of a list in the order of probing.
    pub(super) fn ports(&mut self, list: &Arc<ProbePorts>) -> Arc<Ports> {
        match &self.0 {
            Some((known, ports)) if known == list => ports.clone(),
            _ => {
                let ports = Arc::new(Ports::from(&**list));
                self.0 = Some((list.clone(), ports.clone()));
                ports
            }
        }
    }
}
