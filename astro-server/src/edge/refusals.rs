//! Lines of the log for refused calls: so many, and how many more there were.
use super::limits::{REFUSALS_LOGGED, REFUSALS_LOGGED_EVERY};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::time::{Instant, sleep_until};

/// Counts refused calls, so that somebody who is refused all the time does not fill the log.
#[derive(Debug, Clone, Default)]
pub(super) struct Refusals(Arc<Mutex<Span>>);

/// The calls since a moment.
#[derive(Debug, Default)]
struct Span {
    ends: Option<Instant>,
    logged: u32,
    left_out: u64,
}

impl Refusals {
    /// Whether this refusal gets a line. The first that gets none sees to one that counts them.
    pub(super) fn is_logged(&self) -> bool {
        let now = Instant::now();
        let mut span = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ends = match span.ends {
            Some(ends) if now < ends => ends,
            Some(_) | None => {
                let ends = now + REFUSALS_LOGGED_EVERY;
                *span = Span { ends: Some(ends), logged: 0, left_out: span.left_out };
                ends
            }
        };
        if span.logged < REFUSALS_LOGGED {
            span.logged += 1;
            return true;
        }
        span.left_out += 1;
        if span.left_out == 1 {
            let refusals = self.clone();
            tokio::spawn(async move {
                sleep_until(ends).await;
                let more = refusals.take();
                let seconds = REFUSALS_LOGGED_EVERY.as_secs();
                tracing::info!(more, "{more} more calls were refused within {seconds} s");
            });
        }
        false
    }

    /// How many got no line since this was asked last.
    fn take(&self) -> u64 {
        let mut span = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut span.left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn so_many_refusals_get_a_line_and_the_others_are_counted() {
        let refusals = Refusals::default();
        for n in 0..REFUSALS_LOGGED + 5 {
            assert_eq!(refusals.is_logged(), n < REFUSALS_LOGGED, "{n}");
        }
        assert_eq!(refusals.take(), 5);
        assert_eq!(refusals.take(), 0);
    }
}
