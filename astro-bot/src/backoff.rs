//! How long to wait before the next try.

use std::time::Duration;

/// Waits that double from `first` to `cap`, each shortened by up to a quarter at random so that
/// many workers do not come back at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    first: Duration,
    cap: Duration,
    tries: u32,
}

impl Backoff {
    /// A fresh series.
    pub(crate) fn new(first: Duration, cap: Duration) -> Self {
        Self { first, cap, tries: 0 }
    }

    /// Starts again from the first wait.
    pub(crate) fn reset(&mut self) {
        self.tries = 0;
    }

    /// The next wait; `dice` is random, from 0 to 255.
    pub(crate) fn next(&mut self, dice: u8) -> Duration {
        let doubled = self.first.saturating_mul(2_u32.saturating_pow(self.tries));
        self.tries = self.tries.saturating_add(1).min(20);
        let whole = doubled.min(self.cap);
        whole - whole / 4 * u32::from(dice) / 256
    }

    /// Waits for the next wait.
    pub(crate) async fn pause(&mut self) {
        let wait = self.next(dice());
        tokio::time::sleep(wait).await;
    }
}

/// One random byte.
fn dice() -> u8 {
    let mut byte = [0_u8; 1];
    // Without randomness the waits are merely not spread.
    let _ = getrandom::fill(&mut byte);
    byte[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_cap() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(5));
        let waits: Vec<u64> = (0..5).map(|_| backoff.next(0).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 5, 5]);
        backoff.reset();
        assert_eq!(backoff.next(0), Duration::from_secs(1));
    }

    #[test]
    fn chance_shortens_a_wait_by_a_quarter_at_most() {
        let mut backoff = Backoff::new(Duration::from_secs(4), Duration::from_secs(4));
        assert_eq!(backoff.next(0), Duration::from_secs(4));
        assert!(backoff.next(255) > Duration::from_secs(3));
    }
}
