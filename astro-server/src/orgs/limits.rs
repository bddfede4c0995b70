//! Limits, each with its reason.
use std::time::Duration;

/// Shortest and longest time to claim an assignment.
pub const CLAIM_TTL_MIN: Duration = Duration::from_secs(60);
/// See above.
pub const CLAIM_TTL_MAX: Duration = Duration::from_secs(31_536_000);
/// Shortest and longest time that an offer waits: an hour to answer at least, and Steam itself ends
/// offers after two weeks.
pub const OFFER_TTL_MIN: Duration = Duration::from_secs(3600);
/// See above.
pub const OFFER_TTL_MAX: Duration = Duration::from_secs(14 * 86_400);
