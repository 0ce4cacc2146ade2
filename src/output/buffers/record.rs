//! The `buffer` record.

use nettool::buffers::{BufferSizes, Limit, Outcome};
use serde::Serialize;

/// `buffer`.
#[derive(Serialize)]
pub(super) struct Buffer {
    proto: &'static str,
    direction: &'static str,
    minimum_bytes: Option<u64>,
    default_bytes: Option<u64>,
    maximum_bytes: Option<u64>,
    autotuned: Option<bool>,
    requested_bytes: Option<u64>,
    granted_bytes: Option<u64>,
    origin: Option<&'static str>,
    settable_bytes: Option<u64>,
    capped: Option<bool>,
    default_origin: Option<&'static str>,
    settable_origin: Option<&'static str>,
}

impl Buffer {
    /// Everything that is known of a buffer.
    pub(super) fn new(sizes: &BufferSizes) -> Self {
        let capped = |outcome| matches!(outcome, Outcome::Capped(_));
        Self {
            proto: sizes.transport.name(),
            direction: sizes.direction.name(),
            minimum_bytes: bytes(sizes.minimum),
            default_bytes: bytes(sizes.default),
            maximum_bytes: bytes(sizes.maximum),
            autotuned: sizes.autotuned,
            requested_bytes: sizes.grant.map(|grant| grant.requested),
            granted_bytes: sizes.grant.map(|grant| grant.granted),
            origin: origin(sizes.maximum),
            settable_bytes: bytes(sizes.settable),
            capped: sizes.grant.map(|grant| capped(grant.outcome)),
            default_origin: origin(sizes.default),
            settable_origin: origin(sizes.settable),
        }
    }
}

/// The size.
fn bytes(limit: Option<Limit>) -> Option<u64> {
    limit.map(|limit| limit.bytes)
}

/// What decides on it.
fn origin(limit: Option<Limit>) -> Option<&'static str> {
    limit.map(|limit| limit.origin.name())
}
