//! Steam's clock: codes and keys are made for its time, not ours.

use std::{
    sync::{Arc, Mutex as StdMutex, PoisonError},
    time::Duration,
};

use serde::Deserialize;
use tokio::{sync::Mutex, time::Instant};

use crate::{
    outside::Clock,
    steam::{
        traffic::{Http, Request},
        wire::{Answer, Signal, answer::api_json, loose},
    },
};

/// When to try again after the clock could not be read.
const AFTER_FAILURE: Duration = Duration::from_secs(60);
/// Our clock was set, or the machine slept, when it and the time that passed differ by more.
const JUMP_SECONDS: i64 = 30;

/// Keeps the difference between Steam's clock and ours known.
#[derive(Debug)]
pub(super) struct SteamTime {
    http: Arc<Http>,
    clock: Clock,
    every: Duration,
    due: Mutex<Instant>,
    anchor: StdMutex<Anchor>,
}

/// What our clock showed at a moment.
#[derive(Debug, Clone, Copy)]
struct Anchor {
    shown: i64,
    at: Instant,
}

impl Anchor {
    fn drop_here(shown: i64) -> Self {
        Self { shown, at: Instant::now() }
    }

    /// Whether our clock was changed since: it shows something else than the time that passed.
    fn is_lost(self, shown: i64, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.at).as_secs();
        let expected = self.shown.saturating_add_unsigned(passed);
        shown.abs_diff(expected) > JUMP_SECONDS.unsigned_abs()
    }
}

#[derive(Deserialize)]
struct Reply {
    #[serde(deserialize_with = "loose::i64")]
    server_time: i64,
}

impl SteamTime {
    /// Will read the clock so often.
    pub(super) fn new(http: Arc<Http>, clock: Clock, every: Duration) -> Self {
        Self {
            anchor: StdMutex::new(Anchor::drop_here(clock.unix())),
            http,
            clock,
            every,
            due: Mutex::new(Instant::now()),
        }
    }

    /// Has the clock read again at its next use.
    pub(super) async fn doubt(&self) {
        *self.due.lock().await = Instant::now();
    }

    /// Reads Steam's clock if that is due, or if ours was changed meanwhile. A failure is logged
    /// and changes nothing: our own clock is right most of the time.
    pub(super) async fn refresh(&self) {
        let mut due = self.due.lock().await;
        if self.has_jumped(self.clock.unix(), Instant::now()) {
            tracing::warn!("Our clock was changed: reading Steam's again");
            self.drop_anchor();
            *due = Instant::now();
        }
        if Instant::now() < *due {
            return;
        }
        match query(&self.http).await {
            Ok(server_time) => {
                self.http.learn_time(server_time);
                self.drop_anchor();
                *due = Instant::now() + self.every;
            }
            Err(signal) => {
                tracing::info!("Could not read Steam's clock: {signal}");
                *due = Instant::now() + self.every.min(AFTER_FAILURE);
            }
        }
    }

    fn has_jumped(&self, shown: i64, now: Instant) -> bool {
        self.anchor.lock().unwrap_or_else(PoisonError::into_inner).is_lost(shown, now)
    }

    fn drop_anchor(&self) {
        let anchor = Anchor::drop_here(self.clock.unix());
        *self.anchor.lock().unwrap_or_else(PoisonError::into_inner) = anchor;
    }
}

async fn query(http: &Http) -> Result<i64, Signal> {
    read(&http.perform(Request::api("ITwoFactorService/QueryTime/v1").post(vec![])).await?)
}

/// Reads the answer of `QueryTime`.
pub(super) fn read(answer: &Answer) -> Result<i64, Signal> {
    let value = api_json(answer)?;
    let reply = value.get("response").cloned().unwrap_or_default();
    let reply: Reply =
        serde_json::from_value(reply).map_err(|error| Signal::Garbled(error.to_string()))?;
    // A clock that shows 1970 is none.
    if reply.server_time <= 0 {
        return Err(Signal::Garbled("no time".to_owned()));
    }
    Ok(reply.server_time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        outside::Outside,
        pace::Pace,
        steam::traffic::{Addresses, Settings},
    };

    #[test]
    fn a_clock_that_was_set_is_noticed_and_one_that_merely_went_on_is_not() {
        let (shown, at) = (1_700_000_000, Instant::now());
        let anchor = Anchor { shown, at };
        let later = |seconds| at + Duration::from_secs(seconds);
        assert!(!anchor.is_lost(shown, at));
        assert!(!anchor.is_lost(shown + 86_400, later(86_400)));
        assert!(!anchor.is_lost(shown + 100 + 30, later(100)));
        // Set forward, set back, and asleep for an hour.
        assert!(anchor.is_lost(shown + 100 + 31, later(100)));
        assert!(anchor.is_lost(shown + 100 - 31, later(100)));
        assert!(anchor.is_lost(shown + 3600, later(1)));
        assert!(anchor.is_lost(i64::MIN, at));
    }

    #[test]
    fn a_jump_of_our_clock_is_seen_until_the_anchor_is_dropped_again() {
        let pace = Pace::default();
        let addresses = Addresses::default();
        let way = Settings { addresses, proxy: None, ca_file: None, header_profiles: None, pace };
        let http = Arc::new(Http::new(way, &Outside::default()).unwrap());
        let time = SteamTime::new(http, Clock::default(), Duration::from_secs(3600));
        let (ours, now) = (time.clock.unix(), Instant::now());
        assert!(!time.has_jumped(ours, now));
        assert!(time.has_jumped(ours + 7200, now));
        assert!(time.has_jumped(ours - 7200, now));
        time.drop_anchor();
        assert!(!time.has_jumped(time.clock.unix(), Instant::now()));
    }
}
