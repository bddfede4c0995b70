//! Work on a schedule. A slice says what is due and how a row of it is handled; here each job has a
//! task of its own, each row a transaction of its own, and each server that shares the database asks
//! for the job's lease first. So no row and no job holds up another, and a job that two servers do
//! all the same does no harm: what it changes it compares first.
mod aside;
mod schema;
mod store;
#[cfg(test)]
mod tests;

use crate::db::{Conn, Db, Guid};
use crate::kernel::time::Steps;
use crate::kernel::{Clock, Result, Timestamp};
use crate::metrics::{self, Metrics};
use crate::{crash, supervise};
use aside::Aside;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use std::time::Duration;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Rows that are read, or deleted, at a time.
const BATCH: usize = 50;
/// Rows that are handled at once: on SQLite they share a commit.
const AT_ONCE: usize = 16;
/// Rows that meet a database in trouble before the job waits for its next round.
const TROUBLED_MAX: usize = 3;
/// Rows deleted in one transaction.
const FORGOTTEN: i64 = 1000;
/// How often old rows are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(3600);
/// Rounds without a word from the server that does a job after which another takes it over.
const LEASE_ROUNDS: u32 = 3;

/// How often the clock is compared with the time that passed.
const CLOCK_LOOK: Duration = Duration::from_secs(1);

/// What is due now, at most so many.
type Due<T> = fn(&mut Conn, Timestamp, i64) -> Result<Vec<T>>;
/// Handles one row.
type Handle<T> = fn(&mut Conn, &T, Timestamp) -> Result<()>;
/// Deletes what is too old, about so many rows at most; tells how many there were.
type Forget = fn(&mut Conn, Timestamp, i64) -> Result<usize>;

/// Makes the next piece of a work; none when nothing is left. Changes nothing.
type Next<P> = fn(&mut Conn) -> Result<Option<P>>;
/// Keeps such a piece.
type Keep<P> = fn(&mut Conn, &P) -> Result<()>;

/// A slice's work on a schedule.
pub struct Job {
    name: &'static str,
    run: Box<dyn Fn(Runner) -> BoxFuture<'static, ()> + Send>,
}

impl Job {
    /// Handles each row that is `due` in a transaction of its own. A row that fails is left alone
    /// for longer each time, told once, and stops no other.
    pub fn each<T>(name: &'static str, due: Due<T>, id: fn(&T) -> Uuid, handle: Handle<T>) -> Self
    where
        T: Clone + Send + 'static,
    {
        let run = move |runner: Runner| -> BoxFuture<'static, ()> {
            Box::pin(async move { runner.each(name, due, id, handle).await })
        };
        Self { name, run: Box::new(run) }
    }

    /// Makes a work piece by piece, each of what the one before left, as long as there is one: `next`
    /// reads and reckons, `keep` writes, so that the one writer waits for nothing else.
    pub fn pieces<P>(name: &'static str, next: Next<P>, keep: Keep<P>) -> Self
    where
        P: Send + 'static,
    {
        let run = move |runner: Runner| -> BoxFuture<'static, ()> {
            Box::pin(async move { runner.pieces(name, next, keep).await })
        };
        Self { name, run: Box::new(run) }
    }

    /// Deletes what is too old, once an hour, in bounded pieces.
    pub fn forget(name: &'static str, work: Forget) -> Self {
        let run = move |runner: Runner| -> BoxFuture<'static, ()> {
            Box::pin(async move { runner.forget(name, work).await })
        };
        Self { name, run: Box::new(run) }
    }
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Job").field(&self.name).finish()
    }
}

/// Runs the jobs of one server.
#[derive(Debug, Clone)]
pub struct Runner {
    db: Db,
    clock: Clock,
    every: Duration,
    metrics: Metrics,
    /// Names this server in the leases.
    holder: Guid,
}

impl Runner {
    /// Looks for work `every` so often, and counts it in `metrics`.
    pub fn new(db: Db, clock: Clock, every: Duration, metrics: Metrics) -> Self {
        let holder = Guid(db.chance().salt());
        Self { db, clock, every, metrics, holder }
    }

    /// Starts a task for each job, until `stop`.
    pub fn start(&self, jobs: Vec<Job>, stop: &CancellationToken) {
        for Job { name, run } in jobs {
            let runner = self.clone();
            supervise::spawn(name, stop, move || run(runner.clone()));
        }
        let runner = self.clone();
        supervise::spawn("look at the clock", stop, move || {
            let runner = runner.clone();
            async move { runner.watch_clock().await }
        });
    }

    fn ticks(&self) -> Interval {
        let mut tick = interval(self.every);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tick
    }

    fn count(&self, job: &'static str, outcome: &'static str, rows: usize) {
        let counted = self.metrics.job_rows.get_or_create(&metrics::Row { job, outcome });
        counted.inc_by(u64::try_from(rows).unwrap_or(u64::MAX));
    }

    /// Whether the job is this server's now.
    async fn leads(&self, job: &'static str, now: Timestamp) -> Result<bool> {
        let (holder, span) = (self.holder, self.every * LEASE_ROUNDS);
        self.db.write(move |conn| store::lease(conn, job, holder, now, span)).await
    }

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

    async fn each<T>(&self, name: &'static str, due: Due<T>, id: fn(&T) -> Uuid, handle: Handle<T>)
    where
        T: Clone + Send + 'static,
    {
        let mut tick = self.ticks();
        let mut aside = Aside::new(name);
        loop {
            tick.tick().await;
            crash::point("jobs");
            log(name, self.round(name, &mut aside, due, id, handle).await);
        }
    }

    /// Handles what is due until there is less than a full batch of it.
    async fn round<T>(
        &self,
        name: &'static str,
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
            // Asked for when there is work, so that a server without any writes nothing.
            if rows.is_empty() || !self.leads(name, now).await? {
                return Ok(total);
            }
            let full = rows.len() == BATCH;
            let mut handled = futures_util::stream::iter(rows)
                .map(|row| async move {
                    let (id, db) = (id(&row), &self.db);
                    (id, db.write(move |conn| handle(conn, &row, now)).await)
                })
                .buffer_unordered(AT_ONCE);
            let (mut done, mut troubled) = (0, 0);
            while let Some((id, outcome)) = handled.next().await {
                match outcome {
                    Ok(()) => {
                        aside.forgive(id);
                        self.count(name, "handled", 1);
                        done += 1;
                    }
                    Err(error) => {
                        troubled += usize::from(error.is_transient());
                        self.count(name, "failed", 1);
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

    async fn pieces<P: Send + 'static>(&self, name: &'static str, next: Next<P>, keep: Keep<P>) {
        let mut tick = self.ticks();
        loop {
            tick.tick().await;
            crash::point("jobs");
            log_trouble(name, self.pieces_now(name, next, keep).await);
        }
    }

    /// Piece after piece until none is left.
    async fn pieces_now<P: Send + 'static>(
        &self,
        name: &'static str,
        next: Next<P>,
        keep: Keep<P>,
    ) -> Result<()> {
        while let Some(piece) = self.db.search(next).await? {
            if !self.leads(name, self.clock.now()).await? {
                return Ok(());
            }
            self.db.write(move |conn| keep(conn, &piece)).await?;
            self.count(name, "handled", 1);
        }
        Ok(())
    }

    /// Deletes what is too old, a bounded piece at a time.
    async fn forget(&self, name: &'static str, work: Forget) {
        let mut tick = self.ticks();
        let mut forgot: Option<Timestamp> = None;
        loop {
            tick.tick().await;
            let now = self.clock.now();
            if forgot.is_some_and(|at| at <= now && now.since(at) < FORGET_EVERY) {
                continue;
            }
            match self.forget_now(name, work, now).await {
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
        name: &'static str,
        work: Forget,
        now: Timestamp,
    ) -> Result<(usize, bool)> {
        let (began, mut total) = (Instant::now(), 0);
        loop {
            // Another server does it, or will have been silent by the next tick.
            if !self.leads(name, now).await? {
                return Ok((total, false));
            }
            let done = self.db.write(move |conn| work(conn, now, FORGOTTEN)).await?;
            total += done;
            self.count(name, "handled", done);
            let all = i64::try_from(done).is_ok_and(|done| done < FORGOTTEN);
            if all || began.elapsed() >= self.every / 2 {
                return Ok((total, all));
            }
        }
    }
}

fn log(job: &str, done: Result<usize>) {
    if let Ok(n @ 1..) = done {
        tracing::info!(job, n, "Job \"{job}\" handled {n}");
    }
    log_trouble(job, done);
}

fn log_trouble<T>(job: &str, done: Result<T>) {
    match done {
        Ok(_) => {}
        // The database tells of its troubles itself.
        Err(error) if error.is_transient() => {}
        // The next round tries again.
        Err(error) => tracing::warn!(job, %error, "Job \"{job}\" failed: {error}"),
    }
}
