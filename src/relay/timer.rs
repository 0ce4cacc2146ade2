//! Moments to wait for.

use std::future::pending;
use std::time::{Duration, Instant};

/// The earlier of two moments.
pub(crate) fn earliest(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    [one, other].into_iter().flatten().min()
}

/// Into so many pieces a patience is cut.
const PIECES: u32 = 4;

/// Sleeps for so long, in pieces: however long this process was stopped meanwhile, or had no turn,
/// that is one of them and no more, and the others are left for what came in that time.
pub(crate) async fn wait_patiently(limit: Duration) {
    for _ in 0..PIECES {
        tokio::time::sleep(limit / PIECES).await;
    }
}

/// Sleeps until then, or for ever.
pub(crate) async fn sleep_until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment.into()).await,
        None => pending().await,
    }
}
