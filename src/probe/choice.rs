//! Which address of a name to probe.

use super::{Limits, Network, Pacer, Plan, Ports, ScopedIp, State, Target, run};
use std::io;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// How many ports of each address are asked.
const PORTS: usize = 3;
/// How long an address may take to answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// The number of the first of `addresses` where a host answers on any of the first `ports`, the
/// earlier ones preferred; nothing if all are silent, or there is no TCP port to ask.
pub fn first_that_answers(
    network: &mut impl Network,
    addresses: &[SocketAddr],
    ports: &Ports,
    limits: Limits,
    stop: &AtomicBool,
) -> io::Result<Option<usize>> {
    let ports = Arc::new(ports.first(PORTS));
    if ports.is_empty() {
        return Ok(None);
    }
    let scoped: Vec<ScopedIp> = addresses.iter().map(|one| (*one).into()).collect();
    let mut race = Race::new(addresses.len(), ports.len());
    let target = |address: &SocketAddr| Target::host(address.to_string(), *address, ports.clone());
    let targets = addresses.iter().map(target);
    let limits = Limits {
        try_timeout: Some(limits.try_timeout.unwrap_or(PATIENCE).min(PATIENCE)),
        tries: Some(1),
        ..limits
    };
    let pacer = Pacer::new(Plan::new(targets.collect(), 0), limits, network.capacity());
    run(network, pacer, stop, |reports| {
        for report in reports {
            let number = scoped.iter().position(|one| *one == report.addr);
            race.count(number, report.state);
        }
        if race.is_decided() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    Ok(race.winner())
}

/// What each address has said so far.
struct Race {
    /// For each address whether it has answered, and how many ports are still to come.
    lanes: Vec<(bool, usize)>,
}

impl Race {
    /// Nobody has said anything.
    fn new(addresses: usize, ports: usize) -> Self {
        Self {
            lanes: vec![(false, ports); addresses],
        }
    }

    /// One port of an address has this state.
    fn count(&mut self, number: Option<usize>, state: State) {
        if let Some((answered, left)) = number.and_then(|number| self.lanes.get_mut(number)) {
            *answered |= matches!(state, State::Open | State::Closed);
            *left = left.saturating_sub(1);
        }
    }

    /// Whether nothing that may still come changes the winner.
    fn is_decided(&self) -> bool {
        let open = self
            .lanes
            .iter()
            .find(|(answered, left)| *answered || *left > 0);
        open.is_none_or(|(answered, _)| *answered)
    }

    /// The first address that has answered.
    fn winner(&self) -> Option<usize> {
        self.lanes.iter().position(|(answered, _)| *answered)
    }
}

#[cfg(test)]
mod tests {
    use super::first_that_answers;
    use crate::probe::Ports;
    use crate::probe::sim::{Port, SimNet};
    use crate::probe::{Limits, Network};
    use std::net::SocketAddr;
    use std::sync::atomic::AtomicBool;
    use std::time::Duration;

    /// Asks three addresses of which each does with SYNs what is said here.
    fn choose(ports: [Port; 3]) -> (Option<usize>, Duration) {
        let addresses: Vec<SocketAddr> = (1..=3)
            .map(|n| SocketAddr::from(([10, 0, 0, n], 0)))
            .collect();
        let of = addresses.clone();
        let mut net = SimNet::new(Duration::from_millis(20), move |to| {
            let number = of.iter().position(|address| address.ip() == to.ip());
            number.map_or(Port::Silent, |number| ports[number])
        });
        let start = net.now();
        let ports = Ports::new([22, 80, 443, 8080], &[443]);
        let stop = AtomicBool::new(false);
        let winner = first_that_answers(&mut net, &addresses, &ports, Limits::default(), &stop);
        (
            winner.expect("the simulation does not fail"),
            net.now().saturating_sub(start),
        )
    }

    #[test]
    fn an_answer_of_the_first_address_decides_at_once() {
        let (winner, time) = choose([Port::Closed, Port::Open, Port::Open]);
        assert_eq!(winner, Some(0));
        assert!(time < Duration::from_millis(100), "{time:?}");
    }

    #[test]
    fn no_route_to_the_first_costs_nothing() {
        let (winner, time) = choose([Port::NoRoute, Port::Open, Port::Silent]);
        assert_eq!(winner, Some(1));
        assert!(time < Duration::from_millis(100), "{time:?}");
    }

    #[test]
    fn a_silent_first_address_is_waited_for_and_passed_over() {
        let (winner, time) = choose([Port::Silent, Port::Closed, Port::Open]);
        assert_eq!(winner, Some(1));
        assert!(time < Duration::from_millis(1200), "{time:?}");
    }

    #[test]
    fn nobody_may_answer() {
        assert_eq!(choose([Port::Silent; 3]).0, None);
    }
}
