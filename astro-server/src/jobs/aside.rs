//! Rows that a job could not handle: left alone for a while, longer each time, and told once.
use crate::kernel::{Error, Timestamp};
use std::collections::HashMap;
use std::time::Duration;
use uuid::Uuid;

/// Time after the first failure of a row; doubled by each further one.
const PAUSE_MIN: Duration = Duration::from_secs(60);
/// Longest time that a row is left alone.
const PAUSE_MAX: Duration = Duration::from_secs(3600);
/// Time after a failure that is not the row's own: somebody holds it, or the database is in trouble.
const PAUSE_PASSING: Duration = Duration::from_secs(5);
/// Rows that are remembered: a job with more failures has another problem, and tries them all again.
const ROWS_MAX: usize = 10_000;

/// The rows of one job that are set aside, in this process.
pub(super) struct Aside {
    job: &'static str,
    rows: HashMap<Uuid, Row>,
}

struct Row {
    failures: u32,
    until: Timestamp,
}

impl Aside {
    pub(super) fn new(job: &'static str) -> Self {
        Self { job, rows: HashMap::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether the row is left alone now.
    pub(super) fn holds(&self, id: Uuid, now: Timestamp) -> bool {
        self.rows.get(&id).is_some_and(|row| row.until > now)
    }

    /// Sets a row aside that failed so.
    pub(super) fn put(&mut self, id: Uuid, error: &Error, now: Timestamp) {
        // Rows that somebody else handled since are never asked for again.
        self.rows.retain(|_, row| row.until.plus(PAUSE_MAX) > now);
        if self.rows.len() >= ROWS_MAX {
            self.rows.clear();
        }
        let job = self.job;
        let row = self.rows.entry(id).or_insert(Row { failures: 0, until: now });
        if error.is_transient() {
            row.until = now.plus(PAUSE_PASSING);
            return;
        }
        row.failures += 1;
        let pause = PAUSE_MIN.saturating_mul(1 << (row.failures - 1).min(10)).min(PAUSE_MAX);
        row.until = now.plus(pause);
        if row.failures == 1 {
            tracing::error!(job, %id, "Job \"{job}\" sets {id} aside and goes on: {error}");
        }
    }

    /// Forgets a row that was handled.
    pub(super) fn forgive(&mut self, id: Uuid) {
        if self.rows.remove(&id).is_some_and(|row| row.failures > 0) {
            let job = self.job;
            tracing::info!(job, %id, "Job \"{job}\" handled {id}, which it had set aside");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_fails_is_left_alone_for_longer_each_time() {
        let mut aside = Aside::new("test");
        let (id, start) = (Uuid::now_v7(), Timestamp::from_micros("now", 0).unwrap());
        let mut now = start;
        for seconds in [60, 120, 240, 480, 960, 1920, 3600, 3600] {
            aside.put(id, &Error::Internal("poison".to_owned()), now);
            now = now.plus(Duration::from_secs(seconds));
            assert!(!aside.holds(id, now), "after {seconds} s");
            assert!(aside.holds(id, now.minus(Duration::from_secs(1))), "before {seconds} s");
        }
        aside.forgive(id);
        assert_eq!(aside.len(), 0);
    }

    #[test]
    fn a_row_that_somebody_holds_is_tried_again_soon() {
        let mut aside = Aside::new("test");
        let (id, now) = (Uuid::now_v7(), Timestamp::from_micros("now", 0).unwrap());
        for _ in 0..10 {
            aside.put(id, &Error::Unavailable("a lock".to_owned()), now);
        }
        assert!(!aside.holds(id, now.plus(PAUSE_PASSING)));
    }
}
