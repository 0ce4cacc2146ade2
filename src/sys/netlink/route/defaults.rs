//! The default routes, in the order in which an ordinary packet meets them.

use std::io;

use super::{Entry, Hop, Netlink, ROUTE, look_up, read, route, somewhere};
use crate::interfaces::Route;
use crate::net::Family;

/// The default routes of the main table that the kernel uses, those that are taken first first, and
/// among them those that refuse. A dead one, or one for another type of service, is as if it were
/// not there.
pub(crate) fn default_routes(family: Family) -> io::Result<Option<Vec<Route>>> {
    let mut netlink = Netlink::open(ROUTE)?;
    let body = [0; super::FIXED];
    let mut entries = netlink.dump(libc::RTM_GETROUTE, &body, libc::RTM_NEWROUTE, read)?;
    entries.retain(|entry| is_default(entry) && family.includes(somewhere(entry.ipv6)));
    // A packet without a source yet, which gets one by its route, meets none that wants some.
    entries.sort_by_key(|e| (e.ipv6, e.is_for_some, e.metric, e.preference));
    for ipv6 in [false, true] {
        prefer_taken(&mut netlink, &mut entries, ipv6);
    }
    let each = entries.into_iter().flat_map(ways);
    let routes: io::Result<Vec<Route>> = each.map(|e| route(&mut netlink, &e, None)).collect();
    routes.map(Some)
}

/// Whether packets that nothing else is said of meet it.
pub(super) fn is_default(entry: &Entry) -> bool {
    let main = u32::from(libc::RT_TABLE_MAIN);
    let is_met = entry.kind == libc::RTN_UNICAST || entry.refusal().is_some();
    entry.prefix == 0 && entry.table == main && !entry.is_for_marked && is_met
}

/// Of routers with one metric the kernel takes one that answers: it says itself which
/// (`fib_select_default`, `rt6_select` in `net/`).
fn prefer_taken(netlink: &mut Netlink, entries: &mut [Entry], ipv6: bool) {
    let mut of_family = entries.iter().enumerate().filter(|(_, e)| e.ipv6 == ipv6);
    let Some((first, metric)) = of_family.next().map(|(place, e)| (place, e.metric)) else {
        return;
    };
    let rivals = of_family.take_while(|(_, entry)| entry.metric == metric);
    let Some((last, _)) = rivals.last() else {
        return;
    };
    let Ok(taken) = look_up(netlink, somewhere(ipv6), None) else {
        return;
    };
    let Some(rivals) = entries.get_mut(first..=last) else {
        return;
    };
    let is_taken = |entry: &Entry| entry.hops.contains(&taken.hop());
    if let Some(place) = rivals.iter().position(is_taken)
        && let Some(before) = rivals.get_mut(..=place)
    {
        before.rotate_right(1);
    }
}

/// The ways of a route that packets can take, an entry each; the one of a route that refuses.
pub(super) fn ways(entry: Entry) -> Vec<Entry> {
    if entry.refusal().is_some() {
        return vec![entry];
    }
    let alive = entry.hops.iter().filter(|hop| !hop.is_dead);
    let way = |hop: &Hop| Entry {
        hops: vec![*hop],
        ..entry.clone()
    };
    alive.map(way).collect()
}
