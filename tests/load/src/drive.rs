//! Calls at a rate or by so many callers, and how long each took.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use hdrhistogram::Histogram;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// One operation, given its number: done, or the code of what refused it.
pub(crate) type Op = Arc<dyn Fn(u64) -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// Makes an [`Op`] of a function.
pub(crate) fn op<F, Fut>(run: F) -> Op
where
    F: Fn(u64) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), String>> + Send + 'static,
{
    Arc::new(move |number| Box::pin(run(number)))
}

/// What an operation answers when there is nothing left to do it on: its caller stops, and it counts
/// as nothing.
pub(crate) const NOTHING_LEFT: &str = "NOTHING_LEFT";

/// Calls that are open at once in an open loop; those beyond count as errors.
const OPEN_MAX: usize = 20_000;
/// Longest latency that is told apart, in nanoseconds.
const LATENCY_MAX: u64 = 300_000_000_000;

/// Numbers of operations: no two of a run have the same.
static NUMBER: AtomicU64 = AtomicU64::new(1);

/// Latencies and failures of operations.
#[derive(Debug, Clone)]
pub(crate) struct Tally {
    latencies: Histogram<u64>,
    /// Failures by code.
    pub(crate) errors: BTreeMap<String, u64>,
    /// Time that they took together.
    pub(crate) took: Duration,
}

impl Tally {
    pub(crate) fn new() -> Self {
        let latencies = Histogram::new_with_bounds(1_000, LATENCY_MAX, 3);
        let latencies = latencies.expect("the bounds are in order");
        Self { latencies, errors: BTreeMap::new(), took: Duration::ZERO }
    }

    /// Counts so many operations that took this long each.
    pub(crate) fn record(&mut self, latency: Duration, times: u64) {
        let nanos = u64::try_from(latency.as_nanos()).unwrap_or(LATENCY_MAX);
        self.latencies.saturating_record_n(nanos.max(1_000), times);
    }

    /// Counts a failure.
    pub(crate) fn fail(&mut self, code: String) {
        *self.errors.entry(code).or_default() += 1;
    }

    /// Adds what others did at the same time.
    pub(crate) fn join(&mut self, other: &Self) {
        self.latencies.add(&other.latencies).expect("the bounds are the same");
        for (code, count) in &other.errors {
            *self.errors.entry(code.clone()).or_default() += count;
        }
    }

    /// Adds what was done after it.
    pub(crate) fn append(&mut self, later: &Self) {
        self.join(later);
        self.took += later.took;
    }

    /// Operations that were done.
    pub(crate) fn done(&self) -> u64 {
        self.latencies.len()
    }

    /// Operations that were answered, refused ones too.
    pub(crate) fn answered(&self) -> u64 {
        self.done() + self.errors.values().sum::<u64>()
    }

    /// Operations done a second.
    pub(crate) fn rate(&self) -> f64 {
        per(self.done() as f64, self.took.as_secs_f64())
    }

    /// The latency that this share of the operations did not pass.
    pub(crate) fn at(&self, share: f64) -> Duration {
        Duration::from_nanos(self.latencies.value_at_quantile(share))
    }

    /// The longest latency.
    pub(crate) fn max(&self) -> Duration {
        Duration::from_nanos(self.latencies.max())
    }
}

/// The quotient, or none at all when there is nothing to divide by.
pub(crate) fn per(amount: f64, by: f64) -> f64 {
    if by > 0.0 { amount / by } else { 0.0 }
}

fn count(tally: &mut Tally, outcome: Result<(), String>, since: Instant) {
    match outcome {
        Ok(()) => tally.record(since.elapsed(), 1),
        Err(code) => tally.fail(code),
    }
}

/// So many callers, each of which makes its next call when it has the answer to the one before.
pub(crate) async fn closed(callers: usize, time: Duration, op: &Op) -> Tally {
    let began = Instant::now();
    let until = began + time;
    let mut tasks = JoinSet::new();
    for _ in 0..callers {
        let op = op.clone();
        tasks.spawn(async move {
            let mut tally = Tally::new();
            while Instant::now() < until {
                let since = Instant::now();
                let outcome = op(NUMBER.fetch_add(1, Ordering::Relaxed)).await;
                if outcome.as_ref().is_err_and(|code| code == NOTHING_LEFT) {
                    break;
                }
                count(&mut tally, outcome, since);
            }
            tally
        });
    }
    together(tasks, began).await
}

/// Calls that are due at this rate, whatever became of the others. Latencies run from the moment a
/// call was due, so that those that wait behind a slow one tell of it.
pub(crate) async fn open(rate: f64, time: Duration, op: &Op) -> Tally {
    let began = Instant::now();
    let number = (rate * time.as_secs_f64()).round() as u64;
    let mut tasks = JoinSet::new();
    let mut total = Tally::new();
    for call in 0..number {
        let due = began + Duration::from_secs_f64(call as f64 / rate);
        sleep_until(due).await;
        while let Some(done) = tasks.try_join_next() {
            total.join(&done.expect("no operation panics"));
        }
        if tasks.len() >= OPEN_MAX {
            total.fail("NOT_SENT".to_owned());
            continue;
        }
        let op = op.clone();
        tasks.spawn(async move {
            let mut tally = Tally::new();
            let outcome = op(NUMBER.fetch_add(1, Ordering::Relaxed)).await;
            count(&mut tally, outcome, due);
            tally
        });
    }
    sleep_until(began + time).await;
    total.join(&together(tasks, began).await);
    total.took = began.elapsed();
    total
}

async fn together(mut tasks: JoinSet<Tally>, began: Instant) -> Tally {
    let mut total = Tally::new();
    while let Some(done) = tasks.join_next().await {
        total.join(&done.expect("no operation panics"));
    }
    total.took = began.elapsed();
    total
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::Mutex;

    /// A server that serves one call after the other, in 1 ms each, but stalls once for 200 ms.
    fn stalling() -> Op {
        let (served, line) = (Arc::new(AtomicU64::new(0)), Arc::new(Mutex::new(())));
        op(move |_| {
            let (served, line) = (served.clone(), line.clone());
            async move {
                let _turn = line.lock().await;
                let stalls = served.fetch_add(1, Ordering::Relaxed) == 10;
                tokio::time::sleep(Duration::from_millis(if stalls { 200 } else { 1 })).await;
                Ok(())
            }
        })
    }

    #[tokio::test(start_paused = true)]
    async fn calls_that_were_due_during_a_stall_tell_of_it() {
        let tally = open(100.0, Duration::from_secs(1), &stalling()).await;
        assert_eq!(tally.done(), 100);
        // Twenty were due while one of them took 200 ms, and stood in line behind it.
        assert!(tally.at(0.9) > Duration::from_millis(50), "{:?}", tally.at(0.9));
        assert!(tally.max() >= Duration::from_millis(200), "{:?}", tally.max());
    }

    #[tokio::test(start_paused = true)]
    async fn a_closed_loop_makes_its_next_call_when_it_has_the_answer() {
        let tally = closed(1, Duration::from_secs(1), &stalling()).await;
        assert!((750..=810).contains(&tally.done()), "{}", tally.done());
        // The stall is one call of all, since nobody called meanwhile.
        assert!(tally.at(0.99) < Duration::from_millis(5), "{:?}", tally.at(0.99));
    }

    #[tokio::test(start_paused = true)]
    async fn a_loop_that_falls_behind_is_told_at_the_rate_that_was_done() {
        let tally = open(2000.0, Duration::from_secs(1), &stalling()).await;
        assert_eq!(tally.done(), 2000);
        assert!(tally.rate() < 1000.0, "{}", tally.rate());
        assert!(tally.max() > Duration::from_secs(1), "{:?}", tally.max());
    }

    #[tokio::test(start_paused = true)]
    async fn refusals_are_counted_by_code_and_are_no_latencies() {
        let refused = op(|number| async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            if number % 2 == 0 { Err("ABORTED".to_owned()) } else { Ok(()) }
        });
        let tally = closed(2, Duration::from_secs(1), &refused).await;
        assert_eq!(tally.errors.keys().collect::<Vec<_>>(), ["ABORTED"]);
        assert_eq!(tally.answered(), tally.done() + tally.errors["ABORTED"]);
        assert!(tally.done() > 0);
    }
}
