//! Looking again and again.

use std::thread;
use std::time::{Duration, Instant};

use super::{Failure, Status};

/// Looks at once and then every so often, until a look fails: a signal ends us as it ends any
/// program. A look that takes too long delays the next one, and none is made up for.
pub(super) fn every(
    interval: Duration,
    mut look: impl FnMut() -> Result<(), Failure>,
) -> Result<Status, Failure> {
    let mut next = Instant::now();
    loop {
        look()?;
        let now = Instant::now();
        next = next.checked_add(interval).unwrap_or(now).max(now);
        thread::sleep(next.saturating_duration_since(now));
    }
}
