//! Time: the only place that reads the clock.
use super::error::{Error, Result};
use chrono::{DateTime, SecondsFormat, Utc};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// A moment, in whole microseconds, which is what both databases keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(pub DateTime<Utc>);

impl Timestamp {
    /// The moment `micros` microseconds after 1970.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming `field` when chrono cannot hold it.
    pub fn from_micros(field: &'static str, micros: i64) -> Result<Self> {
        DateTime::from_timestamp_micros(micros)
            .map(Self)
            .ok_or_else(|| Error::invalid(field, "is out of range"))
    }

    /// Microseconds since 1970.
    pub fn micros(self) -> i64 {
        self.0.timestamp_micros()
    }

    /// `self` and `span` more; stays at the last moment there is.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        let span = chrono::Duration::from_std(span).unwrap_or(chrono::Duration::MAX);
        Self(self.0.checked_add_signed(span).unwrap_or(DateTime::<Utc>::MAX_UTC))
    }

    /// `self` less `span`; stays at the first moment there is.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        let span = chrono::Duration::from_std(span).unwrap_or(chrono::Duration::MAX);
        Self(self.0.checked_sub_signed(span).unwrap_or(DateTime::<Utc>::MIN_UTC))
    }

    /// Time from `earlier` to `self`; zero when it is not earlier.
    pub fn since(self, earlier: Self) -> Duration {
        (self.0 - earlier.0).to_std().unwrap_or_default()
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

/// The clock: the machine's, and for tests an advance on it.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    advance_micros: Arc<AtomicI64>,
}

impl Clock {
    /// Now.
    #[allow(clippy::disallowed_methods)] // the one place that reads the clock
    pub fn now(&self) -> Timestamp {
        let micros = Utc::now()
            .timestamp_micros()
            .saturating_add(self.advance_micros.load(Ordering::SeqCst));
        Timestamp(DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::<Utc>::MAX_UTC))
    }

    /// Moves this clock and its clones forward.
    pub fn advance(&self, span: Duration) {
        let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        self.advance_micros.fetch_add(micros, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_advanced_clock_tells_a_later_time() {
        let clock = Clock::default();
        let before = clock.now();
        clock.clone().advance(Duration::from_secs(86_400));
        assert!(clock.now().since(before) >= Duration::from_secs(86_400));
    }

    #[test]
    fn sums_stay_within_what_can_be_held() {
        let now = Clock::default().now();
        assert!(now.plus(Duration::MAX) > now && now.minus(Duration::MAX) < now);
    }
}
