//! Work on a schedule: each job may run twice, on several servers, and does a bounded piece at a
//! time.
use crate::config::Pace;
use crate::db::{Conn, Db};
use crate::kernel::{Clock, Result, Timestamp};
use crate::{assignments, auth, bots, crash, items, sync};
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// Rows of one transaction.
const BATCH: i64 = 50;
/// How often old answers are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(3600);

/// Runs the jobs for ever.
pub async fn run(db: &Db, clock: &Clock, pace: &Pace) {
    let mut tick = interval(pace.job_interval);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut forgot: Option<Timestamp> = None;
    loop {
        tick.tick().await;
        crash::point("jobs");
        log("expire reservations", repeat(db, clock, items::ops::expire_reservations).await);
        log("expire assignments", repeat(db, clock, assignments::ending::expire).await);
        log("withdraw offers", repeat(db, clock, assignments::room::withdraw_stale).await);
        let resume = assignments::invites::resume_with_trade_url;
        log("resume deliveries", repeat(db, clock, resume).await);
        log("settle deliveries", repeat(db, clock, assignments::ops::settle_due).await);
        log("warn of Steam logins", repeat(db, clock, bots::ops::warn_of_tokens).await);
        let now = clock.now();
        if forgot.is_none_or(|at| now.since(at) >= FORGET_EVERY) {
            forgot = Some(now);
            let forgotten = db.write(move |conn| auth::ops::forget_requests(conn, now)).await;
            log("forget old requests", forgotten);
            let forgotten = db.write(move |conn| sync::history::forget(conn, now)).await;
            log("forget old trades", forgotten);
        }
    }
}

fn log(job: &str, done: Result<usize>) {
    match done {
        Ok(0) => {}
        Ok(n) => tracing::info!(job, n, "Job \"{job}\" handled {n}"),
        // The next round tries again.
        Err(error) => tracing::warn!(job, %error, "Job \"{job}\" failed: {error}"),
    }
}

/// Repeats a bounded piece of work until there is less than a full batch of it.
async fn repeat(
    db: &Db,
    clock: &Clock,
    work: fn(&mut Conn, Timestamp, i64) -> Result<usize>,
) -> Result<usize> {
    let mut total = 0;
    loop {
        let now = clock.now();
        let done = db.write(move |conn| work(conn, now, BATCH)).await?;
        total += done;
        if i64::try_from(done).unwrap_or(i64::MAX) < BATCH {
            return Ok(total);
        }
    }
}
