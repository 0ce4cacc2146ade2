use super::*;

const CONNECT: Rules = Rules {
    side: Side::Connect,
    until: Until::Auto,
    stdin: StdinKind::Stream,
    shut_down: true,
    quit_after: None,
    send_only: false,
    recv_only: false,
};
const LISTEN: Rules = Rules {
    side: Side::Listen,
    ..CONNECT
};
const QUIET: Facts = Facts {
    received: false,
    unsent: false,
    acknowledged: true,
};
const ANSWERED: Facts = Facts {
    received: true,
    ..QUIET
};

fn at(start: Instant, milliseconds: u64) -> Instant {
    start + Duration::from_millis(milliseconds)
}

fn begun(rules: Rules) -> (Ending, Instant) {
    let now = Instant::now();
    (Ending::new(rules, now), now)
}

/// An idle input is left after the peer's end.
const LEFT_IDLE: Step = Step::Leave {
    end: End::Peer,
    idle_input: true,
};

#[test]
fn the_end_of_input_shuts_down_and_waits_for_the_peer() {
    for rules in [CONNECT, LISTEN] {
        let (mut ending, now) = begun(rules);
        assert_eq!(ending.next(now, QUIET), Step::Wait(None));
        ending.input(now);
        ending.input_end(now);
        assert_eq!(
            ending.next(
                now,
                Facts {
                    unsent: true,
                    ..QUIET
                }
            ),
            Step::Wait(None)
        );
        assert_eq!(ending.next(now, QUIET), Step::ShutDownWrite);
        ending.shut_down_done();
        assert_eq!(ending.next(at(now, 60_000), QUIET), Step::Wait(None));
        ending.peer_end(now);
        assert_eq!(ending.next(now, QUIET), leave(End::Both));
    }
}

#[test]
fn an_empty_stdin_is_no_answer_for_a_listener() {
    let (mut ending, now) = begun(LISTEN);
    ending.input_end(now);
    assert_eq!(ending.next(now, QUIET), Step::Wait(None));
    ending.peer_end(now);
    assert_eq!(ending.next(now, QUIET), leave(End::Both));

    for rules in [
        Rules {
            stdin: StdinKind::File,
            ..LISTEN
        },
        CONNECT,
    ] {
        let (mut ending, now) = begun(rules);
        ending.input_end(now);
        assert_eq!(ending.next(now, QUIET), Step::ShutDownWrite);
    }
}

#[test]
fn receiving_alone_holds_the_end_back_and_leaves_with_the_peer() {
    for rules in [CONNECT, LISTEN] {
        let (mut ending, now) = begun(Rules {
            recv_only: true,
            ..rules
        });
        assert_eq!(ending.next(now, QUIET), Step::Wait(None));
        ending.peer_end(now);
        assert_eq!(ending.next(now, QUIET), leave(End::Peer));
    }
}

#[test]
fn connect_leaves_an_idle_input_half_a_second_after_an_answer() {
    let (mut ending, now) = begun(CONNECT);
    ending.peer_end(now);
    ending.input(at(now, 300));
    for (moment, until) in [(400, 525), (700, 800)] {
        assert_eq!(
            ending.next(at(now, moment), ANSWERED),
            Step::Wait(Some(at(now, until)))
        );
    }
    let waiting = Facts {
        acknowledged: false,
        ..ANSWERED
    };
    assert_eq!(
        ending.next(at(now, 800), waiting),
        Step::Wait(Some(at(now, 820)))
    );
    assert_eq!(ending.next(at(now, 800), ANSWERED), LEFT_IDLE);
}

#[test]
fn an_input_is_not_idle_while_nobody_could_look() {
    let (mut ending, now) = begun(CONNECT);
    ending.peer_end(now);
    ending.begin_anew(at(now, 3000));
    assert_eq!(
        ending.next(at(now, 3450), ANSWERED),
        Step::Wait(Some(at(now, 3500)))
    );
    assert_eq!(ending.next(at(now, 3500), ANSWERED), LEFT_IDLE);
    // Where nobody has ended there is nothing to begin.
    let (mut ending, now) = begun(CONNECT);
    ending.begin_anew(now);
    assert!(!ending.is_peer_over());
}

#[test]
fn without_an_answer_it_waits_and_says_so_once() {
    for (rules, facts) in [(CONNECT, QUIET), (LISTEN, ANSWERED)] {
        let (mut ending, now) = begun(rules);
        ending.peer_end(now);
        assert_eq!(
            ending.next(at(now, 1000), facts),
            Step::Wait(Some(at(now, 2000)))
        );
        assert_eq!(ending.next(at(now, 2000), facts), Step::SayWaiting);
        ending.waiting_said();
        assert_eq!(ending.next(at(now, 2000), facts), Step::Wait(None));
    }
}

#[test]
fn somebody_who_types_is_done_at_the_peers_end() {
    let (mut ending, now) = begun(Rules {
        stdin: StdinKind::Terminal,
        ..LISTEN
    });
    ending.peer_end(now);
    assert_eq!(ending.next(now, QUIET), leave(End::Peer));
}

#[test]
fn until_says_what_is_enough() {
    let (mut ending, now) = begun(Rules {
        until: Until::Peer,
        ..LISTEN
    });
    ending.peer_end(now);
    assert_eq!(ending.next(now, QUIET), leave(End::Peer));

    for rules in [
        Rules {
            until: Until::Stdin,
            ..CONNECT
        },
        Rules {
            send_only: true,
            ..LISTEN
        },
    ] {
        let (mut ending, now) = begun(rules);
        ending.input_end(now);
        assert_eq!(ending.next(now, QUIET), leave(End::Stdin));
    }

    let both = Rules {
        until: Until::Both,
        stdin: StdinKind::Terminal,
        ..CONNECT
    };
    let (mut ending, now) = begun(both);
    ending.peer_end(now);
    assert_eq!(ending.next(at(now, 60_000), ANSWERED), Step::Wait(None));
}

#[test]
fn quit_after_counts_from_the_end_of_input() {
    let (mut ending, now) = begun(Rules {
        quit_after: Some(Duration::from_secs(1)),
        shut_down: false,
        ..CONNECT
    });
    ending.input_end(now);
    assert_eq!(ending.next(now, QUIET), Step::Wait(Some(at(now, 1000))));
    assert_eq!(ending.next(at(now, 1000), QUIET), leave(End::Stdin));
}

#[test]
fn without_a_shutdown_both_ends_are_still_the_end() {
    let (mut ending, now) = begun(Rules {
        shut_down: false,
        ..CONNECT
    });
    ending.input_end(now);
    assert_eq!(ending.next(now, QUIET), Step::Wait(None));
    ending.peer_end(now);
    assert_eq!(ending.next(now, QUIET), leave(End::Both));
}
