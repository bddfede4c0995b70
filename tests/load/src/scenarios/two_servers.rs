//! Two servers on one PostgreSQL: what they do together, and when one hears of the other.

use std::time::Duration;

use anyhow::{Context, bail};
use astro_sdk::v1::{WatchEventsRequest, WatchEventsResponse};
use astro_tests::Backend;
use tokio::time::{Instant, timeout};

use super::create::{self, CALLERS, creating};
use crate::bench::{Bench, Callers, Measured, Spent};
use crate::calls::Calls;
use crate::drive::Tally;
use crate::pool::Pool;
use crate::report::Target;
use crate::tell;

/// Promises whose events are waited for at the other server.
const HEARD: u64 = 100;
/// Longest wait for one of them.
const WAIT: Duration = Duration::from_secs(10);

pub(super) async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    if bench.stage.backend == Backend::Sqlite {
        tell("  not of SQLite, whose file is one server's");
        return Ok(());
    }
    let second = bench.stage.second().await?;
    let (one, other) = (bench.stage.calls(CALLERS).await?, second.calls(CALLERS).await?);
    let pool = Pool::of(&bench.stage, &bench.stage.url)?;
    let both = Callers::taking(CALLERS, &pool, creating(one.clone().and(&other), pool.clone()));
    let alone = Callers::taking(CALLERS, &pool, creating(one.clone(), pool.clone()));
    let measured = bench.against(&both, &alone, bench.plan.time).await?;
    let targets = vec![Target::at_least("ratio", measured.ratio(), 1.6)];
    let case = "CreateAssignment at two servers (µs of the first)";
    bench.row(case, "64", "one server", &measured, targets)?;

    pool.refill()?;
    let before = Spent::now(&bench.stage)?;
    let tally = heard(&one, &other, &pool).await?;
    let spent = Spent::now(&bench.stage)?.since(before);
    let targets = vec![Target::at_most("p99 in ms", tally.at(0.99).as_secs_f64() * 1e3, 250.0)];
    let case = "from the answer until the other server tells the event";
    bench.row(case, "1", "", &Measured { tally, spent, ceiling: None }, targets)
}

/// How long after its answer a promise at one server is told by the other.
async fn heard(one: &Calls, other: &Calls, pool: &Pool) -> anyhow::Result<Tally> {
    let types = vec!["assignment.created".to_owned()];
    let request = WatchEventsRequest { types, ..Default::default() };
    let mut events = other.stream::<_, WatchEventsResponse>(0, request).await?;
    events.message().await?.context("no checkpoint")?;
    let (mut tally, began) = (Tally::new(), Instant::now());
    for number in 0..HEARD {
        let items = pool.take(2).context("nothing is left")?;
        let made = one.call(number, create::request(number, items)).await?;
        let id = made.assignment.unwrap_or_default().id;
        let answered = Instant::now();
        loop {
            let told = timeout(WAIT, events.message()).await.context("it is not told")??;
            let Some(told) = told else { bail!("the stream ended") };
            if told.events.iter().any(|event| event.assignment_id == id) {
                break;
            }
        }
        tally.record(answered.elapsed(), 1);
    }
    tally.took = began.elapsed();
    Ok(tally)
}
