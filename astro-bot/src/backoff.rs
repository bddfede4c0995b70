//! How long to wait before the next try.

use std::time::Duration;

use tokio::time::Instant;

use crate::outside::Chance;

/// Waits that double from `first` to `cap`, each shortened by up to a quarter at random so that
/// many workers do not come back at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    first: Duration,
    cap: Duration,
    tries: u32,
    chance: Chance,
}

impl Backoff {
    /// A fresh series.
    pub(crate) fn new(first: Duration, cap: Duration, chance: &Chance) -> Self {
        Self { first, cap, tries: 0, chance: chance.clone() }
    }

    /// The longest wait.
    pub(crate) fn cap(&self) -> Duration {
        self.cap
    }

    /// Starts again from the first wait.
    pub(crate) fn reset(&mut self) {
        self.tries = 0;
    }

    /// The next wait.
    pub(crate) fn next(&mut self) -> Duration {
        let whole = doubled(self.first, self.cap, self.tries);
        self.tries = self.tries.saturating_add(1);
        whole - whole / 4 * u32::from(self.chance.dice()) / 256
    }

    /// Waits for the next wait.
    pub(crate) async fn pause(&mut self) {
        let wait = self.next();
        tokio::time::sleep(wait).await;
    }
}

/// Something that Steam must not be asked for often, such as a login: each time makes the wait for
/// the next one longer, whether it went well or not. What holds only for minutes is no success.
#[derive(Debug)]
pub(crate) struct Ration {
    backoff: Backoff,
    last: Option<Instant>,
    wait: Duration,
}

impl Ration {
    /// Nothing was taken yet.
    pub(crate) fn new(first: Duration, cap: Duration, chance: &Chance) -> Self {
        Self { backoff: Backoff::new(first, cap, chance), last: None, wait: Duration::ZERO }
    }

    /// When it may be had again; now, if that is past.
    pub(crate) fn due(&self, now: Instant) -> Instant {
        self.last.map_or(now, |last| (last + self.wait).max(now))
    }

    /// Takes one.
    pub(crate) fn take(&mut self, now: Instant) {
        // Twice the longest wait without one: the last was a success.
        let calm = self.backoff.cap.saturating_mul(2);
        if self.last.is_some_and(|last| now.saturating_duration_since(last) >= calm) {
            self.backoff.reset();
        }
        self.wait = self.backoff.next();
        self.last = Some(now);
    }
}

/// `first`, doubled so many times, but `cap` at most.
pub(crate) fn doubled(first: Duration, cap: Duration, times: u32) -> Duration {
    first.saturating_mul(2_u32.saturating_pow(times)).min(cap)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_cap() {
        let (first, cap) = (Duration::from_secs(1), Duration::from_secs(5));
        let mut backoff = Backoff::new(first, cap, &Chance::loaded(0));
        let waits: Vec<u64> = (0..5).map(|_| backoff.next().as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 5, 5]);
        backoff.reset();
        assert_eq!(backoff.next(), first);
    }

    #[test]
    fn chance_shortens_a_wait_by_a_quarter_at_most() {
        let wait = Duration::from_secs(4);
        let next = |byte| Backoff::new(wait, wait, &Chance::loaded(byte)).next();
        assert_eq!(next(0), wait);
        assert!(next(255) < wait && next(255) > Duration::from_secs(3));
    }

    #[test]
    fn what_is_rationed_becomes_rare_and_stays_so() {
        let (minute, hour) = (Duration::from_secs(60), Duration::from_secs(3600));
        let mut ration = Ration::new(2 * minute, 4 * hour, &Chance::loaded(0));
        let start = Instant::now();
        let mut taken = 0;
        // Somebody who asks each minute for a month.
        for minutes in 0..30 * 24 * 60 {
            let now = start + minute * minutes;
            if ration.due(now) <= now {
                ration.take(now);
                taken += 1;
            }
        }
        // After 2, 4, 8 … 128 minutes, then every 4 hours.
        assert_eq!(taken, 8 + 178);
    }

    #[test]
    fn after_a_long_calm_the_first_wait_is_short_again() {
        let hour = Duration::from_secs(3600);
        let mut ration = Ration::new(hour, 4 * hour, &Chance::loaded(0));
        let start = Instant::now();
        for _ in 0..5 {
            ration.take(start);
        }
        assert_eq!(ration.due(start), start + 4 * hour);
        ration.take(start + 8 * hour);
        assert_eq!(ration.due(start), start + 9 * hour);
    }
}
