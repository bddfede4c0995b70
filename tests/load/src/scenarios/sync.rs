//! Syncs of an inventory, through the session of a bot that does nothing else.

use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::create::{CALLERS, creating};
use crate::bench::{Arrivals, Bench, Beside, Measured, Side, Spent};
use crate::drive::Tally;
use crate::pool::Pool;
use crate::report::Target;
use crate::session::Session;

/// Assets of a small pool's bot and of a large one's, and the seconds of the server that a sync of
/// them may take.
const SMALL: (u64, f64) = (20_000, 0.15);
const LARGE: (u64, f64) = (100_000, 0.7);
/// Seconds for the first adoption of a large one.
const ADOPTION: f64 = 15.0;
/// Syncs that are measured.
const SYNCS: usize = 10;
/// Promises a second beside the syncs.
const WRITES: f64 = 50.0;

pub(super) async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let (assets, seconds) = if bench.stage.items >= LARGE.0 { LARGE } else { SMALL };
    let mut session = Session::open(&mut bench.stage, assets).await?;

    // The first order comes by itself, and everything is new.
    let (adopted, spent) = session.sync(&bench.stage).await?;
    let mut tally = Tally::new();
    tally.record(adopted, 1);
    tally.took = adopted;
    let scale = LARGE.0 as f64 / assets as f64;
    let targets =
        vec![Target::at_most("seconds for 100,000", adopted.as_secs_f64() * scale, ADOPTION)];
    let case = format!("first adoption of {assets} assets");
    bench.row(&case, "1", "", &Measured { tally, spent, ceiling: None }, targets)?;

    let (mut tally, mut total) = (Tally::new(), Spent::default());
    let mut memory = Vec::new();
    for _ in 0..SYNCS {
        session.order(&bench.stage).await?;
        let (took, spent) = session.sync(&bench.stage).await?;
        tally.record(took, 1);
        tally.took += took;
        total.add(spent);
        memory.push(bench.stage.server()?.memory().1 as f64);
    }
    let each = total.server.as_secs_f64() / SYNCS as f64;
    let targets = vec![
        Target::at_most("seconds of the server each", each, seconds),
        Target::at_most("memory after the tenth against the second", memory[9] / memory[1], 1.1),
    ];
    let case = format!("sync of {assets} unchanged assets");
    bench.row(&case, "1", "", &Measured { tally, spent: total, ceiling: None }, targets)?;
    writes_beside(bench, session).await
}

async fn writes_beside(bench: &mut Bench, session: Session) -> anyhow::Result<()> {
    let pool = Pool::of(&bench.stage, &bench.stage.url)?;
    let create = creating(bench.stage.calls(CALLERS).await?, pool);
    let alone = Arrivals { rate: WRITES, op: create.clone() };
    let side = Arrivals { rate: WRITES, op: create };
    let beside = Beside { side, other: Syncing { session: Mutex::new(session), bench } };
    let measured = bench.against(&beside, &alone, bench.plan.time).await?;
    let alone = measured.ceiling.as_ref().map_or(0.0, |(alone, _)| alone.at(0.99).as_secs_f64());
    let longer = measured.tally.at(0.99).as_secs_f64() / alone;
    let targets = vec![Target::at_most("p99 against without", longer, 1.5)];
    drop(beside);
    let case = "CreateAssignment beside one sync after the other";
    bench.row(case, "50/s", "itself without", &measured, targets)
}

/// One sync after the other.
struct Syncing<'a> {
    session: Mutex<Session>,
    bench: &'a Bench,
}

impl Side for Syncing<'_> {
    fn run(&self, time: Duration) -> BoxFuture<'_, anyhow::Result<Tally>> {
        Box::pin(async move {
            let (began, mut tally) = (Instant::now(), Tally::new());
            let mut session = self.session.lock().await;
            while began.elapsed() < time {
                session.order(&self.bench.stage).await?;
                tally.record(session.answer().await?, 1);
            }
            tally.took = began.elapsed();
            Ok(tally)
        })
    }
}
