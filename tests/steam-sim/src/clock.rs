//! The simulator's clock: the runtime's time, which a test may pause, plus an offset which tests move
//! forward.

use std::ops::Add;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// A moment on the simulator's clock, in milliseconds since the Unix epoch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct SimTime(pub i64);

impl SimTime {
    /// Whole seconds since the Unix epoch: the form of every time on Steam's wire.
    pub fn secs(self) -> i64 {
        self.0.div_euclid(1000)
    }
}

impl Add<Duration> for SimTime {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis(duration)))
    }
}

pub(crate) struct Clock {
    started: Instant,
    started_at: i64,
    offset: AtomicI64,
}

impl Clock {
    /// A clock which shows `start` now, or the machine's time.
    pub(crate) fn start(start: Option<SimTime>) -> Self {
        let machine = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            started: Instant::now(),
            started_at: start.map_or(millis(machine), |time| time.0),
            offset: AtomicI64::new(0),
        }
    }

    pub(crate) fn now(&self) -> SimTime {
        let elapsed = millis(self.started.elapsed());
        SimTime(self.started_at + elapsed + self.offset.load(Ordering::SeqCst))
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.offset.fetch_add(millis(by), Ordering::SeqCst);
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// `#[serde(with)]` for durations written as a number of seconds.
pub(crate) mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(value.as_secs_f64())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        Duration::try_from_secs_f64(f64::deserialize(from)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advancing_moves_the_clock_by_that_much() {
        let clock = Clock::start(Some(SimTime(1_700_000_000_000)));
        assert_eq!(clock.now().secs(), 1_700_000_000);
        clock.advance(Duration::from_secs(86_400));
        assert_eq!(clock.now().secs(), 1_700_086_400);
    }
}
