//! What comes of asking for a size.

use super::{BufferSizes, Direction, Limit, Origin};
use crate::error::{Action, Cause, Error};
use crate::sys;

/// What came of asking for a size.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Grant {
    /// What was asked for.
    pub requested: u64,
    /// What getsockopt(2) reports afterwards.
    pub granted: u64,
    /// Why it is that.
    pub outcome: Outcome,
}

/// Why a granted size is what it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// It is what was asked for.
    AsAsked,
    /// It is what was asked for, and as much again for the system's own data.
    Doubled,
    /// Less: a program can have so much at most.
    Capped(Cap),
    /// More: smaller ones do not exist.
    Raised,
}

/// The most that a program can ask for, in its own count.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Cap {
    /// Of which buffer.
    pub direction: Direction,
    /// The bytes.
    pub bytes: u64,
    /// What decides on it.
    pub origin: Origin,
}

impl Grant {
    /// Explains what was granted, with the largest that can be.
    pub(super) fn new(direction: Direction, sizes: (u64, u64), settable: Option<Limit>) -> Self {
        let (requested, granted) = sizes;
        let full = requested.saturating_mul(sys::BUFFER_FACTOR);
        let outcome = match granted {
            less if less < full => Outcome::Capped(Cap {
                direction,
                bytes: less / sys::BUFFER_FACTOR,
                origin: settable.map_or(Origin::Measured, |limit| limit.origin),
            }),
            more if more > full => Outcome::Raised,
            _ if sys::BUFFER_FACTOR == 1 => Outcome::AsAsked,
            _ => Outcome::Doubled,
        };
        Self {
            requested,
            granted,
            outcome,
        }
    }
}

/// The error of a size that not all of these buffers got: what capped it in each direction.
#[must_use]
pub fn shortfall(sizes: &[BufferSizes]) -> Option<Error> {
    let mut caps: Vec<Cap> = Vec::new();
    let mut requested = 0;
    for grant in sizes.iter().filter_map(|size| size.grant) {
        requested = grant.requested;
        match grant.outcome {
            Outcome::Capped(cap) if !caps.contains(&cap) => caps.push(cap),
            _ => {}
        }
    }
    let target = format!("buffers of {requested} bytes");
    let error = || {
        Error::new(
            Action::Set,
            target,
            Cause::Capped {
                requested,
                caps: caps.clone(),
            },
        )
    };
    (!caps.is_empty()).then(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The outcome of a grant where at most `most` can be had, as getsockopt reports it.
    fn outcome(requested: u64, granted: u64, most: u64) -> Outcome {
        let origin = Origin::Setting("net.core.wmem_max");
        let most = Limit {
            bytes: most,
            origin,
        };
        Grant::new(Direction::Send, (requested, granted), Some(most)).outcome
    }

    #[test]
    fn what_was_granted_is_explained() {
        let factor = sys::BUFFER_FACTOR;
        let full = outcome(1000, 1000 * factor, 4000);
        assert!(matches!(full, Outcome::Doubled | Outcome::AsAsked));
        assert_eq!(outcome(0, 2304, 4000), Outcome::Raised);
        let Outcome::Capped(cap) = outcome(5000, 4000, 4000) else {
            panic!("less is capped");
        };
        assert_eq!(cap.bytes, 4000 / factor);
        assert_eq!(cap.origin.name(), "net.core.wmem_max");
    }
}
