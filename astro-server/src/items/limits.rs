//! Limits, each with its reason.
use std::time::Duration;

/// Labels of one item.
pub const LABELS_MAX: usize = 32;
/// Default and longest time of a reservation.
pub const RESERVATION_TTL_DEFAULT: Duration = Duration::from_secs(900);
/// See above.
pub const RESERVATION_TTL_MAX: Duration = Duration::from_secs(86_400);
