//! Time: what a clock shows, and spans of it.
use super::error::{Error, Result};
use super::limits::{CLOCK_STEP, CLOCKS_APART};
pub use crate::outside::Clock;
use chrono::{DateTime, SecondsFormat, Utc};
use std::time::Duration;
use tokio::time::Instant;

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

    /// Whether this moment, at which something was done, was told by a clock that ran ahead: it has
    /// not come by `now`, by more than [`CLOCKS_APART`].
    pub fn is_ahead_of(self, now: Self) -> bool {
        self.since(now) > CLOCKS_APART
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

impl Clock {
    /// Now.
    pub fn now(&self) -> Timestamp {
        Timestamp(self.shown())
    }
}

/// Time that passes by a clock, which may be set: forward it is believed, back it stands still once.
#[derive(Debug)]
pub struct Passed {
    told: Timestamp,
    passed: Duration,
}

impl Passed {
    /// None since now, which is what the clock tells.
    pub fn since(told: Timestamp) -> Self {
        Self { told, passed: Duration::ZERO }
    }

    /// How much has passed when the clock tells this.
    pub fn look(&mut self, told: Timestamp) -> Duration {
        self.passed += told.since(std::mem::replace(&mut self.told, told));
        self.passed
    }
}

/// Watches a clock for steps, by the time that passes meanwhile.
#[derive(Debug)]
pub struct Steps {
    told: Timestamp,
    at: Instant,
}

impl Steps {
    /// Watches from now on; `told` is what the clock tells.
    pub fn new(told: Timestamp, at: Instant) -> Self {
        Self { told, at }
    }

    /// How far the clock was set since the last look, if it was, in words.
    pub fn look(&mut self, told: Timestamp, at: Instant) -> Option<String> {
        let before = std::mem::replace(self, Self { told, at });
        let expected = before.told.plus(at.saturating_duration_since(before.at));
        let (ahead, behind) = (told.since(expected), expected.since(told));
        if ahead > CLOCK_STEP {
            Some(format!("the clock was set forward by {ahead:?}"))
        } else if behind > CLOCK_STEP {
            Some(format!("the clock was set back by {behind:?}"))
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_is_told_once() {
        let (start, at) = (Clock::default().now(), Instant::now());
        let mut steps = Steps::new(start, at);
        let second = Duration::from_secs(1);
        let mut look = |told: Timestamp, seconds: u32| steps.look(told, at + second * seconds);
        assert_eq!(look(start.plus(second), 1), None);
        let hour = Duration::from_secs(3600);
        let set = look(start.plus(hour + second * 2), 2).unwrap();
        assert_eq!(set, "the clock was set forward by 3600s");
        assert_eq!(look(start.plus(hour + second * 3), 3), None);
        assert!(look(start.plus(second * 4), 4).unwrap().contains("back by 3600s"));
        assert_eq!(look(start.plus(second * 5), 5), None);
    }

    #[test]
    fn time_passes_on_a_clock_that_was_set_back() {
        let start = Clock::default().now();
        let (second, hour) = (Duration::from_secs(1), Duration::from_secs(3600));
        let mut passed = Passed::since(start);
        assert_eq!(passed.look(start.plus(second)), second);
        assert_eq!(passed.look(start.minus(hour)), second);
        assert_eq!(passed.look(start.minus(hour).plus(second)), second * 2);
    }

    #[test]
    fn what_lies_a_little_ahead_may_be_another_servers_clock() {
        let now = Clock::default().now();
        assert!(!now.is_ahead_of(now) && !now.plus(CLOCKS_APART).is_ahead_of(now));
        assert!(now.plus(CLOCKS_APART * 2).is_ahead_of(now));
    }

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
