use super::queue::{BUSY, PATIENCE, PIECE, ROOM};
use super::*;

/// A piece that fills a queue.
fn large() -> Piece {
    vec![0; ROOM].into()
}

/// What a listener hears next, if it is there already.
fn heard(hearing: &Hearing<'_>) -> Option<usize> {
    let next = std::pin::pin!(hearing.next());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match next.poll(&mut context) {
        std::task::Poll::Ready(piece) => piece.ok().flatten().map(|piece| piece.len()),
        std::task::Poll::Pending => None,
    }
}

/// Tries to say something at a moment.
fn says(room: &Room, speaker: Option<u64>, piece: &Piece, now: Instant) -> Said {
    room.lock().pass_on(speaker, piece, room.slow, now)
}

#[test]
fn everybody_but_the_speaker_hears() {
    let room = Room::new(Slow::Drop);
    let (one, other) = (room.enter(1), room.enter(2));
    let piece: Piece = (*b"abc").into();
    assert!(matches!(
        says(&room, Some(1), &piece, Instant::now()),
        Said::Passed
    ));
    assert_eq!((heard(&one), heard(&other)), (None, Some(3)));
    other.done();
    assert_eq!(heard(&other), None);
    drop(other);
    assert!(matches!(
        says(&room, Some(1), &piece, Instant::now()),
        Said::Alone
    ));
}

#[test]
fn a_sole_listener_is_waited_for() {
    let room = Room::new(Slow::Drop);
    let one = room.enter(1);
    let now = Instant::now();
    assert!(matches!(says(&room, None, &large(), now), Said::Passed));
    let later = now + PATIENCE * 100;
    assert!(matches!(
        says(&room, None, &large(), later),
        Said::Full(None)
    ));
    one.done();
    assert!(matches!(says(&room, None, &large(), later), Said::Passed));
}

#[test]
fn equally_slow_listeners_drop_nobody() {
    let room = Room::new(Slow::Drop);
    let (_one, _other) = (room.enter(1), room.enter(2));
    let now = Instant::now();
    assert!(matches!(says(&room, None, &large(), now), Said::Passed));
    let later = now + PATIENCE * 100;
    assert!(matches!(
        says(&room, None, &large(), later),
        Said::Full(None)
    ));
}

#[test]
fn who_keeps_others_waiting_is_dropped_in_the_end() {
    let room = Room::new(Slow::Drop);
    let (one, other) = (room.enter(1), room.enter(2));
    let now = Instant::now();
    assert!(matches!(says(&room, None, &large(), now), Said::Passed));
    one.done();
    other.waits_at(true, now);
    let Said::Full(Some(end)) = says(&room, None, &large(), now) else {
        panic!("it has patience");
    };
    assert_eq!(end, now + PATIENCE);
    assert!(matches!(says(&room, None, &large(), end), Said::Passed));
    assert_eq!(heard(&one), Some(ROOM));
    let dropped = std::pin::pin!(other.dropped());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(TooSlow(left)) = dropped.poll(&mut context) else {
        panic!("it is dropped");
    };
    assert_eq!(left, ROOM as u64);
}

#[test]
fn patience_is_counted_only_while_somebody_starves() {
    let room = Room::new(Slow::Drop);
    let (one, other) = (room.enter(1), room.enter(2));
    let mut now = Instant::now();
    assert!(matches!(says(&room, None, &large(), now), Said::Passed));
    other.waits_at(true, now);
    // Both are full for a long time: nobody is held up by anybody.
    now += PATIENCE * 10;
    assert!(matches!(says(&room, None, &large(), now), Said::Full(None)));
    one.done();
    assert!(matches!(
        says(&room, None, &large(), now),
        Said::Full(Some(_))
    ));
    now += PATIENCE / 2;
    let Said::Full(Some(end)) = says(&room, None, &large(), now) else {
        panic!("half of its patience is left");
    };
    assert_eq!(end, now + PATIENCE / 2);
}

/// A server that has no time to offer somebody what is said has nobody to blame.
#[test]
fn who_is_offered_nothing_is_not_blamed() {
    let room = Room::new(Slow::Drop);
    let (one, other) = (room.enter(1), room.enter(2));
    let mut now = Instant::now();
    assert!(matches!(says(&room, None, &large(), now), Said::Passed));
    one.done();
    for _ in 0..10 {
        let Said::Full(Some(end)) = says(&room, None, &large(), now) else {
            panic!("nobody is dropped");
        };
        assert_eq!(end, now + PATIENCE);
        now = end;
    }
    // Nor is who takes something again and again, as much as a queue holds in that time.
    for _ in 0..10 {
        other.waits_at(true, now);
        now += PATIENCE / 2;
        assert!(matches!(says(&room, None, &large(), now), Said::Full(_)));
        other.done();
        assert!(matches!(says(&room, None, &large(), now), Said::Passed));
        one.done();
    }
    // Little is not enough.
    for _ in 0..2 {
        assert!(matches!(says(&room, None, &large(), now), Said::Full(_)));
        other.waits_at(true, now);
        now += PATIENCE / 2;
    }
    assert!(matches!(says(&room, None, &large(), now), Said::Passed));
}

/// As long as others are served who have still to hear something it is the machine that is busy.
#[test]
fn while_others_are_served_nobody_is_blamed() {
    let room = Room::new(Slow::Drop);
    let (one, other, third) = (room.enter(1), room.enter(2), room.enter(3));
    let small: Piece = vec![0; ROOM / 2 - PIECE].into();
    let now = Instant::now();
    for _ in 0..2 {
        assert!(matches!(says(&room, None, &small, now), Said::Passed));
    }
    one.done();
    one.done();
    other.waits_at(true, now);
    assert!(matches!(says(&room, None, &small, now), Said::Full(_)));
    // Some is left of what the third has to hear, and it is being heard.
    third.done();
    room.lock().taken = Some(now + PATIENCE);
    let later = now + PATIENCE;
    let Said::Full(Some(end)) = says(&room, None, &small, later) else {
        panic!("nobody is dropped");
    };
    assert_eq!(end, later + PATIENCE);
    assert!(matches!(
        says(&room, None, &small, end + BUSY),
        Said::Passed
    ));
}

#[test]
fn who_may_not_be_dropped_is_waited_for() {
    let room = Room::new(Slow::Wait);
    let (one, _other) = (room.enter(1), room.enter(2));
    let now = Instant::now();
    assert!(matches!(says(&room, None, &large(), now), Said::Passed));
    one.done();
    let later = now + PATIENCE * 100;
    assert!(matches!(
        says(&room, None, &large(), later),
        Said::Full(None)
    ));
}

#[test]
fn what_was_said_is_heard_after_the_end() {
    let room = Room::new(Slow::Drop);
    let one = room.enter(1);
    assert!(matches!(
        says(&room, None, &large(), Instant::now()),
        Said::Passed
    ));
    room.close();
    assert_eq!(heard(&one), Some(ROOM));
    one.done();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    assert_eq!(runtime.block_on(one.next()), Ok(None));
}
