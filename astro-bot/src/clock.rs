//! The only place that reads the real time. Rules take `now` as an argument.

use chrono::{DateTime, Utc};

/// The real time.
#[allow(clippy::disallowed_methods, reason = "this is the clock that everything else asks")]
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now()
}
