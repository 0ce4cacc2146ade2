//! Which way packets go.

use std::net::IpAddr;

use nettool::interfaces::Route;

use super::{record, zoned};
use crate::output::layout::{Tone, Word, table};
use crate::output::{Report, Style, record as records};

/// Routes, as they are to be shown.
#[derive(Debug)]
pub(crate) struct Routes<'a> {
    /// The host that they lead to; the default routes lead to none.
    pub(crate) host: Option<String>,
    /// Which ones.
    pub(crate) shown: &'a [Route],
    /// Whether a script wants the source address alone, of the first route of each family.
    pub(crate) only_source: bool,
}

impl Report for Routes<'_> {
    fn records(&self) -> String {
        let line = |route| records::line("route", &record::Route::new(self.host.as_deref(), route));
        self.shown.iter().map(line).collect()
    }

    fn text(&self, style: Style) -> String {
        if self.only_source {
            return sources(self.shown);
        }
        let rows: Vec<_> = self.shown.iter().map(|route| self.row(route)).collect();
        table(0, &rows, style)
    }
}

impl Routes<'_> {
    /// A route.
    fn row(&self, route: &Route) -> Vec<Word> {
        let to = match (&self.host, route.destination) {
            (None, IpAddr::V4(_)) => "default IPv4".to_owned(),
            (None, IpAddr::V6(_)) => "default IPv6".to_owned(),
            (Some(host), to) if *host == to.to_string() => host.clone(),
            (Some(host), to) => format!("{host} ({to})"),
        };
        let metric = route
            .metric
            .filter(|metric| self.host.is_none() && *metric != 0);
        let metric = metric.map(|metric| Word::new(Tone::Dim, format!("metric {metric}")));
        if let Some(refusal) = route.refusal {
            let words = [
                Word::new(Tone::Strong, to),
                Word::new(Tone::Warning, refusal.name()),
            ];
            return words.into_iter().chain(metric).collect();
        }
        let zone = route.zone.as_deref();
        let source = route
            .source
            .map_or_else(|| "-".to_owned(), |ip| zoned(ip, zone));
        let interface = route.interface.as_deref().unwrap_or("-");
        let gateway = match route.gateway {
            Some(gateway) => Word::plain(format!("gateway {}", zoned(gateway, zone))),
            None => Word::new(Tone::Dim, "no gateway"),
        };
        let words = [
            Word::new(Tone::Strong, to),
            Word::plain(format!("source {source}")),
            Word::plain(format!("interface {interface}")),
            gateway,
        ];
        words.into_iter().chain(metric).collect()
    }
}

/// The source address of the first route of each family.
fn sources(routes: &[Route]) -> String {
    let of = |ipv6: bool| {
        let mut routes = routes
            .iter()
            .filter(move |r| r.destination.is_ipv6() == ipv6);
        routes.find_map(|route| Some(format!("{}\n", zoned(route.source?, route.zone.as_deref()))))
    };
    [false, true].into_iter().filter_map(of).collect()
}
