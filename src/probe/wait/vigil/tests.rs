//! A wait in virtual time: what happens when, with targets that answer as the test says.

use super::{Begin, Goal, Sign, Silence, Vigil};
use std::collections::BTreeMap;
use std::time::Duration;

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// What a look at a target shows that begins then, and how much later.
type Answer = fn(usize, Duration) -> Option<(Duration, Sign)>;

/// A wait and what came of it.
struct Course {
    /// When it was over, if it was before the deadline.
    end: Option<Duration>,
    /// When looks began, and at whom.
    looks: Vec<(Duration, usize)>,
    /// How many were under way at most.
    most: usize,
}

impl Course {
    /// The times of the looks at one target.
    fn of(&self, target: usize) -> Vec<Duration> {
        let looks = self.looks.iter().filter(|(_, whom)| *whom == target);
        looks.map(|(when, _)| *when).collect()
    }
}

/// Waits in virtual time for connections.
fn wait(goal: Goal, targets: usize, deadline: Duration, answer: Answer) -> Course {
    wait_so(goal, &vec![Silence::TCP; targets], deadline, answer)
}

/// Waits in virtual time.
fn wait_so(goal: Goal, targets: &[Silence], deadline: Duration, answer: Answer) -> Course {
    let mut vigil = Vigil::new(goal, targets.iter().copied());
    let mut course = Course {
        end: None,
        looks: Vec::new(),
        most: 0,
    };
    let mut under_way: BTreeMap<u64, usize> = BTreeMap::new();
    let mut answers: BTreeMap<(Duration, u64), (usize, Sign)> = BTreeMap::new();
    let mut now = Duration::ZERO;
    while now < deadline {
        while let Some(Begin { target, look }) = vigil.begin(now) {
            course.looks.push((now, target));
            under_way.insert(look, target);
            if let Some((later, sign)) = answer(target, now) {
                answers.insert((now + later, look), (target, sign));
            }
        }
        while let Some(look) = vigil.give_up() {
            under_way.remove(&look);
        }
        course.most = course.most.max(under_way.len());
        answers.retain(|(_, look), _| under_way.contains_key(look));
        let next = answers.keys().next().map(|(when, _)| *when);
        let Some(when) = [next, vigil.next()].into_iter().flatten().min() else {
            break;
        };
        now = when.max(now);
        if let Some(entry) = answers.first_entry().filter(|entry| entry.key().0 <= now) {
            let ((_, look), (target, sign)) = entry.remove_entry();
            under_way.remove(&look);
            vigil.hear(target, look, sign, now);
        }
        if vigil.is_met() {
            course.end = Some(now);
            break;
        }
    }
    course
}

const ALL: Goal = Goal {
    any: false,
    closed: false,
    hold: Duration::ZERO,
};

#[test]
fn what_is_open_is_seen_at_once() {
    let course = wait(ALL, 3, ms(1000), |_, _| Some((ms(1), Sign::Open)));
    assert_eq!((course.end, course.looks.len()), (Some(ms(1)), 3));
}

#[test]
fn refused_is_tried_again_soon_and_then_less_often() {
    let course = wait(ALL, 1, ms(20_000), |_, now| {
        let open = now >= ms(15_000);
        Some((ms(0), if open { Sign::Open } else { Sign::Closed }))
    });
    let looks = course.of(0);
    let gaps: Vec<Duration> = looks
        .windows(2)
        .map(|pair| pair[1].saturating_sub(pair[0]))
        .collect();
    assert!(gaps[0] <= ms(50), "{gaps:?}");
    assert!(gaps.is_sorted());
    assert_eq!(*gaps.last().unwrap(), ms(750));
    assert!(course.end.unwrap() < ms(15_750));
}

#[test]
fn silence_is_tried_again_beside_the_tries_that_wait() {
    let course = wait(ALL, 1, ms(10_500), |_, _| None);
    assert_eq!(course.end, None);
    assert_eq!((course.looks.len(), course.most), (11, 4));
    let late: Answer = |_, now| (now == ms(0)).then_some((ms(2500), Sign::Open));
    assert_eq!(wait(ALL, 1, ms(10_000), late).end, Some(ms(2500)));
}

#[test]
fn a_silent_udp_port_is_asked_again_sooner_and_waited_for_as_long() {
    let course = wait_so(ALL, &[Silence::UDP], ms(10_250), |_, _| None);
    assert_eq!((course.looks.len(), course.most), (21, 8));
    let late: Answer = |_, now| (now == ms(0)).then_some((ms(3900), Sign::Open));
    assert_eq!(
        wait_so(ALL, &[Silence::UDP], ms(10_000), late).end,
        Some(ms(3900))
    );
    // What was closed falls silent, since the host says so only so often, and then is there.
    let course = wait_so(ALL, &[Silence::UDP], ms(20_000), |_, now| {
        let open = now >= ms(6000);
        (open || now < ms(400)).then_some((ms(1), if open { Sign::Open } else { Sign::Closed }))
    });
    assert!(course.end.is_some_and(|end| end <= ms(6501)));
}

#[test]
fn an_address_that_answers_does_not_wait_for_a_silent_one() {
    let course = wait(ALL, 1, ms(10_000), |_, now| {
        let open = now >= ms(3000);
        Some((ms(0), if open { Sign::Open } else { Sign::Answered }))
    });
    assert!(course.end.unwrap() < ms(3750));
    assert!(course.looks.len() > 6, "{:?}", course.looks);
    assert!(course.most <= 4);
}

#[test]
fn one_is_enough_for_any() {
    let goal = Goal { any: true, ..ALL };
    let course = wait(goal, 2, ms(1000), |target, _| {
        (target == 1).then_some((ms(2), Sign::Open))
    });
    assert_eq!(course.end, Some(ms(2)));
    assert_eq!(
        wait(ALL, 2, ms(900), |target, _| (target == 1)
            .then_some((ms(2), Sign::Open)))
        .end,
        None
    );
}

#[test]
fn closed_is_an_answer_and_silence_is_none() {
    let goal = Goal {
        closed: true,
        ..ALL
    };
    assert_eq!(wait(goal, 1, ms(9000), |_, _| None).end, None);
    assert_eq!(
        wait(goal, 1, ms(9000), |_, _| Some((ms(0), Sign::Nothing))).end,
        None
    );
    let course = wait(goal, 1, ms(9000), |_, now| {
        let closed = now >= ms(1000);
        Some((ms(0), if closed { Sign::Closed } else { Sign::Open }))
    });
    assert!(course.end.is_some_and(|end| end < ms(1750)));
    assert_eq!(
        wait(goal, 1, ms(9000), |_, _| Some((ms(0), Sign::Answered))).end,
        None
    );
}

#[test]
fn it_must_still_be_so_after_the_hold() {
    let goal = Goal {
        hold: ms(2000),
        ..ALL
    };
    let course = wait(goal, 2, ms(9000), |_, _| Some((ms(1), Sign::Open)));
    assert!(
        course
            .end
            .is_some_and(|end| (ms(2001)..ms(2010)).contains(&end))
    );
    // It falls in between and comes back.
    let course = wait(goal, 2, ms(9000), |target, now| {
        let falls = target == 0 && (ms(900)..ms(1200)).contains(&now);
        Some((ms(0), if falls { Sign::Closed } else { Sign::Open }))
    });
    assert!(
        course
            .end
            .is_some_and(|end| (ms(3000)..ms(4000)).contains(&end))
    );
}

#[test]
fn who_was_there_long_ago_is_looked_at_again() {
    let course = wait(ALL, 2, ms(9000), |target, now| {
        let open = match target {
            0 => now < ms(2000) || now >= ms(6000),
            _ => now >= ms(4000),
        };
        Some((ms(0), if open { Sign::Open } else { Sign::Closed }))
    });
    assert!(
        course.end.is_some_and(|end| end >= ms(6000)),
        "{:?}",
        course.end
    );
    let quiet = course
        .of(0)
        .into_iter()
        .filter(|when| *when < ms(4000))
        .count();
    assert_eq!(quiet, 1, "who is there is left in peace");
}
