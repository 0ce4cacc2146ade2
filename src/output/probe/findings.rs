//! What is known of each port, kept until it can be told in order.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use nettool::probe::{PortReport, ScopedIp, State, Target, Whom};
use nettool::value::AddressRange;

use super::remark::Remark;
use super::script::Lines;

/// All that is known, by address, in the order of the targets.
#[derive(Debug)]
pub(crate) struct Findings {
    /// The ports of `--plain`, if these are what is wanted.
    pub(super) lines: Option<Lines>,
    pub(super) shown: Vec<State>,
    pub(super) addresses: Vec<AddressFindings>,
    pub(super) numbers: HashMap<(Arc<str>, ScopedIp), usize>,
    /// The ranges by their first addresses.
    pub(super) ranges: BTreeMap<IpAddr, (AddressRange, usize)>,
}

/// What is known of one address, or of all those of a range that have no ports to list.
#[derive(Debug)]
pub(super) struct AddressFindings {
    pub(super) host: Arc<str>,
    /// The address, or the last one of a range.
    pub(super) address: ScopedIp,
    /// Which target it belongs to.
    pub(super) target: usize,
    /// Where the range is that it belongs to.
    pub(super) range: Option<usize>,
    /// How many addresses a range has.
    pub(super) crowd: Option<u64>,
    /// The ports that are listed.
    pub(super) listed: Vec<PortReport>,
    /// How many ports there are of each other kind.
    pub(super) others: BTreeMap<Kind, u64>,
    /// Addresses of the same host that are not probed.
    pub(super) left_out: Vec<ScopedIp>,
    /// What is strange about it.
    pub(super) remarks: Vec<String>,
}

/// What ports that are not listed have in common: their state, and why they have it where the
/// state leaves that open.
pub(super) type Kind = (State, Option<(&'static str, Option<IpAddr>)>);

impl Findings {
    /// Nothing is known of `targets` yet; ports of the `shown` states will be listed.
    pub(crate) fn new(targets: &[Target], shown: Vec<State>) -> Self {
        let mut findings = Self::empty(shown);
        for (number, target) in targets.iter().enumerate() {
            match &target.whom {
                Whom::Host(host, address) => {
                    findings.open(host.clone(), (*address).into(), number);
                }
                Whom::Range(range) if range.span() == 0 => {
                    findings.open(range.to_string().into(), range.first().into(), number);
                }
                Whom::Range(range) => findings.open_range(*range, number, target.addresses()),
            }
        }
        findings
    }

    /// Nothing is known yet of hosts that were probed elsewhere.
    pub(crate) fn of_hosts(hosts: Vec<(Arc<str>, ScopedIp)>, shown: Vec<State>) -> Self {
        let mut findings = Self::empty(shown);
        for (number, (host, address)) in hosts.into_iter().enumerate() {
            findings.open(host, address, number);
        }
        findings
    }

    /// Nobody is in the report.
    fn empty(shown: Vec<State>) -> Self {
        Self {
            lines: None,
            shown,
            addresses: Vec::new(),
            numbers: HashMap::new(),
            ranges: BTreeMap::new(),
        }
    }

    /// The same for `--plain`: what is listed is kept as lines, with a field for banners or not.
    pub(crate) fn into_lines(self, has_banners: bool) -> Self {
        Self {
            lines: Some(Lines::new(has_banners)),
            ..self
        }
    }

    /// Makes room for an address of a target. Returns where it is.
    fn open(&mut self, host: Arc<str>, address: ScopedIp, target: usize) -> usize {
        let place = self.addresses.len();
        self.numbers.insert((host.clone(), address.clone()), place);
        self.addresses
            .push(AddressFindings::new(host, address, target));
        place
    }

    /// Makes room for the addresses of a range.
    fn open_range(&mut self, range: AddressRange, target: usize, size: u64) {
        let place = self.addresses.len();
        self.ranges.insert(range.first(), (range, place));
        let host = range.to_string().into();
        self.addresses.push(AddressFindings {
            crowd: Some(size),
            ..AddressFindings::new(host, range.last().into(), target)
        });
    }

    /// Where a port is listed, or counted: an address of a range is named only if something of it
    /// is listed.
    fn place(&mut self, report: &PortReport, shows: bool) -> Option<usize> {
        let key = (report.host.clone(), report.addr.clone());
        let known = self.numbers.get(&key).copied();
        let range = match known {
            Some(place) => self.addresses.get(place)?.range,
            None => Some(self.range(report.addr.ip)?),
        };
        match (known, range) {
            (_, Some(range)) if !shows => Some(range),
            (None, Some(range)) => {
                let target = self.addresses.get(range)?.target;
                let place = self.open(report.host.clone(), report.addr.clone(), target);
                self.addresses.get_mut(place)?.range = Some(range);
                Some(place)
            }
            (known, _) => known,
        }
    }

    /// Where the range is that an address belongs to.
    fn range(&self, address: IpAddr) -> Option<usize> {
        let (_, (range, place)) = self.ranges.range(..=address).next_back()?;
        range.contains(address).then_some(*place)
    }

    /// These addresses of `host` are not probed.
    pub(crate) fn leave_out(&mut self, host: &str, addresses: Vec<ScopedIp>) {
        if let Some(known) = self.addresses.iter_mut().find(|known| *known.host == *host) {
            known.left_out = addresses;
        }
    }

    /// Something is to be said of an address as a whole, if it is in the report.
    pub(crate) fn remark(&mut self, host: &Arc<str>, address: &ScopedIp, remark: &Remark) {
        let place = self.numbers.get(&(host.clone(), address.clone()));
        if let Some(known) = place.and_then(|place| self.addresses.get_mut(*place)) {
            known.remarks.push(remark.to_string());
        }
    }

    /// Whether ports of this state are listed.
    pub(crate) fn shows(&self, state: State) -> bool {
        self.shown.contains(&state)
    }

    /// The states whose ports are listed, if not all are.
    pub(super) fn listed(&self) -> Option<Vec<State>> {
        let states = State::ALL.into_iter();
        let listed: Vec<State> = states.filter(|state| self.shows(*state)).collect();
        (listed.len() < State::ALL.len()).then_some(listed)
    }

    /// Which target a port belongs to.
    fn target(&self, report: &PortReport) -> Option<usize> {
        let key = (report.host.clone(), report.addr.clone());
        let known = self.numbers.get(&key).copied();
        let place = known.or_else(|| self.range(report.addr.ip))?;
        Some(self.addresses.get(place)?.target)
    }

    /// One more port is known.
    pub(crate) fn add(&mut self, report: PortReport) {
        let shows = self.shows(report.state);
        if self.lines.is_some() {
            let target = self.target(&report).filter(|_| shows);
            if let (Some(lines), Some(target)) = (&mut self.lines, target) {
                lines.add(&report, target);
            }
            return;
        }
        let place = self.place(&report, shows);
        let Some(findings) = place.and_then(|place| self.addresses.get_mut(place)) else {
            return;
        };
        if shows {
            findings.listed.push(report);
        } else {
            let count = findings.others.entry(kind(&report)).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// Nothing more will come: addresses and their ports are put in order.
    pub(crate) fn sort(&mut self) {
        if let Some(lines) = &mut self.lines {
            lines.sort();
        }
        let place = |known: &AddressFindings| (known.target, known.crowd.is_some());
        self.addresses.sort_by(|one, next| {
            let order = place(one).cmp(&place(next));
            order.then_with(|| one.address.cmp(&next.address))
        });
        for address in &mut self.addresses {
            address
                .listed
                .sort_unstable_by_key(|report| (report.proto, report.port));
        }
    }
}

impl AddressFindings {
    /// Nothing is known of this address yet.
    fn new(host: Arc<str>, address: ScopedIp, target: usize) -> Self {
        Self {
            host,
            address,
            target,
            range: None,
            crowd: None,
            listed: Vec::new(),
            others: BTreeMap::new(),
            left_out: Vec::new(),
            remarks: Vec::new(),
        }
    }
}

/// What a port that is not listed counts as.
fn kind(report: &PortReport) -> Kind {
    let why = match report.state {
        State::Open | State::Closed | State::Filtered => None,
        State::OpenFiltered => (report.reason == "icmp-limited").then_some((report.reason, None)),
        State::Rejected | State::Unreachable | State::Undetermined => {
            Some((report.reason, report.icmp.and_then(|icmp| icmp.from)))
        }
    };
    (report.state, why)
}
