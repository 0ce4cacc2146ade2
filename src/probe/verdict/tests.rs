//! Every outcome has its verdict.

use super::{Shortage, Verdict};
use crate::probe::network::{Outcome, Sender};
use crate::probe::report::{Icmp, State};
use crate::probe::sim::unreachable;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const V4: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

fn state(outcome: Outcome) -> Option<(State, Option<i32>)> {
    match Verdict::of(outcome, V4) {
        Verdict::Port(finding) => Some((finding.state, finding.errno)),
        Verdict::Short(..) => None,
    }
}

#[test]
fn what_we_lack_is_never_a_state() {
    for (errno, what) in [
        (libc::EMFILE, Shortage::Files),
        (libc::ENFILE, Shortage::Files),
        (libc::EADDRNOTAVAIL, Shortage::LocalPorts),
        (libc::EADDRINUSE, Shortage::LocalPorts),
        (libc::EAGAIN, Shortage::LocalPorts),
        (libc::ENOBUFS, Shortage::Memory),
        (libc::ENOMEM, Shortage::Memory),
    ] {
        let short = Verdict::Short(what, errno);
        assert_eq!(Verdict::of(Outcome::Local(errno), V4), short);
        assert_eq!(Verdict::of(Outcome::Remote(errno), V4), short);
    }
}

#[test]
fn the_same_errno_means_another_thing_from_ourselves() {
    use State::{Closed, Open, Rejected, Undetermined, Unreachable};
    for (errno, local, remote) in [
        (libc::ECONNREFUSED, Closed, Closed),
        (libc::ENETUNREACH, Unreachable, Unreachable),
        (libc::EHOSTUNREACH, Unreachable, Unreachable),
        (libc::EACCES, Undetermined, Rejected),
        (libc::EPERM, Undetermined, Rejected),
        (libc::EINVAL, Unreachable, Undetermined),
        (libc::ECONNRESET, Undetermined, Open),
        (libc::EPIPE, Undetermined, Open),
    ] {
        assert_eq!(state(Outcome::Local(errno)), Some((local, Some(errno))));
        assert_eq!(state(Outcome::Remote(errno)), Some((remote, Some(errno))));
    }
}

#[test]
fn every_errno_has_a_verdict() {
    for errno in -1..200 {
        for outcome in [Outcome::Local(errno), Outcome::Remote(errno)] {
            if let Verdict::Port(finding) = Verdict::of(outcome, V4) {
                assert!(!finding.reason.is_empty());
                let was_accepted = [libc::ECONNRESET, libc::EPIPE].contains(&errno);
                assert!(finding.state != State::Open || was_accepted);
            }
        }
    }
}

#[test]
fn silence_has_no_errno() {
    let silent = Some((State::Filtered, None));
    assert_eq!(state(Outcome::Remote(libc::ETIMEDOUT)), silent);
}

#[test]
fn a_self_connect_is_a_closed_port() {
    let refused = Some((State::Closed, Some(libc::ECONNREFUSED)));
    assert_eq!(state(Outcome::SelfConnected), refused);
}

#[test]
fn icmp_means_what_its_sender_can_know() {
    use Sender::{Ourselves, Path, Target};
    use State::{Rejected, Unreachable};
    for (target, kind, code, sender, expected) in [
        (V4, 3, 3, Target, Rejected),
        (V4, 3, 13, Path, Rejected),
        (V4, 3, 1, Path, Unreachable),
        (V4, 3, 1, Target, Rejected),
        (V4, 3, 1, Ourselves, Unreachable),
        (V4, 3, 3, Ourselves, Rejected),
        (V4, 11, 0, Path, Unreachable),
        (V6, 1, 1, Path, Rejected),
        (V6, 1, 3, Path, Unreachable),
        (V6, 1, 3, Ourselves, Unreachable),
        (V6, 1, 4, Target, Rejected),
        (V6, 1, 0, Path, Unreachable),
    ] {
        let icmp = Icmp {
            kind,
            code,
            from: None,
        };
        let outcome = Outcome::Icmp {
            errno: libc::EHOSTUNREACH,
            icmp,
            sender,
        };
        let Verdict::Port(finding) = Verdict::of(outcome, target) else {
            panic!("a shortage from {outcome:?}");
        };
        let is_own = (sender, expected) == (Ourselves, Unreachable);
        let told = (!is_own).then_some(icmp);
        assert_eq!(
            (finding.state, finding.icmp),
            (expected, told),
            "{outcome:?}"
        );
    }
}

#[test]
fn that_nobody_listens_only_the_target_itself_can_say() {
    let state = |outcome| match Verdict::of_datagram(outcome, V4) {
        Verdict::Port(finding) => Some((finding.state, finding.reason)),
        Verdict::Short(..) => None,
    };
    let icmp = |code, sender| unreachable(libc::ECONNREFUSED, code, sender);
    for (outcome, expected) in [
        (icmp(3, Sender::Target), (State::Closed, "port-unreachable")),
        (icmp(3, Sender::Path), (State::Rejected, "port-unreachable")),
        (
            icmp(13, Sender::Target),
            (State::Rejected, "admin-prohibited"),
        ),
        (
            icmp(1, Sender::Ourselves),
            (State::Unreachable, "host-unreachable"),
        ),
        (
            Outcome::Remote(libc::ECONNREFUSED),
            (State::Closed, "port-unreachable"),
        ),
        (
            Outcome::Remote(libc::ETIMEDOUT),
            (State::OpenFiltered, "no-response"),
        ),
        (Outcome::Replied(None), (State::Open, "reply")),
        (
            Outcome::Replied(Some("dns")),
            (State::Open, "protocol-reply"),
        ),
        (Outcome::SelfConnected, (State::Closed, "self-connect")),
        (
            Outcome::Local(libc::EPERM),
            (State::Undetermined, "not-permitted"),
        ),
    ] {
        assert_eq!(state(outcome), Some(expected), "{outcome:?}");
    }
    assert_eq!(state(Outcome::Local(libc::ENOBUFS)), None);
}
