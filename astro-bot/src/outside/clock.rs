//! The only place that reads the real time. Rules take `now` as an argument.

use std::{fmt, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use tokio::time::Instant;

type Now = dyn Fn() -> DateTime<Utc> + Send + Sync;

/// The clock that shows the time: the machine's, or one that is set.
#[derive(Clone, Default)]
pub(crate) struct Clock(Option<Arc<Now>>);

/// A moment: by the clock that nobody sets, which stands still while the machine sleeps, and by the
/// one that shows the time.
#[derive(Debug, Clone)]
pub(crate) struct Moment {
    at: Instant,
    shown: DateTime<Utc>,
    clock: Clock,
}

impl Clock {
    /// One that shows this.
    pub(super) fn set(now: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(now)))
    }

    #[allow(clippy::disallowed_methods, reason = "this is the clock that everything else asks")]
    fn now(&self) -> DateTime<Utc> {
        self.0.as_ref().map_or_else(Utc::now, |now| now())
    }

    /// Now, Unix seconds.
    pub(crate) fn unix(&self) -> i64 {
        self.now().timestamp()
    }

    /// Now.
    pub(crate) fn moment(&self) -> Moment {
        Moment { at: Instant::now(), shown: self.now(), clock: self.clone() }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

impl Moment {
    /// How long ago it was, by the clock that says more: a time that is set may make that too long,
    /// and nothing makes it too short.
    pub(crate) fn passed(&self) -> Duration {
        self.until(&self.clock.moment())
    }

    fn until(&self, later: &Self) -> Duration {
        let shown = later.shown.signed_duration_since(self.shown).to_std().unwrap_or_default();
        later.at.saturating_duration_since(self.at).max(shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passed_is_told_by_the_clock_that_says_more() {
        let start = Clock::default().moment();
        let after = |at: u64, shown: i64| {
            let at = start.at + Duration::from_secs(at);
            let shown = start.shown + chrono::Duration::seconds(shown);
            start.until(&Moment { at, shown, clock: Clock::default() })
        };
        assert_eq!(after(5, 5).as_secs(), 5);
        assert_eq!(after(1, 300).as_secs(), 300, "the machine slept");
        assert_eq!(after(5, -3600).as_secs(), 5, "the time was set back");
    }
}
