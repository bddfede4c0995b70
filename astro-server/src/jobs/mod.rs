//! Work on a schedule: each job may run twice, on several servers. A job reads what is due and
//! handles each row in a transaction of its own, so that one that fails stops no other; the jobs do
//! not wait for each other.
mod aside;

use crate::config::Pace;
use crate::db::{Conn, Db};
use crate::kernel::time::Steps;
use crate::kernel::{Clock, Result, Timestamp};
use crate::{assignments, auth, bots, crash, items, sync};
use aside::Aside;
use futures_util::StreamExt as _;
use std::time::{Duration, Instant};
use tokio::time::{MissedTickBehavior, interval};
use uuid::Uuid;

/// Rows that are read, or deleted, at a time.
const BATCH: usize = 50;
/// Rows that are handled at once: on SQLite they share a commit.
const AT_ONCE: usize = 16;
/// Rows that meet a database in trouble before the job waits for its next round.
const TROUBLED_MAX: usize = 3;
/// Rows deleted in one transaction.
const FORGOTTEN: i64 = 1000;
/// How often old answers are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(3600);

/// How often the clock is compared with the time that passed.
const CLOCK_LOOK: Duration = Duration::from_secs(1);

/// Runs the jobs for ever.
pub async fn run(db: &Db, clock: &Clock, pace: &Pace) {
    let jobs = Jobs { db, clock, every: pace.job_interval };
    tokio::join!(
        jobs.watch_clock(),
        jobs.job(
            "pull back reservations",
            items::ops::reservations_ahead,
            |it| it.id.0,
            items::ops::pull_back
        ),
        jobs.job("expire reservations", items::ops::overdue, |it| it.id.0, items::ops::expire),
        jobs.job(
            "expire assignments",
            assignments::ending::overdue,
            |it| it.id.0,
            assignments::ending::expire
        ),
        jobs.job(
            "withdraw offers",
            assignments::room::stale,
            |it| it.id.0,
            assignments::room::withdraw
        ),
        jobs.job(
            "resume deliveries",
            assignments::invites::with_trade_url,
            |it| it.id.0,
            assignments::invites::resume_with_trade_url
        ),
        jobs.job(
            "settle deliveries",
            assignments::ops::to_settle,
            |it| it.id.0,
            assignments::ops::settle_due
        ),
        jobs.job("warn of Steam logins", bots::ops::unwarned, |it| it.id.0, bots::ops::warn),
        jobs.forget("forget old requests", auth::ops::forget_requests),
        jobs.forget("forget old trades", sync::history::forget),
        jobs.forget("forget old reversals", sync::reversals::forget),
    );
}

/// What is due now, at most so many.
type Due<T> = fn(&mut Conn, Timestamp, i64) -> Result<Vec<T>>;
/// Handles one row.
type Handle<T> = fn(&mut Conn, &T, Timestamp) -> Result<()>;

struct Jobs<'a> {
    db: &'a Db,
    clock: &'a Clock,
    every: Duration,
}

impl Jobs<'_> {
    /// Tells in the log when the clock is set.
    async fn watch_clock(&self) {
        let mut tick = interval(CLOCK_LOOK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut steps = Steps::new(self.clock.now(), Instant::now());
        loop {
            tick.tick().await;
            if let Some(step) = steps.look(self.clock.now(), Instant::now()) {
                tracing::warn!("What waits for a time may end early or late: {step}");
            }
        }
    }

    async fn job<T>(&self, name: &'static str, due: Due<T>, id: fn(&T) -> Uuid, handle: Handle<T>)
    where
        T: Clone + Send + 'static,
    {
        let mut tick = interval(self.every);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut aside = Aside::new(name);
        loop {
            tick.tick().await;
            crash::point("jobs");
            log(name, self.round(&mut aside, due, id, handle).await);
        }
    }

    /// Handles what is due until there is less than a full batch of it.
    async fn round<T>(
        &self,
        aside: &mut Aside,
        due: Due<T>,
        id: fn(&T) -> Uuid,
        handle: Handle<T>,
    ) -> Result<usize>
    where
        T: Clone + Send + 'static,
    {
        let mut total = 0;
        loop {
            let now = self.clock.now();
            // Those set aside are still due, and must not fill the batch.
            let limit = i64::try_from(BATCH + aside.len()).unwrap_or(i64::MAX);
            let mut rows = self.db.read(move |conn| due(conn, now, limit)).await?;
            rows.retain(|row| !aside.holds(id(row), now));
            rows.truncate(BATCH);
            let full = rows.len() == BATCH;
            let mut handled = futures_util::stream::iter(rows)
                .map(|row| async move {
                    let (id, db) = (id(&row), self.db);
                    (id, db.write(move |conn| handle(conn, &row, now)).await)
                })
                .buffer_unordered(AT_ONCE);
            let (mut done, mut troubled) = (0, 0);
            while let Some((id, outcome)) = handled.next().await {
                match outcome {
                    Ok(()) => {
                        aside.forgive(id);
                        done += 1;
                    }
                    Err(error) => {
                        troubled += usize::from(error.is_transient());
                        aside.put(id, &error, now);
                    }
                }
                if troubled >= TROUBLED_MAX {
                    return Ok(total + done);
                }
            }
            total += done;
            if !full || done == 0 {
                return Ok(total);
            }
        }
    }

    /// Deletes what is too old, a bounded piece at a time.
    async fn forget(&self, name: &str, work: fn(&mut Conn, Timestamp, i64) -> Result<usize>) {
        let mut tick = interval(self.every);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut forgot: Option<Timestamp> = None;
        loop {
            tick.tick().await;
            let now = self.clock.now();
            if forgot.is_some_and(|at| at <= now && now.since(at) < FORGET_EVERY) {
                continue;
            }
            match self.forget_now(work, now).await {
                Ok((done, all)) => {
                    if all {
                        forgot = Some(now);
                    }
                    log(name, Ok(done));
                }
                Err(error) => log(name, Err(error)),
            }
        }
    }

    /// Piece after piece for half of the time until the next tick: others write between them. How
    /// many rows, and whether these were all.
    async fn forget_now(
        &self,
        work: fn(&mut Conn, Timestamp, i64) -> Result<usize>,
        now: Timestamp,
    ) -> Result<(usize, bool)> {
        let (began, mut total) = (Instant::now(), 0);
        loop {
            let done = self.db.write(move |conn| work(conn, now, FORGOTTEN)).await?;
            total += done;
            let all = i64::try_from(done).is_ok_and(|done| done < FORGOTTEN);
            if all || began.elapsed() >= self.every / 2 {
                return Ok((total, all));
            }
        }
    }
}

fn log(job: &str, done: Result<usize>) {
    match done {
        Ok(0) => {}
        Ok(n) => tracing::info!(job, n, "Job \"{job}\" handled {n}"),
        // The database tells of its troubles itself.
        Err(error) if error.is_transient() => {}
        // The next round tries again.
        Err(error) => tracing::warn!(job, %error, "Job \"{job}\" failed: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    static LEFT: AtomicUsize = AtomicUsize::new(3500);

    /// Deletes so many of what is left.
    fn delete(_: &mut Conn, _: Timestamp, limit: i64) -> Result<usize> {
        assert_eq!(limit, FORGOTTEN, "in portions");
        let left = LEFT.load(Ordering::SeqCst);
        let some = left.min(usize::try_from(limit).unwrap());
        LEFT.store(left - some, Ordering::SeqCst);
        Ok(some)
    }

    #[tokio::test]
    async fn old_rows_are_deleted_in_portions_until_none_is_left_or_the_time_is_up() {
        let folder = tempfile::tempdir().unwrap();
        let address = crate::db::Address::Sqlite(folder.path().join("astro.db"));
        let db = Db::open(&address, |_| Ok(())).unwrap();
        let clock = Clock::default();
        let hurried = Jobs { db: &db, clock: &clock, every: Duration::ZERO };
        assert_eq!(hurried.forget_now(delete, clock.now()).await, Ok((1000, false)));
        let jobs = Jobs { every: Duration::from_secs(3600), ..hurried };
        assert_eq!(jobs.forget_now(delete, clock.now()).await, Ok((2500, true)));
    }
}
