//! The machine's clock.

use chrono::{DateTime, Utc};

/// What the time is.
#[allow(clippy::disallowed_methods, reason = "the one place that reads it")]
pub fn system() -> DateTime<Utc> {
    Utc::now()
}
