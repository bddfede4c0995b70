//! The only place that reads the real time. Rules take `now` as an argument.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::Instant;

/// The real time.
#[allow(clippy::disallowed_methods, reason = "this is the clock that everything else asks")]
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now()
}

/// A moment: by the clock that nobody sets, which stands still while the machine sleeps, and by the
/// one that shows the time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    at: Instant,
    shown: DateTime<Utc>,
}

impl Moment {
    /// Now.
    pub(crate) fn now() -> Self {
        Self { at: Instant::now(), shown: now() }
    }

    /// How long ago it was, by the clock that says more: a time that is set may make that too long,
    /// and nothing makes it too short.
    pub(crate) fn passed(self) -> Duration {
        self.until(Self::now())
    }

    fn until(self, later: Self) -> Duration {
        let shown = later.shown.signed_duration_since(self.shown).to_std().unwrap_or_default();
        later.at.saturating_duration_since(self.at).max(shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passed_is_told_by_the_clock_that_says_more() {
        let start = Moment::now();
        let after = |at: u64, shown: i64| {
            let at = start.at + Duration::from_secs(at);
            start.until(Moment { at, shown: start.shown + chrono::Duration::seconds(shown) })
        };
        assert_eq!(after(5, 5).as_secs(), 5);
        assert_eq!(after(1, 300).as_secs(), 300, "the machine slept");
        assert_eq!(after(5, -3600).as_secs(), 5, "the time was set back");
    }
}
